"""Graves' transducer: its loss in three forms, each fast and in little memory; the model; greedy and beam decoding.

A transducer (Graves 2012, *Sequence Transduction with Recurrent Neural Networks*, arXiv:1211.3711) reads T inputs and
writes U labels along a path through a lattice: at the node (t, u), where t inputs are done with and u labels written,
it either writes label u + 1 and stays at input t, or writes a blank and goes on to input t + 1. The loss is minus the
logarithm of the summed probability of all paths that write the target.

Shapes: B sequences, T inputs, U labels, V symbols with the blank, H width of the joint layer, K beams.

What the losses share: the lattice is swept along its anti-diagonals, whose nodes do not depend on one another, and
always in float64, since float32 loses two digits of the gradient or more at T = 400. The backward sweep needs no
logarithm: the share of a node's probability that came in by each of its arcs is known from the forward sweep, so that
the expected number of times that an arc is taken (its occupancy) flows back by products and sums. The gradient in every
score then follows: the occupancy of its node times its probability there, less the occupancy of its own arc.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tendays.machine import autocast_dtype
from tendays.pieces import Batch
from tendays.recurrent import BidirectionalLSTM, LockedDropout

BLANK = 0  # of the models here; the losses take any
Reduction = Literal["none", "sum", "mean"]

NEVER = -1e300  # the logarithm of the probability of what cannot happen: finite, since inf - inf is no number
PIECE = {"cpu": 1 << 18, "cuda": 1 << 26}  # elements that are worked on at once: on a CPU, what its caches hold


# ---- what comes in --------------------------------------------------------------------------------------------------


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


def _expect_alike(scores: dict[str, Tensor]) -> None:
    """TypeError unless all scores are of one floating-point type and on one device."""
    first = next(iter(scores.values()))
    for name, tensor in scores.items():
        _expect(tensor.is_floating_point(), TypeError, f"{name} is {tensor.dtype}", "a floating-point type")
        same = tensor.dtype == first.dtype and tensor.device == first.device
        _expect(same, TypeError, f"{name} is {tensor.dtype} on {tensor.device}", f"{first.dtype} on {first.device}")


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


def _reduced(losses: Tensor, reduction: Reduction) -> Tensor:
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def _expect_reduction(reduction: str) -> None:
    known = ("none", "sum", "mean")
    _expect(reduction in known, ValueError, f"reduction is {reduction!r}", f"one of {', '.join(known)}")


# ---- the lattice ----------------------------------------------------------------------------------------------------


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


def _at_once(elements: int, device: torch.device) -> int:
    """How many things of so many elements are worked on at once."""
    return max(PIECE.get(device.type, PIECE["cuda"]) // elements, 1)


def _pieces(rows: int, T: int, elements: int, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Parts of (B, T), each of about as many elements as are worked on at once when every input has `elements`."""
    most = _at_once(elements, device)
    height, length = max(most // T, 1), min(most, T)
    for row in range(0, rows, height):
        for start in range(0, T, length):
            yield slice(row, row + height), slice(start, start + length)


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


# ---- the loss from scores of every node -----------------------------------------------------------------------------


class _FromLogits(torch.autograd.Function):
    """Scores (B, T, U + 1, V) to losses (B,): two passes over the scores, in pieces that stay in the cache."""

    @staticmethod
    def forward(ctx, logits: Tensor, targets: _Targets, occupy: bool) -> Tensor:
        rows, T, width, V = logits.shape
        found, dtype = _Found(logits, rows, T, width, targets), _precise(logits.dtype)
        for part in _pieces(rows, T, width * V, logits.device):
            found.add(part, logits[part].to(dtype))
        wanted = dtype if occupy else None
        likelihoods, ctx.occupancies = _solve(found.scores, found.normaliser, targets, "logits", wanted)
        ctx.targets = targets
        ctx.save_for_backward(logits)
        return -likelihoods.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: Tensor) -> tuple[Tensor, None, None]:
        (logits,) = ctx.saved_tensors
        rows, T, width, V = logits.shape
        nodes, arcs = _spread(ctx.occupancies, slope)
        gradient = torch.empty_like(logits, memory_format=torch.contiguous_format)
        for part in _pieces(rows, T, width * V, logits.device):
            scores, indices = logits[part], _label_indices(ctx.targets, part, T)
            if scores.dtype == nodes.dtype:
                _slope_of_scores(torch.softmax(scores, 3, out=gradient[part]), part, nodes, arcs, indices, ctx.targets)
            else:
                probabilities = scores.to(nodes.dtype).softmax(3)
                gradient[part] = _slope_of_scores(probabilities, part, nodes, arcs, indices, ctx.targets)
        return gradient, None, None


