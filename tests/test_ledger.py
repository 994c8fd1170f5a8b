import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tiny_checkout import CLAIMS, change, notebook_in

from tendays import files
from tendays.publish.ledger import cells_hash, headlines, last_run, machine, read_ledgers, source_hash, write_ledger


@pytest.fixture
def notebook(tmp_path):
    return notebook_in(tmp_path)


def test_prose_and_set_up_leave_the_hash_alone_and_other_code_does_not(notebook):
    before = cells_hash(notebook)
    change(notebook, 0, "# Another title")
    change(notebook, 1, "import that")
    assert cells_hash(notebook) == before
    change(notebook, 2, "x = 2")
    assert cells_hash(notebook) != before


def test_every_code_cell_after_the_set_up_counts(notebook):
    seen = set()
    for sources in ("abc", "aBc", "abC", "acb", "ab"):
        nbformat.write(new_notebook(cells=list(map(new_code_cell, sources))), notebook)
        seen.add(cells_hash(notebook))
    assert len(seen) == 5


def test_moving_a_line_from_cell_to_cell_changes_the_hash(notebook):
    one = cells_hash(notebook)
    cells = [new_code_cell(source) for source in ("import this", "x =", " 1")]
    nbformat.write(new_notebook(cells=cells), notebook)
    assert cells_hash(notebook) != one


def test_source_hash_sees_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("1")
    hashes = {source_hash(tmp_path)}
    (tmp_path / "a.py").write_text("2")
    hashes.add(source_hash(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    hashes.add(source_hash(tmp_path))
    assert len(hashes) == 3


def test_the_source_hash_sees_a_change_in_a_package(tmp_path):
    module = tmp_path / "package" / "inner" / "module.py"
    module.parent.mkdir(parents=True)
    hashes = set()
    for content in ("1", "2"):
        module.write_text(content)
        hashes.add(source_hash(tmp_path))
    module.rename(tmp_path / "package" / "module.py")
    hashes.add(source_hash(tmp_path))
    assert len(hashes) == 3


def test_the_ledgers_hash_sees_a_change_in_a_package_of_the_checkout(notebook):
    module = notebook.parents[1] / "src" / "tendays" / "package" / "module.py"
    module.parent.mkdir(parents=True)
    hashes = set()
    for content in ("1", "2"):
        module.write_text(content)
        hashes.add(json.loads(write_ledger(notebook, [], seconds=1, facts={}).read_text("utf-8"))["source"]["src"])
    assert len(hashes) == 2


def test_a_ledger_holds_facts_claims_and_hashes(notebook):
    path = write_ledger(notebook, CLAIMS, seconds=90.04, facts={"scale": "full", "threads": 2})
    assert path == notebook.parents[1] / "results" / "01_units.json"
    (ledger,) = read_ledgers(path.parent)
    assert ledger["notebook"] == "01_units.ipynb"
    assert (ledger["scale"], ledger["seconds"], ledger["claims"]) == ("full", 90.0, CLAIMS)
    assert ledger["source"]["cells"] == cells_hash(notebook)


def test_a_write_cut_short_leaves_the_old_ledger(notebook, monkeypatch):
    path = write_ledger(notebook, CLAIMS, seconds=1, facts={})
    before = path.read_text("utf-8")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_ledger(notebook, [], seconds=2, facts={})
    assert path.read_text("utf-8") == before
    assert len(read_ledgers(path.parent)) == 1


def test_the_last_run_of_a_notebook_is_none_before_it_has_run(notebook):
    assert last_run(notebook) is None
    write_ledger(notebook, CLAIMS, seconds=83.64, facts={})
    assert (last_run(notebook)["notebook"], last_run(notebook)["seconds"]) == ("01_units.ipynb", 83.6)


@pytest.mark.parametrize(
    ("device", "threads", "words"),
    [("cpu", 2, "AMD EPYC, 2 threads"), ("cpu", 1, "AMD EPYC, 1 thread"), ("NVIDIA H100", 2, "NVIDIA H100")],
)
def test_a_machine_is_named_by_its_gpu_or_by_its_processor_and_threads(device, threads, words):
    assert machine({"device": device, "cpu": "AMD EPYC", "threads": threads}) == words


def test_the_claims_that_stand_for_a_run_are_those_marked_or_all():
    assert headlines({"claims": CLAIMS}) == CLAIMS[1:]
    assert headlines({"claims": CLAIMS[:1]}) == CLAIMS[:1]
