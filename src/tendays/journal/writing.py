"""Adds to the journal: an item to a day, and the next unit. Nothing that is there is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

from filelock import FileLock

from tendays.files import write_atomically
from tendays.journal.parsing import HEADING, own_lines, parse, parse_date, read
from tendays.journal.units import KINDS, QUESTION, UNIT_DAYS, Goal, Unit

LOCK = ".lock"  # in journal/, held while a file there is read, changed and written


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
    found = named.get(text.strip().lower()) or parse_date(text.strip())
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
    headings = [(number, HEADING.match(line)) for number, line in own_lines(lines, 0)]
    sections = [(number, parse_date(found[1].strip())) for number, found in headings if found]
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
