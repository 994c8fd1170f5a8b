"""Objectives against closed forms and by their gradients; stacked networks against networks of torch.nn."""

import math

import pytest
import torch
from torch import nn

from tendays import ebm


def test_the_likelihood_on_a_grid_is_that_of_a_normal_density():
    grid = ebm.make_grid(0.1, (-6.0, 6.0, -6.0, 6.0))
    data = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])  # (1, 2, 2): mean square 5/2

    def energy(x):
        return x.square().sum(-1) / 2

    loss = ebm.grid_negative_log_likelihood(energy(data), energy(grid.points)[None], grid)
    assert loss.tolist() == pytest.approx([5 / 4 + math.log(2 * math.pi)], abs=1e-5)


def test_noise_contrastive_loss_is_a_logistic_loss_worked_by_hand():
    log3 = math.log(3)
    # One of the data and one of the noise: −log 3/4 and −log(1 − 1/2).
    loss = ebm.noise_contrastive_loss(torch.tensor([log3]), torch.tensor([0.0]))
    assert loss.item() == pytest.approx(math.log(4 / 3) + math.log(2))
    # Three of the noise: the odds are divided by 3, and the noise counts three times.
    loss = ebm.noise_contrastive_loss(torch.tensor([2 * log3]), torch.tensor([log3, log3, log3]))
    assert loss.item() == pytest.approx(math.log(4 / 3) + 3 * math.log(2))


def test_noise_contrastive_estimation_finds_energy_and_constant_of_three_points():
    # Data and noise in exact proportions: at the optimum e^{−E} is p, and c is log Z.
    p, n = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.2, 0.4, 0.4]).double()
    data, noise = torch.tensor([0] * 5 + [1] * 3 + [2] * 2), torch.tensor([0] * 2 + [1] * 4 + [2] * 4)
    energies = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    constant = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [energies, constant], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        log_ratios = -energies - constant - n.log()
        loss = ebm.noise_contrastive_loss(log_ratios[data], log_ratios[noise])
        loss.backward()
        return loss

    optimizer.step(closure)
    assert constant.item() == pytest.approx((-energies).logsumexp(0).item(), abs=1e-5)
    assert (-energies).softmax(0).tolist() == pytest.approx(p.tolist(), abs=1e-5)


def test_contrastive_divergence_has_the_gradient_of_the_likelihood_for_the_models_own_samples():
    # Four points of energies 0, 0, log 2 and log 4, and samples in the proportions of e^{−E}: 4, 4, 2, 1.
    energies = torch.tensor([0.0, 0.0, math.log(2), math.log(4)], dtype=torch.float64, requires_grad=True)
    data, samples = torch.tensor([0, 1, 3]), torch.tensor([0] * 4 + [1] * 4 + [2] * 2 + [3])
    likelihood = energies[data].mean() + (-energies).logsumexp(0)
    contrastive = ebm.contrastive_divergence_loss(energies[data], energies[samples])
    one, two = (torch.autograd.grad(loss, energies)[0] for loss in (likelihood, contrastive))
    torch.testing.assert_close(one, two)


def test_the_penalty_is_on_the_mean_squares():
    data, samples = torch.tensor([[1.0, 3.0]]), torch.tensor([[2.0, 0.0, 1.0]])
    assert ebm.contrastive_divergence_loss(data, samples, 0.3).tolist() == pytest.approx([2 - 1 + 0.3 * (5 + 5 / 3)])


def test_denoising_score_matching_is_lowest_at_the_smoothed_normal_density():
    # N(0, 1) with noise of standard deviation 3/4: the energy with the lowest loss is |x|²/2 over 1 + 9/16.
    x = torch.randn(60_000, 2, generator=torch.Generator().manual_seed(0))
    precisions = torch.tensor([0.54, 0.64, 0.74])

    def energy(y):  # three models side by side
        return precisions[:, None] * y.square().sum(-1) / 2

    noisy = torch.Generator().manual_seed(1)
    losses = ebm.denoising_score_matching_loss(energy, x.expand(3, -1, -1), 0.75, noisy)
    assert losses.shape == (3,)
    assert losses.argmin() == 1


