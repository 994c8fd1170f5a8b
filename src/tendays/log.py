"""The journal: reads ``journal/*.md``, and adds to it.

A unit is ten days and a Markdown file::

    # Unit 1: 2022-02-01 to 2022-02-10

    ## Goals

    - 2–3 papers
    - 3 lectures: NYU Deep Learning, weeks 5 and 6
    - code

    ## 2022-02-03

    - paper: *Graves 2012*, second pass
    - [ ] question: Do similar methods work on text?
    - [x] question: How is it trained? → [by its loss](../notebooks/04_transducer.ipynb#the-loss-three-times)

Anything else between (paragraphs, quotes, nested lists, code) is the writer's own, and left alone.

What counts against a goal is works. A title in italics names one; it counts once in its unit, however often it is
met, and an item with two titles counts two. An item without a title counts as one.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from textwrap import fill

from filelock import FileLock

from tendays.results import write_atomically

KINDS = ("lecture", "paper", "mathematics", "code", "idea", "question")
QUESTION = "question"
UNIT_DAYS = 10
LOCK = ".lock"  # in journal/, held while a file there is read, changed and written

TITLE = re.compile(r"# +Unit +([0-9]{1,6}) *: *(\S+) +to +(\S+) *")
HEADING = re.compile(r"## +(.*)")
ITEM = re.compile(r"[-*+] +(\S.*)")
TASK = re.compile(r"\[([ xX])\] +(.*)")
KIND = re.compile(r"([A-Za-z]+) *: *(.*)")
GOAL = re.compile(r"(?:([0-9]{1,6})(?: *[–-] *([0-9]{1,6}))? +)?([A-Za-z]+)(?: *: *(.*))?")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
WORK = re.compile(r"(?<![*\w])\*([^*\s](?:[^*]{0,198}[^*\s])?)\*(?![*\w])")
LINK = re.compile(r"\]\(\.\./notebooks/([\w-]{1,100})\.ipynb(?:#([^\s)]{1,200}))?\)")


@dataclass(frozen=True)
class Problem:
    """Something that could not be read: where, and what was expected there."""

    path: Path
    line: int  # from 1
    expected: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.expected}"


@dataclass(frozen=True)
class Item:
    """Something done, thought or asked; ``closed`` is None for all but questions."""

    kind: str
    text: str
    day: date
    path: Path
    line: int
    closed: bool | None = None

    @property
    def works(self) -> list[str]:
        """The titles in italics."""
        return WORK.findall(self.text)

    @property
    def links(self) -> list[tuple[str, str]]:
        """The notebooks that it links to: stem, and the slug of a section or nothing."""
        return LINK.findall(self.text)


@dataclass(frozen=True)
class Goal:
    """So many works of a kind, at least and at most; ``most`` is None where there is no limit."""

    kind: str
    least: int
    most: int | None
    words: str = ""

    @property
    def amount(self) -> str:
        """How many, in words."""
        if self.most is None:
            return f"{self.least} or more"
        return f"{self.least}–{self.most}" if self.most > self.least else f"{self.least}"


@dataclass
class Unit:
    """Ten days: what was planned for them, and what was done on each."""

    path: Path
    number: int
    start: date
    end: date
    goals: list[Goal] = field(default_factory=list)
    days: dict[date, list[Item]] = field(default_factory=dict)

    @property
    def items(self) -> list[Item]:
        """All that was noted, in order."""
        return [item for items in self.days.values() for item in items]

    def done(self, kind: str) -> int:
        """How many works of a kind; the module says what counts."""
        items = [item for item in self.items if item.kind == kind]
        return len({work for item in items for work in item.works}) + sum(not item.works for item in items)


@dataclass
class Journal:
    """The units, by their first days, and what could not be read."""

    units: list[Unit] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        """All that was noted, in order."""
        return [item for unit in self.units for item in unit.items]

    @property
    def days(self) -> list[date]:
        """The days on which something was noted, in order."""
        return sorted({item.day for item in self.items})

    def questions(self, *, closed: bool) -> list[Item]:
        """The questions that are closed, or those that are open."""
        return [item for item in self.items if item.closed is closed]

    def mentions(self, stem: str) -> list[tuple[Item, str]]:
        """The items that link to a notebook, each with the slug of the section."""
        return [(item, slug) for item in self.items for linked, slug in item.links if linked == stem]


def slug(heading: str) -> str:
    """The name by which links reach a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def span(first: date, last: date) -> str:
    """Days from one to another, as one writes them: 1–10 February 2022."""
    if first == last:
        return f"{first.day} {first:%B %Y}"
    if first.year != last.year:
        return f"{first.day} {first:%B %Y} – {last.day} {last:%B %Y}"
    if first.month != last.month:
        return f"{first.day} {first:%B} – {last.day} {last:%B %Y}"
    return f"{first.day}–{last.day} {last:%B %Y}"


