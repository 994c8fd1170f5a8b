"""Outlier detection on scikit-learn's digits: the data, six kinds of outlier, three baselines, the score.

A model is fitted to digits of the classes 0–7. Its energy should be higher on what is no such digit. Images are vectors
of 64 pixels, row by row, from 0 (blank) to 1. Shapes: N images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

SIDE = 8  # pixels
CLASSES = 8  # 0–7 are inliers; 8 and 9 are outliers
NOISE = 0.2  # standard deviation of the outliers "Gaussian noise"

Energy = Callable[[Tensor], Tensor]
"""An energy, or any other outlier score that is higher for outliers: (N, 64) -> (N,)."""


@dataclass(frozen=True)
class Split:
    """Digits of the classes 0–7, divided at random, and all digits of the classes 8 and 9.

    train, test: images (N, 64) of float32.
    train_labels, test_labels: classes (N,).
    others: the images of 8 and 9 (N, 64).
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    others: Tensor


def split_digits(seed: int, train_share: float = 0.75) -> Split:
    """The digits, divided into training and test digits.

    Args:
        seed: of the division.
        train_share: the part of the digits 0–7 that is for training.

    Raises:
        ValueError: `train_share` leaves no digit for training or none for the test.
    """
    images, labels = load_digits(return_X_y=True)
    pixels, classes = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
    inside = (classes < CLASSES).nonzero().squeeze(1)
    count = round(train_share * len(inside))
    if not 0 < count < len(inside):
        raise ValueError(f"train_share is {train_share}; expected a part of the digits, between 0 and 1")
    order = inside[torch.randperm(len(inside), generator=torch.Generator().manual_seed(seed))]
    train, test = order[:count], order[count:]
    return Split(pixels[train], classes[train], pixels[test], classes[test], pixels[classes >= CLASSES])


def outliers(split: Split, seed: int) -> dict[str, Tensor]:
    """Six kinds of outlier, each (N, 64); all but the first and the last are made from the test digits.

    Means are of two different test digits, whose classes may be the same. Pixels stay between 0 and 1.

    Args:
        split: the digits.
        seed: of the noise and of the pairs.
    """
    generator = torch.Generator().manual_seed(seed)
    test, count = split.test, len(split.test)
    pictures = test.view(count, SIDE, SIDE)
    noise = NOISE * torch.randn(test.shape, generator=generator)
    partner = (torch.arange(count) + int(torch.randint(1, count, (), generator=generator))) % count
    return {
        "digits 8, 9": split.others,
        "upside down": pictures.flip(1).reshape(count, -1),
        "transposed": pictures.transpose(1, 2).reshape(count, -1),
        "Gaussian noise": (test + noise).clamp(0, 1),
        "mean of two": (test + test[partner]) / 2,
        "uniform noise": torch.rand(test.shape, generator=generator),
    }


def auroc(inside: Tensor, outside: Tensor) -> float:
    """The area under the ROC curve: how often an outlier has a higher energy than an inlier, ties counted as half.

    Args:
        inside: energies of inliers (N,).
        outside: energies of outliers; another number of them.

    Raises:
        ValueError: one of them is empty or holds something that is not finite.
    """
    for name, energies in (("inside", inside), ("outside", outside)):
        if energies.ndim != 1 or not len(energies):
            raise ValueError(f"{name} has the shape {tuple(energies.shape)}; expected (N,), not empty")
        if not energies.isfinite().all():
            raise ValueError(f"{name} holds {energies[~energies.isfinite()][0]}; expected finite energies")
    labels = np.repeat([0, 1], [len(inside), len(outside)])
    return float(roc_auc_score(labels, torch.cat([inside, outside]).detach().cpu().numpy()))


@torch.no_grad()
def outlier_aurocs(energy: Energy, inliers: Tensor, kinds: Mapping[str, Tensor]) -> dict[str, float]:
    """The AUROC of an energy on each kind of outlier.

    Args:
        energy: higher for outliers.
        inliers: test digits (N, 64).
        kinds: images of each kind, as `outliers` makes them.
    """
    inside = energy(inliers)
    return {kind: auroc(inside, energy(images)) for kind, images in kinds.items()}


def mixture_energy(
    train: Tensor, seed: int, components: int = 20, floor: float = 3e-3
) -> tuple[Energy, GaussianMixture]:
    """Minus the log-density of a mixture of Gaussians with full covariances, as an energy, and the fitted mixture.

    Args:
        train: images (N, 64).
        seed: of the fit.
        components: how many Gaussians.
        floor: what is added to each variance, so that pixels that are always blank have one.
    """
    mixture = GaussianMixture(components, reg_covar=floor, random_state=seed).fit(train.numpy().astype(np.float64))
    return _on_arrays(lambda images: -mixture.score_samples(images)), mixture


def neighbour_energy(train: Tensor) -> Energy:
    """The distance to the nearest training image, as an energy."""
    neighbours = NearestNeighbors(n_neighbors=1).fit(train.numpy().astype(np.float64))
    return _on_arrays(lambda images: neighbours.kneighbors(images)[0][:, 0])


def logistic_energy(train: Tensor, labels: Tensor) -> tuple[Energy, LogisticRegression]:
    """Minus the logsumexp of a logistic regression's logits, as an energy, and the fitted classifier.

    Args:
        train: images (N, 64).
        labels: their classes (N,).
    """
    classifier = LogisticRegression(C=10, max_iter=5000).fit(train.numpy().astype(np.float64), labels.numpy())
    return _on_arrays(lambda images: -logsumexp(classifier.decision_function(images), axis=1)), classifier


def _on_arrays(score: Callable[[np.ndarray], np.ndarray]) -> Energy:
    """A function of float64 arrays as one of tensors."""
    return lambda images: torch.from_numpy(score(images.detach().cpu().numpy().astype(np.float64)))
