"""Digit strips: what is drawn where, and the network that reads them."""

import pytest
import torch

from tendays.latent import strips
from tendays.latent.alignment import lowest_energy, read, reading_energy
from tendays.latent.strips import APART, Digits, StripReader, distorted, make_strips


def drawn(n=200, seed=0, **more):
    training, _ = strips.digits()
    return make_strips(training, n, torch.Generator().manual_seed(seed), **more)


def test_digits_are_1297_for_training_and_500_held_out():
    training, held_out = strips.digits()
    assert training.images.shape == (1297, 8, 8)
    assert held_out.images.shape == (500, 8, 8)
    assert training.images.min() == 0
    assert training.images.max() == 1


def test_strips_have_the_canvas_gaps_and_noise_that_are_stated():
    made = drawn(2000)
    assert made.images.shape == (2000, 12, 48)
    assert made.labels.shape == made.columns.shape == (2000, 3)
    gaps = made.columns.diff(dim=1) - 8
    assert sorted(set(gaps.flatten().tolist())) == [-1, 0, 1, 2, 3, 4]
    assert made.columns.min() == 0
    assert made.columns.max() == 40
    outside = torch.cat(
        [image[:, int(end) + 8 :].flatten() for image, end in zip(made.images, made.columns[:, 2], strict=True)]
    )
    assert abs(outside.std() - 0.1) < 0.005


def test_a_digit_stands_in_its_columns(monkeypatch):
    monkeypatch.setattr(strips, "NOISE", 0.0)
    bars = Digits(torch.ones(10, 8, 8), torch.arange(10))
    made = make_strips(bars, 50, torch.Generator().manual_seed(0))
    for image, columns in zip(made.images, made.columns, strict=True):
        inked = (image > 0).any(0).nonzero()[:, 0].tolist()
        assert inked == sorted({int(start) + offset for start in columns for offset in range(8)})
        assert (image[:, int(columns[0])] > 0).sum() == 8


def test_the_same_seed_gives_the_same_strips():
    assert torch.equal(drawn(seed=3, distort=True).images, drawn(seed=3, distort=True).images)
    assert not torch.equal(drawn(seed=3).images, drawn(seed=4).images)


def test_distortion_moves_a_digit_a_little():
    training, _ = strips.digits()
    moved = distorted(training.images, torch.Generator().manual_seed(0))
    assert moved.shape == training.images.shape
    assert 0.9 < moved.sum() / training.images.sum() < 1.05
    away = (moved - training.images).square().sum((1, 2))
    other = (training.images.roll(1, 0) - training.images).square().sum((1, 2))
    assert 0 < away.mean() < 0.4 * other.mean()


@pytest.mark.parametrize(("n", "count"), [(0, 3), (1, 0)])
def test_no_strips_and_strips_without_digits_are_rejected(n, count):
    with pytest.raises(ValueError, match=f"n is {n} and count {count}; expected 1 or more"):
        drawn(n, count=count)


def test_too_many_digits_for_a_strip_are_rejected():
    assert drawn(1, count=4).labels.shape == (1, 4)
    with pytest.raises(ValueError, match="5 digits in a strip need up to 56 columns; expected at most 48"):
        drawn(1, count=5)


def test_digits_that_do_not_fit_their_labels_are_rejected():
    with pytest.raises(ValueError, match=r"images \(2, 3, 8, 8\) and labels \(3, 2\) do not fit"):
        strips.place(torch.zeros(2, 3, 8, 8), torch.zeros(3, 2), torch.Generator())


def test_a_reader_gives_energies_for_every_second_column_of_any_width():
    reader = StripReader().eval()
    assert reader(torch.zeros(2, 12, 48)).shape == (2, 24, 10)
    assert reader(torch.zeros(1, 12, 80)).shape == (1, 40, 10)


def test_a_column_of_energies_sees_18_columns_of_pixels():
    image = torch.zeros(1, 12, 80, requires_grad=True)
    StripReader().eval()(image + torch.randn(1, 12, 80))[0, 20].sum().backward()
    seen = image.grad.abs().sum((0, 1)).nonzero()[:, 0]
    assert seen.max() - seen.min() < 18


def test_a_reader_learns_one_batch_by_heart():
    torch.manual_seed(0)
    batch, reader = drawn(8), StripReader()
    optimizer = torch.optim.Adam(reader.parameters(), lr=0.01)
    for _ in range(25):
        energies = reader(batch.images)
        loss = (reading_energy(energies, batch.labels, 1.0, APART) - lowest_energy(energies, 1.0, APART)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = read(reader(batch.images), APART)
    assert sum(reading.labels == labels for reading, labels in zip(found, batch.labels.tolist(), strict=True)) >= 7
