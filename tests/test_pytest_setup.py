"""How notebooks run as tests; the checks run pytest on notebooks of their own."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from places import ROOT

import conftest
from tendays.publish import plan

CLAIM = "claim('x', 1, full=at_least(0), smoke=None)"


def run_pytest(folder, *sources, place="tiny.ipynb", arguments=("-p", "no:cacheprovider", "tiny.ipynb")):
    (folder / place).parent.mkdir(exist_ok=True)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), folder / place)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True).stdout


def test_cells_run_at_smoke_scale_up_to_the_first_that_fails(tmp_path):
    start = "from tendays.results import at_least, claim\nfrom tendays.scale import scale\nassert scale() == 'smoke'"
    out = run_pytest(tmp_path, start, CLAIM, CLAIM, "open('ran', 'w')", "x")
    assert "1 failed, 2 passed, 2 skipped" in out
    assert "'x' is claimed twice in this run" in out
    assert not (tmp_path / "ran").exists()


def test_one_worker_on_a_gpu_and_at_most_four_without(monkeypatch):
    monkeypatch.setattr("tendays.machine.device", lambda: "cuda")
    assert conftest.pytest_xdist_auto_num_workers() == 1
    monkeypatch.setattr("tendays.machine.device", lambda: "cpu")
    for cores, workers in [(1, 1), (2, 2), (64, 4)]:
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert conftest.pytest_xdist_auto_num_workers() == workers


@pytest.mark.parametrize(
    ("sources", "arguments", "kept"),
    [
        (["x = 1"], [], True),
        (["x"], [], False),
        (["x = 1"], ["notebooks"], False),
        (["x = 1"], ["-k", "tiny"], False),
        (["x = 1"], ["-n", "1"], True),
    ],
    ids=["whole", "failed", "of one folder", "a choice", "with workers"],
)
def test_a_whole_run_that_passed_leaves_its_time_for_the_next(tmp_path, sources, arguments, kept):
    for name in ("tests", "site"):
        (tmp_path / name).mkdir()
    run_pytest(tmp_path, *sources, place="notebooks/tiny.ipynb", arguments=arguments)
    path = tmp_path / plan.LAST_TEST
    assert path.exists() == kept
    assert not kept or 0.1 < json.loads(path.read_text("utf-8")) < 120
