"""Chains: the recursion against enumeration, and against a case by hand."""

# ruff: noqa: N806 - Z is the name of the field
import itertools
import math

import pytest
import torch

from tendays.latent.chain import Chain, cumulative_soft_min, soft_min
from tendays.latent.free_energy import free_energy

BETAS = [0.5, 1.0, 3.0, math.inf]


def chain(batch=(), sizes=(2, 2, 2, 3), seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(*batch, sizes[0], generator=generator, dtype=torch.float64)
    pairs = [torch.randn(*batch, *pair, generator=generator, dtype=torch.float64) for pair in itertools.pairwise(sizes)]
    return Chain(first, pairs)


def configurations(chain):
    """All configurations of one chain with their energies."""
    sizes = [len(chain.first), *(pair.shape[1] for pair in chain.pairs)]
    found = {}
    for z in itertools.product(*map(range, sizes)):
        arcs = [pair[i, j] for pair, (i, j) in zip(chain.pairs, itertools.pairwise(z), strict=True)]
        found[z] = float(chain.first[z[0]] + sum(arcs))
    return found


def test_the_courses_graph_has_16_arcs():
    assert chain().arcs == 2 + 4 + 4 + 6
    assert chain(batch=(5,)).arcs == 16


def test_a_case_by_hand():
    # paths 0-0: 1 + 2, 0-1: 1 + 0, 1-0: 0 + 5, 1-1: 0 + 4
    small = Chain(torch.tensor([1.0, 0.0]), [torch.tensor([[2.0, 0.0], [5.0, 4.0]])])
    assert small.free_energy(math.inf) == 1
    assert small.best().tolist() == [0, 1]
    weights = [math.exp(-energy) for energy in (3, 1, 5, 4)]
    assert math.isclose(small.free_energy(1.0), -math.log(sum(weights)), rel_tol=1e-6)
    assert math.isclose(small.marginals(1.0).first[0], (weights[0] + weights[1]) / sum(weights), rel_tol=1e-6)


@pytest.mark.parametrize("beta", BETAS)
def test_the_free_energy_is_that_of_all_configurations(beta):
    graph = chain()
    energies = torch.tensor(list(configurations(graph).values()), dtype=torch.float64)
    expected = energies.min() if beta == math.inf else -torch.logsumexp(-beta * energies, 0) / beta
    torch.testing.assert_close(graph.free_energy(beta), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
def test_marginals_are_the_enumerated_probabilities(beta):
    graph = chain()
    energies = configurations(graph)
    Z = sum(math.exp(-beta * energy) for energy in energies.values())
    first, pairs = graph.marginals(beta)
    expected = [torch.zeros_like(some) for some in (first, *pairs)]
    for z, energy in energies.items():
        probability = math.exp(-beta * energy) / Z
        expected[0][z[0]] += probability
        for index, arc in enumerate(itertools.pairwise(z), 1):
            expected[index][arc] += probability
    for found, wanted in zip((first, *pairs), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)


def test_the_best_configuration_is_the_enumerated_one():
    for seed in range(20):
        graph = chain(seed=seed)
        energies = configurations(graph)
        assert tuple(graph.best().tolist()) == min(energies, key=energies.get)


@pytest.mark.parametrize("beta", BETAS)
def test_a_soft_minimum_is_a_free_energy_that_counts_its_latents(beta):
    energies = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(soft_min(energies, beta, 1), free_energy(energies, beta, 1) - math.log(5) / beta)


def test_ties_give_one_path_and_not_a_mixture():
    flat = Chain(torch.zeros(3), [torch.zeros(3, 4), torch.zeros(4, 2)])
    first, pairs = flat.marginals(math.inf)
    assert [int((some == 1).sum()) for some in (first, *pairs)] == [1, 1, 1]
    i, j, k = flat.best().tolist()
    assert first[i] == pairs[0][i, j] == pairs[1][j, k] == 1


@pytest.mark.parametrize("beta", BETAS)
def test_a_batch_is_its_chains_one_by_one(beta):
    many = chain(batch=(2, 3))
    for place in itertools.product(range(2), range(3)):
        one = Chain(many.first[place], [pair[place] for pair in many.pairs])
        torch.testing.assert_close(many.free_energy(beta)[place], one.free_energy(beta))
        torch.testing.assert_close(many.marginals(beta).pairs[1][place], one.marginals(beta).pairs[1])


def test_a_chain_of_one_variable_is_a_soft_minimum():
    assert Chain(torch.tensor([2.0, 0.5, 1.0]), []).free_energy(math.inf) == 0.5


def test_the_free_energy_can_be_differentiated():
    graph = chain()
    leaves = [some.requires_grad_() for some in (graph.first, *graph.pairs)]
    assert torch.autograd.gradcheck(lambda first, *pairs: Chain(first, pairs).free_energy(1.5), leaves)


def test_energies_of_a_thousand_are_no_problem():
    graph = Chain(torch.tensor([1e4, 1e4]), [torch.full((2, 2), -3e4)])
    assert math.isclose(graph.free_energy(1.0), -2e4 - math.log(4), rel_tol=1e-6)


def test_a_cumulative_soft_minimum_is_one_of_each_beginning():
    energies = torch.tensor([[3.0, 1.0, 2.0, -1.0]])
    assert cumulative_soft_min(energies, math.inf, 1).tolist() == [[3, 1, 1, -1]]
    expected = [-math.log(sum(math.exp(-2 * e) for e in energies[0, : t + 1])) / 2 for t in range(4)]
    torch.testing.assert_close(cumulative_soft_min(energies, 2.0, 1)[0], torch.tensor(expected))


@pytest.mark.parametrize("beta", [0, -1.0, math.nan, -math.inf])
@pytest.mark.parametrize("call", [soft_min, cumulative_soft_min])
def test_a_beta_that_is_not_positive_is_rejected(call, beta):
    with pytest.raises(ValueError, match=r"beta is .*; expected more than 0"):
        call(torch.zeros(2, 3), beta, 1)


@pytest.mark.parametrize(
    ("first", "pairs", "message"),
    [
        (torch.zeros(0), [], r"first has the shape \(0,\)"),
        (torch.tensor(1.0), [], r"first has the shape \(\)"),
        (torch.zeros(2), [torch.zeros(3, 2)], r"pairs\[0\] has the shape \(3, 2\); expected \(2, 'N'\)"),
        (torch.zeros(2), [torch.zeros(2, 3), torch.zeros(3)], r"pairs\[1\] has the shape \(3,\)"),
        (torch.zeros(2), [torch.zeros(2, 0)], r"pairs\[0\] has the shape \(2, 0\)"),
        (torch.zeros(4, 2), [torch.zeros(5, 2, 2)], r"pairs\[0\] has the shape \(5, 2, 2\)"),
        (torch.zeros(2), [torch.tensor([[0, 1.0], [math.nan, 0]])], r"pairs\[0\] is NaN at \(1, 0\)"),
    ],
)
def test_factors_that_do_not_fit_are_rejected(first, pairs, message):
    with pytest.raises(ValueError, match=message):
        Chain(first, pairs)
