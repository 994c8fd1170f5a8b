"""Outliers of the digits: data, kinds, baselines, the score."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits

from tendays.ebm import digits

SPLIT = digits.split_digits(0)
KINDS = digits.outliers(SPLIT, 0)


def as_set(images):
    return {tuple(image) for image in images.tolist()}


def test_a_split_holds_every_digit_once():
    images = torch.cat([SPLIT.train, SPLIT.test, SPLIT.others])
    expected = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    assert sorted(images.tolist()) == sorted(expected.tolist())


def test_eights_and_nines_are_in_neither_part():
    assert set(SPLIT.train_labels.tolist()) == set(SPLIT.test_labels.tolist()) == set(range(8))
    assert len(SPLIT.others) == 354  # 174 eights and 180 nines, by the data set's description
    assert not as_set(SPLIT.others) & as_set(SPLIT.train)


def test_labels_belong_to_their_images():
    images, labels = load_digits(return_X_y=True)
    known = {
        tuple(image): label for image, label in zip((images / 16).astype(np.float32).tolist(), labels, strict=True)
    }
    assert [known[tuple(image)] for image in SPLIT.test.tolist()] == SPLIT.test_labels.tolist()


def test_the_seed_decides_the_split():
    assert torch.equal(digits.split_digits(0).train, SPLIT.train)
    assert not torch.equal(digits.split_digits(1).train, SPLIT.train)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 2.0])
def test_a_share_that_leaves_a_part_empty_is_rejected(share):
    with pytest.raises(ValueError, match="train_share is"):
        digits.split_digits(0, train_share=share)


def test_there_are_six_kinds_of_vectors_of_pixels():
    assert list(KINDS) == [
        "digits 8, 9",
        "upside down",
        "transposed",
        "Gaussian noise",
        "mean of two",
        "uniform noise",
    ]
    for images in KINDS.values():
        assert images.shape[1] == 64
        assert images.min() >= 0
        assert images.max() <= 1


def test_upside_down_reverses_the_rows():
    image = SPLIT.test[3].view(8, 8).tolist()
    assert KINDS["upside down"][3].view(8, 8).tolist() == image[::-1]


def test_transposed_swaps_rows_and_columns():
    image = SPLIT.test[3].view(8, 8).tolist()
    assert KINDS["transposed"][3].view(8, 8).tolist() == [[row[j] for row in image] for j in range(8)]


def test_a_mean_is_of_two_different_test_digits():
    first = SPLIT.test[3]
    second = 2 * KINDS["mean of two"][3] - first
    distances = (SPLIT.test - second).abs().amax(1)
    assert distances.min() < 1e-6
    assert distances.argmin() != 3


def test_noise_has_its_standard_deviation_where_it_is_not_cut_back():
    middle = (SPLIT.test > 0.45) & (SPLIT.test < 0.55)  # 2.25 deviations from either end
    assert (KINDS["Gaussian noise"] - SPLIT.test)[middle].std().item() == pytest.approx(0.2, rel=0.05)


def test_the_seed_decides_the_outliers():
    again, other = digits.outliers(SPLIT, 0), digits.outliers(SPLIT, 1)
    assert all(torch.equal(KINDS[kind], again[kind]) for kind in KINDS)
    assert not torch.equal(KINDS["mean of two"], other["mean of two"])


def test_auroc_counts_pairs_and_halves_ties():
    # pairs (outside, inside): 2 > 1, 2 = 2, 5 > 1, 5 > 2
    assert digits.auroc(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0])) == 3.5 / 4


def test_auroc_below_a_half_prefers_the_outlier():
    assert digits.auroc(torch.tensor([1.0, 2.0]), torch.tensor([0.0])) == 0


@pytest.mark.parametrize(
    ("inside", "outside", "message"),
    [
        ([], [1.0], r"inside has the shape \(0,\)"),
        ([1.0], [[1.0]], r"outside has the shape \(1, 1\)"),
        ([1.0, math.nan], [1.0], "inside holds nan"),
        ([1.0], [math.inf], "outside holds inf"),
    ],
)
def test_energies_that_cannot_be_ranked_are_rejected(inside, outside, message):
    with pytest.raises(ValueError, match=message):
        digits.auroc(torch.tensor(inside), torch.tensor(outside))


def test_an_energy_is_scored_on_each_kind():
    found = digits.outlier_aurocs(
        lambda x: x[:, 0], torch.zeros(2, 64), {"a": torch.ones(3, 64), "b": -torch.ones(1, 64)}
    )
    assert found == {"a": 1.0, "b": 0.0}


def test_the_mixture_of_one_gaussian_is_the_normal_density():
    images = SPLIT.train.double().numpy()
    energy, _ = digits.mixture_energy(SPLIT.train, 0, components=1, floor=0.01)
    covariance = np.cov(images.T, bias=True) + 0.01 * np.eye(64)
    oracle = -multivariate_normal(images.mean(0), covariance).logpdf(SPLIT.test.double().numpy())
    np.testing.assert_allclose(energy(SPLIT.test).numpy(), oracle, rtol=1e-8)


def test_the_neighbours_energy_is_the_shortest_distance():
    distances = torch.cdist(SPLIT.test.double(), SPLIT.train.double()).amin(1)
    torch.testing.assert_close(digits.neighbour_energy(SPLIT.train)(SPLIT.test), distances, atol=1e-9, rtol=0)


def test_the_logistic_energy_is_minus_the_logsumexp_of_the_logits():
    energy, classifier = digits.logistic_energy(SPLIT.train, SPLIT.train_labels)
    images = SPLIT.test[:5].double()
    logits = images @ torch.tensor(classifier.coef_).T + torch.tensor(classifier.intercept_)
    torch.testing.assert_close(energy(SPLIT.test[:5]), -logits.exp().sum(1).log())