def streaks(days: Iterable[date]) -> list[tuple[date, date]]:
    """Runs of days without a day missing: the first and last day of each."""
    runs: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if runs and day.toordinal() == runs[-1][1].toordinal() + 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def gaps(days: Iterable[date], until: date) -> list[tuple[date, date]]:
    """The days without an entry between entries, and from the last one to a day: first and last of each gap."""
    runs = streaks(days)
    ends = [*(start for start, _ in runs[1:]), until + timedelta(1)] if runs else []
    between = zip((end for _, end in runs), ends, strict=True)
    return [(end + timedelta(1), start - timedelta(1)) for end, start in between if (start - end).days > 1]


def report(journal: Journal, day: date) -> Iterator[str]:
    """What there is to say about a journal on a day, line by line."""
    for unit in journal.units:
        yield f"Unit {unit.number}, {span(unit.start, unit.end)}: {_count(len(unit.days), 'day')} with an entry"
        for goal in unit.goals:
            done = unit.done(goal.kind)
            missing = f"{goal.least - done} to go" if day <= unit.end else f"{goal.least - done} short"
            yield f"  {goal.kind:<12}{done:>3} of {goal.amount:<10} {'✓' if done >= goal.least else missing}"
        yield ""
    if not (days := journal.days):
        yield "No entries yet."
        return
    first, last = max(streaks(days), key=lambda run: run[1] - run[0])
    now = next((run for run in streaks(days) if run[1] >= day - timedelta(1)), None)
    yield f"Longest streak: {_days(first, last)}; now: {_days(*now) if now else 'none'}"
    yesterday = day - timedelta(1)  # today is not over
    for first, last in gaps(days, yesterday):
        yield f"Gap: {_days(first, last)}" + (", and counting" if last == yesterday else "")
    questions = journal.questions(closed=False)
    yield f"\nOpen questions: {len(questions)}; closed: {len(journal.questions(closed=True))}"
    for item in questions:
        age = (day - item.day).days
        where = f"{item.path.parent.name}/{item.path.name}:{item.line}"
        yield fill(item.text, 76, initial_indent="  ", subsequent_indent="  ")
        yield f"      {_count(age, 'day')} old, {where}"


def _days(first: date, last: date) -> str:
    """A run of days, with how many they are."""
    return f"{_count((last - first).days + 1, 'day')}, {span(first, last)}"


