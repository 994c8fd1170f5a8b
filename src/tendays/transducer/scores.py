"""From the scores of every node to those of the arcs, and the gradient back."""

from __future__ import annotations

import torch
from torch import Tensor

from tendays.transducer.arguments import Arcs, _Targets


def _normaliser(scores: Tensor, probabilities: Tensor, blank: int) -> Tensor:
    """The log-sum-exp of scores (*, V), given their softmax: (*), in float64, whose error is that of a probability.

    It comes from one symbol's probability, which is precise to the last digit, while a logarithm in the scores' own
    type would be precise to the last digit of the largest score.
    """
    known = probabilities[..., blank]
    total = scores[..., blank].double() - known.double().log()
    low = ~(known > torch.finfo(known.dtype).tiny ** 0.5)
    if low.any():
        total[low] = scores[low].double().logsumexp(-1)
    return total


def _label_indices(targets: _Targets, part: tuple[slice, slice], T: int) -> Tensor:
    """The labels of a part of (B, T) as indices (b, t, U, 1) into the symbols of its scores."""
    rows, inputs = part
    labels = targets.labels[rows, None, :, None]
    return labels.expand(-1, len(range(T)[inputs]), -1, -1)


class _Found:
    """The scores of the arcs, and the log-sum-exp of those of every node, as they are found piece by piece."""

    def __init__(self, like: Tensor, rows: int, T: int, width: int, targets: _Targets):
        self.targets, dtype = targets, _precise(like.dtype)
        self.scores = Arcs(*(like.new_empty(rows, T, size, dtype=dtype) for size in (width, width - 1)))
        self.normaliser = like.new_empty(rows, T, width, dtype=torch.float64)

    def add(self, part: tuple[slice, slice], scores: Tensor) -> None:
        """Takes what is needed of the scores (b, t, U + 1, V) of a part of (B, T)."""
        blank, indices = self.targets.blank, _label_indices(self.targets, part, self.normaliser.shape[1])
        self.normaliser[part] = _normaliser(scores, scores.softmax(3), blank)
        self.scores.blank[part] = scores[..., blank]
        self.scores.label[part] = scores[:, :, :-1].gather(3, indices)[..., 0]


def _slope_of_scores(
    probabilities: Tensor, part: tuple[slice, slice], nodes: Tensor, arcs: Arcs, indices: Tensor, targets: _Targets
) -> Tensor:
    """Turns the probabilities (b, t, U + 1, V) of a part of the scores into the loss's gradient in them, in place."""
    slope = probabilities.mul_(nodes[part][..., None])
    if targets.padding:
        slope.masked_fill_(targets.padding.blank[part][..., None], 0)  # whatever stands there, no numbers included
    slope[..., targets.blank] -= arcs.blank[part]
    slope[:, :, :-1].scatter_add_(3, indices, -arcs.label[part][..., None])
    return slope


def _precise(dtype: torch.dtype) -> torch.dtype:
    """The type that scores are worked on in: their own, but at least float32."""
    return torch.promote_types(dtype, torch.float32)


def _without_autocast(tensor: Tensor) -> torch.autocast:
    """A block in which products have the precision of their factors."""
    return torch.autocast(tensor.device.type, enabled=False)
