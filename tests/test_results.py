import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from tendays import results
from tendays.results import Bound, ClaimFailed, about, at_least, at_most, claim


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    path = tmp_path / "claims.jsonl"
    monkeypatch.setenv("TENDAYS_LEDGER", str(path))
    return path


@pytest.mark.parametrize(
    ("bound", "right", "wrong"),
    [
        (at_least(2), [2, 2.5], [1.999999, math.inf, -math.inf, math.nan]),
        (at_most(2), [2, 1], [2.000001, -math.inf, math.inf, math.nan]),
        (about(2, within=0.5), [1.5, 2, 2.5], [1.49, 2.51, math.inf, math.nan]),
    ],
)
def test_bounds(bound, right, wrong):
    for value in right:
        claim("x", value, full=bound, smoke=bound)
    for value in wrong:
        with pytest.raises(ClaimFailed):
            claim("x", value, full=bound, smoke=bound)


def test_the_scale_chooses_the_bound(monkeypatch):
    monkeypatch.setenv("TENDAYS_SCALE", "smoke")
    claim("x", 1, full=at_least(5), smoke=at_least(1))
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    with pytest.raises(ClaimFailed):
        claim("x", 1, full=at_least(5), smoke=at_least(1))


def test_a_claim_prints_one_line(monkeypatch, capsys):
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    claim("BLEU", 38.4123, full=at_least(35.5), smoke=None)
    claim("time", 3.2, full=at_most(5), smoke=None, unit="s")
    claim("energy", 1.0, full=about(1, within=0.25), smoke=None)
    assert capsys.readouterr().out == "✓ BLEU 38.41 ≥ 35.5\n✓ time 3.2 s ≤ 5\n✓ energy 1 ≈ 1 ± 0.25\n"


def test_a_failed_claim_says_name_value_and_bound_unrounded():
    with pytest.raises(ClaimFailed, match=r"BLEU 35\.5: 35\.49999 is not ≥ 35\.5") as raised:
        claim("BLEU", 35.49999, full=at_least(35.5), smoke=at_least(35.5))
    assert isinstance(raised.value, AssertionError)


def test_a_claim_not_judged_at_smoke_is_recorded_unless_it_is_nan(ledger, capsys):
    claim("BLEU", 0.1, full=at_least(35.5), smoke=None)
    assert "not judged" in capsys.readouterr().out
    assert results.read_claims(ledger) == [{"name": "BLEU", "value": 0.1, "unit": ""}]
    with pytest.raises(ClaimFailed, match="nan is not finite"):
        claim("loss", math.nan, full=at_most(1), smoke=None)


@pytest.mark.parametrize("value", [Fraction(1, 2), np.float32(0.5), np.array(0.5), torch.tensor(0.5)])
def test_numbers_of_every_library(value, ledger):
    claim("half", value, full=at_least(0.5), smoke=at_least(0.5))
    assert results.read_claims(ledger)[0]["value"] == 0.5


@pytest.mark.parametrize("value", ["38", None, True, torch.zeros(2), np.True_, 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="value must be a number"):
        claim("x", value, full=at_least(0), smoke=None)


def test_a_wrong_bound_is_named():
    with pytest.raises(TypeError, match="full must be"):
        claim("x", 1, full=None, smoke=None)
    with pytest.raises(TypeError, match="smoke must be"):
        claim("x", 1, full=at_least(0), smoke=0.5)
    with pytest.raises(TypeError, match="at_least must be a number"):
        at_least("35")


def test_a_name_is_claimed_once_in_a_recorded_run(ledger):
    claim("x", 1, full=at_least(0), smoke=None)
    with pytest.raises(ValueError, match="'x' is claimed twice"):
        claim("x", 2, full=at_least(0), smoke=None)


def test_a_reader_may_run_a_cell_again(monkeypatch):
    monkeypatch.delenv("TENDAYS_LEDGER", raising=False)
    for _ in range(2):
        claim("x", 1, full=at_least(0), smoke=None)


def test_a_failed_claim_is_not_recorded(ledger):
    with pytest.raises(ClaimFailed):
        claim("x", 1, full=at_least(5), smoke=at_least(5))
    assert results.read_claims(ledger) == []


@pytest.mark.parametrize("bound", [at_least(2), at_most(-1.5), about(3, within=0.25)])
def test_a_bound_is_read_back_from_its_record(bound):
    assert Bound.of({"name": "x", **bound.record()}) == bound


def test_a_record_without_a_bound_has_none():
    assert Bound.of({"name": "x", "value": 1.0}) is None
