"""The moons' density against independent quadrature, samples and scikit-learn; grids; what they refuse."""

import math

import pytest
import torch
from scipy import integrate
from sklearn.datasets import make_moons

from tendays.ebm import Moons, kl_divergence, make_grid


def density_by_scipy(x, y, sigma):
    """The density at a point: adaptive quadrature along both arcs."""

    def integrand(t, moon):
        a, b = (math.cos(t), math.sin(t)) if moon == 0 else (1 - math.cos(t), 0.5 - math.sin(t))
        return math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * sigma**2))

    arcs = [integrate.quad(integrand, 0, math.pi, (moon,), epsabs=0, epsrel=1e-10, limit=200)[0] for moon in (0, 1)]
    return sum(arcs) / (2 * math.pi * 2 * math.pi * sigma**2)


@pytest.mark.parametrize("sigma", [0.05, 0.15, 0.6])
@pytest.mark.parametrize("place", [(0.0, 1.0), (0.5, 0.25), (1.0, -0.4), (-1.0, -0.3), (2.0, 0.7)])
def test_the_density_is_that_of_adaptive_quadrature(place, sigma):
    found = Moons(sigma).log_density(torch.tensor(place, dtype=torch.float64))
    assert found.item() == pytest.approx(math.log(density_by_scipy(*place, sigma)), abs=1e-8)


def test_the_density_integrates_to_one():
    grid = make_grid(0.05)
    log_p = Moons().log_density(grid.points)
    assert (log_p.exp().sum() * grid.cell).item() == pytest.approx(1, abs=1e-5)
    assert grid.log_partition(-log_p).item() == pytest.approx(0, abs=1e-5)


def test_samples_have_the_entropy_of_the_density():
    grid = make_grid(0.05)
    log_p = Moons().log_density(grid.points)
    entropy = -(log_p.exp() * log_p).sum() * grid.cell
    surprise = -Moons().log_density(Moons().sample(20_000, torch.Generator().manual_seed(0)))
    assert surprise.mean().item() == pytest.approx(entropy.item(), abs=4 * surprise.std().item() / 20_000**0.5)


def test_the_arcs_are_those_of_scikit_learn():
    points, _ = make_moons(400, shuffle=False)
    # The log-density is within a few sigma² of a straight line's, except at the arcs' ends.
    log_p = Moons(0.05).log_density(torch.tensor(points))
    straight = -math.log(2 * math.pi * math.sqrt(2 * math.pi) * 0.05)  # 1/(2π) along a moon, a normal density across
    middle = torch.cat([log_p[20:180], log_p[220:380]])
    assert (middle - straight).abs().max() < 0.01


def test_points_of_any_shape_have_a_density_each_and_a_gradient():
    points = torch.zeros(2, 3, 2, requires_grad=True)
    log_p = Moons().log_density(points)
    assert log_p.shape == (2, 3)
    (grad,) = torch.autograd.grad(log_p.sum(), points)
    assert grad.isfinite().all()


def test_smoothed_moons_are_moons_of_the_summed_variance():
    assert Moons(0.3).smoothed(0.4).sigma == pytest.approx(0.5)


def test_the_same_seed_gives_the_same_sample():
    one, two = (Moons().sample(5, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one, two)


def test_a_grid_goes_row_by_row_through_the_centres_of_cells():
    grid = make_grid(0.5, (0.0, 1.5, -1.0, 0.0))
    assert grid.shape == (2, 3)
    assert grid.cell == 0.25
    expected = [[0.25, -0.75], [0.75, -0.75], [1.25, -0.75], [0.25, -0.25], [0.75, -0.25], [1.25, -0.25]]
    assert grid.points.tolist() == expected


def test_the_partition_function_of_a_normal_energy_is_two_pi_variance():
    grid = make_grid(0.1, (-4.0, 4.0, -4.0, 4.0))
    energies = grid.points.square().sum(1) / (2 * 0.5**2)
    expected = [math.log(2 * math.pi * 0.25), math.log(2 * math.pi * 0.25) - 3]
    assert grid.log_partition(torch.stack([energies, energies + 3])).tolist() == pytest.approx(expected, abs=1e-5)


def test_the_divergence_of_two_normal_densities_is_the_formula():
    grid = make_grid(0.1, (-8.0, 8.0, -8.0, 8.0))
    squares = grid.points.double().square().sum(1)
    log_p = -squares / 2 - math.log(2 * math.pi)
    log_q = -squares / (2 * 1.5) - math.log(2 * math.pi * 1.5)
    # In each dimension ½ (1/1.5 − 1 + log 1.5); KL(p ‖ p) = 0.
    found = kl_divergence(log_p, torch.stack([log_q, log_p]), grid.cell)
    assert found.tolist() == pytest.approx([1 / 1.5 - 1 + math.log(1.5), 0], abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Moons(0.0), "sigma is 0.0; expected a positive number"),
        (lambda: Moons(math.nan), "sigma is nan; expected a positive number"),
        (lambda: make_grid(0.0), "spacing is 0.0; expected a positive number"),
        (lambda: make_grid(0.5, (0.0, 1.1, 0.0, 1.0)), "expected positive sides that are multiples of spacing, 0.5"),
        (lambda: make_grid(0.5, (0.0, 0.0, 0.0, 1.0)), "expected positive sides that are multiples of spacing, 0.5"),
        (lambda: kl_divergence(torch.zeros(3), torch.zeros(3, 1), 1.0), r"log_p has the shape \(3,\) and log_q"),
        (lambda: make_grid(0.5).log_partition(torch.zeros(7)), r"energies has the shape \(7,\); expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
