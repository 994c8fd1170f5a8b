"""Checks of the arguments of the transducer's losses, and the targets in the form that the losses work with.

Every check comes before anything is computed; its error names the argument, what came and what was expected.

Shapes: B sequences, T inputs, U labels, V symbols with the blank, H hidden size of the joint.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

Reduction = Literal["none", "sum", "mean"]


class Padding(NamedTuple):
    """Masks of the lattice's arcs: True for an arc that belongs to no sequence."""

    blank: Tensor  # (B, T, U + 1), of the arc from (t, u) to (t + 1, u); one leaves every node, so it masks nodes too
    label: Tensor  # (B, T, U), of the arc from (t, u) to (t, u + 1)

    # A sequence has at least one input and the node u = 0, so that the first row and column have no other padding.

    @property
    def encoder(self) -> Tensor:
        """True behind the last input of a sequence (B, T)."""
        return self.blank[:, :, 0]

    @property
    def predictor(self) -> Tensor:
        """True behind the last label of a sequence (B, U + 1)."""
        return self.blank[:, 0]


class Targets(NamedTuple):
    """Checked targets: what every form of the loss needs beside its scores."""

    labels: Tensor  # (B, U), int64; the blank in padding
    lengths: Tensor  # (B,), int64
    blank: int  # from 0 to V - 1
    padding: Padding | None  # None without padding


def expect(condition: bool, error: type[Exception], came: str, expected: str) -> None:
    """Raises the error, with what came and what was expected, unless the condition holds."""
    if not condition:
        raise error(f"{came}; expected {expected}")


def expect_reduction(reduction: str) -> None:
    """Raises a ValueError for an unknown reduction."""
    known = ("none", "sum", "mean")
    expect(reduction in known, ValueError, f"reduction is {reduction!r}", f"one of {', '.join(known)}")


def expect_dimensions(**scores: Tensor) -> None:
    """Raises a ValueError unless all scores, by name, have three dimensions."""
    for name, tensor in scores.items():
        expect(tensor.dim() == 3, ValueError, f"{name} has the shape {tuple(tensor.shape)}", "three dimensions")


def expect_fitting_predictor(encoder: Tensor, predictor: Tensor, last: str) -> None:
    """Raises a ValueError unless encoder and predictor agree in B and in the last axis, which is called `last`."""
    expected = f"(B, U + 1, {last}) with B and {last} of encoder's {tuple(encoder.shape)}"
    fits = encoder.shape[::2] == predictor.shape[::2]
    expect(fits, ValueError, f"predictor has the shape {tuple(predictor.shape)}", expected)


def expect_one_dtype(**scores: Tensor) -> None:
    """Raises a TypeError unless all scores, by name, have one floating-point dtype and one device."""
    first = next(iter(scores.values()))
    for name, tensor in scores.items():
        expect(tensor.is_floating_point(), TypeError, f"{name} is {tensor.dtype}", "a floating-point type")
        same = tensor.dtype == first.dtype and tensor.device == first.device
        expect(same, TypeError, f"{name} is {tensor.dtype} on {tensor.device}", f"{first.dtype} on {first.device}")


def checked_targets(
    sizes: tuple[int, int, int, int],
    device: torch.device,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int,
) -> Targets:
    """The targets with their padding, when they fit scores of these sizes on this device.

    Args:
        sizes: B, T, U + 1, V of the scores.
        device: device of the scores.
        targets: (B, U), int32 or int64.
        logit_lengths: (B,), from 1 to T.
        target_lengths: (B,), from 0 to U.
        blank: from -V to V - 1.

    Raises:
        TypeError: an argument has the wrong dtype.
        ValueError: an argument has a wrong shape, device, length or label.
    """
    B, T, positions, V = sizes
    expect(min(sizes) > 0, ValueError, f"the scores have B, T, U + 1, V = {sizes}", "none of them 0")
    integers = {"targets": targets, "logit_lengths": logit_lengths, "target_lengths": target_lengths}
    for name, shape in zip(integers, ((B, positions - 1), (B,), (B,)), strict=True):
        tensor = integers[name]
        expect(tensor.dtype in (torch.int32, torch.int64), TypeError, f"{name} is {tensor.dtype}", "int32 or int64")
        expect(tensor.shape == shape, ValueError, f"{name} is of shape {tuple(tensor.shape)}", f"{shape}")
        expect(tensor.device == device, ValueError, f"{name} is on {tensor.device}", f"{device}")
    _expect_range("logit_lengths", logit_lengths, 1, T)
    _expect_range("target_lengths", target_lengths, 0, positions - 1)
    expect(-V <= blank < V, ValueError, f"blank is {blank}", f"one of the {V} symbols")
    blank %= V
    outside_t = torch.arange(T, device=device) >= logit_lengths[:, None]  # (B, T)
    outside_u = torch.arange(positions, device=device) > target_lengths[:, None]  # (B, U + 1)
    no_label = outside_u[:, 1:]  # (B, U): a label arc also needs the node that it leads to
    labels = targets.long().masked_fill(no_label, blank)
    _expect_range("targets", labels, 0, V - 1)
    blanks = (labels == blank) & ~no_label
    expect(not blanks.any(), ValueError, "targets holds the blank", f"labels other than {blank}")
    padding = None
    if outside_t.any() or outside_u.any():
        padding = Padding(*(outside_t[:, :, None] | outside[:, None] for outside in (outside_u, no_label)))
    return Targets(labels, target_lengths.long(), blank, padding)


def _expect_range(name: str, values: Tensor, low: int, high: int) -> None:
    wrong = values[(values < low) | (values > high)]
    expect(not len(wrong), ValueError, f"{name} holds {wrong[:1].tolist()}", f"numbers from {low} to {high}")


def reduced(losses: Tensor, reduction: Reduction) -> Tensor:
    """Losses (B,) with `none`; their sum or mean, of no dimension, otherwise."""
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()
