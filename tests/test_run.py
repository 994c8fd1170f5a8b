import io
import json
import os
import re
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tendays.publish import run
from tendays.publish.ledger import cells_hash

CLAIM = "from tendays.results import at_least, claim\nclaim('x', {value}, full=at_least(5), smoke=None)"


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A checkout with one notebook of these code cells, to be run at full scale."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")

    def write(*sources):
        path = tmp_path / "notebooks" / "01_tiny.ipynb"
        notebook = new_notebook(cells=[new_markdown_cell("# Tiny"), *map(new_code_cell, sources)])
        notebook.metadata.update(kernelspec={"name": "elsewhere", "display_name": "?"}, widgets={"state": {}})
        nbformat.write(notebook, path)
        return path

    return write


def test_a_full_run_writes_the_notebook_and_its_ledger(make, tmp_path, capsys):
    path = make("import os, sys\nprint(sys.executable)\nprint(os.getcwd())", CLAIM.format(value=6))
    ids = [cell.id for cell in nbformat.read(path, 4).cells]
    run.main("tiny")

    notebook = nbformat.read(path, 4)
    code = notebook.cells[1:]
    assert [cell.execution_count for cell in code] == [1, 2]
    assert code[0].outputs[0].text.splitlines() == [sys.executable, str(path.parent)]
    assert code[1].outputs[0].text == "✓ x 6 ≥ 5\n"
    assert [cell.id for cell in notebook.cells] == ids
    assert notebook.metadata == {"kernelspec": run.KERNELSPEC, "language_info": {"name": "python"}}
    assert all("execution" not in cell.metadata for cell in notebook.cells)

    ledger = json.loads((tmp_path / "results" / "01_tiny.json").read_text("utf-8"))
    assert ledger["claims"] == [{"name": "x", "value": 6.0, "at_least": 5.0, "unit": ""}]
    assert (ledger["scale"], ledger["device"]) == ("full", "cpu")
    assert ledger["source"]["cells"] == cells_hash(path)
    assert ledger["seconds"] > 0
    assert ledger["peak_memory_mb"] > 20
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == ["01_tiny.ipynb", "01_tiny.json"]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "[ 0:00] 01_tiny: starts, first run"
    assert re.fullmatch(r"\[ 0:\d\d\] 01_tiny: done", said[-1])


def test_at_smoke_scale_nothing_is_written(make, tmp_path, monkeypatch):
    monkeypatch.setenv("TENDAYS_SCALE", "smoke")
    path = make(CLAIM.format(value=1))
    before = path.read_bytes()
    run.main("")
    assert path.read_bytes() == before
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["x = 1", "y = x\nz = y / 0"], ["cell 3 failed", "    z = y / 0", "ZeroDivisionError: division by zero"]),
        ([CLAIM.format(value=4.5)], ["cell 2 failed", "ClaimFailed: ✗ x 4.5: 4.5 is not ≥ 5"]),
        (["import os\nos._exit(3)"], ["cell 2 failed", "Kernel died"]),
    ],
    ids=["error", "claim", "death"],
)
def test_a_failed_notebook_is_left_as_it_was(make, tmp_path, capsys, sources, said):
    path = make(*sources, "print('never')")
    before = path.read_bytes()
    with pytest.raises(SystemExit, match="1 of 1 notebooks failed"):
        run.main("")
    captured = capsys.readouterr()
    for part in said:
        assert part in captured.err
    assert "failed" in captured.out
    assert path.read_bytes() == before
    assert not (tmp_path / "results").exists()


def test_an_unknown_unit_lists_the_units(make):
    make("x = 1")
    with pytest.raises(SystemExit, match="'speech'; there are:\n  01_tiny"):
        run.main("speech")


def with_headings(path):
    notebook = nbformat.read(path, 4)
    text = "## Training\n\nText.\n\n```\n## no heading\n```\n\n### By hand\n\n#### Small print"
    notebook.cells.insert(2, new_markdown_cell(text))
    nbformat.write(notebook, path)


def test_without_a_terminal_each_heading_is_a_line_as_it_is_reached(make, capsys):
    path = make("x = 1", "assert x == 2")
    with_headings(path)
    with pytest.raises(SystemExit):
        run.main("")
    said = [line.partition("] ") for line in capsys.readouterr().out.splitlines()]
    assert [text for _, _, text in said] == [
        "01_tiny: starts, first run",
        "01_tiny: Training",
        "01_tiny: By hand",
        "01_tiny: failed",
    ]
    assert all(re.fullmatch(r"\[ 0:\d\d", clock) for clock, _, _ in said)


class Pipe(io.StringIO):
    """A standard output that notes how much had been written each time it was flushed."""

    flushed = ()

    def flush(self):
        self.flushed += (self.getvalue().count("\n"),)


def test_each_line_of_the_log_is_flushed(make, monkeypatch):
    with_headings(path := make("x = 1"))
    monkeypatch.setattr(sys, "stdout", pipe := Pipe())
    progress = run.Progress(path, nbformat.read(path, 4), terminal=False)
    for index in range(3):
        progress.reached(index)
    assert pipe.flushed == (1, 2)


def test_a_log_tells_the_time_since_the_notebooks_start(make, capsys, monkeypatch):
    path = make("x = 1")
    times = iter([100.0, 292.4, 754.0])
    monkeypatch.setattr(run.time, "monotonic", lambda: next(times))
    progress = run.Progress(path, nbformat.read(path, 4), terminal=False)
    progress.say("Training")
    progress.say("done")
    assert capsys.readouterr().out == "[ 3:12] 01_tiny: Training\n[10:54] 01_tiny: done\n"


def test_on_a_terminal_one_line_names_the_heading_and_is_no_wider(make, capsys, monkeypatch):
    with_headings(path := make("x = 1"))
    notebook = nbformat.read(path, 4)
    progress = run.Progress(path, notebook, terminal=True)
    progress.reached(1)
    assert progress.where() == "cell 2/3"
    progress.reached(2)
    notebook.cells.append(new_code_cell("1"))  # as the question for the machine is, which is no cell of the notebook
    assert progress.where() == "cell 3/3: By hand"
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(run.shutil, "get_terminal_size", lambda: os.terminal_size((30, 24)))
    progress.rewrite(progress.where())
    assert capsys.readouterr().out == "\r01_tiny                  0:00\x1b[K"


def test_the_kernel_is_told_the_file_of_the_claims_and_shows_no_bars(tmp_path, monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")
    monkeypatch.setattr(run.threads, "chosen", {})  # what this process chose for itself is not handed on
    environment = run.kernel_environment(tmp_path / "claims.jsonl")
    assert environment == {**os.environ, "TENDAYS_LEDGER": str(tmp_path / "claims.jsonl"), "TQDM_DISABLE": "1"}


def test_the_last_run_says_how_long_to_expect(make, tmp_path):
    path = make("x = 1")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "01_tiny.json").write_text('{"seconds": 83.6}')
    progress = run.Progress(path, nbformat.read(path, 4), terminal=True)
    assert progress.line("cell 2/2") == "01_tiny                  0:00  (expected 1:24)  cell 2/2"
