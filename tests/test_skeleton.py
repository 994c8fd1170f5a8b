import shutil
import subprocess
import sys

import nbformat
import pytest
import test_notebooks
from places import ROOT
from typer.testing import CliRunner

from tendays.__main__ import app
from tendays.publish import readme, run, skeleton


@pytest.fixture
def checkout(tmp_path):
    """A checkout without notebooks."""
    for folder in ("notebooks", "journal", "results", "src/tendays"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "notebooks/setup_cell.py", "notebooks/skeleton.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Linear algebra", "linear_algebra"),
        ("  German → English: a network's start ", "german_english_a_networks_start"),
        ("Überläufe", "ueberlaeufe"),
        ("Café №5", "cafe_no5"),
        ("x" * 200, "x" * 60),
    ],
)
def test_titles_make_names(title, stem):
    assert skeleton.stem_of(title) == stem


@pytest.mark.parametrize("title", ["", "  ", "→", "2022", "two\nlines", "Ω"])
def test_titles_without_letters_are_refused(checkout, title):
    with pytest.raises(ValueError, match=r"^title is .*; expected one line with letters"):
        skeleton.new_notebook(checkout, title)
    assert list((checkout / "notebooks").glob("*.ipynb")) == []


def test_numbers_follow_the_largest_and_names_are_new(checkout):
    assert skeleton.new_notebook(checkout, "One").name == "01_one.ipynb"
    (checkout / "notebooks" / "01_one.ipynb").rename(checkout / "notebooks" / "07_one.ipynb")
    second = skeleton.new_notebook(checkout, "Two")
    assert second.name == "08_two.ipynb"
    before = second.read_bytes()
    with pytest.raises(ValueError, match=r"^title is 'two'; expected one that is new, and there is 08_two.ipynb"):
        skeleton.new_notebook(checkout, "two")
    assert second.read_bytes() == before


def test_it_has_a_row_before_it_was_run(checkout):
    path = skeleton.new_notebook(checkout, "One")
    asked = "TODO: the question of this notebook, in one sentence?"
    row = f"|  | [01_one](notebooks/01_one.ipynb) | {asked} | not run yet | – |"
    assert row in (checkout / "README.md").read_text("utf-8")
    assert str(path.name) in (checkout / "README.md").read_text("utf-8")


def test_it_keeps_every_rule_once_it_was_run(checkout, monkeypatch):
    path = skeleton.new_notebook(checkout, "One")
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    run.run_notebook(path)
    found = {rule.__name__: list(rule(nbformat.read(path, as_version=4), path)) for rule in test_notebooks.RULES}
    assert found.pop("nothing_is_left_to_write")
    assert {name: problems for name, problems in found.items() if problems} == {}
    assert "% of the variance of new points explained" in readme.notebooks_table(checkout)[-1]


def test_two_at_once_get_a_number_each(checkout):
    command = [sys.executable, "-m", "tendays", "new-notebook"]
    both = [subprocess.Popen([*command, title], cwd=checkout, stdout=subprocess.DEVNULL) for title in ("One", "Two")]
    assert [process.wait() for process in both] == [0, 0]
    names = sorted(path.name for path in (checkout / "notebooks").glob("*.ipynb"))
    assert names in (["01_one.ipynb", "02_two.ipynb"], ["01_two.ipynb", "02_one.ipynb"])
    assert all(name in (checkout / "README.md").read_text("utf-8") for name in names)


def test_the_command_says_what_comes_next(checkout, monkeypatch):
    monkeypatch.chdir(checkout / "journal")
    said = CliRunner().invoke(app, ["new-notebook", "One more"])
    assert said.stdout == "notebooks/01_one_more.ipynb\nmake lab\nmake run UNIT=one_more\n"
    again = CliRunner().invoke(app, ["new-notebook", "One more"])
    assert again.exit_code == 2
    assert "new-notebook: title is 'One more'; expected one that is new" in again.stderr
