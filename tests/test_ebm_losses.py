"""The loss functionals on cases worked by hand, their gradients, their limits, and what they refuse."""

import math

import pytest
import torch

from tendays import ebm

PAIRS = {
    "perceptron": ebm.perceptron_loss,
    "hinge": ebm.hinge_loss,
    "log": ebm.log_loss,
    "lvq2": ebm.lvq2_loss,
    "minimum classification error": ebm.minimum_classification_error,
    "square-square": ebm.square_square_loss,
    "square-exponential": ebm.square_exponential_loss,
}

# Each loss at E and Ē, with its derivatives in the two, worked by hand; log 3 makes the exponentials rational.
LOG3 = math.log(3)
BY_HAND = [
    ("perceptron", {}, 1.5, 0.5, 1.0, (1, -1)),
    ("hinge", {}, 0.5, 1.25, 0.25, (1, -1)),
    ("hinge", {}, 0.5, 2.0, 0.0, (0, 0)),
    ("hinge", {"margin": 3.0}, 0.5, 2.0, 1.5, (1, -1)),
    ("log", {}, LOG3, 0.0, math.log(4), (3 / 4, -3 / 4)),
    ("log", {}, 0.0, LOG3, math.log(4 / 3), (1 / 4, -1 / 4)),
    ("lvq2", {}, 1.0, 0.25, 0.75, (1, -1)),
    ("lvq2", {}, 0.25, 1.0, 0.0, (0, 0)),
    ("lvq2", {}, 5.0, 1.0, 1.0, (0, 0)),
    ("lvq2", {"cap": 7.0}, 5.0, 1.0, 4.0, (1, -1)),
    ("minimum classification error", {}, LOG3, 0.0, 3 / 4, (3 / 16, -3 / 16)),
    ("square-square", {}, 0.5, 0.25, 0.25 + 0.5625, (1, -1.5)),
    ("square-square", {}, 0.5, 1.5, 0.25, (1, 0)),
    ("square-square", {"margin": 2.0}, 0.5, 1.5, 0.5, (1, -1)),
    ("square-exponential", {}, 0.5, LOG3, 0.25 + 1 / 3, (1, -1 / 3)),
    ("square-exponential", {"gamma": 6.0}, 0.5, LOG3, 2.25, (1, -2)),
]


def numbers(*values, grad=False):
    return torch.tensor(values, dtype=torch.float64, requires_grad=grad)


@pytest.mark.parametrize(("name", "settings", "correct", "incorrect", "loss", "slopes"), BY_HAND)
def test_a_loss_of_two_energies_is_as_by_hand(name, settings, correct, incorrect, loss, slopes):
    energies = numbers(correct, grad=True), numbers(incorrect, grad=True)
    value = PAIRS[name](*energies, **settings)
    assert value.tolist() == pytest.approx([loss])
    assert [g.item() for g in torch.autograd.grad(value.sum(), energies)] == pytest.approx(slopes)


def test_the_energy_loss_is_the_energy_of_the_correct_answer():
    energies = numbers(0.5, -2.0, grad=True)
    loss = ebm.energy_loss(energies)
    assert loss.tolist() == [0.5, -2.0]
    assert torch.autograd.grad(loss.sum(), energies)[0].tolist() == [1.0, 1.0]


def three_answers(grad=False):
    """Energies 0, log 2 and log 4, whose probabilities at β = 1 are 4/7, 2/7 and 1/7; at β = 2 16/21, 4/21, 1/21."""
    return torch.tensor([[0.0, math.log(2), math.log(4)]], dtype=torch.float64, requires_grad=grad)


@pytest.mark.parametrize(("beta", "probability"), [(1.0, 2 / 7), (2.0, 4 / 21)])
def test_losses_of_all_answers_are_as_by_hand(beta, probability):
    target = torch.tensor([1])
    nll = ebm.negative_log_likelihood(three_answers(), target, beta)
    assert nll.tolist() == pytest.approx([-math.log(probability) / beta])
    assert ebm.minimum_empirical_error(three_answers(), target, beta).tolist() == pytest.approx([1 - probability])


def test_the_likelihood_pulls_the_correct_answer_down_and_pushes_all_up_by_their_probability():
    energies = three_answers(grad=True)
    ebm.negative_log_likelihood(energies, torch.tensor([1])).backward()
    assert energies.grad[0].tolist() == pytest.approx([-4 / 7, 1 - 2 / 7, -1 / 7])


def test_the_empirical_error_pushes_in_proportion_to_both_probabilities():
    energies = three_answers(grad=True)
    ebm.minimum_empirical_error(energies, torch.tensor([1])).backward()
    # dP/dE of the correct answer is −P(1 − P), of another one P P'; the loss is 1 − P.
    assert energies.grad[0].tolist() == pytest.approx([-8 / 49, 10 / 49, -2 / 49])


def test_an_infinite_beta_is_the_perceptron_loss_and_the_error_of_the_minimiser():
    energies, target = torch.tensor([[0.5, 2.0, 1.0], [0.5, 2.0, 1.0], [3.0, 3.0, 4.0]]), torch.tensor([0, 1, 0])
    assert ebm.negative_log_likelihood(energies, target, math.inf).tolist() == [0.0, 1.5, 0.0]
    assert ebm.minimum_empirical_error(energies, target, math.inf).tolist() == [0.0, 1.0, 0.5]


