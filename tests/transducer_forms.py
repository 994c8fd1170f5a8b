"""The three forms of the transducer's loss as the tests see them, and the problems that they solve."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tendays.transducer import additive_transducer_loss, joint_transducer_loss, transducer_loss


class Form(NamedTuple):
    """One form of the loss: its function, names and axes of its scores (W is U + 1), and the logits of all nodes."""

    loss: Callable[..., Tensor]
    names: str
    axes: str
    logits: Callable[..., Tensor]

    def draw(self, inputs, labels, symbols=4, rows=1, dtype=torch.float64, scale=1.0) -> list[Tensor]:
        """Random scores; `scale` is the standard deviation of those that have the axis V."""
        sizes = {"B": rows, "T": inputs, "W": labels + 1, "V": symbols, "H": 3}
        shapes = [[sizes[axis] for axis in axes] for axes in self.axes.split()]
        scales = [scale if "V" in axes else 1.0 for axes in self.axes.split()]
        return [torch.randn(shape, dtype=dtype) * std for shape, std in zip(shapes, scales, strict=True)]


class Sequences(NamedTuple):
    targets: Tensor
    logit_lengths: Tensor
    target_lengths: Tensor


FORMS = {
    "logits": Form(transducer_loss, "logits", "BTWV", lambda logits: logits),
    "additive": Form(additive_transducer_loss, "encoder predictor", "BTV BWV", lambda f, g: f[:, :, None] + g[:, None]),
    "joint": Form(
        joint_transducer_loss,
        "encoder predictor weight bias",
        "BTH BWH VH V",
        lambda f, g, w, b: F.linear((f[:, :, None] + g[:, None]).tanh(), w, b),
    ),
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def sequences(inputs: list[int], labels: list[list[int]]) -> Sequences:
    """Labels of several lengths as the losses take them; padding holds a number that is no symbol."""
    width = max(map(len, labels))
    targets = torch.tensor([row + [-7] * (width - len(row)) for row in labels], dtype=torch.int64)
    return Sequences(targets, torch.tensor(inputs), torch.tensor([len(row) for row in labels]))


def full(inputs: int, labels: int, symbols: int = 4, rows: int = 1) -> Sequences:
    """Random targets without padding."""
    targets = torch.randint(1, symbols, (rows, labels))
    return Sequences(targets, torch.full((rows,), inputs), torch.full((rows,), labels))


def leaves(scores: list[Tensor]) -> list[Tensor]:
    return [tensor.detach().requires_grad_() for tensor in scores]


def differentiate(losses_of: Callable[..., Tensor], scores: list[Tensor], upstream) -> tuple[Tensor, list[Tensor]]:
    """The losses, and the gradients in all scores for these upstream gradients."""
    scores = leaves(scores)
    losses = losses_of(*scores)
    return losses.detach(), list(torch.autograd.grad(losses, scores, torch.ones_like(losses) * upstream))


def solve(form: Form, scores: list[Tensor], batch: Sequences, upstream=1.0, blank=0) -> tuple[Tensor, list[Tensor]]:
    return differentiate(lambda *x: form.loss(*x, *batch, blank=blank, reduction="none"), scores, upstream)


def assert_all_close(actual, expected, rtol: float, atol: float):
    """Losses and gradients that agree."""
    torch.testing.assert_close(actual[0], expected[0], rtol=rtol, atol=atol)
    torch.testing.assert_close(actual[1], expected[1], rtol=rtol, atol=atol)


def relative_error(actual: Tensor, expected: Tensor) -> float:
    return ((actual.double() - expected).abs().max() / expected.abs().max()).item()
