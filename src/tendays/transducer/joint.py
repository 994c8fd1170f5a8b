"""The transducer's loss with a hidden layer in the joint, whose scores exist for a tile of the lattice at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tendays.machine import autocast_dtype
from tendays.transducer import lattice
from tendays.transducer.arguments import (
    Reduction,
    Targets,
    checked_targets,
    expect,
    expect_dimensions,
    expect_fitting_predictor,
    expect_one_dtype,
    expect_reduction,
    reduced,
)
from tendays.transducer.precision import accumulate_dtype, without_autocast
from tendays.transducer.scores import empty_arc_scores, grad_of_scores_, set_arc_scores_
from tendays.transducer.tiles import Tile, tiles


class _JointLoss(torch.autograd.Function):
    """The joint of Graves, Mohamed and Hinton 2013 by tiles, recomputed in the backward pass.

    What is built for a tile is used up while it is in the cache, so that computing it twice costs little. Products run
    in the compute dtype; tanh, softmax and sums in the accumulate dtype.
    """

    @staticmethod
    def forward(
        ctx,
        encoder: Tensor,
        predictor: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Targets,
        needs_grad: bool,
        compute_dtype: torch.dtype,
    ) -> Tensor:
        if targets.padding is not None:  # where scores may be NaN
            encoder = encoder.masked_fill(targets.padding.encoder[:, :, None], 0)
            predictor = predictor.masked_fill(targets.padding.predictor[:, :, None], 0)
        dtype = accumulate_dtype(compute_dtype)
        matrix, offset = weight.to(compute_dtype), bias.to(compute_dtype)
        arc_scores = empty_arc_scores(encoder, (*encoder.shape[:2], predictor.shape[1]), dtype)
        for tile in _tiles(encoder, predictor, weight):
            # Nested, so that no name keeps a tile's hidden layer and scores while the next are built.
            set_arc_scores_(
                arc_scores,
                tile,
                nn.functional.linear(_hidden(encoder, predictor, tile, compute_dtype), matrix, offset).to(dtype),
                targets,
            )
        arc_scores.set_padding_(targets.padding)
        arc_scores.expect_finite("encoder, predictor, weight or bias")
        log_likelihoods, shares = lattice.forward(arc_scores, targets, needs_grad)
        if needs_grad:
            ctx.targets, ctx.compute_dtype = targets, compute_dtype
            occupancies = lattice.occupancies(shares, targets, dtype)
            ctx.save_for_backward(encoder, predictor, weight, bias, *occupancies)
        return -log_likelihoods.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, upstream: Tensor) -> tuple[Tensor | None, ...]:
        encoder, predictor, weight, bias, *occupancies = ctx.saved_tensors
        compute_dtype, dtype = ctx.compute_dtype, accumulate_dtype(ctx.compute_dtype)
        occupancies = lattice.Occupancies(*occupancies).weighted_by(upstream)
        matrix, offset = weight.to(compute_dtype), bias.to(compute_dtype)
        grads = [torch.zeros_like(tensor, dtype=dtype) for tensor in (encoder, predictor, weight, bias)]
        grad_encoder, grad_predictor, grad_weight, grad_bias = grads
        with without_autocast(upstream):
            for tile in _tiles(encoder, predictor, weight):
                hidden = _hidden(encoder, predictor, tile, compute_dtype)  # (b, t, U + 1, H)
                probabilities = nn.functional.linear(hidden, matrix, offset).softmax(3, dtype=dtype)
                grad_scores = grad_of_scores_(probabilities, occupancies, tile, ctx.targets)  # (b, t, U + 1, V)
                grad_bias += grad_scores.sum((0, 1, 2))
                grad_scores = grad_scores.to(compute_dtype)
                grad_weight += grad_scores.flatten(0, 2).T @ hidden.flatten(0, 2)
                # The derivative of tanh is 1 - tanh².
                grad_sum = (grad_scores @ matrix).to(dtype).mul_(1 - hidden.to(dtype).square_())
                grad_encoder[tile] = grad_sum.sum(2)
                grad_predictor[tile[0]] += grad_sum.sum(1)
        return *(grad.to(encoder.dtype) for grad in grads), None, None, None


def _tiles(encoder: Tensor, predictor: Tensor, weight: Tensor) -> Iterator[Tile]:
    """Tiles of (B, T) for the larger of a tile's hidden layer and its scores."""
    B, T = encoder.shape[:2]
    return tiles(B, T, predictor.shape[1] * max(weight.shape), encoder.device)


def _hidden(encoder: Tensor, predictor: Tensor, tile: Tile, compute_dtype: torch.dtype) -> Tensor:
    """The hidden layer (b, t, U + 1, H) of a tile."""
    f, g = (tensor.to(accumulate_dtype(compute_dtype)) for tensor in (encoder[tile], predictor[tile[0]]))
    return (f[:, :, None] + g[:, None]).tanh_().to(compute_dtype)


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

    It equals `transducer_loss` of these scores, which exist for a tile of the lattice at a time, so that the memory
    beyond the gradients' does not grow with T·U·V. Inside autocast, products run in its dtype. (The joint is that of
    Graves, Mohamed and Hinton 2013, *Speech recognition with deep recurrent neural networks*.)

    Args:
        encoder: (B, T, H).
        predictor: (B, U + 1, H).
        weight: (V, H).
        bias: (V,).
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
    expect_fitting_predictor(encoder, predictor, "H")
    fits = weight.dim() == 2 and weight.shape[1] == encoder.shape[2]
    expect(fits, ValueError, f"weight has the shape {tuple(weight.shape)}", f"(V, {encoder.shape[2]})")
    expect(bias.shape == weight.shape[:1], ValueError, f"bias has the shape {tuple(bias.shape)}", f"({len(weight)},)")
    expect_reduction(reduction)
    expect_one_dtype(encoder=encoder, predictor=predictor, weight=weight, bias=bias)
    sizes = (len(encoder), encoder.shape[1], predictor.shape[1], len(weight))
    checked = checked_targets(sizes, encoder.device, targets, logit_lengths, target_lengths, blank)
    inputs = (encoder, predictor, weight, bias)
    needs_grad = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    compute_dtype = accumulate_dtype(encoder.dtype)
    if compute_dtype != torch.float64:
        compute_dtype = autocast_dtype(encoder) or compute_dtype
    with without_autocast(encoder):
        losses = _JointLoss.apply(*inputs, checked, needs_grad, compute_dtype)
    return reduced(losses, reduction)