def transducer_loss(
    logits: Tensor,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: Reduction = "mean",
) -> Tensor:
    """The transducer's loss from any scores: minus the log-likelihood of each target, in nats.

    It stands where `torchaudio.functional.rnnt_loss` stands: the same arguments, shapes and meaning, but that the
    blank is 0 unless said otherwise, as PyTorch's CTC loss has it, that padding may exceed the longest sequence, and
    that there is no clamp. (Graves 2012, equations 12 to 20.)

    Args:
        logits: (B, T, U + 1, V), scores of the next symbol at every node; their softmax is taken here. Float64,
            float32, or a type of 16 bits, which is worked on in float32.
        targets: (B, U), int32 or int64, without blanks; what stands behind a target's end is not looked at.
        logit_lengths: (B,) how many inputs count, from 1 to T.
        target_lengths: (B,) how many labels count, from 0 to U: more than inputs may be, and none.
        blank: the symbol for "next input"; a negative one counts from the end.
        reduction: `mean` over the sequences, `sum`, or `none`.

    Returns:
        A tensor of no dimension, or (B,) with `none`; float32 for scores of 16 bits. It can be differentiated once.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a shape, device, length or label is wrong, or a score that counts is infinite or no number.
    """
    _expect(logits.dim() == 4, ValueError, f"logits has the shape {tuple(logits.shape)}", "(B, T, U + 1, V)")
    _expect_reduction(reduction)
    _expect_alike({"logits": logits})
    checked = _checked(tuple(logits.shape), logits.device, targets, logit_lengths, target_lengths, blank)
    with _without_autocast(logits):
        losses = _FromLogits.apply(logits, checked, torch.is_grad_enabled() and logits.requires_grad)
    return _reduced(losses, reduction)


# ---- the loss of the additive joint ---------------------------------------------------------------------------------


