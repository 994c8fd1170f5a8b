"""The parts that pages are made of, one by one."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import journal_pages
import nbformat
import notebook_pages
import pages
import pytest
import sample
import slim
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from places import ROOT

from tendays import journal
from tendays.publish.ledger import write_ledger

SHELF = pages.notebooks(ROOT)
WORKS = pages.bibliography(ROOT / "site" / "references.bib")


def notebook(folder, *cells):
    """A notebook of these cells in a checkout of its own."""
    (folder / "notebooks").mkdir()
    nbformat.write(new_notebook(cells=list(cells)), folder / "notebooks" / "01_x.ipynb")
    return pages.Notebook(folder, "01_x")


def introducing(source, **terms):
    return new_markdown_cell(source, metadata={"tendays": {"terms": terms}})


# --- terms ------------------------------------------------------------------------------------------------------------


def test_a_term_has_its_sentence_and_its_section(tmp_path):
    text = "## One\n\nFirst. A **grid** of *nodes*, e.g. this, ends here. Last.\n\n### Two\n\nThe Grid again, a path."
    shelf = [notebook(tmp_path, new_markdown_cell("# T"), introducing(text, lattice="grid", path="path"))]
    found = [(term.name, term.section, term.sentence) for term in pages.terms(shelf)]
    assert found == [
        ("lattice", "One", "A **grid** of *nodes*, e.g. this, ends here."),
        ("path", "Two", "The Grid again, a path."),
    ]


def test_a_term_that_is_nowhere_is_an_error(tmp_path):
    shelf = [notebook(tmp_path, new_markdown_cell("# T\n\nA grid."), introducing("## Other\n\nWords.", grid="grid"))]
    with pytest.raises(ValueError, match=r"01_x: the metadata of a cell name 'grid', which is in no sentence of it"):
        pages.terms(shelf)


def test_every_notebook_introduces_terms():
    found = pages.terms(SHELF)
    assert {term.notebook.stem for term in found} == {each.stem for each in SHELF}
    assert {"beam search", "attention", "lattice"} <= {term.name for term in found}
    for term in found:
        assert term.section in pages.headings(term.notebook)


# --- references and notation ------------------------------------------------------------------------------------------


def test_a_reference_is_a_line(tmp_path):
    (tmp_path / "x.bib").write_text(
        "@article{b, author={Della Pietra, S. and Luong, M.-T.}, year={1993}, title={On: it}, journal={J 1},"
        "url={https://x.org}, keywords={A, B}}\n"
        "@misc{c, author={{The Firm}}, title={Manual}, howpublished={README}}",
        "utf-8",
    )
    assert [(work.names, work.line, work.url) for work in pages.bibliography(tmp_path / "x.bib")] == [
        (("Della Pietra 1993", "A", "B"), "S. Della Pietra, M.-T. Luong (1993). *On: it.* J 1.", "https://x.org"),
        (("The Firm",), "The Firm. *Manual.* README.", ""),
    ]


@pytest.mark.parametrize("each", SHELF, ids=lambda each: each.stem)
def test_references_of_a_notebook_are_lines_of_the_bibliography(each):
    assert len(pages.listed(each)) > 3
    assert set(pages.listed(each)) <= {work.line for work in WORKS}


def test_every_work_is_referred_to():
    log = journal.read(ROOT / "journal")
    assert [work.key for work in WORKS if not pages.places(work, SHELF, log)] == []


def test_the_table_of_notation_is_true():
    table = (ROOT / "site" / "templates" / "notation.md").read_text("utf-8")
    sections = re.findall(r"^## \[.*?\]\(notebooks/(.*?)\.ipynb\)\n(.*?)(?=^## |\Z)", table, re.MULTILINE | re.DOTALL)
    assert {stem for stem, _ in sections} == {each.stem for each in SHELF}
    for stem, rows in sections:
        cells = pages.Notebook(ROOT, stem).content.cells
        prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        symbols = re.findall(r"^\| \$(.+?)\$ \| `(\w+)` \|", rows, re.MULTILINE)
        assert len(symbols) > 3
        for symbol, name in symbols:
            assert symbol in prose, (stem, symbol)
            assert re.search(rf"\b{name}\b", code), (stem, name)


# --- what pages have that files have not ------------------------------------------------------------------------------


def test_a_notebooks_page_has_links_and_its_code_is_untouched():
    each = pages.Notebook(ROOT, "04_transducer")
    text = each.path.read_text("utf-8")
    before, after = (
        json.loads(part)["cells"]
        for part in (text, notebook_pages.notebook_page(text, each, journal.read(ROOT / "journal"), WORKS))
    )
    first = after[0]["source"]
    assert "colab-badge.svg" not in first
    assert f'href="{each.colab}"' in first
    assert each.colab in "".join(before[0]["source"])
    assert "(../journal/2022-02-unit-1.md#day-2022-02-03)" in first
    assert after[1]["metadata"]["tags"] == ["hide-input"]
    assert [cell["source"] for cell in after if cell["cell_type"] == "code"] == [
        cell["source"] for cell in before if cell["cell_type"] == "code"
    ]
    assert sum("](../bibliography.md#ref-" in "".join(cell["source"]) for cell in after) == 1
    assert "".join(after[-1]["source"]).count("#ref-") == len(pages.listed(each))


def test_the_bar_of_a_notebook_says_how_long_its_run_took_and_on_what(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    each = notebook(tmp_path, new_markdown_cell("# T"))
    assert "<span>It was not run yet.</span>" in notebook_pages.bar(each)
    write_ledger(each.path, [], seconds=90, facts={"device": "cpu", "cpu": "A <fast> one", "threads": 2})
    again = pages.Notebook(tmp_path, each.stem)
    assert "<span>Its run took 1.5 minutes on A &lt;fast&gt; one, 2 threads.</span>" in notebook_pages.bar(again)


def test_a_fold_says_what_is_in_it():
    each = pages.Notebook(ROOT, "04_transducer")
    content = json.loads(each.path.read_text("utf-8"))
    drawing, solution = {"tags": ["hide-input"]}, {"tags": ["hide-input", "solution"]}
    content["cells"] = content["cells"][:2] + [new_code_cell("x", metadata=kind) for kind in (drawing, solution, {})]
    text = notebook_pages.notebook_page(json.dumps(content), each, journal.read(ROOT / "journal"), WORKS)
    prompts = [cell["metadata"].get("mystnb", {}).get("code_prompt_show") for cell in json.loads(text)["cells"][1:]]
    assert prompts == ["Show the set-up", "Show the drawing", "Show a solution", None]


def test_a_day_of_the_journal_has_its_date_kinds_and_links():
    text = "# Unit 1: 2022-02-01 to 2022-02-10\n\n## 2022-02-03\n\n"
    text += "- Paper: *Graves 2012* and *Nobody 1900*\n* [ ] Why?\n\n## notes\n"
    page = journal_pages.unit_page(text, Path("unit.md"), WORKS)
    assert page.splitlines() == [
        "# Unit 1: 1–10 February 2022",
        "",
        "(day-2022-02-03)=",
        "## Thursday, 3 February 2022",
        "",
        "- [paper]{.kind .done} [*Graves 2012*](../bibliography.md#ref-graves2012) and *Nobody 1900*",
        "- [open question]{.kind .open} Why?",
        "",
        "## notes",
    ]


def test_figures_are_found_by_the_hash_of_their_bytes():
    stored = notebook_pages.figures(pages.Notebook(ROOT, "04_transducer"))
    assert len(stored) > 5
    assert all(re.fullmatch(r"[0-9a-f]{64}", name) for name in stored)
    assert all(len(metadata["alt"].split()) > 5 for metadata in stored.values())


# --- small files ------------------------------------------------------------------------------------------------------

SHEET = """
@charset "utf-8";
.used, .unused:hover { color: red }
.unused.used, #id .unused > b { color: red }
a:not(.unused) { color: blue }
@media print { .used { color: red } .unused { color: red } }
@media (min-width: 9px) { .unused { color: red } }
@font-face { font-family: X; src: url(x.woff2) }
.fa-bars:before { content: "x" }
.used[data-x="a,b"] { color: red }
"""


def test_rules_that_no_page_can_use_are_left_out():
    kept = slim.used_rules(SHEET, {"used", "x"})
    assert re.sub(r"\s+", "", kept) == re.sub(
        r"\s+",
        "",
        '@charset"utf-8";.used{color:red}a:not(.unused){color:blue}@mediaprint{.used{color:red}}'
        '@font-face{font-family:X;src:url(x.woff2)}.used[data-x="a,b"]{color:red}',
    )


def test_icons_that_pages_use_get_their_shapes():
    sheet = slim.icon_sheet(
        'x={bars:[448,512,["navicon"],"f0c9","M0 96z"],"sun-cloud":[9,8,[],"f1","M1z"]}', {"bars", "fw"}
    )
    assert '.fa-bars { --icon: url("data:image/svg+xml,' in sheet
    assert "M0%2096z" in sheet
    assert "sun" not in sheet
    assert ".fa-fw {" not in sheet


# --- making the pages -------------------------------------------------------------------------------------------------


def test_pages_that_cannot_be_made_leave_the_old_ones(tmp_path):
    sample.copy(tmp_path)
    old = tmp_path / "build" / "site" / "index.html"
    old.parent.mkdir(parents=True)
    old.write_text("old", "utf-8")
    unit = tmp_path / "journal" / "2022-02-unit-1.md"
    unit.write_text(unit.read_text("utf-8").replace("#by-listing-every-path", "#by-magic"), "utf-8")
    said = subprocess.run([sys.executable, "site/make_site.py"], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode != 0
    assert "by-magic" in said.stderr
    assert old.read_text("utf-8") == "old"
