"""Label-smoothed cross-entropy of a linear layer (Szegedy et al. 2016), fused with the layer and its gradient.

With logits z = outputs @ weight.T + bias and p = softmax(z), the loss of the predictions n whose target y_n counts is

    loss = -sum_n [(1 - smoothing) * log p[n, y_n] + smoothing / V * sum_v log p[n, v]]

and its gradients are

    grad_logits[n, v] = p[n, v] - (1 - smoothing) * [v = y_n] - smoothing / V
    grad_outputs = grad_logits @ weight
    grad_weight = grad_logits.T @ outputs
    grad_bias = sum_n grad_logits[n]

All of them are computed in the forward pass, for 512 predictions at a time: logits and grad_logits (N, V), by far the
largest tensors of a training step, never exist as a whole.

Shapes: N predictions, D size of an output, V vocabulary.
"""

import torch
from torch import Tensor

from tendays import machine

SLICE = 512
"""Predictions at a time: on a CPU, their logits stay in the caches."""


class _SmoothedCrossEntropy(torch.autograd.Function):
    """The loss, with its gradients computed in the forward pass and scaled in the backward pass."""

    @staticmethod
    def forward(ctx, outputs, weight, bias, targets, smoothing, ignore):
        # Under autocast, matrix products run in its dtype; sums and logarithms always in float32 or wider.
        accumulate_dtype = torch.promote_types(weight.dtype, torch.float32)
        compute_dtype = machine.autocast_dtype(outputs) or accumulate_dtype
        inputs, matrix = outputs.to(compute_dtype), weight.to(compute_dtype)
        grad_outputs = torch.empty_like(inputs)  # (N, D)
        grad_weight = torch.zeros_like(weight, dtype=accumulate_dtype)  # (V, D)
        grad_bias = torch.zeros_like(bias)  # (V,)
        mean_weight = weight.to(accumulate_dtype).mean(0)  # (D,)
        total = torch.zeros((), dtype=accumulate_dtype, device=weight.device)
        for begin in range(0, len(inputs), SLICE):
            part = slice(begin, begin + SLICE)
            target = targets[part, None]  # (n, 1)
            counts = (target != ignore).to(accumulate_dtype)
            logits = torch.addmm(bias.to(compute_dtype), inputs[part], matrix.T)  # (n, V)
            logp = logits.log_softmax(1, dtype=accumulate_dtype)
            logp_target = logp.gather(1, target)
            # The mean of logp over V is the mean logit less the log-normaliser; the mean logit follows from the mean
            # row of the weight, without a pass over (n, V).
            normaliser = logits.gather(1, target).to(accumulate_dtype) - logp_target
            # Not a matrix product, which autocast would compute in its own dtype.
            mean_logit = (inputs[part].to(accumulate_dtype) * mean_weight).sum(1, keepdim=True) + bias.mean()
            logp_mean = mean_logit - normaliser
            total -= (counts * ((1 - smoothing) * logp_target + smoothing * logp_mean)).sum()
            grad_logits = logp.exp_().sub_(smoothing / len(matrix))
            grad_logits.scatter_add_(1, target, torch.full_like(logp_target, smoothing - 1)).mul_(counts)
            grad_bias.add_(grad_logits.sum(0))
            grad_logits = grad_logits.to(compute_dtype)
            grad_outputs[part] = grad_logits @ matrix
            grad_weight.add_(grad_logits.T @ inputs[part])
        ctx.save_for_backward(grad_outputs.to(outputs.dtype), grad_weight.to(weight.dtype), grad_bias)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_loss):
        grad_outputs, grad_weight, grad_bias = (grad_loss.to(grad.dtype) * grad for grad in ctx.saved_tensors)
        return grad_outputs, grad_weight, grad_bias, None, None, None


def smoothed_cross_entropy(
    outputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, ignore: int = -1
) -> Tensor:
    """The label-smoothed cross-entropy of linear scores, summed over the predictions.

    It equals ``F.cross_entropy(outputs @ weight.T + bias, targets, ignore_index=ignore, label_smoothing=smoothing,
    reduction="sum")``.

    Args:
        outputs: (N, D).
        weight: (V, D).
        bias: (V,).
        targets: (N,), ids below V.
        smoothing: the part of the target's probability that is spread over the vocabulary, from 0 to below 1.
        ignore: the target of predictions that do not count, below V; -1 where all do.

    Returns:
        A tensor of no dimension, in nats. It can be differentiated once.
    """
    return _SmoothedCrossEntropy.apply(outputs, weight, bias, targets, smoothing, ignore)
