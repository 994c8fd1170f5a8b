import re
import shutil
import subprocess
import sys

import nbformat
import pytest
import test_notebooks
from places import ROOT

from tendays.publish import address

NEW = "some-one/else_1.0"
NOT_COPIED = (".*", "__pycache__", "runs", "cache", "build", "dist", "*.egg-info")


@pytest.fixture
def checkout(tmp_path):
    """A copy of the working tree, to be changed."""
    return shutil.copytree(ROOT, tmp_path / "checkout", ignore=shutil.ignore_patterns(*NOT_COPIED))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(checkout, *arguments):
    command = [sys.executable, "-m", "tendays.publish.address", *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True)


def test_one_call_changes_the_address_and_nothing_else_and_can_be_taken_back(checkout):
    old, before = address.current(checkout), contents(checkout)
    changed = address.stamp(checkout, NEW)
    after = contents(checkout)
    assert {path for path in before if before[path] != after[path]} == set(changed)
    assert all(after[path].replace(NEW.encode(), old.encode()) == before[path] for path in changed)
    assert len(changed) >= 5
    assert address.stamp(checkout, NEW) == []
    address.stamp(checkout, old)
    assert contents(checkout) == before


def test_afterwards_nothing_states_the_old_address(checkout):
    stated = re.compile(rb"(?i)github(?:\.com|usercontent\.com)?[/:]" + re.escape(address.current(checkout)).encode())
    assert any(stated.search(content) for content in contents(checkout).values())
    address.stamp(checkout, NEW)
    assert [path for path, content in contents(checkout).items() if stated.search(content)] == []
    assert address.current(checkout) == NEW


@pytest.mark.parametrize("name", [path.name for path in test_notebooks.NOTEBOOKS])
def test_afterwards_a_notebook_keeps_the_rules_with_the_new_address(checkout, monkeypatch, name):
    address.stamp(checkout, NEW)
    monkeypatch.setattr(test_notebooks, "REPOSITORY", NEW)
    setup_cell = (checkout / "notebooks" / "setup_cell.py").read_text("utf-8").strip()
    assert f'"git+https://github.com/{NEW}"' in setup_cell
    monkeypatch.setattr(test_notebooks, "SETUP_CELL", setup_cell)
    path = checkout / "notebooks" / name
    notebook = nbformat.read(path, as_version=4)
    assert list(test_notebooks.starts_as_all_do(notebook, path)) == []
    ledger = test_notebooks.ledger_is_of_these_cells
    assert list(ledger(notebook, path)) == list(ledger(notebook, ROOT / "notebooks" / name))


def test_a_notebook_from_elsewhere_gets_the_address_too_and_those_it_cites_stay(checkout):
    path = next((checkout / "notebooks").glob("*.ipynb"))
    text = path.read_text("utf-8").replace(address.current(checkout), "a-fork/of-it")
    path.write_text(text.replace("# Set-up", "# See https://github.com/multi30k/dataset. Set-up"), "utf-8")
    address.stamp(checkout, "multi30k/dataset")
    address.stamp(checkout, NEW)
    text = path.read_text("utf-8")
    assert "a-fork/of-it" not in text
    assert text.count("https://github.com/multi30k/dataset. Set-up") == 1


def test_every_file_states_the_address_of_pyproject():
    for pattern, prefixes in address.PLACES.items():
        for path in ROOT.glob(pattern):
            text = path.read_text("utf-8")
            assert address.stamped(text, address.current(ROOT), prefixes) == text, path


@pytest.mark.parametrize("repo", ["a/b", "Tendays-2/tendays.study", "a" * 39 + "/" + "b" * 100, "x/_", "x/.github"])
def test_addresses_that_github_has_are_taken(repo):
    assert address.checked(repo) == repo


REFUSED = [
    *("tendays", "a/b/c", "https://github.com/a/b", "/b", "a/", "-a/b", "a-/b", "a--b/c", "a_b/c", "é/b", 'a/b"'),
    *("a/.", "a/..", "a/b.git", "a/b.wiki", "a/b c", "a/b\n", "a" * 40 + "/b", "a/" + "b" * 101),
]


@pytest.mark.parametrize("repo", REFUSED)
def test_addresses_that_github_cannot_have_are_refused(repo):
    with pytest.raises(ValueError, match=f"REPO is {re.escape(repr(repo))}; expected owner/name"):
        address.checked(repo)


def test_the_urls_of_a_repository_and_of_its_notebooks_in_colab_are_those_of_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/a-1/b.c"\n', "utf-8")
    assert address.repository(tmp_path) == "https://github.com/a-1/b.c"
    expected = "https://colab.research.google.com/github/a-1/b.c/blob/main/notebooks/01_x.ipynb"
    assert address.colab(tmp_path, "01_x.ipynb") == expected


def test_a_refused_address_is_written_nowhere(checkout):
    before = contents(checkout)
    refused = run(checkout, "https://github.com/a/b")
    assert refused.returncode == 1
    assert refused.stderr.startswith("REPO is 'https://github.com/a/b'; expected owner/name")
    assert contents(checkout) == before


@pytest.mark.parametrize("name", ["README.md", "notebooks/setup_cell.py", "notebooks/04_transducer.ipynb"])
def test_where_one_file_has_no_place_for_it_none_is_written(checkout, name):
    path = checkout / name
    path.write_text(path.read_text("utf-8").replace("https://github.com/", "https://example.org/"), "utf-8")
    before = contents(checkout)
    refused = run(checkout, NEW)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{name}: no address follows 'git")
    assert contents(checkout) == before


def test_without_an_address_it_says_how_and_changes_nothing(checkout):
    before = contents(checkout)
    for arguments in ([""], []):
        asked = run(checkout, *arguments)
        assert asked.returncode == 1
        assert f"make address REPO=owner/name puts another address in place of {address.current(ROOT)}" in asked.stderr
    assert contents(checkout) == before


def test_it_says_what_it_changed(checkout):
    assert (
        run(checkout, NEW).stdout.splitlines()[-1]
        == f"{len(address.stamp(checkout, 'a/b'))} files changed; all say {NEW}"
    )
    assert run(checkout, "a/b").stdout == "0 files changed; all say a/b\n"
