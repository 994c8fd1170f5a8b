"""The transducer's loss with a hidden layer in the joint."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tendays.machine import autocast_dtype
from tendays.transducer.arguments import (
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
from tendays.transducer.scores import _Found, _label_indices, _precise, _slope_of_scores, _without_autocast
from tendays.transducer.tiles import _pieces


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
