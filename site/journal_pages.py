"""The journal as pages: each unit as a line in time, the overview, and what leads from a notebook back to its days."""

import re
from pathlib import Path

import matplotlib
import pages

from tendays import journal, plots
from tendays.journal import month


def unit_page(text: str, path: Path, works: list[pages.Reference]) -> str:
    """A unit's text for its page: dates as one says them, kinds as labels, works linked to the bibliography."""
    unit, _ = journal.parse(text, path)
    lines = text.removeprefix("\ufeff").splitlines()
    lines[lines.index(next(line for line in lines if line.strip()))] = (
        f"# Unit {unit.number}: {journal.span(unit.start, unit.end)}"
    )
    for item in unit.items:
        state = "" if item.closed is None else "closed " if item.closed else "open "
        label = f"[{state}{item.kind}]{{.kind .{state.strip() or 'done'}}}"
        lines[item.line - 1] = re.sub(r"^[-*+] +(\[.\] +)?(\w+ *: *)?", f"- {label} ", lines[item.line - 1])
    marked = [_heading(line, unit) for line in lines]
    return _with_works("\n".join(marked), works)


def _heading(line: str, unit: journal.Unit) -> str:
    """A line, or the day of the unit that it is the heading of, with its anchor."""
    day = next((day for day in unit.days if line.rstrip() == f"## {day}"), None)
    return f"({pages.anchor(day)})=\n## {pages.long_date(day)}" if day else line


def _with_works(text: str, works: list[pages.Reference]) -> str:
    """Titles in italics that are names in the bibliography, such as *Graves 2012*, as links to it."""
    keys = {name: work.key for work in works for name in work.names}
    return re.sub(
        r"(?<!\*)\*([^*\n]+)\*(?!\*)",
        lambda found: f"[{found[0]}](../bibliography.md#ref-{keys[found[1]]})" if found[1] in keys else found[0],
        text,
    )


def days_of(stem: str, log: journal.Journal) -> list[str]:
    """A line of Markdown with the days of the journal that link to a notebook; nothing where none does."""
    days = {item.day: item for item, _ in log.mentions(stem)}
    links = [f"[{day.day} {day:%B %Y}](../journal/{days[day].path.name}#{pages.anchor(day)})" for day in sorted(days)]
    return [f"**In the journal.** {', '.join(links)}"] if links else []


def stage(root: Path, folder: Path, log: journal.Journal) -> None:
    """Put units, the pictures of their months and the overview into a folder.

    Raises:
        ValueError: Something in the journal can't be read.
    """
    if log.problems:
        raise ValueError("\n".join(map(str, log.problems)))
    folder.mkdir(parents=True)
    for unit in log.units:
        (folder / unit.path.name).write_bytes(unit.path.read_bytes())
    titles = {notebook.stem: notebook.title for notebook in pages.notebooks(root)}
    facts = {"journal": log, "months": pictures(log, folder), "titles": titles}
    text = pages.environment().get_template("journal.md").render(facts)
    (folder / "index.md").write_text(text, "utf-8")


def pictures(log: journal.Journal, folder: Path) -> dict[str, str]:
    """Draw each month that has an entry; the names of the files, with their text alternatives."""
    drawn = {}
    with matplotlib.rc_context():
        plots.use()
        for year, number in sorted({(day.year, day.month) for day in log.days}):
            figure, alt = month.draw(log.items, year, number)
            drawn[name := f"{year}-{number:02}.png"] = alt
            figure.savefig(folder / name, dpi=plots.DPI)
            matplotlib.pyplot.close(figure)
    return drawn
