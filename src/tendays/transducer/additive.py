"""The transducer's loss with the additive joint."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tendays.transducer.arguments import (
    Arcs,
    Reduction,
    _checked,
    _expect,
    _expect_alike,
    _expect_match,
    _expect_reduction,
    _reduced,
    _Targets,
)
from tendays.transducer.lattice import _solve, _spread
from tendays.transducer.scores import _precise, _without_autocast
from tendays.transducer.tiles import _at_once


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