def _count(number: int, name: str) -> str:
    """So many of something, in words."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


# --- reading ----------------------------------------------------------------------------------------------------------


def read(folder: Path) -> Journal:
    """Read the units in a folder. Whatever its files hold, this raises nothing and writes nothing."""
    journal = Journal()
    for path in sorted(folder.glob("*.md")):
        try:
            text = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            journal.problems.append(Problem(path, 1, f"expected a readable file of UTF-8 text ({error})"))
            continue
        unit, problems = parse(text, path)
        journal.problems += problems
        if unit:
            journal.units.append(unit)
    journal.units.sort(key=lambda unit: (unit.start, unit.number))
    for before, after in zip(journal.units, journal.units[1:], strict=False):
        if after.start <= before.end or after.number <= before.number:
            expected = f"expected a number above {before.number} and a first day after {before.end}"
            journal.problems.append(Problem(after.path, 1, f"{expected}, because of {before.path.name}"))
    return journal


def parse(text: str, path: Path) -> tuple[Unit | None, list[Problem]]:
    """Read the text of a unit; without a first line that can be read there is no unit.

    Args:
        text: The content of a file.
        path: Where it came from, for the problems.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    number = next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
    unit = _title(lines[number - 1] if lines else "", path)
    if unit is None:
        expected = "expected '# Unit 1: 2022-02-01 to 2022-02-10', ten days, on the first line"
        return None, [Problem(path, number, expected)]
    problems: list[Problem] = []
    section: date | str | None = None  # a day, "goals", or a heading that could not be read
    for place, line in _own_lines(lines, number):
        if heading := HEADING.fullmatch(line):
            section = _section(heading[1], unit, Problem(path, place, ""), problems)
        elif line.startswith("# "):
            problems.append(Problem(path, place, "expected one title only; days and goals have headings with ##"))
        elif (item := ITEM.match(line)) and section == "goals":
            _add_goal(item[1], unit, Problem(path, place, ""), problems)
        elif item and isinstance(section, date):
            _add_item(_whole(lines, place, item[1]), unit, section, Problem(path, place, ""), problems)
        elif item and section is None:
            problems.append(Problem(path, place, "expected items under '## Goals' or a day such as '## 2022-02-03'"))
    return unit, problems


def _title(line: str, path: Path) -> Unit | None:
    """The unit that a first line announces, if it does."""
    found = TITLE.fullmatch(line.rstrip())
    start, end = (_date(found[2]), _date(found[3])) if found else (None, None)
    if not (start and end) or (end - start).days != UNIT_DAYS - 1:
        return None
    return Unit(path, int(found[1]), start, end)


def _own_lines(lines: list[str], after: int) -> Iterator[tuple[int, str]]:
    """The lines after a number, with theirs, but for those inside of fences and HTML comments."""
    closing = None
    for number, line in enumerate(lines[after:], after + 1):
        if closing:
            closing = None if closing(line) else closing
        elif fence := FENCE.match(line):
            closing = partial(_closes, fence[1])
        elif line.startswith("<!--"):
            closing = None if "-->" in line else partial(_closes, "-->")
        else:
            yield number, line


def _closes(mark: str, line: str) -> bool:
    """Whether a line ends the comment or the fenced block that a mark belongs to."""
    if mark == "-->":
        return mark in line
    return line.strip().startswith(mark) and not line.strip(f"{mark[0]} \t\r\n")


def _date(text: str) -> date | None:
    """A date in the form 2022-02-03, if the text is one."""
    try:
        return date.fromisoformat(text) if ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None


def _section(heading: str, unit: Unit, at: Problem, problems: list[Problem]) -> date | str:
    """What stands under a heading of level two."""
    name = heading.strip()
    if name.lower() == "goals":
        return "goals"
    day = _date(name)
    if day is None:
        expected = "expected '## Goals' or a day such as '## 2022-02-03'"
    elif not unit.start <= day <= unit.end:
        expected = f"expected a day of this unit, {unit.start} to {unit.end}"
    elif unit.days and day <= max(unit.days):
        expected = f"expected a day after {max(unit.days)}, each day once and in order"
    else:
        unit.days[day] = []
        return day
    problems.append(Problem(at.path, at.line, f"{expected}, not {name[:40]!r}"))
    return "unread"


def _add_goal(text: str, unit: Unit, at: Problem, problems: list[Problem]) -> None:
    """Read an item under “Goals”."""
    found = GOAL.fullmatch(text.strip())
    kind = _kind(found[3]) if found else None
    least = int(found[1]) if found and found[1] else 1
    most = (int(found[2] or found[1]) if found[1] else None) if found else None
    if kind is None or (most is not None and most < least):
        expected = f"expected a goal such as '2–3 papers' or 'code: a notebook', of {', '.join(KINDS)}"
        problems.append(Problem(at.path, at.line, f"{expected}, not {text[:40]!r}"))
    elif any(goal.kind == kind for goal in unit.goals):
        problems.append(Problem(at.path, at.line, f"expected one goal of each kind; one of {kind!r} stands above"))
    else:
        unit.goals.append(Goal(kind, least, most, found[4] or ""))