class _Additive(torch.autograd.Function):
    """Graves' joint. The normaliser of every node is one product of matrices, and so is its gradient.

    With e^f and e^g scaled by their maxima, sum_k e^(f_tk) e^(g_uk) is a product of matrices over k. All terms are
    positive, so nothing cancels. Where the sum is so small that terms may have been lost (f and g are large at
    different symbols), the few nodes that it happens at are worked out one by one. e^f is made for some sequences at a
    time, and again going back: that takes less time than to find memory for all of it.
    """

    @staticmethod
    def forward(ctx, encoder: Tensor, predictor: Tensor, targets: _Targets, occupy: bool) -> Tensor:
        f, g = (scores.to(_precise(scores.dtype)) for scores in (encoder, predictor))
        top_f, top_g = f.amax(2), g.amax(2)
        exp_g = _scaled(g, top_g, targets.padding and targets.padding.blank[:, 0])
        sums = f.new_empty(*f.shape[:2], g.shape[1])
        for rows, exp_f in _scaled_sequences(f, top_f, targets):
            torch.bmm(exp_f, exp_g[rows].transpose(1, 2), out=sums[rows])
        low = sums < torch.finfo(sums.dtype).tiny ** 0.5
        if targets.padding:
            low &= ~targets.padding.blank
        tops = top_f.double()[:, :, None], top_g.double()[:, None]
        normaliser = sums.to(torch.float64, copy=True).log_().add_(tops[0]).add_(tops[1])
        low = low.nonzero()
        for some in low.split(_at_once(f.shape[2], f.device)):
            b, t, u = some.unbind(1)
            normaliser[b, t, u] = (f[b, t].double() + g[b, u].double()).logsumexp(1)
        exact = normaliser[tuple(low.unbind(1))]
        scores, wanted = _additive_scores(f, g, targets), f.dtype if occupy else None
        likelihoods, ctx.occupancies = _solve(scores, normaliser, targets, "encoder or predictor", wanted)
        ctx.targets, ctx.types = targets, (encoder.dtype, predictor.dtype)
        # A node whose sum is not to be trusted gets no part of the products in the backward pass.
        sums[tuple(low.unbind(1))] = float("inf")
        if targets.padding:
            sums.masked_fill_(targets.padding.blank, float("inf"))
        ctx.save_for_backward(f, g, top_f, exp_g, sums, low, exact)
        return -likelihoods.to(f.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: Tensor) -> tuple[Tensor | None, ...]:
        f, g, top_f, exp_g, sums, low, normaliser = ctx.saved_tensors
        targets = ctx.targets
        nodes, arcs = _spread(ctx.occupancies, slope)
        weights = nodes / sums
        slopes = torch.empty_like(f), torch.empty_like(g)
        with _without_autocast(slope):
            for rows, exp_f in _scaled_sequences(f, top_f, targets):
                torch.bmm(weights[rows].transpose(1, 2), exp_f, out=slopes[1][rows])
                torch.bmm(weights[rows], exp_g[rows], out=slopes[0][rows]).mul_(exp_f)
        slopes[1].mul_(exp_g)
        count = _at_once(f.shape[2], f.device)
        for some, total in zip(low.split(count), normaliser.split(count), strict=True):
            b, t, u = some.unbind(1)
            expected = (f[b, t].double() + g[b, u].double() - total[:, None]).exp_().to(f.dtype)
            expected *= nodes[b, t, u, None]
            slopes[0].index_put_((b, t), expected, accumulate=True)
            slopes[1].index_put_((b, u), expected, accumulate=True)
        labels = targets.labels
        slopes[0].scatter_add_(2, labels[:, None].expand_as(arcs.label), -arcs.label)
        slopes[1][:, :-1].scatter_add_(2, labels[:, :, None], -arcs.label.sum(1)[:, :, None])
        slopes[0][:, :, targets.blank] -= arcs.blank.sum(2)
        slopes[1][:, :, targets.blank] -= arcs.blank.sum(1)
        return *(grad.to(dtype) for grad, dtype in zip(slopes, ctx.types, strict=True)), None, None


def _scaled(scores: Tensor, tops: Tensor, outside: Tensor | None) -> Tensor:
    """The exponentials of scores (B, *, V) less the largest of each row (B, *), and 0 in rows that are outside."""
    scaled = (scores - tops[:, :, None]).exp_()
    return scaled if outside is None else scaled.masked_fill_(outside[:, :, None], 0)


def _scaled_sequences(f: Tensor, tops: Tensor, targets: _Targets) -> Iterator[tuple[slice, Tensor]]:
    """The exponentials of the encoder's scores, of some sequences at a time."""
    height = _at_once(f[0].numel(), f.device)
    for row in range(0, len(f), height):
        rows = slice(row, row + height)
        yield rows, _scaled(f[rows], tops[rows], targets.padding and targets.padding.blank[rows, :, 0])


def _additive_scores(f: Tensor, g: Tensor, targets: _Targets) -> Arcs:
    """The scores of the arcs in float64, from scores (B, T, V) and (B, U + 1, V) that add up."""
    labels = targets.labels
    blank = f[:, :, targets.blank].double()[:, :, None] + g[:, :, targets.blank].double()[:, None]
    label = f.gather(2, labels[:, None].expand(-1, f.shape[1], -1)).double()
    return Arcs(blank, label.add_(g[:, :-1].gather(2, labels[:, :, None]).double().transpose(1, 2)))


