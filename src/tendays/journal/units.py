"""What the journal consists of: units of ten days, their goals, and what was noted on each day.

What counts against a goal is works. A title in italics names one; it counts once in its unit, however often it is
met, and an item with two titles counts two. An item without a title counts as one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

KINDS = ("lecture", "paper", "mathematics", "code", "idea", "question")
QUESTION = "question"
UNIT_DAYS = 10

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
