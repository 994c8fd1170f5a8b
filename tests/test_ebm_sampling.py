"""Langevin dynamics against closed forms; chains that diverge are stopped; persistent chains stay where they were."""

import math

import pytest
import torch

from tendays.ebm import ReplayBuffer, langevin
from tendays.training import Diverged


def quadratic(x):
    """The energy of the standard normal distribution: |x|²/2."""
    return 0.5 * x.square().flatten(1).sum(1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_step_without_noise_follows_the_gradient():
    x = torch.tensor([[2.0, -1.0]])
    moved = langevin(quadratic, x, steps=1, step_size=0.1, temperature=0)
    torch.testing.assert_close(moved, torch.tensor([[1.8, -0.9]]))
    assert x.tolist() == [[2.0, -1.0]]
    assert not x.requires_grad


def test_the_noise_of_a_step_has_variance_two_step_size_temperature():
    start = torch.zeros(40_000, 1)
    moved = langevin(quadratic, start, steps=1, step_size=0.05, temperature=3.0, generator=generator())
    assert moved.var().item() == pytest.approx(2 * 0.05 * 3.0, rel=0.03)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_stationary_variance_is_that_of_the_discretised_process(temperature):
    # x ← (1 − ε) x + √(2εT) ξ is an autoregression, of variance 2εT / (1 − (1 − ε)²) = T / (1 − ε/2).
    settings = {"steps": 60, "step_size": 0.2, "temperature": temperature, "generator": generator()}
    ends = langevin(quadratic, torch.zeros(20_000, 2), **settings)
    assert ends.var().item() == pytest.approx(temperature / 0.9, rel=0.03)
    assert ends.mean().abs() < 0.03


def test_chains_of_images_are_moved_all_at_once():
    ends = langevin(quadratic, torch.zeros(5, 1, 8, 8), steps=3, step_size=0.1, generator=generator())
    assert ends.shape == (5, 1, 8, 8)
    assert not ends.requires_grad


def test_chains_move_where_gradients_are_switched_off():
    with torch.no_grad():
        ends = langevin(quadratic, torch.ones(2, 1), steps=1, step_size=0.5, temperature=0)
    assert ends.tolist() == [[0.5], [0.5]]


def test_the_same_seed_gives_the_same_chains():
    one, two = (
        langevin(quadratic, torch.zeros(4, 2), steps=5, step_size=0.1, generator=generator(7)) for _ in range(2)
    )
    assert torch.equal(one, two)


def test_too_large_a_step_stops_with_step_chain_and_step_size():
    # With ε = 11 every step multiplies x by 1 − ε = −10: 11 passes 1e6 at the fifth.
    start = torch.tensor([[0.0], [11.0], [0.0]])
    with pytest.raises(Diverged, match=r"at step 5 .*step_size 11 .*chain 1 .*1 of 3 chains"):
        langevin(quadratic, start, steps=9, step_size=11, temperature=0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_energy_that_is_not_finite_stops_at_its_step(value):
    def energy(x):
        return quadratic(x) + torch.where(x[:, 0] > 1.5, value, 0.0)

    with pytest.raises(Diverged, match=r"at step 1 .*chain 1"):
        langevin(energy, torch.tensor([[1.0], [2.0]]), steps=3, step_size=0.1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": -1}, "steps is -1; expected 0 or more"),
        ({"step_size": 0.0}, "step_size is 0.0; expected a positive number"),
        ({"step_size": math.nan}, "step_size is nan; expected a positive number"),
        ({"step_size": math.inf}, "step_size is inf; expected a positive number"),
        ({"temperature": -1.0}, "temperature is -1.0; expected 0 or a positive number"),
        ({"temperature": math.inf}, "temperature is inf; expected"),
        ({"x": torch.zeros(0, 2)}, r"x has the shape \(0, 2\); expected \(N, ...\) with at least one chain"),
        ({"x": torch.tensor(1.0)}, r"x has the shape \(\)"),
        ({"x": torch.tensor([math.nan])}, "x holds values that are not finite"),
        ({"energy": lambda x: x}, r"energy returns the shape \(3, 2\); expected \(N,\) = \(3,\)"),
        ({"energy": lambda x: x.sum()}, r"energy returns the shape \(\); expected"),
    ],
)
def test_settings_out_of_range_are_named(changed, message):
    settings = {"energy": quadratic, "x": torch.zeros(3, 2), "steps": 1, "step_size": 0.1} | changed
    energy, x = settings.pop("energy"), settings.pop("x")
    with pytest.raises(ValueError, match=message):
        langevin(energy, x, **settings)


def test_chains_of_integers_are_refused():
    with pytest.raises(TypeError, match=r"x is torch\.int64; expected a floating-point type"):
        langevin(quadratic, torch.zeros(3, 2, dtype=torch.int64), steps=1, step_size=0.1)


def test_the_buffer_keeps_where_the_chains_that_moved_have_ended():
    buffer = ReplayBuffer(lambda n: torch.zeros(n, 2), 10, restarts=0.0, generator=generator())
    moved = buffer.advance(4, lambda x: x + 1)
    assert moved.tolist() == [[1.0, 1.0]] * 4
    assert sorted(buffer.samples[:, 0].tolist()) == [0.0] * 6 + [1.0] * 4


def test_all_chains_go_on_from_where_they_were():
    buffer = ReplayBuffer(lambda n: torch.zeros(n, 1), 6, restarts=0.0, generator=generator())
    for _ in range(3):
        buffer.advance(6, lambda x: x + 1)
    assert buffer.samples.flatten().tolist() == [3.0] * 6


def test_a_share_of_the_chains_starts_afresh():
    buffer = ReplayBuffer(lambda n: torch.zeros(n, 1), 4000, restarts=0.05, generator=generator())
    buffer.advance(4000, lambda x: x + 1)
    moved = buffer.advance(4000, lambda x: x + 1)
    assert (moved == 1).float().mean().item() == pytest.approx(0.05, abs=0.012)  # 3.5 standard deviations


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ReplayBuffer(torch.zeros, 0), "size is 0; expected at least 1"),
        (lambda: ReplayBuffer(torch.zeros, 3, restarts=1.5), "restarts is 1.5; expected a share from 0 to 1"),
        (lambda: ReplayBuffer(torch.zeros, 3).advance(4, abs), "n is 4; expected from 1 to the buffer's size, 3"),
        (lambda: ReplayBuffer(torch.zeros, 3).advance(2, torch.sum), r"move returns the shape \(\); expected \(2,\)"),
    ],
)
def test_a_buffer_that_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
