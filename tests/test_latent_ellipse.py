"""The ellipse: closed forms against quadrature, and radii that are recovered."""

import math

import pytest
import torch
from scipy import integrate, special

from tendays.latent import ellipse
from tendays.latent.free_energy import free_energy

RHO = torch.tensor([2.0, 1.5], dtype=torch.float64)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0.0, [2.0, 1.5]), (1.0, [1.5 * math.e**2, 2 * math.e**2]), (0.5, [1.75 * math.e, 1.75 * math.e])],
)
def test_radii_of_the_horn(x, expected):
    assert ellipse.radii(torch.tensor(x, dtype=torch.float64)).tolist() == pytest.approx(expected)


def test_points_without_noise_lie_on_their_ellipse(generator):
    y, theta = ellipse.sample(RHO.expand(50, 2), 0.0, generator)
    torch.testing.assert_close((y / RHO).square().sum(1), torch.ones(50, dtype=torch.float64))
    torch.testing.assert_close(y[:, 0], 2 * theta.cos())


def test_noise_has_its_deviation(generator):
    rho = RHO.expand(20_000, 2)
    y, theta = ellipse.sample(rho, 0.5, generator)
    assert (y - ellipse.decode(theta, rho)).std().item() == pytest.approx(0.5, rel=0.02)


def test_energies_of_points_worked_out_by_hand():
    z = ellipse.latents(4)  # 0, π/2, π, 3π/2: the points (±2, 0) and (0, ±1.5)
    found = ellipse.energies(torch.tensor([[0.0, 0.0], [2.0, 1.0]], dtype=torch.float64), RHO, z)
    torch.testing.assert_close(found, torch.tensor([[4.0, 2.25, 4.0, 2.25], [1.0, 4.25, 17.0, 10.25]]).double())


@pytest.mark.parametrize("beta", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("y", [(0.0, 0.0), (0.3, -1.2), (3.0, 2.0)])
def test_the_circles_free_energy_equals_an_integral(beta, y):
    r = 1.3

    def density(z):
        return math.exp(-beta * ((y[0] - r * math.cos(z)) ** 2 + (y[1] - r * math.sin(z)) ** 2)) / (2 * math.pi)

    integral, _ = integrate.quad(
        density, 0, 2 * math.pi, epsabs=0, epsrel=1e-11, points=[math.atan2(y[1], y[0]) % 6.28]
    )
    found = ellipse.circle_free_energy(torch.tensor(y, dtype=torch.float64), r, beta).item()
    assert found == pytest.approx(-math.log(integral) / beta, abs=1e-9)


def test_the_circles_free_energy_is_finite_far_off_and_cold():
    y = torch.tensor([1e3, 0.0], dtype=torch.float64)
    # Here a = 2βr|y| = 2e8, and log I_0(a) = a − log(2πa)/2 + O(1/a).
    expected = 999.0**2 + math.log(2 * math.pi * 2e8) / (2 * 1e5)
    assert ellipse.circle_free_energy(y, 1.0, 1e5).item() == pytest.approx(expected, rel=1e-9)
    assert special.i0(2e8) == math.inf


@pytest.mark.parametrize("beta", [math.inf, 200.0])
def test_radii_are_recovered_from_points_with_little_noise(beta, generator):
    y, _ = ellipse.sample(RHO.expand(10, 24, 2), 0.05, generator)
    w = ellipse.fit(y, beta, torch.ones(10, 2, dtype=torch.float64))
    assert (w.abs() / RHO - 1).abs().mean().item() < 0.02


def test_a_beta_for_each_model_is_the_same_as_one_by_one(generator):
    y, _ = ellipse.sample(RHO.expand(2, 24, 2), 0.05, generator)
    start = torch.ones(2, 2, dtype=torch.float64)
    both = ellipse.fit(y, torch.tensor([1.0, 20.0], dtype=torch.float64), start, steps=30)
    for index, beta in enumerate((1.0, 20.0)):
        alone = ellipse.fit(y[index : index + 1], beta, start[:1], steps=30)
        torch.testing.assert_close(both[index : index + 1], alone)


def test_the_partition_integral_is_pi_over_beta_for_any_radii():
    beta = 2.0

    def density(b, a):
        y = torch.tensor([a, b], dtype=torch.float64)
        return math.exp(-beta * free_energy(ellipse.energies(y, RHO / 2, ellipse.latents(12)), beta).item())

    ticks, weights = special.roots_hermite(40)  # ∫ f = Σ weight e^{t²} f(t)
    integral = sum(
        v * w * math.exp(s**2 + t**2) * density(s, t)
        for s, v in zip(ticks, weights, strict=True)
        for t, w in zip(ticks, weights, strict=True)
    )
    assert integral == pytest.approx(math.pi / beta, rel=1e-6)


def test_the_hot_limit_knows_nothing_of_directions():
    y = torch.tensor([[0.4, -1.1], [2.0, 0.5]], dtype=torch.float64)
    hot = free_energy(ellipse.energies(y, RHO, ellipse.latents(48)), 0.0)
    torch.testing.assert_close(hot, y.square().sum(1) + (4 + 2.25) / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: ellipse.sample(RHO, -1.0, g), "noise is -1.0; expected 0 or a positive number"),
        (lambda g: ellipse.sample(torch.ones(3), 0.1, g), r"rho has the shape \(3,\); expected \(..., 2\)"),
        (lambda g: ellipse.latents(0), "count is 0; expected at least 1"),
        (lambda g: ellipse.energies(torch.ones(5, 3), RHO, ellipse.latents()), r"y has the shape \(5, 3\)"),
        (
            lambda g: ellipse.energies(torch.ones(5, 2), torch.ones(3, 2), ellipse.latents()),
            r"y has the shape \(5, 2\), w \(3, 2\); expected shapes that broadcast",
        ),
        (lambda g: ellipse.energies(torch.ones(5, 2), RHO, torch.ones(4, 2)), r"z has the shape \(4, 2\); expected"),
        (lambda g: ellipse.circle_free_energy(RHO, 1.0, math.inf), "beta is inf; expected a positive finite number"),
        (lambda g: ellipse.fit(torch.ones(4, 2), 1.0, torch.ones(4, 2)), r"y has the shape \(4, 2\), start \(4, 2\)"),
        (
            lambda g: ellipse.fit(torch.ones(1, 4, 2), torch.tensor([0.0]), torch.ones(1, 2)),
            "expected a number, or a positive finite one for each of 1 models",
        ),
        (lambda g: ellipse.fit(torch.ones(1, 4, 2), -1.0, torch.ones(1, 2)), "beta is -1.0"),
    ],
)
def test_bad_input_is_rejected(call, message, generator):
    with pytest.raises(ValueError, match=message):
        call(generator)
