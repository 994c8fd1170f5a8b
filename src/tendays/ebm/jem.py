"""A classifier's logits as an energy (JEM), and how well its probabilities are calibrated.

The logits f_y(x) define e^{f_y(x)} ∝ p(x, y). Summed over y, E(x) = −log Σ_y e^{f_y(x)} is an energy of x; normalised
over y, the same logits are the usual softmax. What is added to all logits of an x changes p(x) alone. (Grathwohl et al.
2020, "Your classifier is secretly an energy based model and you should treat it like one".)

Shapes: N inputs, Y classes, bins of confidence.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor


def logits_energy(logits: Tensor) -> Tensor:
    """The energies E(x) = −log Σ_y e^{f_y(x)} of logits (N, Y) -> (N,).

    Raises:
        ValueError: the logits are not of shape (N, Y) with at least one class.
    """
    if logits.ndim != 2 or not logits.shape[1]:
        raise ValueError(f"logits has the shape {tuple(logits.shape)}; expected (N, Y) with at least one class")
    return -logits.logsumexp(1)


def calibration_statistics(probabilities: Tensor, labels: Tensor, bins: int = 10) -> Tensor:
    """A row for each prediction, whose sums `calibration_error` needs: (N, bins + 1) of float64.

    The confidence of a prediction is its largest probability. Column b has confidence less correctness (0 or 1) where
    the confidence is in the b-th of `bins` intervals of equal width, and 0 elsewhere; the last column is 1.

    Args:
        probabilities: of the classes (N, Y).
        labels: the right classes (N,).
        bins: how many intervals of confidence.

    Raises:
        ValueError: shapes do not match, rows are no probabilities, a label is no class, or `bins` is not positive.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not probabilities.numel():
        raise ValueError(
            f"probabilities has the shape {tuple(probabilities.shape)} and labels {tuple(labels.shape)};"
            " expected (N, Y) and (N,), not empty"
        )
    sums = probabilities.double().sum(1)
    # A sum of NaN is close to nothing, so that NaN is refused too.
    if (probabilities < 0).any() or not torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        raise ValueError("probabilities has a row that is negative or does not sum to 1; expected a softmax's rows")
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise ValueError(f"labels holds a class outside 0–{probabilities.shape[1] - 1}")
    if bins < 1:
        raise ValueError(f"bins is {bins}; expected at least 1")
    confidence, predicted = probabilities.double().max(1)
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1  # intervals contain their upper bound
    rows = torch.zeros(len(labels), bins + 1, dtype=torch.float64)
    rows[torch.arange(len(labels)), place] = confidence - (predicted == labels).double()
    rows[:, -1] = 1
    return rows


def calibration_error(sums: ArrayLike) -> NDArray[np.float64]:
    """The expected calibration error (ECE), from 0 to 1, of summed statistics (..., bins + 1) -> (...).

    It is Σ_b (n_b / N) |mean confidence − accuracy| over the bins b (Guo et al. 2017). As a function of sums it can be
    resampled by `tendays.measure.bootstrap_score` and `paired_bootstrap`.
    """
    rows = np.asarray(sums, dtype=np.float64)
    return np.abs(rows[..., :-1]).sum(-1) / rows[..., -1]
