"""From the scores of a tile's nodes to the scores of its arcs, and from occupancies to the gradient in the scores."""

import torch
from torch import Tensor

from tendays.transducer.arguments import Targets
from tendays.transducer.lattice import ArcScores, WeightedOccupancies
from tendays.transducer.tiles import Tile


def empty_arc_scores(scores: Tensor, sizes: tuple[int, int, int], dtype: torch.dtype) -> ArcScores:
    """Memory for the arc scores of B, T, U + 1 in this dtype, on the device of the scores."""
    B, T, positions = sizes
    label = scores.new_empty(B, T, positions - 1, dtype=dtype)
    return ArcScores(scores.new_empty(sizes, dtype=dtype), label, scores.new_empty(sizes, dtype=torch.float64))


def set_arc_scores_(arc_scores: ArcScores, tile: Tile, scores: Tensor, targets: Targets) -> None:
    """Sets the arc scores of a tile from the scores (b, t, U + 1, V) of its nodes."""
    arc_scores.normaliser[tile] = normaliser(scores, scores.softmax(3), targets.blank)
    arc_scores.blank[tile] = scores[..., targets.blank]
    arc_scores.label[tile] = scores[:, :, :-1].gather(3, _label_indices(targets, tile, scores))[..., 0]


def normaliser(scores: Tensor, probabilities: Tensor, blank: int) -> Tensor:
    """The log-sum-exp (*) of scores (*, V) in float64, from their softmax (*, V).

    It is the score of the blank less the log of its probability. Its error is the relative error of a probability,
    while a log-sum-exp in the scores' own dtype rounds to the last digit of the largest score. Where the probability
    of the blank is too small for that, the log-sum-exp is computed in float64.
    """
    probability = probabilities[..., blank]
    result = scores[..., blank].double() - probability.double().log()
    inexact = ~(probability > torch.finfo(probability.dtype).tiny ** 0.5)  # NaN included
    if inexact.any():
        result[inexact] = scores[inexact].double().logsumexp(-1)
    return result


def grad_of_scores_(probabilities: Tensor, occupancies: WeightedOccupancies, tile: Tile, targets: Targets) -> Tensor:
    """Turns the probabilities (b, t, U + 1, V) of a tile into the gradient in its scores, in place."""
    grad = probabilities.mul_(occupancies.nodes[tile][..., None])
    if targets.padding is not None:
        grad.masked_fill_(targets.padding.blank[tile][..., None], 0)  # 0 also where a score in padding is NaN
    grad[..., targets.blank] -= occupancies.blank[tile]
    grad[:, :, :-1].scatter_add_(3, _label_indices(targets, tile, grad), -occupancies.label[tile][..., None])
    return grad


def _label_indices(targets: Targets, tile: Tile, scores: Tensor) -> Tensor:
    """The next label at each node of a tile, as indices (b, t, U, 1) into its scores (b, t, U + 1, V)."""
    return targets.labels[tile[0], None, :, None].expand(-1, scores.shape[1], -1, -1)