def test_a_large_beta_comes_near_the_limit():
    energies, target = torch.tensor([[0.5, 2.0, 1.0]]), torch.tensor([1])
    assert ebm.negative_log_likelihood(energies, target, 1e4).item() == pytest.approx(1.5, abs=1e-3)
    assert ebm.minimum_empirical_error(energies, target, 1e4).item() == 1.0


def test_a_beta_of_zero_makes_all_answers_equally_likely():
    energies = torch.tensor([[0.5, math.inf, 1.0, 7.0]])
    assert ebm.minimum_empirical_error(energies, torch.tensor([1]), 0.0).tolist() == [0.75]


def test_large_energies_lose_no_digits():
    energies = torch.tensor([[10_000.0, 10_001.0]])
    loss = ebm.negative_log_likelihood(energies, torch.tensor([0]))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)), rel=1e-5)


def test_an_impossible_answer_has_no_weight():
    energies = torch.tensor([[1.0, math.inf, 1.0]])
    assert ebm.negative_log_likelihood(energies, torch.tensor([0])).item() == pytest.approx(math.log(2))
    assert ebm.hinge_loss(torch.tensor([1.0]), torch.tensor([math.inf])).tolist() == [0.0]


def test_the_most_offending_answer_is_the_lowest_but_the_correct_one():
    energies = torch.tensor([[0.0, 3.0, 1.0], [0.0, 3.0, 1.0]])
    assert ebm.most_offending(energies, torch.tensor([0, 1])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", PAIRS)
def test_gradients_of_two_energies_agree_with_finite_differences(name):
    generator = torch.Generator().manual_seed(3)
    energies = [2 * torch.rand(7, dtype=torch.float64, generator=generator) for _ in range(2)]
    assert torch.autograd.gradcheck(PAIRS[name], [e.requires_grad_() for e in energies])


@pytest.mark.parametrize("loss", [ebm.negative_log_likelihood, ebm.minimum_empirical_error, ebm.most_offending])
def test_gradients_of_all_answers_agree_with_finite_differences(loss):
    energies = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).requires_grad_()
    target = torch.tensor([0, 1, 2, 3, 0])
    assert torch.autograd.gradcheck(lambda e: loss(e, target), energies)


@pytest.mark.parametrize("name", [*PAIRS, "energy"])
def test_energies_that_are_nan_are_refused_by_name_and_sample(name):
    loss = {**PAIRS, "energy": ebm.energy_loss}[name]
    arguments = [torch.zeros(3)] * (1 if name == "energy" else 2)
    arguments[-1] = torch.tensor([0.0, math.nan, 0.0])
    with pytest.raises(ValueError, match=r"(correct|incorrect|lowest) is NaN for sample 1; expected numbers"):
        loss(*arguments)


ENERGIES, TARGET = torch.zeros(2, 3), torch.tensor([0, 2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ebm.hinge_loss(torch.zeros(2), torch.zeros(3)), r"incorrect has the shape \(3,\); expected \(2,\)"),
        (lambda: ebm.log_loss(torch.zeros(2, 1), torch.zeros(2, 1)), r"correct has the shape \(2, 1\); expected"),
        (lambda: ebm.hinge_loss(torch.zeros(2), torch.zeros(2), 0.0), "margin is 0.0; expected a positive number"),
        (lambda: ebm.square_square_loss(torch.zeros(2), torch.zeros(2), math.nan), "margin is nan"),
        (lambda: ebm.lvq2_loss(torch.zeros(2), torch.zeros(2), -1.0), "cap is -1.0; expected a positive number"),
        (lambda: ebm.square_exponential_loss(torch.zeros(2), torch.zeros(2), math.inf), "gamma is inf; expected"),
        (lambda: ebm.negative_log_likelihood(ENERGIES, TARGET, 0.0), "beta is 0, where the loss is infinite"),
        (lambda: ebm.negative_log_likelihood(ENERGIES, TARGET, -1.0), "beta is -1.0; expected a positive number"),
        (lambda: ebm.minimum_empirical_error(ENERGIES, TARGET, -0.5), "beta is -0.5; expected"),
        (lambda: ebm.minimum_empirical_error(ENERGIES, TARGET, math.nan), "beta is nan; expected"),
        (lambda: ebm.negative_log_likelihood(torch.zeros(2), TARGET), r"energies has the shape \(2,\); expected"),
        (lambda: ebm.negative_log_likelihood(torch.zeros(2, 0), TARGET), r"energies has the shape \(2, 0\)"),
        (lambda: ebm.negative_log_likelihood(ENERGIES * math.nan, TARGET), "energies is NaN for sample 0"),
        (lambda: ebm.negative_log_likelihood(ENERGIES, TARGET[:1]), r"target has the shape \(1,\); expected \(B,\)"),
        (lambda: ebm.negative_log_likelihood(ENERGIES, TARGET + 1), "target holds 3; expected indices from 0 to 2"),
        (lambda: ebm.negative_log_likelihood(ENERGIES, TARGET - 1), "target holds -1; expected indices from 0 to 2"),
        (lambda: ebm.most_offending(torch.zeros(2, 1), TARGET * 0), "two answers or more"),
    ],
)  # fmt: skip
def test_what_a_loss_cannot_take_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_energies_and_targets_of_the_wrong_type_are_refused():
    with pytest.raises(TypeError, match=r"correct is torch\.int64; expected a floating-point type"):
        ebm.energy_loss(torch.tensor([1]))
    with pytest.raises(TypeError, match=r"target is torch\.float32; expected torch\.int64"):
        ebm.negative_log_likelihood(ENERGIES, TARGET.float())
