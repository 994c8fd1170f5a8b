"""A classifier's logits as an energy, and its calibration."""

import math

import pytest
import torch

from tendays import measure
from tendays.ebm import jem

# Confidences .9, .8, .75, .6: of the two bins (.5, .75] and (.75, 1], the upper holds the first two.
PROBABILITIES = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.75, 0.25], [0.4, 0.6]], dtype=torch.float64)
LABELS = torch.tensor([0, 0, 0, 1])  # right, wrong, right, right


def test_the_energy_of_one_class_is_minus_its_logit():
    assert jem.logits_energy(torch.tensor([[2.0], [-3.0]])).tolist() == [-2.0, 3.0]


def test_the_energy_of_equal_logits_is_lower_by_the_logarithm_of_their_number():
    energy = jem.logits_energy(torch.full((1, 8), 5.0, dtype=torch.float64))
    assert energy.item() == pytest.approx(-5 - math.log(8))


@pytest.mark.parametrize("shape", [(3,), (3, 0), (2, 3, 4)])
def test_logits_of_another_shape_are_rejected(shape):
    with pytest.raises(ValueError, match="logits has the shape"):
        jem.logits_energy(torch.zeros(shape))


def test_the_calibration_error_of_four_predictions():
    sums = jem.calibration_statistics(PROBABILITIES, LABELS, bins=4).sum(0)
    # (.5, .75]: (.75 + .6 − 2) = −.65; (.75, 1]: (.9 + .8 − 1) = .7; together 1.35 / 4
    torch.testing.assert_close(sums, torch.tensor([0, 0, -0.65, 0.7, 4], dtype=torch.float64))
    assert jem.calibration_error(sums) == pytest.approx(1.35 / 4)


def test_confidence_as_often_right_as_it_says_has_no_error():
    probabilities = torch.tensor([[0.75, 0.25]] * 4)
    sums = jem.calibration_statistics(probabilities, torch.tensor([0, 0, 0, 1])).sum(0)
    assert jem.calibration_error(sums) == pytest.approx(0)


def test_certainty_belongs_to_the_last_bin():
    rows = jem.calibration_statistics(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), bins=3)
    assert rows.tolist() == [[0, 0, 1, 1]]


def test_the_error_of_many_sums_is_taken_row_by_row():
    assert jem.calibration_error([[1.0, -1.0, 4.0], [0.0, 1.0, 2.0]]).tolist() == [0.5, 0.5]


def test_a_classifier_beside_itself_is_a_tie():
    rows = jem.calibration_statistics(PROBABILITIES, LABELS)
    difference = measure.paired_bootstrap(jem.calibration_error, rows, rows, draws=100)
    assert difference.value == 0
    assert difference.tie


@pytest.mark.parametrize(
    ("probabilities", "labels", "bins", "message"),
    [
        ([[0.5, 0.5]], [0, 1], 10, r"probabilities has the shape \(1, 2\) and labels \(2,\)"),
        ([0.5, 0.5], [0, 1], 10, r"probabilities has the shape \(2,\)"),
        ([[0.5, 0.6]], [0], 10, "does not sum to 1"),
        ([[1.5, -0.5]], [0], 10, "negative"),
        ([[math.nan, 0.5]], [0], 10, "does not sum to 1"),
        ([[0.5, 0.5]], [2], 10, "a class outside 0–1"),
        ([[0.5, 0.5]], [-1], 10, "a class outside 0–1"),
        ([[0.5, 0.5]], [0], 0, "bins is 0"),
    ],
)
def test_predictions_that_are_none_are_rejected(probabilities, labels, bins, message):
    with pytest.raises(ValueError, match=message):
        jem.calibration_statistics(torch.tensor(probabilities), torch.tensor(labels), bins)