def _kind(word: str) -> str | None:
    """The kind that a word names, in singular or plural."""
    plain = word.lower()
    return next((kind for kind in KINDS if plain in (kind, f"{kind}s")), None)


def _whole(lines: list[str], number: int, first: str) -> str:
    """The text of an item: its line, and the indented lines that go on with it."""
    parts = [first.strip()]
    for line in lines[number:]:
        words = line.strip()
        if not words or not line.startswith(("  ", "\t")) or ITEM.match(words):
            break
        parts.append(words)
    return " ".join(parts)


def _add_item(text: str, unit: Unit, day: date, at: Problem, problems: list[Problem]) -> None:
    """Read an item under a day."""
    task = TASK.fullmatch(text)
    closed = task[1] != " " if task else None
    found = KIND.fullmatch(task[2] if task else text)
    kind = _kind(found[1]) if found else None
    words = found[2] if kind else task[2] if task else ""
    if task and not kind:
        kind = QUESTION  # a box alone is a question
    if kind is None or not words.strip():
        expected = f"expected 'kind: what', the kind one of {', '.join(KINDS)}"
    elif task and kind != QUESTION:
        expected = "expected a box before questions only"
    elif not task and kind == QUESTION:
        expected = "expected a box before a question: '- [ ] question: …'"
    elif closed and not any(section for _, section in LINK.findall(words)):
        expected = "expected a closed question to link to the section that closes it: (../notebooks/….ipynb#section)"
    else:
        unit.days[day].append(Item(kind, words.strip(), day, at.path, at.line, closed))
        return
    problems.append(Problem(at.path, at.line, f"{expected}, not {text[:40]!r}"))


# --- writing ----------------------------------------------------------------------------------------------------------


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep others from writing to the journal, so that of two at once neither loses anything."""
    with FileLock(folder / LOCK, timeout=60):
        yield


def today() -> date:
    """The day it is here: in the time zone of this machine."""
    return datetime.now().astimezone().date()


def day(text: str, now: date) -> date:
    """The day that a word or a date means.

    Args:
        text: A date such as 2022-02-03, ``today`` or ``yesterday``.
        now: What day it is.

    Raises:
        ValueError: It is none of these, or still to come.
    """
    named = {"today": now, "yesterday": now - timedelta(1)}
    found = named.get(text.strip().lower()) or _date(text.strip())
    if found is None or found > now:
        raise ValueError(f"date is {text!r}; expected one such as 2022-02-03, up to today, {now}, or 'yesterday'")
    return found


def append_item(folder: Path, text: str, kind: str, day: date) -> tuple[Path, int]:
    """Add an item to the unit that a day belongs to. Nothing that is there is changed.

    Args:
        folder: The journal.
        text: What was done; further lines become further lines of the item.
        kind: One of `KINDS`.
        day: When it was done.

    Returns:
        The file, and the number of the line that was added.

    Raises:
        ValueError: The kind is none, the text is empty or would be read as something else, or no unit has the day.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("text is empty; expected what was done")
    with _locked(folder):
        unit = _unit_of(read(folder).units, day)
        old = unit.path.read_bytes().decode()
        new, number = _with_item(old, unit, lines, kind, day)
        was, now = (parse(content, unit.path)[0].items for content in (old, new))
        added = [item for item in now if item.line == number and item.day == day]
        if len(now) != len(was) + 1 or [item.text for item in added] != [" ".join(lines)]:
            raise ValueError(f"text is {text[:60]!r}; expected one that the journal reads back as it is")
        write_atomically(unit.path, new)
    return unit.path, number


