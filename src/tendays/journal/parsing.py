"""Reads the files of the journal, ``journal/*.md``; the package's docstring shows what they look like."""

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

from tendays.journal.units import KINDS, LINK, QUESTION, UNIT_DAYS, Goal, Item, Journal, Problem, Unit

TITLE = re.compile(r"# +Unit +([0-9]{1,6}) *: *(\S+) +to +(\S+) *")
HEADING = re.compile(r"## +(.*)")
ITEM = re.compile(r"[-*+] +(\S.*)")
TASK = re.compile(r"\[([ xX])\] +(.*)")
KIND = re.compile(r"([A-Za-z]+) *: *(.*)")
GOAL = re.compile(r"(?:([0-9]{1,6})(?: *[–-] *([0-9]{1,6}))? +)?([A-Za-z]+)(?: *: *(.*))?")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
    for place, line in own_lines(lines, number):
        expected = None
        if heading := HEADING.fullmatch(line):
            section, expected = _section(heading[1], unit)
        elif line.startswith("# "):
            expected = "expected one title only; days and goals have headings with ##"
        elif (item := ITEM.match(line)) and section == "goals":
            expected = _add_goal(item[1], unit)
        elif item and isinstance(section, date):
            expected = _add_item(_whole(lines, place, item[1]), unit, section, place)
        elif item and section is None:
            expected = "expected items under '## Goals' or a day such as '## 2022-02-03'"
        if expected:
            problems.append(Problem(path, place, expected))
    return unit, problems


def _title(line: str, path: Path) -> Unit | None:
    """The unit that a first line announces, if it does."""
    found = TITLE.fullmatch(line.rstrip())
    start, end = (parse_date(found[2]), parse_date(found[3])) if found else (None, None)
    if not (start and end) or (end - start).days != UNIT_DAYS - 1:
        return None
    return Unit(path, int(found[1]), start, end)


def own_lines(lines: list[str], after: int) -> Iterator[tuple[int, str]]:
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


def parse_date(text: str) -> date | None:
    """A date in the form 2022-02-03, if the text is one."""
    try:
        return date.fromisoformat(text) if ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None


def _section(heading: str, unit: Unit) -> tuple[date | str, str | None]:
    """The section that a heading of level two begins, and what was expected where it can't be read."""
    name = heading.strip()
    if name.lower() == "goals":
        return "goals", None
    day = parse_date(name)
    if day is None:
        expected = "expected '## Goals' or a day such as '## 2022-02-03'"
    elif not unit.start <= day <= unit.end:
        expected = f"expected a day of this unit, {unit.start} to {unit.end}"
    elif unit.days and day <= max(unit.days):
        expected = f"expected a day after {max(unit.days)}, each day once and in order"
    else:
        unit.days[day] = []
        return day, None
    return "unread", f"{expected}, not {name[:40]!r}"


def _add_goal(text: str, unit: Unit) -> str | None:
    """Add an item under “Goals” to the unit; what was expected where it can't be read."""
    found = GOAL.fullmatch(text.strip())
    kind = _kind(found[3]) if found else None
    least = int(found[1]) if found and found[1] else 1
    most = (int(found[2] or found[1]) if found[1] else None) if found else None
    if kind is None or (most is not None and most < least):
        expected = f"expected a goal such as '2–3 papers' or 'code: a notebook', of {', '.join(KINDS)}"
        return f"{expected}, not {text[:40]!r}"
    if any(goal.kind == kind for goal in unit.goals):
        return f"expected one goal of each kind; there is one of {kind!r} above"
    unit.goals.append(Goal(kind, least, most, found[4] or ""))
    return None


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


def _add_item(text: str, unit: Unit, day: date, line: int) -> str | None:
    """Add an item under a day to the unit; what was expected where it can't be read."""
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
        unit.days[day].append(Item(kind, words.strip(), day, unit.path, line, closed))
        return None
    return f"{expected}, not {text[:40]!r}"
