"""The journal in a few lines: goals against what was done, streaks and gaps, open questions."""

from collections.abc import Iterator
from datetime import date, timedelta
from textwrap import fill

from tendays.journal.units import Journal, gaps, span, streaks


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
