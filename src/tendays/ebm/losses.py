"""The loss functionals of energy-based learning (LeCun et al. 2006, table 1).

A loss functional turns energies into a number for each sample. E is the energy of the correct answer, Ē that of the
most offending incorrect one: the incorrect answer of lowest energy. Training pushes E down, and a contrastive loss
pushes Ē, or the energies of all answers, up::

    correct = energies.gather(1, target[:, None])[:, 0]
    loss = hinge_loss(correct, most_offending(energies, target)).mean()

Shapes: B samples, Y possible answers. Every functional returns a loss for each sample, (B,).

Energies that are NaN, or shapes that do not fit, raise a ValueError that names the argument; +∞, an answer that is
impossible, is allowed.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def most_offending(energies: Tensor, target: Tensor) -> Tensor:
    """The lowest energy of an incorrect answer: (B, Y), (B,) -> (B,).

    Raises:
        ValueError: there is no incorrect answer (Y < 2), or target holds an index that is not from 0 to Y − 1.
    """
    _check_answers(energies, target)
    if energies.shape[1] < 2:
        raise ValueError(f"energies has the shape {tuple(energies.shape)}; expected (B, Y) with two answers or more")
    return energies.scatter(1, target[:, None], math.inf).amin(1)


def energy_loss(correct: Tensor) -> Tensor:
    """E. It pushes nothing up, and so has no margin: a flat energy minimises it."""
    _check_energies(correct=correct)
    return correct


def perceptron_loss(correct: Tensor, lowest: Tensor) -> Tensor:
    """E − min_y E (Collins 2002, for sequences). Its margin is 0: a flat energy minimises it too.

    Args:
        correct: E (B,).
        lowest: the lowest energy of any answer, the correct one among them (B,).
    """
    _check_energies(correct=correct, lowest=lowest)
    return correct - lowest


def hinge_loss(correct: Tensor, incorrect: Tensor, margin: float = 1.0) -> Tensor:
    """[m + E − Ē]₊, which is 0 once the incorrect answer is higher by the margin m (Altun et al. 2003)."""
    _check_energies(correct=correct, incorrect=incorrect)
    _check_positive(margin=margin)
    return (margin + correct - incorrect).relu()


def log_loss(correct: Tensor, incorrect: Tensor) -> Tensor:
    """log(1 + e^{E − Ē}), a soft hinge: its gradient never vanishes, so that any margin is exceeded."""
    _check_energies(correct=correct, incorrect=incorrect)
    return F.softplus(correct - incorrect)


def lvq2_loss(correct: Tensor, incorrect: Tensor, cap: float = 1.0) -> Tensor:
    """min(M, [E − Ē]₊) with the cap M: a sample that is hopelessly wrong has no gradient (Kohonen et al. 1988)."""
    _check_energies(correct=correct, incorrect=incorrect)
    _check_positive(cap=cap)
    return (correct - incorrect).clamp(0, cap)


def minimum_classification_error(correct: Tensor, incorrect: Tensor) -> Tensor:
    """σ(E − Ē), a smooth count of the errors (Juang, Chou and Lee 1997)."""
    _check_energies(correct=correct, incorrect=incorrect)
    return (correct - incorrect).sigmoid()


def square_square_loss(correct: Tensor, incorrect: Tensor, margin: float = 1.0) -> Tensor:
    """E² + ([m − Ē]₊)², for energies of at least 0: E is pulled to 0, Ē pushed up to m (LeCun and Huang 2005)."""
    _check_energies(correct=correct, incorrect=incorrect)
    _check_positive(margin=margin)
    return correct.square() + (margin - incorrect).relu().square()


def square_exponential_loss(correct: Tensor, incorrect: Tensor, gamma: float = 1.0) -> Tensor:
    """E² + γ e^{−Ē}, for energies of at least 0: Ē is pushed up without end (Osadchy, Miller and LeCun 2004)."""
    _check_energies(correct=correct, incorrect=incorrect)
    _check_positive(gamma=gamma)
    return correct.square() + gamma * (-incorrect).exp()


def negative_log_likelihood(energies: Tensor, target: Tensor, beta: float = 1.0) -> Tensor:
    """E + (1/β) log Σ_y e^{−βE(y)}: every answer is pushed up in proportion to its probability.

    It is −(1/β) log P(correct) with P(y) ∝ e^{−βE(y)}. β = ∞ is the limit, the perceptron loss. As β goes to 0 the loss
    goes to infinity, so that 0 is refused.

    Args:
        energies: of all answers (B, Y).
        target: the correct answers' indices (B,), int64.
        beta: the inverse temperature β, in units of 1/energy.

    Raises:
        ValueError: β is not positive.
    """
    _check_answers(energies, target)
    _check_beta(beta)
    if beta == 0:
        raise ValueError("beta is 0, where the loss is infinite; expected a positive number")
    if beta == math.inf:
        return energies.gather(1, target[:, None])[:, 0] - energies.amin(1)
    return F.cross_entropy(-beta * energies, target, reduction="none") / beta


def minimum_empirical_error(energies: Tensor, target: Tensor, beta: float = 1.0) -> Tensor:
    """1 − P(correct) with P(y) ∝ e^{−βE(y)}: the chance that an answer drawn from P is wrong.

    The limits are β = 0, where all Y answers are equally likely, and β = ∞, where those of lowest energy are: the error
    of the minimiser, which has no gradient.

    Args:
        energies: of all answers (B, Y).
        target: the correct answers' indices (B,), int64.
        beta: the inverse temperature β, in units of 1/energy.

    Raises:
        ValueError: β is negative or NaN.
    """
    _check_answers(energies, target)
    _check_beta(beta)
    if beta == math.inf:
        lowest = (energies == energies.amin(1, keepdim=True)).to(energies.dtype)  # (B, Y)
        probabilities = lowest / lowest.sum(1, keepdim=True)
    else:
        scores = -beta * energies if beta else torch.zeros_like(energies)  # 0 · ∞ would be NaN
        probabilities = scores.softmax(1)
    return 1 - probabilities.gather(1, target[:, None])[:, 0]


def _check_energies(**energies: Tensor) -> None:
    """Raises unless all energies, by name, are of shape (B,) with one B, of a floating-point type, and not NaN."""
    shape = next(iter(energies.values())).shape
    for name, values in energies.items():
        if values.dim() != 1:
            raise ValueError(f"{name} has the shape {tuple(values.shape)}; expected (B,)")
        if values.shape != shape:
            raise ValueError(f"{name} has the shape {tuple(values.shape)}; expected {tuple(shape)} as the first has")
        _check_numbers(name, values)


def _check_answers(energies: Tensor, target: Tensor) -> None:
    """Raises unless energies are (B, Y) and targets (B,) are indices of answers."""
    if energies.dim() != 2 or not energies.shape[1]:
        raise ValueError(f"energies has the shape {tuple(energies.shape)}; expected (B, Y) with at least one answer")
    _check_numbers("energies", energies)
    if target.dtype != torch.int64:
        raise TypeError(f"target is {target.dtype}; expected torch.int64")
    if target.shape != energies.shape[:1]:
        raise ValueError(f"target has the shape {tuple(target.shape)}; expected (B,) = ({len(energies)},)")
    wrong = (target < 0) | (target >= energies.shape[1])
    if wrong.any():
        raise ValueError(f"target holds {int(target[wrong][0])}; expected indices from 0 to {energies.shape[1] - 1}")


def _check_numbers(name: str, values: Tensor) -> None:
    """Raises unless values are floating-point numbers, none of them NaN."""
    if not values.is_floating_point():
        raise TypeError(f"{name} is {values.dtype}; expected a floating-point type")
    if values.isnan().any():
        raise ValueError(f"{name} is NaN for sample {int(values.isnan().nonzero()[0, 0])}; expected numbers")


def _check_positive(**settings: float) -> None:
    """Raises a ValueError unless all settings, by name, are positive and finite."""
    for name, value in settings.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value}; expected a positive number")


def _check_beta(beta: float) -> None:
    """Raises a ValueError for an inverse temperature that is negative or NaN."""
    if not beta >= 0:
        raise ValueError(f"beta is {beta}; expected a positive number, or math.inf")
