"""The transducer's loss with Graves' additive joint, without the scores of every node.

With encoder scores f (T, V) and predictor scores g (U + 1, V), symbol k has the score f[t, k] + g[u, k] at node (t, u).
The normalisers of all nodes are one matrix product, and so are the gradients that come through them:

    S = exp(f - max f) exp(g - max g)^T                                             # (T, U + 1)
    log Z(t, u) = log S(t, u) + max f[t] + max g[u]
    W = n / S, with the nodes' occupancies n
    grad f = exp(f - max f) ⊙ (W exp(g - max g)) - occupancies of t's arcs, each at the symbol of its arc
    grad g = exp(g - max g) ⊙ (W^T exp(f - max f)) - occupancies of u's arcs, each at the symbol of its arc

All terms of S are positive, so nothing cancels. Where f and g are large at different symbols, S may underflow; these
nodes, few if any, are computed one by one, by a log-sum-exp in float64.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tendays.transducer import lattice
from tendays.transducer.arguments import (
    Padding,
    Reduction,
    Targets,
    checked_targets,
    expect_dimensions,
    expect_fitting_predictor,
    expect_one_dtype,
    expect_reduction,
    reduced,
)
from tendays.transducer.precision import accumulate_dtype, without_autocast
from tendays.transducer.tiles import per_tile


class _AdditiveLoss(torch.autograd.Function):
    """Scores (B, T, V) and (B, U + 1, V) to losses (B,).

    exp(f - max f) is computed for a tile of sequences, and again in the backward pass: that takes less time than the
    allocation of memory for all of it.
    """

    @staticmethod
    def forward(ctx, encoder: Tensor, predictor: Tensor, targets: Targets, needs_grad: bool) -> Tensor:
        dtype, padding = accumulate_dtype(encoder.dtype), targets.padding
        f, g = encoder.to(dtype), predictor.to(dtype)
        max_f, max_g = f.amax(2), g.amax(2)  # (B, T), (B, U + 1)
        exp_g = _scaled_exp(g, max_g, None if padding is None else padding.predictor)
        sums = f.new_empty(*f.shape[:2], g.shape[1])  # (B, T, U + 1)
        for rows, exp_f in _exp_f_tiles(f, max_f, padding):
            torch.bmm(exp_f, exp_g[rows].transpose(1, 2), out=sums[rows])
        underflowed = _underflowed(sums, padding)  # (N, 3)
        exact = _exact_normaliser(f, g, underflowed)  # (N,)
        max_f_g = max_f.double()[:, :, None], max_g.double()[:, None]
        normaliser = sums.to(torch.float64, copy=True).log_().add_(max_f_g[0]).add_(max_f_g[1])
        normaliser[tuple(underflowed.unbind(1))] = exact
        arc_scores = _arc_scores(f, g, normaliser, targets)
        arc_scores.set_padding_(padding)
        arc_scores.expect_finite("encoder or predictor")
        log_likelihoods, shares = lattice.forward(arc_scores, targets, needs_grad)
        if needs_grad:
            occupancies = lattice.occupancies(shares, targets, dtype)
            # A weight W of 0 takes underflowed nodes and padding out of the products of the backward pass.
            sums[tuple(underflowed.unbind(1))] = float("inf")
            if padding is not None:
                sums.masked_fill_(padding.blank, float("inf"))
            ctx.targets, ctx.dtype = targets, encoder.dtype
            ctx.save_for_backward(f, g, max_f, exp_g, sums, underflowed, exact, *occupancies)
        return -log_likelihoods.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        f, g, max_f, exp_g, sums, underflowed, exact, *occupancies = ctx.saved_tensors
        targets = ctx.targets
        occupancies = lattice.Occupancies(*occupancies).weighted_by(upstream)
        weights = occupancies.nodes / sums  # (B, T, U + 1)
        grad_f, grad_g = torch.empty_like(f), torch.empty_like(g)
        with without_autocast(upstream):
            for rows, exp_f in _exp_f_tiles(f, max_f, targets.padding):
                torch.bmm(weights[rows].transpose(1, 2), exp_f, out=grad_g[rows])
                torch.bmm(weights[rows], exp_g[rows], out=grad_f[rows]).mul_(exp_f)
        grad_g.mul_(exp_g)
        count = per_tile(f.shape[2], f.device)
        for nodes, log_z in zip(underflowed.split(count), exact.split(count), strict=True):
            b, t, u = nodes.unbind(1)
            expected = (f[b, t].double() + g[b, u].double() - log_z[:, None]).exp_().to(f.dtype)
            expected *= occupancies.nodes[b, t, u, None]
            grad_f.index_put_((b, t), expected, accumulate=True)
            grad_g.index_put_((b, u), expected, accumulate=True)
        blank, label = occupancies.blank, occupancies.label
        grad_f.scatter_add_(2, targets.labels[:, None].expand_as(label), -label)
        grad_g[:, :-1].scatter_add_(2, targets.labels[:, :, None], -label.sum(1)[:, :, None])
        grad_f[:, :, targets.blank] -= blank.sum(2)
        grad_g[:, :, targets.blank] -= blank.sum(1)
        return grad_f.to(ctx.dtype), grad_g.to(ctx.dtype), None, None


def _scaled_exp(scores: Tensor, maxima: Tensor, padding: Tensor | None) -> Tensor:
    """exp(scores - maxima), of scores (B, *, V) and their maxima (B, *); 0 in padding (B, *)."""
    scaled = (scores - maxima[:, :, None]).exp_()
    return scaled if padding is None else scaled.masked_fill_(padding[:, :, None], 0)


def _exp_f_tiles(f: Tensor, max_f: Tensor, padding: Padding | None) -> Iterator[tuple[slice, Tensor]]:
    """Tiles of whole sequences, each with exp(f - max f) of them."""
    height = per_tile(f[0].numel(), f.device)
    for row in range(0, len(f), height):
        rows = slice(row, row + height)
        yield rows, _scaled_exp(f[rows], max_f[rows], None if padding is None else padding.encoder[rows])


def _underflowed(sums: Tensor, padding: Padding | None) -> Tensor:
    """The nodes (N, 3) outside padding whose sum is so small that terms of it may be denormal or 0."""
    small = sums < torch.finfo(sums.dtype).tiny ** 0.5
    if padding is not None:
        small &= ~padding.blank
    return small.nonzero()


def _exact_normaliser(f: Tensor, g: Tensor, nodes: Tensor) -> Tensor:
    """The normaliser of single nodes (N, 3) as a log-sum-exp in float64 (N,)."""
    tiles = (tile.unbind(1) for tile in nodes.split(per_tile(f.shape[2], f.device)))
    return torch.cat([(f[b, t].double() + g[b, u].double()).logsumexp(1) for b, t, u in tiles])


def _arc_scores(f: Tensor, g: Tensor, normaliser: Tensor, targets: Targets) -> lattice.ArcScores:
    """The arc scores in float64, from encoder scores (B, T, V) and predictor scores (B, U + 1, V)."""
    labels = targets.labels
    blank = f[:, :, targets.blank].double()[:, :, None] + g[:, :, targets.blank].double()[:, None]
    label = f.gather(2, labels[:, None].expand(-1, f.shape[1], -1)).double()
    label.add_(g[:, :-1].gather(2, labels[:, :, None]).double().transpose(1, 2))
    return lattice.ArcScores(blank, label, normaliser)


def additive_transducer_loss(
    encoder: Tensor,
    predictor: Tensor,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: Reduction = "mean",
) -> Tensor:
    """The transducer's loss with Graves' joint: symbol k has the score encoder[t, k] + predictor[u, k] at (t, u).

    It equals ``transducer_loss(encoder[:, :, None] + predictor[:, None], …)`` without building these scores: time and
    memory grow with T·V + U·V + T·U. (Graves 2012, equations 12 to 20.)

    The normaliser as a matrix product is that of awni/transducer (2022) and of k2's fast_rnnt (Kuang et al. 2022),
    which hides underflow by a tiny constant in the sum; recursions by batched matrices are those of Bagby et al. 2018.
    Ours: the exact fallback for sums that underflow, the lattice in float64, and the backward pass by shares.

    Args:
        encoder: (B, T, V), scores from the inputs.
        predictor: (B, U + 1, V), scores from the labels: before the first, between two, behind the last.
        targets: (B, U); this and the following as for `transducer_loss`.
        logit_lengths: (B,).
        target_lengths: (B,).
        blank: the symbol for "next input".
        reduction: `mean`, `sum` or `none`.

    Returns:
        As `transducer_loss`.

    Raises:
        TypeError, ValueError: as `transducer_loss`.
    """
    expect_dimensions(encoder=encoder, predictor=predictor)
    expect_fitting_predictor(encoder, predictor, "V")
    expect_reduction(reduction)
    expect_one_dtype(encoder=encoder, predictor=predictor)
    sizes = (*encoder.shape[:2], *predictor.shape[1:])
    checked = checked_targets(sizes, encoder.device, targets, logit_lengths, target_lengths, blank)
    needs_grad = torch.is_grad_enabled() and (encoder.requires_grad or predictor.requires_grad)
    with without_autocast(encoder):
        losses = _AdditiveLoss.apply(encoder, predictor, checked, needs_grad)
    return reduced(losses, reduction)
