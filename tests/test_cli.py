"""The command line, on a small translator that knows three sentences by heart."""

import json
import subprocess
import sys

import pytest
import typer
from places import ROOT
from test_translation import ENGLISH, GERMAN, trained  # noqa: F401 - a fixture
from typer.testing import CliRunner

from tendays import corpora, machine, translation
from tendays.__main__ import app
from tendays.translation.__main__ import main


def run(*arguments, text=""):
    return CliRunner().invoke(app, ["translate", *map(str, arguments)], input=text)


def test_a_line_comes_out_for_each_line_that_goes_in(trained):  # noqa: F811
    result = run("--model", trained, "--beam", 1, text=f"{GERMAN[1]}\n\n{GERMAN[0]}")
    assert result.exit_code == 0
    assert result.stdout == f"{ENGLISH[1]}\n\n{ENGLISH[0]}\n"
    assert run("--model", trained, text="").stdout == ""
    assert run("--model", trained, text="\n").stdout == "\n"


def test_words_are_one_sentence(trained):  # noqa: F811
    assert run("--model", trained, "--beam", 1, *GERMAN[0].split()).stdout == f"{ENGLISH[0]}\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"Ein Hund\n\xff\n", "line 2 of the input is not UTF-8"), (b"\xc3", "line 1 of the input is not UTF-8")],
)
def test_bytes_that_are_no_text_are_refused_before_anything_is_written(trained, data, words):  # noqa: F811
    result = run("--model", trained, text=data)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in result.stderr


def test_without_a_model_it_says_how_to_make_one(tmp_path):
    result = run("--model", tmp_path, "Hallo")
    assert result.exit_code == 2
    assert "make run UNIT=translation" in result.stderr


def test_a_beam_of_none_is_refused(trained):  # noqa: F811
    assert run("--model", trained, "--beam", 0, "Hallo").exit_code == 2


def test_alone_it_lists_its_commands():
    listed = subprocess.run([sys.executable, "-m", "tendays"], capture_output=True, text=True)
    assert "translate" in listed.stdout
    assert "Traceback" not in listed.stderr


def test_fetching_the_data_says_what_could_not_be_had(monkeypatch):
    def load(name, split):
        if name == "multi30k":
            raise corpora.DataUnavailable("no network", "Try again.")
        return corpora.ParallelCorpus(name, split, ["Ein Hund"], ["A dog"])

    monkeypatch.setattr(corpora, "load", load)
    result = CliRunner().invoke(app, ["data"])
    assert result.exit_code == 1
    assert result.stdout == "ding: 1 pairs to learn from\n"
    assert result.stderr == "multi30k: no network. Try again.\n"


def test_fetching_the_data_into_a_wrong_setting_is_answered_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TENDAYS_DATA", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(app, ["data"])
    assert result.exit_code == 2
    assert result.stderr == f"data: TENDAYS_DATA is {str(tmp_path / 'nowhere')!r}, which is not a folder\n"


# ---- python -m tendays.translation -----------------------------------------------------------------------------------


def train(*arguments):
    """The result of the command that trains."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_training_from_the_command_line_leaves_a_model_and_a_report(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")  # a process keeps to one precision
    result = train("--corpus", "grammar", "--folder", tmp_path, "--seed", 3)
    assert result.exit_code == 0, result.output
    model, pieces = translation.load(tmp_path)
    assert len(pieces) == translation.SMOKE.pieces == model.size.vocabulary
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    expected = {
        "title": "Translation on the generated grammar",
        "command": "python -m tendays.translation --corpus grammar --seed 3",
        "seed": 3,
        "processes": 1,
        "learning_rate": 3e-3,
        "layers": 3,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": report["history"][-1]["steps"],
        "seconds": sum(row["seconds"] for row in report["history"]),
    }
    assert {key: report[key] for key in expected} == expected
    assert set(report) == {*machine.facts(), *expected, "history", "claims"}
    assert len(report["history"]) == translation.SMOKE.recipe.epochs
    names = ["BLEU on the generated grammar's test set, greedy", "BLEU on the generated grammar's test set, beam 5"]
    assert [(claim["name"], claim["unit"], "headline" in claim) for claim in report["claims"]] == [
        (names[0], "BLEU", False),
        (names[1], "BLEU", True),
    ]
    for claim in report["claims"]:
        assert f"{claim['name']}: {claim['value']:.2f} in {claim['seconds']:.1f} s" in result.stdout


@pytest.mark.parametrize(
    ("variables", "arguments", "words"),
    [
        ({}, ["--corpus", "nosuch"], "corpus is 'nosuch'; expected one of multi30k, ding, grammar, de-en"),
        ({}, ["--corpus", "cmudict"], "corpus is 'cmudict'; expected one of multi30k, ding, grammar, de-en"),
        ({"TENDAYS_DEVICE": "tpu"}, [], "TENDAYS_DEVICE is 'tpu'; expected 'cpu' or 'cuda'"),
        ({"ACCELERATE_MIXED_PRECISION": "fp8"}, [], "ACCELERATE_MIXED_PRECISION is 'fp8'; expected 'no' or 'bf16'"),
        ({"TENDAYS_SCALE": "huge"}, [], "TENDAYS_SCALE is 'huge'; expected 'smoke' or 'full'"),
        ({"TENDAYS_DATA": "/no/such"}, ["--corpus", "ding"], "TENDAYS_DATA is '/no/such', which is not a folder"),
    ],
)
def test_wrong_arguments_are_answered_in_one_line_before_anything_is_made(
    tmp_path, monkeypatch, variables, arguments, words
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = train(*arguments, "--folder", tmp_path / "model")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"translation: {words}\n")
    assert not list(tmp_path.iterdir())


def test_data_that_cannot_be_had_are_answered_in_one_line(tmp_path, monkeypatch):
    def load(name, split):
        raise corpora.DataUnavailable("no network", "Try again.")

    monkeypatch.setattr(corpora, "load", load)
    result = train("--corpus", "ding", "--folder", tmp_path / "model")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "translation: no network. Try again.\n")


@pytest.mark.parametrize("package", ["translation", "pronunciation"])
def test_the_command_ends_with_status_2_and_no_traceback(package):
    wrong = {"translation": "--corpus", "pronunciation": "--kind"}[package]
    command = [sys.executable, "-m", f"tendays.{package}", wrong, "nosuch"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{package}: {wrong[2:]} is 'nosuch'; expected one of ")
    assert result.stderr.count("\n") == 1


LONGER = {
    "translation_ding": (1, "Translation on the Ding dictionary"),
    "translation_multi30k_long": (1, "Translation on Multi30k, the longer run"),
    "pronunciation_comparison": (2, "English pronunciation, 4 kinds of model from 3 seeds each"),
    "pronunciation_long": (2, "English pronunciation, tanh joint, the longer run"),
}


@pytest.mark.parametrize(("name", "expected"), LONGER.items(), ids=LONGER)
def test_the_records_of_longer_runs_have_titles_and_headlines(name, expected):
    record = json.loads((ROOT / "results" / "longer" / f"{name}.json").read_text("utf-8"))
    assert (sum("headline" in claim for claim in record["claims"]), record["title"]) == expected


def test_every_longer_run_is_listed_above():
    assert {path.stem for path in (ROOT / "results" / "longer").iterdir()} == set(LONGER)
