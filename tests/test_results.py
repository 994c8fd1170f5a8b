import base64
import json
import math
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tendays import results
from tendays.results import ClaimFailed, about, at_least, at_most, claim

ROOT = Path(__file__).parents[1]


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    path = tmp_path / "claims.jsonl"
    monkeypatch.setenv("TENDAYS_LEDGER", str(path))
    return path


@pytest.mark.parametrize(
    ("bound", "right", "wrong"),
    [
        (at_least(2), [2, 2.5], [1.999999, math.inf, -math.inf, math.nan]),
        (at_most(2), [2, 1], [2.000001, -math.inf, math.inf, math.nan]),
        (about(2, within=0.5), [1.5, 2, 2.5], [1.49, 2.51, math.inf, math.nan]),
    ],
)
def test_bounds(bound, right, wrong):
    for value in right:
        claim("x", value, full=bound, smoke=bound)
    for value in wrong:
        with pytest.raises(ClaimFailed):
            claim("x", value, full=bound, smoke=bound)


def test_the_scale_chooses_the_bound(monkeypatch):
    monkeypatch.setenv("TENDAYS_SCALE", "smoke")
    claim("x", 1, full=at_least(5), smoke=at_least(1))
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    with pytest.raises(ClaimFailed):
        claim("x", 1, full=at_least(5), smoke=at_least(1))


def test_a_claim_prints_one_line(monkeypatch, capsys):
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    claim("BLEU", 38.4123, full=at_least(35.5), smoke=None)
    claim("time", 3.2, full=at_most(5), smoke=None, unit="s")
    claim("energy", 1.0, full=about(1, within=0.25), smoke=None)
    assert capsys.readouterr().out == "✓ BLEU 38.41 ≥ 35.5\n✓ time 3.2 s ≤ 5\n✓ energy 1 ≈ 1 ± 0.25\n"


def test_a_failed_claim_says_name_value_and_bound_unrounded():
    with pytest.raises(ClaimFailed, match=r"BLEU 35\.5: 35\.49999 is not ≥ 35\.5") as raised:
        claim("BLEU", 35.49999, full=at_least(35.5), smoke=at_least(35.5))
    assert isinstance(raised.value, AssertionError)


def test_a_claim_not_judged_at_smoke_is_recorded_unless_it_is_nan(ledger, capsys):
    claim("BLEU", 0.1, full=at_least(35.5), smoke=None)
    assert "not judged" in capsys.readouterr().out
    assert results.read_claims(ledger) == [{"name": "BLEU", "value": 0.1, "unit": ""}]
    with pytest.raises(ClaimFailed, match="nan is not finite"):
        claim("loss", math.nan, full=at_most(1), smoke=None)


@pytest.mark.parametrize("value", [Fraction(1, 2), np.float32(0.5), np.array(0.5), torch.tensor(0.5)])
def test_numbers_of_every_library(value, ledger):
    claim("half", value, full=at_least(0.5), smoke=at_least(0.5))
    assert results.read_claims(ledger)[0]["value"] == 0.5