def test_denoising_score_matching_of_a_flat_energy_is_half_the_dimensions():
    x = torch.zeros(40_000, 3)
    loss = ebm.denoising_score_matching_loss(lambda y: 0 * y.sum(-1), x, 0.5, torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan, math.inf])
def test_noise_of_no_width_is_refused(sigma):
    with pytest.raises(ValueError, match=r"sigma is .*; expected a positive number"):
        ebm.denoising_score_matching_loss(lambda y: y.sum(-1), torch.zeros(2, 2), sigma)


NCE, CD = ebm.noise_contrastive_loss, ebm.contrastive_divergence_loss


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda grid: CD(torch.zeros(3, 5), torch.zeros(5)), r"samples has the shape \(5,\)"),
        (lambda grid: CD(torch.zeros(3, 0), torch.zeros(3, 5)), r"data has .* \(3, N\) with"),
        (lambda grid: NCE(torch.zeros(5), torch.zeros(0)), r"noise has the shape \(0,\); expected"),
        (lambda grid: NCE(torch.tensor(1.0), torch.zeros(4)), r"data has the shape \(\); expected"),
        (
            lambda grid: ebm.grid_negative_log_likelihood(torch.zeros(2, 5), torch.zeros(len(grid.points)), grid),
            r"on_grid has the shape \(132,\); expected \(2, N\)",
        ),
        (
            lambda grid: ebm.grid_negative_log_likelihood(torch.zeros(5), torch.zeros(7), grid),
            r"energies has the shape \(7,\); expected \(\.\.\., G = 132\)",
        ),
    ],
)  # fmt: skip
def test_energies_of_sets_that_do_not_match_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(ebm.make_grid(0.5))


def separate(net, index):
    """One of the networks side by side, built of torch.nn."""
    layers = []
    for weight, bias in zip(net.weights, net.biases, strict=True):
        linear = nn.Linear(*weight.shape[1:])
        linear.weight.data, linear.bias.data = weight[index].T.detach(), bias[index, 0].detach()
        layers += [linear, nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def test_networks_side_by_side_are_those_that_stand_alone():
    net = ebm.StackedMLP((2, 16, 16, 3), range(4))
    x = torch.randn(4, 10, 2)
    for index in range(4):
        torch.testing.assert_close(net(x)[index], separate(net, index)(x[index]))
        torch.testing.assert_close(net(x[0])[index], separate(net, index)(x[0]))


def test_a_networks_weights_depend_on_its_own_seed_alone():
    one, other = ebm.StackedMLP((2, 8, 1), range(2, 3)), ebm.StackedMLP((2, 8, 1), range(4))
    assert torch.equal(one.weights[0][0], other.weights[0][2])
    assert not torch.equal(other.weights[0][1], other.weights[0][2])


def test_an_energy_starts_as_that_of_a_normal_density():
    net = ebm.EnergyMLP((1.0, -1.0), 2.0, range(3))
    found = net(torch.tensor([[1.0, -1.0], [3.0, -1.0]]))
    assert found.tolist() == [[0.0, 0.5]] * 3


def test_far_from_the_centre_the_square_wins():
    net = ebm.EnergyMLP((0.0, 0.0), 1.0, range(2))
    nn.init.normal_(net.weights[-1])
    far = net(torch.tensor([[3e3, 4e3]]))
    assert (far / (5e3**2 / 2)).flatten().tolist() == pytest.approx([1, 1], rel=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ebm.StackedMLP((2,), range(1)), r"sizes is \(2,\); expected two or more"),
        (lambda: ebm.StackedMLP((2, 0, 1), range(1)), r"sizes is \(2, 0, 1\); expected"),
        (lambda: ebm.StackedMLP((2, 1), range(0)), r"seeds is range\(0, 0\); expected at least one seed"),
        (lambda: ebm.EnergyMLP((0.0,), 0.0, range(1)), "spread is 0.0; expected a positive number"),
        (lambda: ebm.StackedMLP((2, 1), range(3))(torch.zeros(2, 5, 2)), r"x has the shape \(2, 5, 2\); expected"),
        (lambda: ebm.StackedMLP((2, 1), range(3))(torch.zeros(5, 3)), r"x has the shape \(5, 3\); expected \(N, 2\)"),
    ],
)  # fmt: skip
def test_networks_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
