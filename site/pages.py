"""What the pages are made from: notebooks, ledgers, the journal, the bibliography; and the pages written from them.

`stage` puts everything that Sphinx reads into one folder, laid out as the repository is, so that a link in the
journal to ``../notebooks/04_transducer.ipynb#decoding`` works there and here. Pages that list what there is
(home, journal, results, terms, bibliography) are filled in from ``templates/``.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import pybtex.database
from nbformat import NotebookNode
from nbformat import read as read_notebook

from tendays import journal
from tendays.publish import address, ledger, readme
from tendays.results import Bound

HERE = Path(__file__).resolve().parent
TITLE = re.compile(r"^# +(.+?) *$", re.MULTILINE)
HEADING = re.compile(r"(#{2,3}) +(.+?) *$", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z(*“$…`])")


@dataclass(frozen=True)
class Notebook:
    """A notebook as the pages show it; ``root`` is the checkout that it is in."""

    root: Path
    stem: str

    @cached_property
    def content(self) -> NotebookNode:
        """Its cells, with what they showed."""
        return read_notebook(self.path, as_version=4)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.root / "notebooks" / f"{self.stem}.ipynb"

    @property
    def title(self) -> str:
        """The heading of its first cell."""
        return TITLE.search(self.content.cells[0].source)[1]

    @property
    def question(self) -> str:
        """What it asks, in a sentence."""
        return readme.question(self.path)

    @cached_property
    def ledger(self) -> dict[str, Any] | None:
        """The record of its last full run, if it had one."""
        return ledger.last_run(self.path)

    @property
    def minutes(self) -> str:
        """How long that run took, in words."""
        if self.ledger is None:
            return "not run yet"
        return f"{self.ledger['seconds'] / 60:.1f} minutes"

    @property
    def alt(self) -> str:
        """The text of the figure that stands for it, ``results/<stem>.png``."""
        return readme.picture(self.path)[0] if self.ledger else ""

    @property
    def colab(self) -> str:
        """The address that opens it in Colab."""
        return address.colab(self.root, self.path.name)

    def paragraphs(self) -> Iterator[tuple[str, str, NotebookNode]]:
        """The paragraphs of its prose, each with the heading of its section, empty before the first, and its cell."""
        section = ""
        for cell in self.content.cells:
            if cell.cell_type == "markdown":
                for paragraph in re.split(r"\n\s*\n", cell.source):
                    if heading := HEADING.match(paragraph):
                        section = heading[2]
                    yield section, paragraph, cell


@dataclass(frozen=True)
class Term:
    """A term, where it is introduced, and by which sentence."""

    name: str
    notebook: Notebook
    section: str
    sentence: str

    @property
    def initial(self) -> str:
        """The letter that it is listed under."""
        return self.name[0].upper()


@dataclass(frozen=True)
class Reference:
    """A work in the bibliography; ``names`` are what the journal calls it, “Graves 2012” and keywords."""

    key: str
    names: tuple[str, ...]
    line: str
    url: str


def notebooks(root: Path) -> list[Notebook]:
    """The notebooks of a checkout, in reading order."""
    return [Notebook(root, path.stem) for path in sorted((root / "notebooks").glob("*.ipynb"))]


def headings(notebook: Notebook) -> list[str]:
    """The headings of a notebook's sections, of levels two and three."""
    return [heading[2] for _, paragraph, _ in notebook.paragraphs() if (heading := HEADING.match(paragraph))]


def terms(shelf: list[Notebook]) -> list[Term]:
    """The terms that notebooks introduce, by the alphabet.

    The metadata of a Markdown cell name them, ``{"tendays": {"terms": {"occupancy": "occupancies"}}}``: each term
    with the words that introduce it there.

    Raises:
        ValueError: A cell does not hold the words that its metadata name.
    """
    found = []
    for notebook in shelf:
        for cell in notebook.content.cells:
            for name, words in cell.metadata.get("tendays", {}).get("terms", {}).items():
                found.append(Term(name, notebook, *introduction(words, cell, notebook)))
    return sorted(found, key=lambda term: (term.name.casefold(), term.notebook.stem))


def introduction(words: str, cell: NotebookNode, notebook: Notebook) -> tuple[str, str]:
    """The section, and the first sentence of a cell of a notebook that holds these words, in any case.

    Raises:
        ValueError: There is none.
    """
    for section, paragraph, owner in notebook.paragraphs():
        for sentence in SENTENCE_END.split(" ".join(paragraph.split())) if owner is cell else ():
            if not HEADING.match(sentence) and words.casefold() in re.sub(r"[*_`]", "", sentence).casefold():
                return section, sentence
    raise ValueError(f"{notebook.stem}: the metadata of a cell name {words!r}, which is in no sentence of it")