def additive_transducer_loss(
    encoder: Tensor,
    predictor: Tensor,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: Reduction = "mean",
) -> Tensor:
    """The transducer's loss with Graves' joint: symbol k has at (t, u) the score encoder[t, k] + predictor[u, k].

    The same as ``transducer_loss(encoder[:, :, None] + predictor[:, None], …)``, whose scores it never builds: time
    and memory grow with T·V + U·V + T·U. (Graves 2012, equations 12 to 20.)

    Args:
        encoder: (B, T, V), the scores that the inputs give.
        predictor: (B, U + 1, V), those that the labels give: before the first, between two, after the last.
        targets: (B, U), as `transducer_loss` has them, and what follows likewise.
        logit_lengths: (B,).
        target_lengths: (B,).
        blank: the symbol for "next input".
        reduction: `mean`, `sum` or `none`.

    Returns:
        As `transducer_loss`.

    Raises:
        TypeError, ValueError: as `transducer_loss`.
    """
    for name, scores in (("encoder", encoder), ("predictor", predictor)):
        _expect(scores.dim() == 3, ValueError, f"{name} has the shape {tuple(scores.shape)}", "three dimensions")
    _expect_match(encoder, predictor, "V")
    _expect_reduction(reduction)
    _expect_alike({"encoder": encoder, "predictor": predictor})
    sizes = (*encoder.shape[:2], *predictor.shape[1:])
    checked = _checked(sizes, encoder.device, targets, logit_lengths, target_lengths, blank)
    occupy = torch.is_grad_enabled() and (encoder.requires_grad or predictor.requires_grad)
    with _without_autocast(encoder):
        losses = _Additive.apply(encoder, predictor, checked, occupy)
    return _reduced(losses, reduction)


def _expect_match(encoder: Tensor, predictor: Tensor, last: str) -> None:
    expected = f"(B, U + 1, {last}) with B and {last} of encoder's {tuple(encoder.shape)}"
    same = encoder.shape[::2] == predictor.shape[::2]
    _expect(same, ValueError, f"predictor has the shape {tuple(predictor.shape)}", expected)


# ---- the loss of a joint with a hidden layer ------------------------------------------------------------------------


class _Joint(torch.autograd.Function):
    """The joint of Graves, Mohamed and Hinton 2013, a piece of the lattice at a time, computed again going back.

    What is built for a piece is used up while it is in the cache, so that computing it twice costs little.
    """

    @staticmethod
    def forward(ctx, encoder, predictor, weight, bias, targets: _Targets, occupy: bool, narrow: torch.dtype) -> Tensor:
        rows, T = encoder.shape[:2]
        width = predictor.shape[1]
        if targets.padding:  # whatever stands there, no numbers included
            encoder = encoder.masked_fill(targets.padding.blank[:, :, :1], 0)
            predictor = predictor.masked_fill(targets.padding.blank[:, 0, :, None], 0)
        found, dtype = _Found(encoder, rows, T, width, targets), _precise(narrow)
        matrix, offset = weight.to(narrow), bias.to(narrow)
        for part in _pieces(rows, T, width * max(weight.shape), encoder.device):
            found.add(part, nn.functional.linear(_hidden(encoder, predictor, part, narrow), matrix, offset).to(dtype))
        names, wanted = "encoder, predictor, weight or bias", dtype if occupy else None
        likelihoods, ctx.occupancies = _solve(found.scores, found.normaliser, targets, names, wanted)
        ctx.targets, ctx.narrow = targets, narrow
        ctx.save_for_backward(encoder, predictor, weight, bias)
        return -likelihoods.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: Tensor) -> tuple[Tensor | None, ...]:
        encoder, predictor, weight, bias = ctx.saved_tensors
        rows, T = encoder.shape[:2]
        precise, narrow = _precise(ctx.narrow), ctx.narrow
        nodes, arcs = _spread(ctx.occupancies, slope)
        matrix, offset = weight.to(narrow), bias.to(narrow)
        slopes = [torch.zeros_like(tensor, dtype=precise) for tensor in (encoder, predictor, weight, bias)]
        with _without_autocast(slope):
            for part in _pieces(rows, T, predictor.shape[1] * max(weight.shape), encoder.device):
                hidden = _hidden(encoder, predictor, part, narrow)
                probabilities = nn.functional.linear(hidden, matrix, offset).softmax(3, dtype=precise)
                indices = _label_indices(ctx.targets, part, T)
                score = _slope_of_scores(probabilities, part, nodes, arcs, indices, ctx.targets)
                slopes[3] += score.sum((0, 1, 2))
                score = score.to(narrow)
                slopes[2] += score.flatten(0, 2).T @ hidden.flatten(0, 2)
                # The slope of tanh is 1 - tanh².
                before = (score @ matrix).to(precise).mul_(1 - hidden.to(precise).square_())
                slopes[0][part] = before.sum(2)
                slopes[1][part[0]] += before.sum(1)
        types = (tensor.dtype for tensor in ctx.saved_tensors)
        return *(grad.to(dtype) for grad, dtype in zip(slopes, types, strict=True)), None, None, None


