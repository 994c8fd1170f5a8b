"""A picture of a month of the journal: what was done on which day, by kind, and where nothing was."""

from calendar import monthrange
from datetime import date

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from tendays import plots
from tendays.journal import KINDS, Item, gaps


def draw(items: list[Item], year: int, month: int) -> tuple[Figure, str]:
    """Draw a month: a row for each kind, a column for each day, dots that grow with what was done, gaps shaded.

    Args:
        items: What was noted, in this month and others.
        year: The year.
        month: The month, from 1.

    Returns:
        The figure, and a text that says what it shows.
    """
    first, last = date(year, month, 1), date(year, month, monthrange(year, month)[1])
    counts: dict[tuple[date, str], int] = {}
    for item in items:
        if first <= item.day <= last:
            counts[item.day, item.kind] = counts.get((item.day, item.kind), 0) + 1
    days = sorted({day for day, _ in counts})
    empty = [(start, end) for start, end in gaps(days, last)] if days else [(first, last)]
    fig, ax = plt.subplots(figsize=(7.0, 2.9))
    for start, end in empty:
        _shade(ax, start, end)
    for (day, kind), count in counts.items():
        colour = plots.COLOURS[KINDS.index(kind)]
        ax.scatter(day.day, KINDS.index(kind), s=60 + 25 * (count - 1), color=colour, zorder=3)
        if count > 1:
            place = (day.day, KINDS.index(kind))
            ax.annotate(f"{count}", place, (8, 0), textcoords="offset points", va="center", size=8)
    title = f"{first:%B %Y}: {len(days)} days with an entry" + (f", {_most(empty)} in a row without" if empty else "")
    ax.set(title=title, xlabel="day of the month", xlim=(0.4, last.day + 0.6), ylim=(len(KINDS) - 0.5, -0.5))
    ax.set_ylabel("kind")
    ax.set_xticks(range(1, last.day + 1), [str(day) if day % 2 else "" for day in range(1, last.day + 1)])
    ax.set_yticks(range(len(KINDS)), KINDS)
    return fig, f"{title}. {_by_kind(counts)}"


def _shade(ax: plt.Axes, start: date, end: date) -> None:
    """Shade days without an entry, and say how many they are where there is room."""
    ax.axvspan(start.day - 0.5, end.day + 0.5, color="0.9", lw=0, zorder=0)
    length = (end - start).days + 1
    if length >= 4:
        ax.text(
            (start.day + end.day) / 2, 2.5, f"{length} days without an entry", ha="center", va="center", color="0.3"
        )


def _most(empty: list[tuple[date, date]]) -> int:
    """The length of the longest gap."""
    return max((end - start).days + 1 for start, end in empty)


def _by_kind(counts: dict[tuple[date, str], int]) -> str:
    """What was done of each kind on which days, in words."""
    parts = []
    for kind in KINDS:
        if days := sorted(day for day, other in counts if other == kind):
            parts.append(f"{kind} on {', '.join(str(day.day) for day in days)}")
    return "; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + "." if parts else "No entries."
