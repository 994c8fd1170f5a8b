"""The command line, on a small translator that knows three sentences by heart."""

import json
import subprocess
import sys

import pytest
from test_translation import ENGLISH, GERMAN, trained  # noqa: F401 - a fixture
from typer.testing import CliRunner

from tendays import corpora, translation
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


def test_training_from_the_command_line_leaves_a_model_and_a_report(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")  # a process keeps to one precision
    main("grammar", folder=tmp_path, seed=3)
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [entry["name"] for entry in report["claims"]] == ["grammar test, beam 1", "grammar test, beam 5"]
    assert len(report["history"]) == translation.SMOKE.recipe.epochs
    assert "grammar, test, beam 5: BLEU" in capsys.readouterr().out
    model, pieces = translation.load(tmp_path)
    assert len(pieces) == translation.SMOKE.pieces == model.size.vocabulary


def test_a_corpus_of_single_words_is_refused(tmp_path):
    with pytest.raises(ValueError, match="corpus is 'cmudict'; expected one of sentence pairs"):
        main("cmudict", folder=tmp_path)
    assert not list(tmp_path.iterdir())