def _hidden(encoder: Tensor, predictor: Tensor, part: tuple[slice, slice], dtype: torch.dtype) -> Tensor:
    """The hidden layer (b, t, U + 1, H) of a part of the lattice."""
    f, g = (tensor.to(_precise(dtype)) for tensor in (encoder[part], predictor[part[0]]))
    return (f[:, :, None] + g[:, None]).tanh_().to(dtype)


def joint_transducer_loss(
    encoder: Tensor,
    predictor: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: Reduction = "mean",
) -> Tensor:
    """The transducer's loss with a hidden layer: the scores are weight tanh(encoder[t] + predictor[u]) + bias.

    The same as `transducer_loss` of these scores, which exist for a piece of the lattice at a time only, so that the
    memory beyond the gradients' does not grow with T·U·V. Inside autocast, products run in its type. (The joint is
    that of Graves, Mohamed and Hinton 2013, *Speech recognition with deep recurrent neural networks*.)

    Args:
        encoder: (B, T, H).
        predictor: (B, U + 1, H).
        weight: (V, H).
        bias: (V,).
        targets: (B, U), as `transducer_loss` has them, and what follows likewise.
        logit_lengths: (B,).
        target_lengths: (B,).
        blank: the symbol for "next input".
        reduction: `mean`, `sum` or `none`.

    Returns:
        As `transducer_loss`.

    Raises:
        TypeError, ValueError: as `transducer_loss`.
    """
    for name, scores in (("encoder", encoder), ("predictor", predictor)):
        _expect(scores.dim() == 3, ValueError, f"{name} has the shape {tuple(scores.shape)}", "three dimensions")
    _expect_match(encoder, predictor, "H")
    fits = weight.dim() == 2 and weight.shape[1] == encoder.shape[2]
    _expect(fits, ValueError, f"weight has the shape {tuple(weight.shape)}", f"(V, {encoder.shape[2]})")
    _expect(bias.shape == weight.shape[:1], ValueError, f"bias has the shape {tuple(bias.shape)}", f"({len(weight)},)")
    _expect_reduction(reduction)
    _expect_alike({"encoder": encoder, "predictor": predictor, "weight": weight, "bias": bias})
    sizes = (len(encoder), encoder.shape[1], predictor.shape[1], len(weight))
    checked = _checked(sizes, encoder.device, targets, logit_lengths, target_lengths, blank)
    inputs = (encoder, predictor, weight, bias)
    occupy = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    narrow = _precise(encoder.dtype)
    if narrow != torch.float64:
        narrow = autocast_dtype(encoder) or narrow
    with _without_autocast(encoder):
        losses = _Joint.apply(*inputs, checked, occupy, narrow)
    return _reduced(losses, reduction)