def _unit_of(units: list[Unit], day: date) -> Unit:
    """The unit that has a day; ValueError, saying what there is, where none has."""
    for unit in units:
        if unit.start <= day <= unit.end:
            return unit
    last = f"the last one ends on {units[-1].end}" if units else "there are none yet"
    raise ValueError(f"the day is {day}; expected one of a unit, and {last}. `tendays new-unit` starts the next")


def _with_item(old: str, unit: Unit, lines: list[str], kind: str, day: date) -> tuple[str, int]:
    """The text of a unit with an item inserted, and the number of its line."""
    kept = old.splitlines(keepends=True)
    place = _end_of_day(kept, unit, day)
    before = kept[place - 1]
    added = [] if before.endswith(("\n", "\r")) else [""]  # only ends the line before
    if day not in unit.days:
        added += ["", f"## {day}", ""] if before.strip() else [f"## {day}", ""]
    elif before.startswith("#"):
        added.append("")
    number = place + len(added) + (before.endswith(("\n", "\r")))
    box = "[ ] " if kind == QUESTION else ""
    added += [f"- {box}{kind}: {lines[0]}", *(f"  {line}" for line in lines[1:])]
    if place < len(kept) and day not in unit.days:
        added.append("")
    end = "\r\n" if "\r\n" in old else "\n"
    return "".join([*kept[:place], *(line + end for line in added), *kept[place:]]), number


def _end_of_day(kept: list[str], unit: Unit, day: date) -> int:
    """After how many lines an item of a day belongs: the last of that day, or those before the first later day."""
    lines = [line.rstrip("\r\n") for line in kept]
    headings = [(number, HEADING.match(line)) for number, line in _own_lines(lines, 0)]
    sections = [(number, _date(found[1].strip())) for number, found in headings if found]
    if day not in unit.days:
        later = [number for number, other in sections if other in unit.days and other > day]
        return min(later, default=len(lines) + 1) - 1
    own = next(number for number, other in sections if other == day)
    place = min((number for number, _ in sections if number > own), default=len(lines) + 1) - 1
    while not lines[place - 1].strip():
        place -= 1
    return place


STANDING = (Goal("paper", 2, 3), Goal("lecture", 3, 3), Goal("mathematics", 1, 1), Goal("code", 1, None))


def new_unit(folder: Path, day: date) -> Unit:
    """Write the file of the next unit: the ten days after the last one, or from today where that is over.

    Its goals are those of the last unit, without their words.

    Raises:
        ValueError: The next unit is there already, or a file with its name.
    """
    with _locked(folder):
        units = read(folder).units
        last = units[-1] if units else None
        if last and last.start > day:
            raise ValueError(f"the next unit is there already: {last.path.name} begins on {last.start}")
        start = last.end + timedelta(1) if last and last.end >= day else day
        number = last.number + 1 if last else 1
        path = folder / f"{start:%Y-%m}-unit-{number}.md"
        if path.exists():
            raise ValueError(f"{path.name} is there already, and can't be read as a unit")
        unit = Unit(path, number, start, start + timedelta(UNIT_DAYS - 1), last.goals if last else list(STANDING))
        goals = "".join(f"- {_goal_line(goal)}\n" for goal in unit.goals)
        write_atomically(path, f"# Unit {number}: {unit.start} to {unit.end}\n\n## Goals\n\n{goals}")
    return unit


def _goal_line(goal: Goal) -> str:
    """A goal as the journal writes it."""
    plural = "" if goal.least == goal.most == 1 or goal.kind in ("mathematics", "code") else "s"
    return f"{goal.kind}" if goal.most is None else f"{goal.amount} {goal.kind}{plural}"


def checkout(start: Path) -> Path:
    """The folder with ``journal/`` and ``notebooks/``, here or above.

    Raises:
        ValueError: There is none.
    """
    for folder in (start, *start.parents):
        if (folder / "journal").is_dir() and (folder / "notebooks").is_dir():
            return folder
    raise ValueError(f"there is no journal in {start} or above it; expected to be in a clone of Tendays")
