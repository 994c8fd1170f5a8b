"""Label-smoothed cross-entropy."""

import torch
from torch import Tensor

from tendays import machine


class _SmoothedCrossEntropy(torch.autograd.Function):
    """The loss and its gradient together, a slice of predictions at a time: the (N, V) scores never exist at once."""

    SLICE = 512

    @staticmethod
    def forward(ctx, outputs, weight, bias, targets, smoothing, ignore):
        # Inside autocast the products run in its precision; sums and logarithms always in float32 or wider.
        narrow = machine.autocast_dtype(outputs)
        precise = torch.promote_types(weight.dtype, torch.float32)
        points, words = (x.to(narrow or precise) for x in (outputs, weight))
        gradients = torch.empty_like(points), torch.zeros_like(weight, dtype=precise), torch.zeros_like(bias)
        average, total = weight.to(precise).mean(0), torch.zeros((), dtype=precise, device=weight.device)
        for begin in range(0, len(points), _SmoothedCrossEntropy.SLICE):
            here = slice(begin, begin + _SmoothedCrossEntropy.SLICE)
            target = targets[here, None]
            counts = (target != ignore).to(precise)
            logits = torch.addmm(bias.to(points.dtype), points[here], words.T)
            logp = logits.log_softmax(1, dtype=precise)
            right = logp.gather(1, target)
            # The mean of logp over the vocabulary, without a pass over it: mean score less the normaliser.
            normaliser = logits.gather(1, target).to(precise) - right
            # A sum and not a product, which autocast would narrow.
            mean = (points[here].to(precise) * average).sum(1, keepdim=True) + bias.mean() - normaliser
            total -= (counts * ((1 - smoothing) * right + smoothing * mean)).sum()
            slope = logp.exp_().sub_(smoothing / len(words))
            slope.scatter_add_(1, target, torch.full_like(right, smoothing - 1)).mul_(counts)
            gradients[2].add_(slope.sum(0))
            slope = slope.to(points.dtype)
            gradients[0][here] = slope @ words
            gradients[1].add_(slope.T @ points[here])
        ctx.save_for_backward(gradients[0].to(outputs.dtype), gradients[1].to(weight.dtype), gradients[2])
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, scale):
        return *(scale.to(gradient.dtype) * gradient for gradient in ctx.saved_tensors), None, None, None


def smoothed_cross_entropy(
    outputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, ignore: int = -1
) -> Tensor:
    """The summed cross-entropy of linear scores against label-smoothed targets, fast and in little memory.

    The same as ``F.cross_entropy(outputs @ weight.T + bias, targets, ignore_index=ignore, label_smoothing=smoothing,
    reduction="sum")``.

    Args:
        outputs: (N, D).
        weight: (V, D).
        bias: (V,).
        targets: (N,), ids below V.
        smoothing: the part spread over the vocabulary, from 0 to below 1.
        ignore: the target of predictions that do not count, below V; -1 where all do.

    Returns:
        A tensor of no dimension, in nats. It can be differentiated once.
    """
    return _SmoothedCrossEntropy.apply(outputs, weight, bias, targets, smoothing, ignore)
