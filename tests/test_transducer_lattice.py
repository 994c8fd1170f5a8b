"""Forward variables, shares and occupancies of lattices that are solved by hand."""

import math

import pytest
import torch
from torch import Tensor

from tendays.transducer import lattice
from tendays.transducer.arguments import Targets, checked_targets
from tendays.transducer.lattice import ArcScores, Occupancies


def double(numbers) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


# Probabilities of the arcs of two inputs and one label. Two paths write it: label first .5 · .4 · .8 = .16, and blank
# first .5 · .25 · .8 = .1.
BLANK = [[0.5, 0.4], [0.75, 0.8]]
LABEL = [[0.5], [0.25]]
LIKELIHOOD = 0.26
BLANK_OCCUPANCY = [[5 / 13, 8 / 13], [0, 1]]
LABEL_OCCUPANCY = [[8 / 13], [5 / 13]]
# The second sequence has one input and no label, so that it is over after a blank of .3; the rest is padding.
SHORT_BLANK = [[0.3, 0.9], [0.9, 0.9]]
SHORT_LABEL = [[0.9], [0.9]]


def by_hand() -> tuple[ArcScores, Targets]:
    """Both sequences, with normalisers that are not 0: every arc of (t, u) has its score raised by t + u + 1."""
    normaliser = double([[1, 2], [2, 3]]).expand(2, 2, 2)
    blank = double([BLANK, SHORT_BLANK]).log() + normaliser
    label = double([LABEL, SHORT_LABEL]).log() + normaliser[:, :, :1]
    lengths = torch.tensor([2, 1]), torch.tensor([1, 0])
    targets = checked_targets((2, 2, 2, 5), torch.device("cpu"), torch.tensor([[3], [-7]]), *lengths, 0)
    scores = ArcScores(blank, label, normaliser.clone())
    scores.set_padding_(targets.padding)
    return scores, targets


def test_the_log_likelihood_is_that_of_all_paths():
    log_likelihoods, _ = lattice.forward(*by_hand(), needs_grad=False)
    torch.testing.assert_close(log_likelihoods, double([LIKELIHOOD, 0.3]).log(), rtol=1e-14, atol=0)


def test_the_occupancies_are_the_expected_counts_of_the_arcs_and_0_in_padding():
    scores, targets = by_hand()
    _, shares = lattice.forward(scores, targets, needs_grad=True)
    blank, label = lattice.occupancies(shares, targets, torch.float64)
    torch.testing.assert_close(blank, double([BLANK_OCCUPANCY, [[1, 0], [0, 0]]]), rtol=1e-14, atol=0)
    torch.testing.assert_close(label, double([LABEL_OCCUPANCY, [[0], [0]]]), rtol=1e-14, atol=0)


def test_the_shares_of_a_node_that_is_reached_sum_to_1():
    scores, targets = by_hand()
    _, shares = lattice.forward(scores, targets, needs_grad=True)
    assert shares.shape == (3, 2, 6)  # T + U anti-diagonals, label and blank arcs, U + 2 cells for each of B
    # Cells 1 and 2 are u = 0 and 1 of the first sequence; the last anti-diagonal has only the end of it, in cell 2.
    torch.testing.assert_close(shares[:2, :, 1:3].sum(1), torch.ones(2, 2).double(), rtol=1e-14, atol=0)
    # (1, 1) is reached by its label arc from (1, 0), .5 · .25, and by its blank arc from (0, 1), .5 · .4.
    torch.testing.assert_close(shares[1, :, 2], double([5 / 13, 8 / 13]), rtol=1e-14, atol=0)


def test_without_a_gradient_there_are_no_shares():
    assert lattice.forward(*by_hand(), needs_grad=False)[1] is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_occupancies_have_the_dtype_asked_for_and_memory_of_their_own(dtype):
    scores, targets = by_hand()
    _, shares = lattice.forward(scores, targets, needs_grad=True)
    for numbers in lattice.occupancies(shares, targets, dtype):
        assert numbers.dtype == dtype
        assert numbers.is_contiguous()
        assert numbers.untyped_storage().nbytes() == numbers.numel() * numbers.element_size()


def test_occupancies_times_an_upstream_gradient_flush_what_would_be_denormal():
    tiny = torch.finfo(torch.float32).eps ** 3
    blank = torch.tensor([[[0.25, 2 * tiny]], [[1.0, tiny / 2]]])
    label = torch.tensor([[[0.5]], [[tiny / 2]]])
    nodes, blank, label = Occupancies(blank, label).weighted_by(torch.tensor([-2.0, 3.0], dtype=torch.float64))
    assert torch.equal(blank, torch.tensor([[[-0.5, -4 * tiny]], [[3.0, 0.0]]]))
    assert torch.equal(label, torch.tensor([[[-1.0]], [[0.0]]]))
    assert torch.equal(nodes, torch.tensor([[[-1.5, -4 * tiny]], [[3.0, 0.0]]]))


def test_a_sequence_of_one_blank_has_its_probability():
    targets = checked_targets((1, 1, 1, 2), torch.device("cpu"), torch.zeros(1, 0).long(), *torch.tensor([[1], [0]]), 0)
    scores = ArcScores(double([[[math.log(0.3)]]]), double([[[]]]), double([[[0.0]]]))
    log_likelihoods, shares = lattice.forward(scores, targets, needs_grad=True)
    assert log_likelihoods.exp().item() == pytest.approx(0.3, rel=1e-15)
    assert lattice.occupancies(shares, targets, torch.float64).blank.tolist() == [[[1.0]]]