@pytest.mark.parametrize("value", ["38", None, True, torch.zeros(2), np.True_, 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="value must be a number"):
        claim("x", value, full=at_least(0), smoke=None)


def test_a_wrong_bound_is_named():
    with pytest.raises(TypeError, match="full must be"):
        claim("x", 1, full=None, smoke=None)
    with pytest.raises(TypeError, match="smoke must be"):
        claim("x", 1, full=at_least(0), smoke=0.5)
    with pytest.raises(TypeError, match="at_least must be a number"):
        at_least("35")


def test_a_name_is_claimed_once_in_a_recorded_run(ledger):
    claim("x", 1, full=at_least(0), smoke=None)
    with pytest.raises(ValueError, match="'x' is claimed twice"):
        claim("x", 2, full=at_least(0), smoke=None)


def test_a_reader_may_run_a_cell_again(monkeypatch):
    monkeypatch.delenv("TENDAYS_LEDGER", raising=False)
    for _ in range(2):
        claim("x", 1, full=at_least(0), smoke=None)


def test_a_failed_claim_is_not_recorded(ledger):
    with pytest.raises(ClaimFailed):
        claim("x", 1, full=at_least(5), smoke=at_least(5))
    assert results.read_claims(ledger) == []


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "notebooks" / "01_units.ipynb"
    path.parent.mkdir()
    first = "# Units\n\n**Question.** How many | are there?\n\nTakes a minute."
    figure = new_output("display_data", {"image/png": base64.b64encode(b"PNG").decode(), "text/plain": "A line."})
    figure.metadata["image/png"] = {"alt": "A line."}
    shown = new_code_cell("x = 1", metadata={"tags": ["picture"]}, outputs=[figure])
    nbformat.write(new_notebook(cells=[new_markdown_cell(first), new_code_cell("import this"), shown]), path)
    return path


def change(notebook, cell, source):
    nb = nbformat.read(notebook, 4)
    nb.cells[cell].source = source
    nbformat.write(nb, notebook)


def test_prose_and_set_up_leave_the_hash_alone_and_other_code_does_not(notebook):
    before = results.cells_hash(notebook)
    change(notebook, 0, "# Another title")
    change(notebook, 1, "import that")
    assert results.cells_hash(notebook) == before
    change(notebook, 2, "x = 2")
    assert results.cells_hash(notebook) != before


def test_every_code_cell_after_the_set_up_counts(notebook):
    seen = set()
    for sources in ("abc", "aBc", "abC", "acb", "ab"):
        nbformat.write(new_notebook(cells=list(map(new_code_cell, sources))), notebook)
        seen.add(results.cells_hash(notebook))
    assert len(seen) == 5


def test_moving_a_line_from_cell_to_cell_changes_the_hash(notebook):
    one = results.cells_hash(notebook)
    cells = [new_code_cell(source) for source in ("import this", "x =", " 1")]
    nbformat.write(new_notebook(cells=cells), notebook)
    assert results.cells_hash(notebook) != one


def test_source_hash_sees_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("1")
    hashes = {results.source_hash(tmp_path)}
    (tmp_path / "a.py").write_text("2")
    hashes.add(results.source_hash(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    hashes.add(results.source_hash(tmp_path))
    assert len(hashes) == 3


CLAIMS = [
    {"name": "gap", "value": 1e-9, "at_most": 1e-6, "unit": ""},
    {"name": "units", "value": 8.0, "about": 8.0, "within": 1.0, "unit": "notebooks", "headline": True},
]


def test_ledger_and_table(notebook):
    path = results.write_ledger(notebook, CLAIMS, seconds=90.04, facts={"scale": "full", "threads": 2})
    assert path == notebook.parents[1] / "results" / "01_units.json"
    (ledger,) = results.read_ledgers(path.parent)
    assert ledger["notebook"] == "01_units.ipynb"
    assert (ledger["scale"], ledger["seconds"], ledger["claims"]) == ("full", 90.0, CLAIMS)
    assert ledger["source"]["cells"] == results.cells_hash(notebook)
    assert results.results_table(notebook.parents[1]).splitlines()[2:] == [
        r"| [01_units](notebooks/01_units.ipynb) | How many \| are there? | units 8 notebooks | 1.5 |",
        "",
        "[![A line.](results/01_units.png)](notebooks/01_units.ipynb)",
    ]


def test_runs_outside_notebooks_have_a_table_of_their_own(notebook):
    root = notebook.parents[1]
    assert results.longer_runs(root) == []
    run = {"command": "python -m tendays.units", "seconds": 120, "claims": [{"name": "u", "value": 2.345, "unit": "m"}]}
    (root / "results" / "longer").mkdir(parents=True)
    (root / "results" / "longer" / "units.json").write_text(json.dumps(run))
    assert results.longer_runs(root)[-1] == "| `python -m tendays.units` | u 2.345 m | 2.0 |"


def test_a_notebook_has_one_picture(notebook):
    assert results.picture(notebook) == ("A line.", b"PNG")
    nb = nbformat.read(notebook, 4)
    nb.cells[2].outputs *= 2
    nbformat.write(nb, notebook)
    with pytest.raises(ValueError, match=r"01_units.ipynb: 2 figures .* expected one"):
        results.picture(notebook)


def test_a_write_cut_short_leaves_the_old_ledger(notebook, monkeypatch):
    path = results.write_ledger(notebook, CLAIMS, seconds=1, facts={})
    before = path.read_text("utf-8")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(results.os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        results.write_ledger(notebook, [], seconds=2, facts={})
    assert path.read_text("utf-8") == before
    assert len(results.read_ledgers(path.parent)) == 1


def test_main_rewrites_the_block_of_the_readme_only(notebook):
    root = notebook.parents[1]
    results.write_ledger(notebook, CLAIMS, seconds=90, facts={})
    readme = root / "README.md"
    readme.write_text("before\n<!-- results -->\nold \\1\n<!-- /results -->\nafter\n", "utf-8")
    results.main([str(root)])
    once = readme.read_text("utf-8")
    assert once == f"before\n<!-- results -->\n{results.results_table(root)}<!-- /results -->\nafter\n"
    results.main([str(root)])
    assert readme.read_text("utf-8") == once
    assert (root / "results" / "01_units.png").read_bytes() == b"PNG"


def test_a_readme_without_the_block_is_an_error():
    with pytest.raises(ValueError, match="<!-- results -->"):
        results.with_results("# Tendays\n", "table")


def test_a_notebook_without_a_question_is_an_error(notebook):
    change(notebook, 0, "# Units\n\nQuestion: how many?")
    with pytest.raises(ValueError, match=r"01_units.ipynb.*Question"):
        results.question(notebook)


def test_the_readme_shows_the_last_full_runs():
    assert results.read_ledgers(ROOT / "results")
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme == results.with_results(readme, results.results_table(ROOT)), "run: python -m tendays.results"
    for ledger in results.read_ledgers(ROOT / "results"):
        name = Path(ledger["notebook"])
        shown = (ROOT / "results" / name).with_suffix(".png").read_bytes()
        assert shown == results.picture(ROOT / "notebooks" / name)[1], "run: python -m tendays.results"
