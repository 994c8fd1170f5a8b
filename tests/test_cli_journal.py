"""The commands of the journal, in a checkout of their own."""

import subprocess
import sys
from datetime import date

import pytest
from places import ROOT
from typer.testing import CliRunner

from tendays import journal
from tendays.__main__ import app

UNIT = """# Unit 1: 2022-02-01 to 2022-02-10

## Goals

- 2–3 papers
- code

## 2022-02-01

- code: First lines
- [ ] question: Why?

## 2022-02-02

- code: More

## 2022-02-05

- code: Most
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout on 6 February 2022, from one of its folders."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "journal" / "2022-02-unit-1.md").write_text(UNIT, "utf-8")
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setattr(journal, "today", lambda: date(2022, 2, 6))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_status_tells_goals_streaks_gaps_and_questions(checkout):
    said = run("status")
    assert said.exit_code == 0
    assert (
        said.stdout
        == """Unit 1, 1–10 February 2022: 3 days with an entry
  paper         0 of 2–3        2 to go
  code          3 of 1 or more  ✓

Longest streak: 2 days, 1–2 February 2022; now: 1 day, 5 February 2022
Gap: 2 days, 3–4 February 2022

Open questions: 1; closed: 0
  Why?
      5 days old, journal/2022-02-unit-1.md:11
"""
    )


def test_a_gap_goes_on_until_yesterday(checkout, monkeypatch):
    monkeypatch.setattr(journal, "today", lambda: date(2022, 2, 9))
    assert (
        "now: none\nGap: 2 days, 3–4 February 2022\nGap: 3 days, 6–8 February 2022, and counting\n"
        in run("status").stdout
    )


def test_status_shows_what_can_be_read_and_names_what_cannot(checkout):
    path = checkout / "journal" / "2022-02-unit-1.md"
    path.write_text(UNIT.replace("- code: More", "- film: Heat"), "utf-8")
    said = run("status")
    assert said.exit_code == 1
    assert "2 of 1 or more" in said.stdout
    assert f"{path}:15: expected 'kind: what'" in said.stderr


def test_an_empty_journal_says_so(checkout):
    (checkout / "journal" / "2022-02-unit-1.md").unlink()
    assert run("status").stdout == "No entries yet.\n"


def test_a_journal_is_full_of_what_was_logged(checkout):
    said = run("log", "Graves, *Sequence transduction*", "--kind", "paper")
    assert (said.exit_code, said.stdout) == (0, "journal/2022-02-unit-1.md:23\n")
    assert run("log", "And how?", "--kind", "question", "--date", "yesterday").exit_code == 0
    text = (checkout / "journal" / "2022-02-unit-1.md").read_text("utf-8")
    added = "- [ ] question: And how?\n\n## 2022-02-06\n\n- paper: Graves, *Sequence transduction*\n"
    assert text == UNIT + added


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", "--kind", "film"), "log: kind is 'film'; expected one of lecture, paper"),
        (("x", "--kind", "code", "--date", "2022-02-07"), "log: date is '2022-02-07'; expected one such as"),
        (("x", "--kind", "code", "--date", "2022-01-31"), "log: the day is 2022-01-31; expected one of a unit"),
        (("", "--kind", "code"), "log: text is empty"),
    ],
)
def test_what_cannot_be_logged_is_explained(checkout, arguments, message):
    said = run("log", *arguments)
    assert said.exit_code == 2
    assert message in said.stderr
    assert (checkout / "journal" / "2022-02-unit-1.md").read_text("utf-8") == UNIT


def test_a_new_unit_is_started(checkout):
    assert run("new-unit").stdout == "journal/2022-02-unit-2.md: 11–20 February 2022\n"
    again = run("new-unit")
    assert again.exit_code == 2
    assert "new-unit: the next unit is there already" in again.stderr


def test_outside_of_a_checkout_it_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (["status"], ["log", "x", "--kind", "code"], ["new-unit"]):
        said = run(*command)
        assert said.exit_code == 2
        assert f"there is no journal in {tmp_path} or above it; expected to be in a clone" in said.stderr


def test_the_module_answers_without_loading_torch():
    code = "import sys; sys.argv[1:] = ['status']; from tendays.__main__ import app\n"
    code += "try: app()\nfinally: assert not {'torch', 'matplotlib', 'scipy'} & set(sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "Unit 1, 1–10 February 2022" in said.stdout