# ---- the model ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Size:
    """The size of a transducer.

    inputs: how many input symbols there are. symbols: V, the blank included, which is 0.
    embedding: the width of an embedding. encoder: of the state of one direction. layers: of the encoder.
    predictor: of the state of the predictor.
    joint: H, the width of the hidden layer of the joint; None for Graves' additive joint, which has none.
    dropout: the part of a state's components that training hides.
    """

    inputs: int
    symbols: int
    embedding: int = 128
    encoder: int = 160
    layers: int = 2
    predictor: int = 160
    joint: int | None = None
    dropout: float = 0.2


class Encoder(nn.Module):
    """Reads a sequence of symbols in both directions, in layers.

    Args:
        inputs: how many symbols there are.
        embedding, width, layers: of an embedding, of a direction's state, and how many.
        dropout: the part of a state's components that training hides.
    """

    def __init__(self, inputs: int, embedding: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.embedding = nn.Embedding(inputs, embedding)
        self.lstm = BidirectionalLSTM(embedding, width, layers, dropout)

    def forward(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Source ids (B, T) with lengths (B,) to states (B, T, 2 * width)."""
        return self.lstm(self.embedding(source), lengths)[0]


class State(NamedTuple):
    """What the predictor remembers of the labels so far, each part (N, predictor) for N outputs."""

    hidden: Tensor
    cell: Tensor


class Transducer(nn.Module):
    """Encoder, predictor and joint. Called with a batch, it returns the loss summed over its rows, in nats.

    Args:
        size: how large, and which joint.
    """

    def __init__(self, size: Size):
        super().__init__()
        self.size = size
        width = size.symbols if size.joint is None else size.joint
        self.encoder = Encoder(size.inputs, size.embedding, size.encoder, size.layers, size.dropout)
        self.embedding = nn.Embedding(size.symbols, size.embedding)
        self.predictor = nn.LSTM(size.embedding, size.predictor, batch_first=True)
        self.hide = LockedDropout(size.dropout)
        self.from_encoder = nn.Linear(2 * size.encoder, width)
        self.from_predictor = nn.Linear(size.predictor, width, bias=False)
        self.output = None if size.joint is None else nn.Linear(width, size.symbols)

    def encode(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Source ids (B, T) with lengths (B,) to what the joint gets from them (B, T, V or H), float32."""
        return _exactly(self.from_encoder, self.encoder(source, lengths))

    def predict(self, labels: Tensor) -> Tensor:
        """Labels (B, U) to what the joint gets before, between and behind them (B, U + 1, V or H), float32."""
        # The blank is never a label, so that its embedding is free to say that nothing is written yet.
        states, _ = self.predictor(self.embedding(nn.functional.pad(labels, (1, 0), value=BLANK)))
        return _exactly(self.from_predictor, self.hide(states))

    def start(self, rows: int) -> tuple[Tensor, State]:
        """What `advance` returns before the first label, for so many outputs."""
        weight = self.embedding.weight
        nothing = weight.new_zeros(rows, self.size.predictor)
        return self.advance(torch.full((rows,), BLANK, device=weight.device), State(nothing, nothing))

    def advance(self, labels: Tensor, state: State) -> tuple[Tensor, State]:
        """One label further (N,): what the joint gets from the predictor (N, V or H), and its state."""
        outputs, after = self.predictor(self.embedding(labels)[:, None], tuple(part[None] for part in state))
        return _exactly(self.from_predictor, outputs[:, 0]), State(*(part[0] for part in after))

    def joint(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        """Scores of the next symbol (*, V) where an input and the labels before meet, of shapes that broadcast."""
        met = encoded + predicted
        return met if self.output is None else _exactly(self.output, met.tanh())

    def losses(self, batch: Batch) -> Tensor:
        """Minus the log-likelihood of each row's target (B,), in nats."""
        encoded, predicted = self.encode(batch.source, batch.source_lengths), self.predict(batch.target)
        given = (batch.target, batch.source_lengths, batch.target_lengths, BLANK, "none")
        if self.output is None:
            return additive_transducer_loss(encoded, predicted, *given)
        return joint_transducer_loss(encoded, predicted, self.output.weight, self.output.bias, *given)

    def forward(self, batch: Batch) -> Tensor:
        """The loss summed over the batch's rows; one without a target counts for nothing."""
        return self.losses(batch)[batch.target_lengths > 0].sum()


def _exactly(layer: nn.Linear, states: Tensor) -> Tensor:
    """A layer outside autocast: scores keep the precision that the loss needs, for next to no time."""
    with _without_autocast(states):
        return layer(states.to(layer.weight.dtype))


# ---- decoding -------------------------------------------------------------------------------------------------------


@torch.no_grad()
def greedy(model: Transducer, source: Tensor, lengths: Tensor, most: int = 10) -> list[list[int]]:
    """The most probable symbol, again and again: one path through the lattice of each source (B, T).

    Args:
        model: the model, in evaluation mode.
        source: ids (B, T).
        lengths: how many count (B,).
        most: how many labels one input may give. Without a cap, a path that never takes a blank never ends.

    Returns:
        The labels of each row. A warning says how many inputs hit the cap.
    """
    _expect(most >= 1, ValueError, f"most is {most}", "at least 1")
    encoded = model.encode(source, lengths)
    rows = torch.arange(len(source), device=source.device)
    predicted, state = model.start(len(source))
    time, here, capped = torch.zeros_like(lengths), torch.zeros_like(lengths), 0
    written: list[list[int]] = [[] for _ in rows]
    while (alive := time < lengths).any():
        symbols = model.joint(encoded[rows, time.clamp(max=source.shape[1] - 1)], predicted).argmax(1)
        full = alive & (symbols != BLANK) & (here == most)
        capped += int(full.sum())
        symbols = symbols.masked_fill(full | ~alive, BLANK)
        writes = symbols != BLANK
        time, here = time + (~writes).long(), torch.where(writes, here + 1, 0)
        for row in writes.nonzero()[:, 0].tolist():
            written[row].append(int(symbols[row]))
        after, new = model.advance(symbols, state)
        predicted = torch.where(writes[:, None], after, predicted)
        state = State(*(torch.where(writes[:, None], *parts) for parts in zip(new, state, strict=True)))
    if capped:
        warnings.warn(f"the cap of {most} labels was hit at {capped} inputs; a higher `most` allows more", stacklevel=3)
    return written


class Hypothesis(NamedTuple):
    """An output, and the logarithm of its probability in nats: that of all its alignments together."""

    labels: list[int]
    log_probability: float


@torch.no_grad()
def beam_search(
    model: Transducer, source: Tensor, lengths: Tensor, width: int = 5, limit: int | None = None
) -> list[list[Hypothesis]]:
    """The most probable outputs found for each source (B, T), best first: up to `width` of each.

    The beam holds prefixes of outputs and not alignments: for each, the probability of standing at (t, u) for every t.
    From it follow exactly the probability of the prefix as an output, and that of all outputs that begin with it and
    one more label, by which prefixes are ranked. Nothing needs merging, every probability that is returned is that of
    the loss, and the search ends when what is left in the beam cannot beat what is found. (The forward variable is
    that of Graves 2012, equation 16; ranking by prefix probabilities is Graves' for CTC, 2006, section 3.2.)

    Args:
        model: the model, in evaluation mode.
        source: ids (B, T).
        lengths: how many count (B,).
        width: K, how many prefixes are kept.
        limit: the most labels that an output may have; without it, twice the inputs and ten.
    """
    _expect(width >= 1, ValueError, f"width is {width}", "at least 1")
    beams = _Beams(model, source, lengths, width)
    for _ in range(2 * source.shape[1] + 10 if limit is None else limit):
        beams.finish()
        if not beams.extend():
            break
    else:
        beams.finish()
    return beams.found()


class _Beams:
    """K prefixes for each of B sources, and the best outputs so far."""

    def __init__(self, model: Transducer, source: Tensor, lengths: Tensor, width: int):
        self.model, self.lengths, self.width = model, lengths, width
        self.encoded = model.encode(source, lengths)
        rows, T = source.shape
        self.inside = (torch.arange(T, device=source.device) < lengths[:, None])[:, None]  # (B, 1, T)
        predicted, self.state = model.start(rows * width)
        # At first there is one prefix, the empty one, which stands at t = 0; the other places hold nothing.
        self.arrivals = predicted.new_full((rows, width, T), NEVER, dtype=torch.float64)
        self.arrivals[:, 0, 0] = 0
        self.best = self.arrivals.new_full((rows, width), NEVER)
        self.places = torch.zeros_like(self.best, dtype=torch.long)  # of the best outputs: K * labels + beam
        self.parents: list[Tensor] = []
        self.labels: list[Tensor] = []
        self._look(predicted)

    def _look(self, predicted: Tensor) -> None:
        """Scores of what may follow the prefixes, and the probability of standing at each t with them (B, K, T)."""
        self.scores = self.model.joint(self.encoded[:, None], predicted.unflatten(0, (-1, self.width))[:, :, None])
        self.probabilities = self.scores.softmax(3)
        self.normaliser = _normaliser(self.scores, self.probabilities, BLANK)
        self.blank = self.scores[..., BLANK].double() - self.normaliser
        standing = [self.arrivals[:, :, 0]]
        for t in range(1, self.blank.shape[2]):
            standing.append(torch.logaddexp(self.arrivals[:, :, t], standing[-1] + self.blank[:, :, t - 1]))
        self.standing = torch.stack(standing, 2).masked_fill(~self.inside, NEVER)

    def finish(self) -> None:
        """Takes the prefixes as outputs, where they are among the best."""
        last = (self.lengths - 1)[:, None, None].expand(-1, self.width, 1)
        ended = (self.standing + self.blank).gather(2, last)[:, :, 0]
        here = len(self.labels) * self.width + torch.arange(self.width, device=ended.device).expand_as(ended)
        self.best, chosen = torch.cat([self.best, ended], 1).topk(self.width, 1)
        self.places = torch.cat([self.places, here], 1).gather(1, chosen)

    def extend(self) -> bool:
        """Puts the most probable prefixes of one more label into the beam; False when none can become an output."""
        top = self.standing.amax(2, keepdim=True)
        weights = (self.standing - top).exp().to(self.probabilities.dtype)
        # The probability of all outputs that begin so: each passes from u to u + 1 once, at one t.
        begun = (weights[:, :, None] @ self.probabilities)[:, :, 0].double().log() + top
        begun[:, :, BLANK] = NEVER
        chances, chosen = begun.flatten(1).topk(self.width, 1)
        if not (chances[:, 0] > self.best[:, -1]).any():
            return False
        parents, labels = chosen // begun.shape[2], chosen % begun.shape[2]
        self.parents.append(parents)
        self.labels.append(labels)
        scores = self.scores.gather(1, parents[:, :, None, None].expand_as(self.scores))
        wanted = labels[:, :, None, None].expand(-1, -1, scores.shape[2], 1)
        taken = scores.gather(3, wanted)[..., 0].double()
        from_parent = parents[:, :, None].expand_as(taken)
        self.arrivals = self.standing.gather(1, from_parent) + taken - self.normaliser.gather(1, from_parent)
        rows = torch.arange(len(parents), device=parents.device)[:, None]
        kept = (rows * self.width + parents).flatten()
        predicted, self.state = self.model.advance(labels.flatten(), State(*(part[kept] for part in self.state)))
        self._look(predicted)
        return True

    def found(self) -> list[list[Hypothesis]]:
        """The best outputs of each source, best first."""
        self.taken, self.came = ([step.tolist() for step in steps] for steps in (self.labels, self.parents))
        return [
            [Hypothesis(self._trace(row, place), chance) for place, chance in pairs if chance > NEVER / 2]
            for row, pairs in enumerate(map(zip, self.places.tolist(), self.best.tolist()))
        ]

    def _trace(self, row: int, place: int) -> list[int]:
        length, beam = divmod(place, self.width)
        labels = []
        for step in reversed(range(length)):
            labels.append(self.taken[step][row][beam])
            beam = self.came[step][row][beam]
        return labels[::-1]
