"""The transducer's loss as Graves (2012) writes it: a node at a time, with loops over plain numbers."""

import math

from torch import Tensor


def textbook_loss(logits: Tensor, labels: Tensor) -> tuple[float, Tensor]:
    """The transducer's loss of one sequence and its gradient, one node at a time: equations 16 to 20 of Graves (2012).

    Args:
        logits: (T, U + 1, V); symbol 0 is the blank.
        labels: (U,).

    Returns:
        The loss in nats, and its gradient in the logits (T, U + 1, V).
    """
    log_probabilities = logits.log_softmax(2)
    chosen = labels.long().expand(len(logits), -1)[:, :, None]
    blank = log_probabilities[:, :, 0].double()
    label = log_probabilities[:, :-1].gather(2, chosen)[:, :, 0].double()
    before = blank.new_tensor(_alphas(blank.tolist(), label.tolist()))
    after = blank.new_tensor(_betas(blank.tolist(), label.tolist()))
    likelihood = after[0, 0].item()
    # Posterior probabilities of each node, each blank arc and each label arc, given the labels.
    passed = (before + after[:-1] - likelihood).exp().to(logits.dtype)
    blanks = (before + blank + after[1:] - likelihood).exp().to(logits.dtype)
    written = (before[:, :-1] + label + after[:-1, 1:] - likelihood).exp().to(logits.dtype)
    gradient = log_probabilities.exp_().mul_(passed[:, :, None])
    gradient[:, :, 0] -= blanks
    gradient[:, :-1].scatter_add_(2, chosen, -written[:, :, None])
    return -likelihood, gradient


def _alphas(blank: list[list[float]], label: list[list[float]]) -> list[list[float]]:
    """The forward log-probabilities of the nodes, (T, U + 1), from the arcs' log-probabilities; equation 16."""
    alphas = [[-math.inf] * len(row) for row in blank]
    alphas[0][0] = 0.0
    for t, row in enumerate(alphas):
        for u in range(len(row)):
            if t > 0:
                row[u] = _log_of_sum(row[u], alphas[t - 1][u] + blank[t - 1][u])
            if u > 0:
                row[u] = _log_of_sum(row[u], row[u - 1] + label[t][u - 1])
    return alphas


def _betas(blank: list[list[float]], label: list[list[float]]) -> list[list[float]]:
    """The backward log-probabilities of the nodes, (T + 1, U + 1), the final row included; equation 18."""
    betas = [[-math.inf] * len(row) for row in (*blank, blank[-1])]
    betas[-1][-1] = 0.0
    for t, row in reversed(list(enumerate(betas[:-1]))):
        for u in reversed(range(len(row))):
            row[u] = betas[t + 1][u] + blank[t][u]
            if u + 1 < len(row):
                row[u] = _log_of_sum(row[u], row[u + 1] + label[t][u])
    return betas


def _log_of_sum(a: float, b: float) -> float:
    """log(e^a + e^b), without overflow; either may be -inf."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
