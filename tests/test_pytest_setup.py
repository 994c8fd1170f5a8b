"""How notebooks run as tests; the checks run pytest on notebooks of their own."""

import os
import shutil
import subprocess
import sys

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from places import ROOT

import conftest

CLAIM = "claim('x', 1, full=at_least(0), smoke=None)"


def run_pytest(folder, *sources):
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), folder / "tiny.ipynb")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tiny.ipynb"]
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
