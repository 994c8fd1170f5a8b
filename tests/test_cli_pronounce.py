"""`tendays pronounce`, on small models that know six words by heart."""

import math
import re

import pytest
import torch
from test_pronunciation import SAID, by_heart, trained_by_heart  # noqa: F401 - a fixture
from typer.testing import CliRunner

from tendays import __main__, pronunciation
from tendays.__main__ import app

pytestmark = pytest.mark.filterwarnings("ignore:the cap of")  # a new model knows no end


def run(*arguments):
    return CliRunner().invoke(app, ["pronounce", *map(str, arguments)])


def columns(result):
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.stdout.splitlines()]


def test_each_word_gets_its_best_pronunciations_with_their_probabilities(by_heart):  # noqa: F811
    lines = columns(run("knee", "colonel", "--model", by_heart, "--best", 2))
    assert [word for word, _, _ in lines] == ["knee", "knee", "colonel", "colonel"]
    assert [said for _, _, said in lines[::2]] == ["N IY", "K ER N AH L"]
    assert all(re.fullmatch(r" *\d+\.\d%", chance) for _, chance, _ in lines)
    chances = [float(chance.rstrip("%")) for _, chance, _ in lines]
    assert chances[0] > chances[1]
    assert chances[2] > chances[3]
    exact = pronunciation.pronounce(pronunciation.load(by_heart), ["knee", "colonel"], 5)
    expected = [guess for found in exact for guess in found[:2]]
    assert chances == pytest.approx([100 * math.exp(guess.log_probability) for guess in expected], abs=0.051)
    assert [said for _, _, said in lines] == [" ".join(guess.phonemes) for guess in expected]


@pytest.mark.parametrize(("best", "count"), [([], 3), (["--best", 1], 1), (["--best", 7], 7)])
def test_as_many_as_are_asked_for(by_heart, best, count):  # noqa: F811
    lines = columns(run("Read", "--model", by_heart, *best))
    assert [word for word, _, _ in lines] == ["Read"] * count
    assert {said for _, _, said in lines[:2]} <= set(SAID["read"])
    assert len({said for _, _, said in lines}) == count


def test_without_a_folder_it_is_the_notebooks_model(by_heart, monkeypatch):  # noqa: F811
    monkeypatch.setattr(__main__, "runs_folder", lambda name: {"transducer": by_heart}[name])
    assert columns(run("ox", "--best", 1))[0][2] == "AA K S"


@pytest.mark.parametrize("wrong", ["x2", "naïve", "two words", ""])
def test_a_wrong_word_is_named_before_anything_is_written(by_heart, wrong):  # noqa: F811
    result = run("knee", wrong, "--model", by_heart)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"word is {wrong!r}" in result.stderr


def test_without_a_model_it_says_how_to_make_one(tmp_path):
    result = run("knee", "--model", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "make run UNIT=transducer" in result.stderr


def test_a_device_that_is_not_there_is_named(by_heart, monkeypatch):  # noqa: F811
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("TENDAYS_DEVICE", "cuda")
    result = run("knee", "--model", by_heart)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "torch sees no GPU" in result.stderr


def test_none_of_the_best_and_no_words_are_refused(by_heart):  # noqa: F811
    for arguments in (["knee", "--model", by_heart, "--best", 0], ["--model", by_heart]):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")


def test_a_model_that_has_no_beam_says_one_without_a_probability(tmp_path):
    trained_by_heart(tmp_path, "ctc")
    assert run("knee", "colonel", "--model", tmp_path).stdout == "knee\t\tN IY\ncolonel\t\tK ER N AH L\n"
