"""The transducer's loss from the scores of every node."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tendays.transducer import lattice
from tendays.transducer.arguments import (
    Reduction,
    Targets,
    checked_targets,
    expect,
    expect_one_dtype,
    expect_reduction,
    reduced,
)
from tendays.transducer.precision import accumulate_dtype, without_autocast
from tendays.transducer.scores import empty_arc_scores, grad_of_scores_, set_arc_scores_
from tendays.transducer.tiles import tiles


class _LogitsLoss(torch.autograd.Function):
    """Scores (B, T, U + 1, V) to losses (B,): one pass over the scores forward, one backward, both by tiles."""

    @staticmethod
    def forward(ctx, logits: Tensor, targets: Targets, needs_grad: bool) -> Tensor:
        B, T, positions, V = logits.shape
        dtype = accumulate_dtype(logits.dtype)
        arc_scores = empty_arc_scores(logits, (B, T, positions), dtype)
        for tile in tiles(B, T, positions * V, logits.device):
            set_arc_scores_(arc_scores, tile, logits[tile].to(dtype), targets)
        arc_scores.set_padding_(targets.padding)
        arc_scores.expect_finite("logits")
        log_likelihoods, shares = lattice.forward(arc_scores, targets, needs_grad)
        if needs_grad:
            ctx.targets = targets
            ctx.save_for_backward(logits, *lattice.occupancies(shares, targets, dtype))
        return -log_likelihoods.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, upstream: Tensor) -> tuple[Tensor, None, None]:
        logits, *occupancies = ctx.saved_tensors
        B, T, positions, V = logits.shape
        occupancies = lattice.Occupancies(*occupancies).weighted_by(upstream)
        dtype = occupancies.nodes.dtype
        grad_logits = torch.empty_like(logits, memory_format=torch.contiguous_format)
        for tile in tiles(B, T, positions * V, logits.device):
            if logits.dtype == dtype:  # the gradient takes the place of the probabilities
                probabilities = torch.softmax(logits[tile], 3, out=grad_logits[tile])
                grad_of_scores_(probabilities, occupancies, tile, ctx.targets)
            else:
                probabilities = logits[tile].to(dtype).softmax(3)
                grad_logits[tile] = grad_of_scores_(probabilities, occupancies, tile, ctx.targets)
        return grad_logits, None, None


def transducer_loss(
    logits: Tensor,
    targets: Tensor,
    logit_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: Reduction = "mean",
) -> Tensor:
    """The transducer's loss from any scores: minus the log-likelihood of each target, in nats.

    A drop-in replacement for `torchaudio.functional.rnnt_loss`: the same arguments, shapes and meaning, with three
    differences. The default blank is 0, as in PyTorch's CTC loss; T and U may exceed the longest sequence; there is no
    clamp. (Graves 2012, equations 12 to 20.)

    Args:
        logits: (B, T, U + 1, V), scores of the next symbol at every node; their softmax is taken here. Float64,
            float32, or a dtype of 16 bits, which is computed in float32.
        targets: (B, U), int32 or int64, without blanks; values behind a target's end are ignored.
        logit_lengths: (B,), numbers of inputs, from 1 to T.
        target_lengths: (B,), numbers of labels, from 0 to U; a target may have more labels than inputs, or none.
        blank: the symbol for "next input"; a negative one counts from the end.
        reduction: `mean` over the sequences, `sum`, or `none`.

    Returns:
        A tensor of no dimension, or (B,) with `none`; float32 for scores of 16 bits. It can be differentiated once.

    Raises:
        TypeError: an argument has the wrong dtype.
        ValueError: a shape, device, length or label is wrong, or a score outside padding is infinite or NaN.
    """
    expect(logits.dim() == 4, ValueError, f"logits has the shape {tuple(logits.shape)}", "(B, T, U + 1, V)")
    expect_reduction(reduction)
    expect_one_dtype(logits=logits)
    checked = checked_targets(tuple(logits.shape), logits.device, targets, logit_lengths, target_lengths, blank)
    needs_grad = torch.is_grad_enabled() and logits.requires_grad
    with without_autocast(logits):
        losses = _LogitsLoss.apply(logits, checked, needs_grad)
    return reduced(losses, reduction)
