r"""The forward variables of the transducer's lattice and the occupancies of its arcs, both in float64.

Node (t, u) stands for t inputs read and u labels written. A blank arc leads from (t, u) to (t + 1, u), a label arc from
(t, u) to (t, u + 1). With the log-probabilities b(t, u) of blank arcs and y(t, u) of label arcs, the forward variables
are (Graves 2012, equation 16, where the last blank leads to the node (T, U) here):

    α(0, 0) = 0
    α(t, u) = log(exp(α(t, u - 1) + y(t, u - 1)) + exp(α(t - 1, u) + b(t - 1, u)))
    log Pr(labels | inputs) = α(T, U)

The shares of a node are the parts of its forward probability that come in by its label arc and by its blank arc:

    s_label(t, u) = exp(α(t, u - 1) + y(t, u - 1) - α(t, u))
    s_blank(t, u) = exp(α(t - 1, u) + b(t - 1, u) - α(t, u))        s_label + s_blank = 1

The occupancy of a node or an arc is the expected number of times that a path which writes the labels passes it. It
follows from the shares by products and sums, without a logarithm and without backward variables:

    n(T, U) = 1
    o_label into (t, u) = s_label(t, u) n(t, u)
    o_blank into (t, u) = s_blank(t, u) n(t, u)
    n(t, u) = o_label out of (t, u) + o_blank out of (t, u)

The gradient of the loss in the score of symbol k at (t, u) is

    n(t, u) Pr(k | t, u) - [k is the blank] o_blank out of (t, u) - [k is label u + 1] o_label out of (t, u)

Layout. The nodes of an anti-diagonal t + u = d do not depend on one another, so the anti-diagonals are the steps of
both recursions. Row d holds the anti-diagonal d of all sequences: U + 2 cells for each, where cell 0 is never reached
and node (t, u) has cell u + 1. For T = 3 and U = 2:

    u                            cell  0  1  2  3
    2 | 02  12  22           row 0     -  00 .  .
    1 | 01  11  21               1     -  10 01 .        one step in t: a row down, the same cell
    0 | 00  10  20               2     -  20 11 02       one step in u: a row down, the next cell
       ------------ t            3     -  .  21 12
                                 4     -  .  .  22
                                 5     -  .  .  32       the end, (T, U)

So the predecessors of a row are the row above, once shifted by a cell (label arcs) and once as it is (blank arcs), and
a lattice (T, U + 1) is a strided view of the rows, of strides (row, row + cell). Padding: cells marked "." get blank
arcs of log-probability 0, so that a sequence shorter than the longest takes blanks of log-probability 0 to the last
anti-diagonal, where all sequences end, each in the cell of its own U.

Values of arcs are laid out as (T + U, 2, B (U + 2)): [d, 0] are the label arcs and [d, 1] the blank arcs from
anti-diagonal d to d + 1, each in the cell of the node that it leads to.

Precision: with float32 forward variables the gradient loses two digits or more at T = 400.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from tendays.transducer.arguments import Padding, Targets

LOG_ZERO = -1e300  # the log-probability of the impossible: finite, since inf - inf is not a number


class ArcScores(NamedTuple):
    """Scores of the arcs; the log-probability of an arc is its score less the normaliser of the node that it leaves."""

    blank: Tensor  # (B, T, U + 1)
    label: Tensor  # (B, T, U)
    normaliser: Tensor  # (B, T, U + 1), float64: the log-sum-exp of a node's scores

    def set_padding_(self, padding: Padding | None) -> None:
        """Sets what lies in padding to 0."""
        if padding is not None:
            self.blank.masked_fill_(padding.blank, 0)
            self.label.masked_fill_(padding.label, 0)
            self.normaliser.masked_fill_(padding.blank, 0)

    def expect_finite(self, names: str) -> None:
        """Raises a ValueError, which calls the scores by these names, unless every arc has a finite log-probability."""
        if not (self.blank.sum() + self.label.sum() + self.normaliser.sum()).isfinite():
            wrong = next(numbers for numbers in self if not numbers.isfinite().all())
            place = (~wrong.isfinite()).nonzero()[0].tolist()
            raise ValueError(
                f"{names} at sequence, input, label {place} makes an arc that is infinite or no number; expected finite"
                " scores (-inf only for symbols that are neither the blank nor the next label)"
            )


class Occupancies(NamedTuple):
    """Expected numbers of times that arcs are taken, between 0 and 1."""

    blank: Tensor  # (B, T, U + 1), 0 in padding
    label: Tensor  # (B, T, U), 0 in padding

    def weighted_by(self, upstream: Tensor) -> WeightedOccupancies:
        """The occupancies times the upstream gradient (B,).

        Occupancies below eps³ are flushed to 0: their products would be denormal numbers, which CPUs multiply many
        times more slowly.
        """
        flushed = torch.finfo(self.blank.dtype).eps ** 3
        scale = upstream[:, None, None].to(self.blank.dtype)
        blank, label = (torch.threshold(numbers, flushed, 0.0).mul_(scale) for numbers in self)
        nodes = blank.clone()
        nodes[:, :, :-1] += label
        return WeightedOccupancies(nodes, blank, label)


class WeightedOccupancies(NamedTuple):
    """Occupancies times the upstream gradient."""

    nodes: Tensor  # (B, T, U + 1)
    blank: Tensor  # (B, T, U + 1)
    label: Tensor  # (B, T, U)


def forward(scores: ArcScores, targets: Targets, needs_grad: bool) -> tuple[Tensor, Tensor | None]:
    """The log-likelihoods of the targets and the shares of all nodes.

    Args:
        scores: finite, and 0 in padding.
        targets: labels that the lattices write.
        needs_grad: whether shares are computed.

    Returns:
        The log-likelihoods (B,), and the shares (T + U, 2, B (U + 2)) for `occupancies`, or None; float64.
    """
    log_probabilities = _anti_diagonals(scores, targets.padding)
    rows, _, size = log_probabilities.shape
    memory = log_probabilities.new_empty((rows + 1) * size + 1)
    memory[: size + 1] = LOG_ZERO
    alphas = memory[1:].view(rows + 1, size)
    first, last = _end_cells(targets, size)
    alphas[0, first] = 0
    # The same memory, a cell to the left and in place: the predecessors by label arcs and by blank arcs.
    predecessors = memory.as_strided((rows, 2, size), (size, 1, 1))
    arriving = log_probabilities.new_empty(2, size)
    by_label, by_blank = arriving
    steps = zip(predecessors.unbind(), log_probabilities.unbind(), alphas[1:].unbind(), strict=True)
    for predecessor, arcs, alpha in steps:
        torch.add(predecessor, arcs, out=arriving)
        torch.logaddexp(by_label, by_blank, out=alpha)
    shares = None
    if needs_grad:  # in the memory of the log-probabilities; a share is at most 1, so that exp cannot overflow
        shares = log_probabilities.add_(predecessors).sub_(alphas[1:, None]).exp_()
    return alphas[-1, last], shares


def occupancies(shares: Tensor, targets: Targets, dtype: torch.dtype) -> Occupancies:
    """The occupancies of all arcs, in this dtype.

    Args:
        shares: those that `forward` returned for these targets. Their memory is reused: they are lost.
        targets: as for `forward`.
        dtype: of the result.
    """
    rows, _, size = shares.shape
    nodes = shares.new_zeros(size)  # occupancies of an anti-diagonal's nodes
    nodes[_end_cells(targets, size)[1]] = 1
    # A label arc that leaves a cell comes in one cell to the right. (Right of a row's last cell lies the blank arc of
    # a cell that is never reached: 0.)
    leaving_labels = shares.as_strided((rows, size), (2 * size, 1), 1)
    steps = list(zip(shares.unbind(), shares[:, 1].unbind(), leaving_labels.unbind(), strict=True))
    for arcs, blank, label in reversed(steps):
        torch.mul(arcs, nodes, out=arcs)
        torch.add(blank, label, out=nodes)
    views = _lattice_views(shares, len(targets.lengths))
    if targets.padding is not None:
        views[0].masked_fill_(targets.padding.blank, 0)
    return Occupancies(*(view.to(dtype, memory_format=torch.contiguous_format, copy=True) for view in views))


def _anti_diagonals(scores: ArcScores, padding: Padding | None) -> Tensor:
    """The log-probabilities of arcs by anti-diagonal (T + U, 2, B (U + 2)), float64."""
    B, T, positions = scores.normaliser.shape
    log_probabilities = scores.normaliser.new_empty(T + positions - 1, 2, B * (positions + 1))
    log_probabilities[:, 0], log_probabilities[:, 1] = LOG_ZERO, 0
    blank, label = _lattice_views(log_probabilities, B)
    torch.sub(scores.blank, scores.normaliser, out=blank)
    torch.sub(scores.label, scores.normaliser[:, :, :-1], out=label)
    if padding is not None:
        label.masked_fill_(padding.label, LOG_ZERO)
    return log_probabilities


def _lattice_views(arcs: Tensor, B: int) -> tuple[Tensor, Tensor]:
    """Views of values of arcs (T + U, 2, B (U + 2)) as lattices: blanks (B, T, U + 1) and labels (B, T, U)."""
    rows, _, size = arcs.shape
    cells = size // B
    positions = cells - 1
    T = rows - positions + 1
    row = 2 * size
    # The arcs that leave (0, 0) come in by cell 1 (blank) and cell 2 (label).
    blank = arcs.as_strided((B, T, positions), (cells, row, row + 1), size + 1)
    label = arcs.as_strided((B, T, positions - 1), (cells, row, row + 1), 2)
    return blank, label


def _end_cells(targets: Targets, size: int) -> tuple[Tensor, Tensor]:
    """The cells of each sequence's first node, in the first row, and of its last node, in the last row; (B,)."""
    lengths = targets.lengths
    first = torch.arange(1, size, size // len(lengths), device=lengths.device)
    return first, first + lengths