def bibliography(path: Path) -> list[Reference]:
    """The works of a BibTeX file, in its order."""
    entries = pybtex.database.parse_file(str(path), "bibtex").entries.values()
    return [
        Reference(entry.key, _names(entry), reference_line(entry), entry.fields.get("url", "")) for entry in entries
    ]


def reference_line(entry: pybtex.database.Entry) -> str:
    """A work as a line of a notebook's references: authors (year). *Title.* Where it appeared."""
    authors = ", ".join(_author(person) for person in entry.persons["author"])
    year = f" ({entry.fields['year']})" if "year" in entry.fields else ""
    kinds = ("journal", "booktitle", "publisher", "howpublished")
    where = next(entry.fields[kind] for kind in kinds if kind in entry.fields)
    return f"{authors}{year}. *{entry.fields['title']}.* {where}."


def _author(person: pybtex.database.Person) -> str:
    """Initials and family name; an institution as it is."""
    family = " ".join([*person.prelast_names, *person.last_names]).strip("{}")
    return " ".join([*person.first_names, *person.middle_names, family])


def _names(entry: pybtex.database.Entry) -> tuple[str, ...]:
    """Family name of the first author with the year, and keywords."""
    label = " ".join([" ".join(entry.persons["author"][0].last_names).strip("{}"), entry.fields.get("year", "")])
    keywords = entry.fields.get("keywords", "").split(", ")
    return (label.strip(), *filter(None, keywords))


def listed(notebook: Notebook) -> list[str]:
    """The lines under a notebook's heading “References”."""
    return [
        line.removeprefix("- ")
        for section, paragraph, _ in notebook.paragraphs()
        if section == "References"
        for line in paragraph.splitlines()
        if line.startswith("- ")
    ]


def long_date(day: date) -> str:
    """A day as a page writes it."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def environment() -> jinja2.Environment:
    """Where the templates of pages are, and what they may call."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.update(span=journal.span, gaps=journal.gaps, linked=linked, anchor=anchor)
    made.filters.update(slug=journal.slug, long_date=long_date, bound=bound, name=name)
    made.filters.update(
        amount=readme.amount, sentence=readme.sentence, headlines=ledger.headlines, machine=ledger.machine
    )
    return made


def bound(entry: dict[str, Any]) -> str:
    """What the value of a claim is held to."""
    return str(Bound.of(entry) or "")


def name(entry: dict[str, Any]) -> str:
    """The name of a claim as the cell of a table, bold where it stands for its notebook."""
    plain = entry["name"].replace("|", "\\|")
    return f"**{plain}**" if entry.get("headline") else plain


def stage(root: Path, folder: Path) -> None:
    """Put what Sphinx reads into a folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns("*.py", ".*"))
    (folder / "results").mkdir()
    for picture in (root / "results").glob("*.png"):
        shutil.copy(picture, folder / "results")
    log = journal.read(root / "journal")
    shelf = notebooks(root)
    facts = {
        "notebooks": shelf,
        "longer": ledger.read_ledgers(root / "results" / "longer"),
        "terms": terms(shelf),
        "references": bibliography(HERE / "references.bib"),
        "places": lambda work: places(work, shelf, log),
        "repository": address.repository(root),
    }
    for name in ("index", "results", "terms", "bibliography", "notation"):
        (folder / f"{name}.md").write_text(environment().get_template(f"{name}.md").render(facts), "utf-8")


def places(work: Reference, shelf: list[Notebook], log: journal.Journal) -> list[str]:
    """Links to the notebooks and the days of the journal that refer to a work."""
    found = [
        f"[{notebook.title}](notebooks/{notebook.stem}.ipynb#references)"
        for notebook in shelf
        if work.line in listed(notebook)
    ]
    days = {item.day: item.path.name for item in log.items if any(map(item.text.count, work.names))}
    return found + [f"[{day.day} {day:%B %Y}](journal/{name}#{anchor(day)})" for day, name in days.items()]


def linked(items: list[journal.Item]) -> list[str]:
    """The notebooks that items of the journal link to, each once."""
    return sorted({stem for item in items for stem, _ in item.links})


def anchor(day: date) -> str:
    """The name by which links reach a day of the journal."""
    return f"day-{day}"
