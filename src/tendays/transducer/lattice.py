"""The lattice of the transducer, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from tendays.transducer.arguments import Arcs, _expect_finite, _Targets

NEVER = -1e300  # the logarithm of the probability of what cannot happen: finite, since inf - inf is no number


class _Lattice:
    """Numbers of arcs, in float64, laid out so that an anti-diagonal of all lattices is one run of memory.

    Row d of `arcs` holds those that lead from the diagonal t + u = d to the next, as arrivals: in [d, 0] the label,
    in [d, 1] the blank by which each node is reached. A sequence has the nodes u = 0 … U behind one cell that nothing
    reaches, so that "the node before" is one cell to the left everywhere. Whoever is through with the inputs slides
    on along free blanks, so that every sequence ends on the last diagonal, however long it is.
    """

    def __init__(self, scores: Arcs, normaliser: Tensor, targets: _Targets):
        rows, T, width = normaliser.shape
        cells, size = width + 1, rows * (width + 1)
        self.arcs = normaliser.new_empty(T + width - 1, 2, size)
        self.arcs[:, 0], self.arcs[:, 1] = NEVER, 0
        # The same memory, seen as lattices: one step in t or in u is one diagonal further.
        step = 2 * size
        blank = self.arcs.as_strided((rows, T, width), (cells, step, step + 1), size + 1)
        label = self.arcs.as_strided((rows, T, width - 1), (cells, step, step + 1), 2)
        self.views, self.padding = Arcs(blank, label), targets.padding
        torch.sub(scores.blank, normaliser, out=blank)
        torch.sub(scores.label, normaliser[:, :, :-1], out=label)
        if targets.padding:
            label.masked_fill_(targets.padding.label, NEVER)
        starts = torch.arange(rows, device=blank.device) * cells + 1
        self.starts, self.ends = starts, starts + targets.lengths

    def sweep(self, occupy: bool) -> Tensor:
        """The log-likelihoods (B,); with `occupy`, the arcs' scores give way to the shares by which nodes are reached.

        Equation 16 of Graves 2012.
        """
        steps, _, size = self.arcs.shape
        memory = self.arcs.new_empty((steps + 1) * size + 1)
        memory[: size + 1] = NEVER
        alphas = memory[1:].view(steps + 1, size)
        alphas[0, self.starts] = 0
        # What each node is reached from: its left neighbour by a label, itself by a blank. (These views overlap.)
        origins = memory.as_strided((steps, 2, size), (size, 1, 1))
        reached = self.arcs.new_empty(2, size)
        by_label, by_blank = reached
        for origin, arc, alpha in zip(origins.unbind(), self.arcs.unbind(), alphas[1:].unbind(), strict=True):
            torch.add(origin, arc, out=reached)
            torch.logaddexp(by_label, by_blank, out=alpha)
        if occupy:
            # The part of a node's probability that each arc brought: at most 1, so the exponential is safe.
            self.arcs.add_(origins).sub_(alphas[1:, None]).exp_()
        return alphas[-1, self.ends]

    def occupancies(self, dtype: torch.dtype) -> Arcs:
        """How often each arc is expected to be taken, from the shares that `sweep` left; they are lost."""
        steps, _, size = self.arcs.shape
        node = self.arcs.new_zeros(size)
        node[self.ends] = 1
        # A label that arrives one cell to the right leaves from here. (For the last cell, which has none to its right,
        # this is the blank of a cell that nothing reaches: 0.)
        leaving = self.arcs.as_strided((steps, size), (2 * size, 1), 1)
        rows = list(zip(self.arcs.unbind(), self.arcs[:, 1].unbind(), leaving.unbind(), strict=True))
        for share, blank, label in reversed(rows):
            torch.mul(share, node, out=share)
            torch.add(blank, label, out=node)
        if self.padding:
            self.views.blank.masked_fill_(self.padding.blank, 0)
        return Arcs(*(view.to(dtype, memory_format=torch.contiguous_format, copy=True) for view in self.views))


def _solve(
    scores: Arcs, normaliser: Tensor, targets: _Targets, names: str, dtype: torch.dtype | None
) -> tuple[Tensor, Arcs | None]:
    """Log-likelihoods (B,) and, in a type if one is given, the occupancies of arcs.

    Args:
        scores: of the arcs, in the type that they are worked on in, or float64.
        normaliser: the log-sum-exp of the scores at every node (B, T, U + 1), in float64. In padding, both get 0.
        targets: what they are for.
        names: what to call the scores when they are no numbers.
        dtype: of the occupancies; None when nobody asks for them.
    """
    if targets.padding:
        scores.blank.masked_fill_(targets.padding.blank, 0)
        scores.label.masked_fill_(targets.padding.label, 0)
        normaliser.masked_fill_(targets.padding.blank, 0)
    _expect_finite(names, scores, normaliser)
    lattice = _Lattice(scores, normaliser, targets)
    likelihoods = lattice.sweep(dtype is not None)
    return likelihoods, lattice.occupancies(dtype) if dtype else None


def _spread(occupancies: Arcs, slope: Tensor) -> tuple[Tensor, Arcs]:
    """Occupancies of nodes (B, T, U + 1) and of arcs, times the slope (B,) of the loss.

    What is too small to matter beside 1 is 0: as a denormal number it would slow every product with it many times over.
    """
    least = torch.finfo(occupancies.blank.dtype).eps ** 3
    scale = slope[:, None, None].to(occupancies.blank.dtype)
    blank, label = (torch.threshold(kind, least, 0.0).mul_(scale) for kind in occupancies)
    nodes = blank.clone()
    nodes[:, :, :-1] += label
    return nodes, Arcs(blank, label)
