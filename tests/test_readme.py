import json
from pathlib import Path

import nbformat
import pytest
from places import ROOT
from tiny_checkout import notebook_in

from tendays.publish import readme
from tendays.publish.ledger import read_ledgers, write_ledger


@pytest.fixture
def notebook(tmp_path):
    return notebook_in(tmp_path)


CLAIMS = [
    {"name": "gap", "value": 1e-9, "at_most": 1e-6, "unit": ""},
    {"name": "units", "value": 8.0, "about": 8.0, "within": 1.0, "unit": "notebooks", "headline": True},
]


def change(notebook, cell, source):
    nb = nbformat.read(notebook, 4)
    nb.cells[cell].source = source
    nbformat.write(nb, notebook)


def test_a_notebook_has_a_row_and_its_picture(notebook):
    write_ledger(notebook, CLAIMS, seconds=90.04, facts={})
    assert readme.results_table(notebook.parents[1]).splitlines()[2:] == [
        r"| [01_units](notebooks/01_units.ipynb) | How many \| are there? | units 8 notebooks | 1.5 |",
        "",
        "[![A line.](results/01_units.png)](notebooks/01_units.ipynb)",
    ]


def test_runs_outside_notebooks_have_a_table_of_their_own(notebook):
    root = notebook.parents[1]
    assert readme.longer_runs(root) == []
    run = {"command": "python -m tendays.units", "seconds": 120, "claims": [{"name": "u", "value": 2.345, "unit": "m"}]}
    (root / "results" / "longer").mkdir(parents=True)
    (root / "results" / "longer" / "units.json").write_text(json.dumps(run))
    assert readme.longer_runs(root)[-1] == "| `python -m tendays.units` | u 2.345 m | 2.0 |"


def test_a_notebook_has_one_picture(notebook):
    assert readme.picture(notebook) == ("A line.", b"PNG")
    nb = nbformat.read(notebook, 4)
    nb.cells[2].outputs *= 2
    nbformat.write(nb, notebook)
    with pytest.raises(ValueError, match=r"01_units.ipynb: 2 figures .* expected one"):
        readme.picture(notebook)


def test_main_rewrites_the_block_of_the_readme_only(notebook):
    root = notebook.parents[1]
    write_ledger(notebook, CLAIMS, seconds=90, facts={})
    page = root / "README.md"
    page.write_text("before\n<!-- results -->\nold \\1\n<!-- /results -->\nafter\n", "utf-8")
    readme.main([str(root)])
    once = page.read_text("utf-8")
    assert once == f"before\n<!-- results -->\n{readme.results_table(root)}<!-- /results -->\nafter\n"
    readme.main([str(root)])
    assert page.read_text("utf-8") == once
    assert (root / "results" / "01_units.png").read_bytes() == b"PNG"


def test_a_readme_without_the_block_is_an_error():
    with pytest.raises(ValueError, match="<!-- results -->"):
        readme.with_results("# Tendays\n", "table")


def test_a_notebook_without_a_question_is_an_error(notebook):
    change(notebook, 0, "# Units\n\nQuestion: how many?")
    with pytest.raises(ValueError, match=r"01_units.ipynb.*Question"):
        readme.question(notebook)


def test_the_readme_shows_the_last_full_runs():
    assert read_ledgers(ROOT / "results")
    page = (ROOT / "README.md").read_text("utf-8")
    assert page == readme.with_results(page, readme.results_table(ROOT)), "run: python -m tendays.publish.readme"
    for ledger in read_ledgers(ROOT / "results"):
        name = Path(ledger["notebook"])
        shown = (ROOT / "results" / name).with_suffix(".png").read_bytes()
        assert shown == readme.picture(ROOT / "notebooks" / name)[1], "run: python -m tendays.publish.readme"
