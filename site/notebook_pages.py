"""A Sphinx extension: what pages of notebooks and of the journal have that their files have not.

The files are staged as they are, so that what a reader downloads is the committed notebook; the changes are made
to the text that Sphinx has read.
"""

import base64
import hashlib
import html
import json
from functools import cache
from pathlib import Path
from typing import Any

import journal_pages
import pages
from docutils import nodes
from sphinx.application import Sphinx

from tendays import journal
from tendays.publish import ledger

ROOT = pages.HERE.parent


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", change_source)
    app.connect("doctree-read", describe_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def change_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Change the text of a page that has just been read."""
    folder, _, stem = docname.partition("/")
    if folder == "notebooks":
        source[0] = notebook_page(source[0], pages.Notebook(ROOT, stem), log(), bibliography())
    elif folder == "journal" and stem != "index":
        source[0] = journal_pages.unit_page(source[0], ROOT / "journal" / f"{stem}.md", bibliography())


@cache
def log() -> journal.Journal:
    """The journal of this checkout."""
    return journal.read(ROOT / "journal")


@cache
def bibliography() -> list[pages.Reference]:
    """The works that notebooks and journal refer to."""
    return pages.bibliography(pages.HERE / "references.bib")


def notebook_page(text: str, notebook: pages.Notebook, kept: journal.Journal, works: list[pages.Reference]) -> str:
    """A notebook's text with a bar of links in place of the badge, its days in the journal, and linked references.

    The badge is an image of another host, which pages that work without a network cannot show.
    """
    content = json.loads(text)
    first, set_up, *rest = content["cells"]
    lines = [line for line in "".join(first["source"]).splitlines() if not line.startswith("[![Open in Colab]")]
    heading = next(index for index, line in enumerate(lines) if line.startswith("# "))
    lines[heading + 1 : heading + 1] = ["", bar(notebook), "", *journal_pages.days_of(notebook.stem, kept), ""]
    first["source"] = "\n".join(lines)
    set_up["metadata"] = {**set_up["metadata"], "tags": ["hide-input"], **folded("the set-up")}
    for cell in rest:
        tags = cell["metadata"].get("tags", [])
        if "solution" in tags:
            cell["metadata"].update(folded("a solution"))
        elif "hide-input" in tags:
            cell["metadata"].update(folded("the drawing"))
        if cell["cell_type"] == "markdown" and "## References" in (source := "".join(cell["source"])):
            cell["source"] = with_links(source, works)
    return json.dumps(content)


def folded(name: str) -> dict[str, Any]:
    """The metadata of a cell that say what can be unfolded there."""
    return {"mystnb": {"code_prompt_show": f"Show {name}", "code_prompt_hide": f"Hide {name}"}}


def bar(notebook: pages.Notebook) -> str:
    """Links to open and download a notebook, and how long its run took, as HTML."""
    took = "It was not run yet."
    if notebook.ledger:
        took = html.escape(f"Its run took {notebook.minutes} on {ledger.machine(notebook.ledger)}.")
    links = [
        f'<a class="action" href="{html.escape(notebook.colab)}">Open in Colab</a>',
        f'<a class="action" href="../_sources/notebooks/{notebook.stem}.ipynb" download>Download the notebook</a>',
    ]
    return f'<p class="bar">{" ".join(links)} <span>{took}</span></p>'


def with_links(source: str, works: list[pages.Reference]) -> str:
    """A notebook's references, each with a link to its entry in the bibliography."""
    entries = {f"- {work.line}": work.key for work in works}
    lines = source.splitlines()
    return "\n".join(
        f'{line} [→](../bibliography.md#ref-{entries[line]} "In the bibliography")' if line in entries else line
        for line in lines
    )


def describe_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Give figures of notebooks what `tendays.plots` stored beside them: text alternatives, and grids of frames.

    MyST-NB names an image file after the hash of its bytes, and takes its name for a text alternative.
    """
    folder, _, stem = app.env.docname.partition("/")
    if folder != "notebooks":
        return
    stored = figures(pages.Notebook(ROOT, stem))
    for image in list(doctree.findall(nodes.image)):
        metadata = stored.get(Path(image["uri"]).stem)
        if metadata is None:
            continue
        image["alt"] = metadata["alt"]
        if grid := metadata.get("tendays_frames"):
            place = image.parent.index(image)
            image.parent[place : place + 1] = framed(image, grid)


def framed(image: nodes.image, grid: dict[str, Any]) -> list[nodes.Node]:
    """An image of frames in an element that carries their grid, from which ``tendays.js`` makes a slider."""
    image["classes"].append("no-scaled-link")  # other figures are links to their files
    opening = f'<div class="frames" data-grid="{html.escape(json.dumps(grid, ensure_ascii=False))}">'
    return [nodes.raw("", opening, format="html"), image, nodes.raw("", "</div>", format="html")]


def figures(notebook: pages.Notebook) -> dict[str, dict[str, Any]]:
    """The metadata of each figure, by the hash of its PNG."""
    found = {}
    for cell in notebook.content.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                image = base64.b64decode(output.data["image/png"])
                found[hashlib.sha256(image).hexdigest()] = output.metadata["image/png"]
    return found
