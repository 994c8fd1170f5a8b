"""Alignments of labels: the recursion against listing every reading with every alignment."""

# ruff: noqa: N803, N806 - K, B and Z are the names of the field
import itertools
import math

import pytest
import torch

from tendays.latent.alignment import (
    energies_by_count,
    lowest_energy,
    lowest_with_margin,
    posterior,
    read,
    reading_energy,
)

T, V, APART = 6, 3, 2
BETAS = [0.7, 1.0, math.inf]


def energies(seed=0, B=2):
    return torch.randn(B, T, V, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def alignments(K, apart=APART):
    """All places of K labels, at least so far apart."""
    return [
        z
        for z in itertools.combinations(range(T), K)
        if all(after - before >= apart for before, after in itertools.pairwise(z))
    ]


def listed(s, K):
    """Every reading of K labels of one sequence, with the energies of all its alignments."""
    return {
        y: {z: float(sum(s[t, v] for t, v in zip(z, y, strict=True))) for z in alignments(K)}
        for y in itertools.product(range(V), repeat=K)
    }


def soft(values, beta):
    values = list(values)
    return min(values) if beta == math.inf else -math.log(sum(math.exp(-beta * e) for e in values)) / beta


def errors(y, correct):
    return sum(a != b for a, b in zip(y, correct, strict=False)) + abs(len(y) - len(correct))


def test_a_case_by_hand():
    # two labels in three columns, two apart: only the columns 0 and 2
    arcs = torch.tensor([[[5.0, 9.0], [0.0, 0.0], [9.0, 2.0]]])
    assert energies_by_count(arcs, math.inf, 2).tolist() == [[0, 0, 7]]
    assert energies_by_count(arcs, math.inf, 1).tolist() == [[0, 0, 2]]


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("y", [(1,), (2, 0), (1, 1, 2)])
def test_a_readings_energy_is_that_of_all_its_alignments(y, beta):
    s = energies()
    found = reading_energy(s, torch.tensor([y, y]), beta, APART)
    for b in range(2):
        assert math.isclose(found[b], soft(listed(s[b], len(y))[y].values(), beta), rel_tol=1e-10)


@pytest.mark.parametrize("beta", BETAS)
def test_the_lowest_energy_is_that_of_all_readings_of_all_lengths(beta):
    s = energies()
    every = [e for K in range(4) for ways in listed(s[0], K).values() for e in ways.values()]
    assert len(every) == 1 + 6 * 3 + 10 * 9 + 4 * 27  # 1, 6, 10 and 4 alignments
    assert math.isclose(lowest_energy(s, beta, APART)[0], soft(every, beta), rel_tol=1e-10)


@pytest.mark.parametrize("y", [(1,), (2, 0), (1, 1, 2)])
def test_the_margin_grows_with_the_errors(y):
    for seed in range(5):
        s = energies(seed)
        expected = min(
            min(ways.values()) - 0.5 * errors(other, y) for K in range(4) for other, ways in listed(s[0], K).items()
        )
        found = lowest_with_margin(s, torch.tensor([y, y]), APART, margin=0.5)[0]
        assert math.isclose(found, expected, rel_tol=1e-10)


def test_without_a_margin_it_is_the_lowest_energy():
    s, y = energies(), torch.tensor([[1, 2], [0, 0]])
    torch.testing.assert_close(lowest_with_margin(s, y, APART, margin=0.0), lowest_energy(s, math.inf, APART))


def test_the_posterior_is_the_enumerated_one():
    s, expected = energies(), torch.zeros(T, V, dtype=torch.float64)
    ways = [(y, z, e) for K in range(4) for y, found in listed(s[0], K).items() for z, e in found.items()]
    Z = sum(math.exp(-e) for *_, e in ways)
    for y, z, e in ways:
        for t, v in zip(z, y, strict=True):
            expected[t, v] += math.exp(-e) / Z
    torch.testing.assert_close(posterior(s, 1.0, APART)[0], expected, rtol=1e-9, atol=1e-12)


def test_the_best_reading_is_the_enumerated_one():
    for seed in range(20):
        s = energies(seed)
        for b, reading in enumerate(read(s, APART)):
            ways = [(e, y, z) for K in range(4) for y, found in listed(s[b], K).items() for z, e in found.items()]
            _, y, z = min(ways)
            assert (tuple(reading.labels), tuple(reading.columns)) == (y, z)


def test_a_sequence_without_low_energy_is_read_as_empty():
    first, second = read(torch.stack([torch.ones(T, V), -torch.ones(T, V)]), APART)
    assert first.labels == [] == first.columns
    assert len(second.labels) == 3


def test_both_free_energies_can_be_differentiated():
    s, y = energies().requires_grad_(), torch.tensor([[1, 2], [0, 0]])
    assert torch.autograd.gradcheck(lambda s: reading_energy(s, y, 1.0, APART), s)
    assert torch.autograd.gradcheck(lambda s: lowest_energy(s, 1.0, APART), s)


@pytest.mark.parametrize(
    ("shape", "beta", "apart", "message"),
    [
        ((2, 6), 1.0, 2, "arcs has the shape"),
        ((1, 6, 4), 1.0, 2, "apart is 2 for K = 4 labels in T = 6 columns"),
        ((1, 6, 2), 1.0, 0, "apart is 0"),
        ((1, 6, 2), 0.0, 2, "beta is 0.0; expected more than 0"),
    ],
)
def test_arcs_that_cannot_be_placed_are_rejected(shape, beta, apart, message):
    with pytest.raises(ValueError, match=message):
        energies_by_count(torch.zeros(shape), beta, apart)


def test_labels_that_do_not_fit_are_rejected():
    with pytest.raises(ValueError, match=r"energies \(2, 6, 3\) and labels \(1, 2\) do not fit"):
        reading_energy(energies(), torch.tensor([[0, 1]]), 1.0, APART)


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_that_do_not_exist_are_rejected(label):
    with pytest.raises(ValueError, match=f"labels has {label}; expected from 0 to V − 1 = 2"):
        reading_energy(energies(), torch.tensor([[0, 1], [label, 1]]), 1.0, APART)


def test_labels_of_another_type_are_rejected():
    with pytest.raises(TypeError, match=r"labels is torch.int32; expected torch.int64"):
        lowest_with_margin(energies(), torch.tensor([[0, 1], [1, 1]], dtype=torch.int32), APART)


def test_more_labels_than_fit_are_rejected():
    with pytest.raises(ValueError, match="labels has K = 4 labels for T = 6 columns; expected at most 3"):
        lowest_with_margin(energies(), torch.zeros(2, 4, dtype=torch.int64), APART)


@pytest.mark.parametrize("margin", [-1.0, math.nan, math.inf])
def test_a_margin_that_is_negative_or_infinite_is_rejected(margin):
    with pytest.raises(ValueError, match=f"margin is {margin}"):
        lowest_with_margin(energies(), torch.zeros(2, 1, dtype=torch.int64), APART, margin)


def test_energies_that_are_nan_are_rejected():
    broken = energies()
    broken[1, 4, 2] = math.nan
    with pytest.raises(ValueError, match="arcs is NaN in sequence 1, column 4, for label 0"):
        lowest_energy(broken, 1.0, APART)
