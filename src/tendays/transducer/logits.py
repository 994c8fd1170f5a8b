"""The transducer's loss from the scores of every node."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tendays.transducer.arguments import (
    Reduction,
    _checked,
    _expect,
    _expect_alike,
    _expect_reduction,
    _reduced,
    _Targets,
)
from tendays.transducer.lattice import _solve, _spread
from tendays.transducer.scores import _Found, _label_indices, _precise, _slope_of_scores, _without_autocast
from tendays.transducer.tiles import _pieces


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
