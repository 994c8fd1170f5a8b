"""Free energies and the distribution over latents, against hand-computed numbers."""

import math

import pytest
import torch

from tendays.latent.free_energy import free_energy, gibbs_distribution

# exp(−E) is 1/2 and 1/6, whose mean is 1/3; with β = 2 it is 1/4 and 1/36, whose mean is 5/36.
TWO = torch.tensor([math.log(2), math.log(6)], dtype=torch.float64)


@pytest.mark.parametrize(
    ("beta", "expected"),
    [
        (1.0, math.log(3)),
        (2.0, math.log(36 / 5) / 2),
        (math.inf, math.log(2)),
        (0.0, math.log(12) / 2),
        (1e-9, math.log(12) / 2),
        (1e9, math.log(2)),
    ],
)
def test_two_latents_have_the_free_energy_worked_out_by_hand(beta, expected):
    assert free_energy(TWO, beta).item() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("beta", "expected"),
    [(1.0, [3 / 4, 1 / 4]), (2.0, [9 / 10, 1 / 10]), (0.0, [1 / 2, 1 / 2]), (math.inf, [1.0, 0.0])],
)
def test_two_latents_have_the_distribution_worked_out_by_hand(beta, expected):
    assert gibbs_distribution(TWO, beta).tolist() == pytest.approx(expected)


def test_latents_of_lowest_energy_share_the_cold_distribution():
    assert gibbs_distribution(torch.tensor([1.0, 2.0, 1.0]), math.inf).tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize("beta", [0.0, 0.3, 4.0, math.inf])
def test_the_gradient_of_the_free_energy_is_the_distribution(beta):
    grid = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    (grad,) = torch.autograd.grad(free_energy(grid, beta, dim=0).sum(), grid)
    torch.testing.assert_close(grad, gibbs_distribution(grid.detach(), beta, dim=0))


def test_the_free_energy_falls_as_beta_grows():
    grid = torch.randn(7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    values = [free_energy(grid, beta).item() for beta in (0, 0.01, 0.1, 1, 10, 100, math.inf)]
    assert values == sorted(values, reverse=True)
    assert (values[0], values[-1]) == (grid.mean().item(), grid.min().item())


def test_a_latent_of_infinite_energy_is_excluded():
    energies = torch.tensor([0.0, math.inf])
    assert free_energy(energies, 1.0).item() == pytest.approx(math.log(2))  # half of the volume is left
    assert gibbs_distribution(energies, 1.0).tolist() == [1.0, 0.0]


def test_large_energies_neither_overflow_nor_vanish():
    assert free_energy(torch.tensor([1e4, 1e4 + 1], dtype=torch.float64), 10.0).item() == pytest.approx(
        1e4 + math.log(2) / 10, abs=1e-4
    )


@pytest.mark.parametrize("function", [free_energy, gibbs_distribution])
@pytest.mark.parametrize(
    ("energies", "beta", "message"),
    [
        (TWO, -1.0, r"beta is -1.0; expected a number from 0 to math.inf"),
        (TWO, math.nan, r"beta is nan; expected"),
        (torch.empty(3, 0), 1.0, r"energies has the shape \(3, 0\); expected at least one latent in dim -1"),
        (torch.tensor(1.0), 1.0, r"energies has the shape \(\); expected"),
        (torch.tensor([[0.0, 1.0], [2.0, math.nan]]), 1.0, r"energies is nan at \(1, 1\); expected numbers"),
        (torch.tensor([0.0, -math.inf]), 1.0, r"energies is -inf at \(1,\)"),
    ],
)
def test_bad_input_is_rejected(function, energies, beta, message):
    with pytest.raises(ValueError, match=message):
        function(energies, beta)
