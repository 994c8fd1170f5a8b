"""How git shows and merges notebooks, in a repository of the test's own."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import needs
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from places import ROOT

from tendays.publish.run import COLOUR_CODE

BASE = new_notebook(
    cells=[
        new_markdown_cell("# Tiny", id="title"),
        new_code_cell("x = 1", id="first", execution_count=1),
        new_code_cell("y = 2", id="second", execution_count=2, outputs=[new_output("stream", text="2\n")]),
    ]
)


class Repository:
    """A clone with an environment, and one notebook in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        own = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE", "MFLAGS"))}
        self.environment = own | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for name in ("Makefile", ".gitattributes"):
            shutil.copy(ROOT / name, folder)
        for name in ("git-nbdiffdriver", "git-nbmergedriver"):
            (folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
            (folder / ".venv" / "bin" / name).symlink_to(Path(sys.executable).with_name(name))
        for name in ("requirements.txt", "pyproject.toml", ".venv/.stamp"):
            (folder / name).touch()
        self("git", "init", "-q", "-b", "main")
        self("git", "config", "user.name", "Tests")
        self("git", "config", "user.email", "tests@example.org")
        self.commit(BASE)

    def __call__(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commit(self, notebook):
        nbformat.write(notebook, self.folder / "tiny.ipynb")
        self("git", "add", "tiny.ipynb", ".gitattributes")
        self("git", "commit", "-q", "-m", "A version")

    def merged(self, ours, theirs):
        """The notebook after two branches have changed it, and one was merged into the other."""
        self("git", "switch", "-q", "-c", "theirs")
        self.commit(theirs)
        self("git", "switch", "-q", "main")
        self.commit(ours)
        self("git", "merge", "-q", "-m", "Both", "theirs")
        return nbformat.read(self.folder / "tiny.ipynb", as_version=4)


@pytest.fixture
def repository(tmp_path):
    needs.program("git", package="git")
    # With a blank, as folders have that nobody meant for make.
    (folder := tmp_path / "my clone").mkdir()
    return Repository(folder)


def changed(**sources):
    """The notebook with other sources in some cells."""
    notebook = copy.deepcopy(BASE)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    return notebook


def test_after_make_diffs_git_shows_the_cell_that_changed(repository):
    repository("make", "diffs")
    nbformat.write(changed(second="y = 3"), repository.folder / "tiny.ipynb")
    shown = COLOUR_CODE.sub("", repository("git", "diff"))
    assert shown.startswith("nbdiff ")
    assert "## modified /cells/2/source:" in shown
    assert "-  y = 2\n+  y = 3" in shown
    assert '"source"' not in shown


def test_without_it_git_shows_lines(repository):
    nbformat.write(changed(second="y = 3"), repository.folder / "tiny.ipynb")
    shown = repository("git", "diff")
    assert shown.startswith("diff --git a/tiny.ipynb b/tiny.ipynb")
    assert '-    "y = 2"\n+    "y = 3"' in shown


def test_after_make_diffs_neighbouring_cells_are_merged(repository):
    repository("make", "diffs")
    ours, theirs = changed(first="x = 5"), changed(second="y = 3")
    ours.cells[1].execution_count, theirs.cells[1].execution_count = 7, 8
    merged = repository.merged(ours, theirs)
    assert [cell.source for cell in merged.cells] == ["# Tiny", "x = 5", "y = 3"]
    assert nbformat.validate(merged) is None


def test_without_it_git_merges_lines(repository):
    merged = repository.merged(changed(title="# Tinier"), changed(second="y = 3"))
    assert [cell.source for cell in merged.cells] == ["# Tinier", "x = 1", "y = 3"]


def test_it_sets_up_this_clone_alone_and_clean_undoes_it(repository):
    before = repository("git", "config", "--list", "--local")
    repository("make", "diffs")
    repository("make", "diffs")
    added = repository("git", "config", "--list", "--local").removeprefix(before).splitlines()
    assert sorted(line.partition("=")[0] for line in added) == [
        "diff.jupyternotebook.command",
        "merge.jupyternotebook.driver",
        "merge.jupyternotebook.name",
    ]
    for folder in ("src", "tests", "notebooks"):
        (repository.folder / folder).mkdir()
    repository("make", "clean")
    assert repository("git", "config", "--list", "--local") == before
    nbformat.write(changed(second="y = 3"), repository.folder / "tiny.ipynb")
    assert repository("git", "diff")
