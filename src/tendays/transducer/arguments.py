"""Checking of the arguments of the transducer's losses."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

Reduction = Literal["none", "sum", "mean"]


class Arcs(NamedTuple):
    """A number for every arc of B lattices.

    blank: (B, T, U + 1), of the arc from (t, u) to (t + 1, u).
    label: (B, T, U), of the arc from (t, u) to (t, u + 1).
    """

    blank: Tensor
    label: Tensor


class _Targets(NamedTuple):
    """Checked targets: what every form of the loss needs beside its scores.

    labels: (B, U), int64; the blank where there is padding.
    inputs, lengths: (B,) how many inputs and labels count.
    blank: from 0 to V - 1.
    padding: which arcs belong to no lattice; None where all do.
    """

    labels: Tensor
    inputs: Tensor
    lengths: Tensor
    blank: int
    padding: Arcs | None


def _checked(
    sizes: tuple[int, int, int, int],
    device: torch.device,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int,
) -> _Targets:
    """The targets, when they fit scores of sizes B, T, U + 1, V.

    Raises:
        TypeError: an argument is of the wrong type, or two that should be of one are not.
        ValueError: an argument has a wrong shape, device, length or label. Both name the argument.
    """
    rows, T, width, V = sizes
    _expect(min(sizes) > 0, ValueError, f"the scores have B, T, U + 1, V = {sizes}", "none of them 0")
    whole = {"targets": targets, "logit_lengths": logit_lengths, "target_lengths": target_lengths}
    for name, shape in zip(whole, ((rows, width - 1), (rows,), (rows,)), strict=True):
        tensor = whole[name]
        _expect(tensor.dtype in (torch.int32, torch.int64), TypeError, f"{name} is {tensor.dtype}", "int32 or int64")
        _expect(tensor.shape == shape, ValueError, f"{name} is of shape {tuple(tensor.shape)}", f"{shape}")
        _expect(tensor.device == device, ValueError, f"{name} is on {tensor.device}", f"{device}")
    _expect_range("logit_lengths", logit_lengths, 1, T)
    _expect_range("target_lengths", target_lengths, 0, width - 1)
    _expect(-V <= blank < V, ValueError, f"blank is {blank}", f"one of the {V} symbols")
    outside_t = torch.arange(T, device=device) >= logit_lengths[:, None]
    outside_u = torch.arange(width, device=device) > target_lengths[:, None]
    after = outside_u[:, 1:]
    labels = targets.long().masked_fill(after, blank % V)
    _expect_range("targets", labels, 0, V - 1)
    blanks = (labels == blank % V) & ~after
    _expect(not blanks.any(), ValueError, "targets holds the blank", f"labels other than {blank % V}")
    padding = None
    if outside_t.any() or outside_u.any():
        padding = Arcs(*(outside_t[:, :, None] | outside[:, None] for outside in (outside_u, after)))
    return _Targets(labels, logit_lengths.long(), target_lengths.long(), blank % V, padding)


def _expect(holds: bool, error: type[Exception], came: str, expected: str) -> None:
    if not holds:
        raise error(f"{came}; expected {expected}")


def _expect_alike(scores: dict[str, Tensor]) -> None:
    """TypeError unless all scores are of one floating-point type and on one device."""
    first = next(iter(scores.values()))
    for name, tensor in scores.items():
        _expect(tensor.is_floating_point(), TypeError, f"{name} is {tensor.dtype}", "a floating-point type")
        same = tensor.dtype == first.dtype and tensor.device == first.device
        _expect(same, TypeError, f"{name} is {tensor.dtype} on {tensor.device}", f"{first.dtype} on {first.device}")


def _expect_match(encoder: Tensor, predictor: Tensor, last: str) -> None:
    expected = f"(B, U + 1, {last}) with B and {last} of encoder's {tuple(encoder.shape)}"
    same = encoder.shape[::2] == predictor.shape[::2]
    _expect(same, ValueError, f"predictor has the shape {tuple(predictor.shape)}", expected)


def _expect_range(name: str, values: Tensor, low: int, high: int) -> None:
    wrong = values[(values < low) | (values > high)]
    _expect(not len(wrong), ValueError, f"{name} holds {wrong[:1].tolist()}", f"numbers from {low} to {high}")


def _expect_finite(names: str, scores: Arcs, normaliser: Tensor) -> None:
    """ValueError unless every arc has a finite log-probability."""
    if not (scores.blank.sum() + scores.label.sum() + normaliser.sum()).isfinite():
        wrong = next(kind for kind in (*scores, normaliser) if not kind.isfinite().all())
        place = (~wrong.isfinite()).nonzero()[0].tolist()
        raise ValueError(
            f"{names} at sequence, input, label {place} makes an arc that is infinite or no number; expected finite"
            " scores (-inf only for symbols that are neither the blank nor the next label)"
        )


def _expect_reduction(reduction: str) -> None:
    known = ("none", "sum", "mean")
    _expect(reduction in known, ValueError, f"reduction is {reduction!r}", f"one of {', '.join(known)}")


def _reduced(losses: Tensor, reduction: Reduction) -> Tensor:
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()
