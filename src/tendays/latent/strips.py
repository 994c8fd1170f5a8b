"""Digit strips: several handwritten digits in one image, whose labels are known and whose places are not.

The digits are scikit-learn's (`sklearn.datasets.load_digits`, 8 × 8 pixels with values from 0 to 16). A strip has 12
rows and 48 columns. Its digits stand from left to right with gaps of −1 to 4 columns (at −1 they overlap by a column),
each at its own height, behind a left margin that is uniform over what the canvas leaves; Gaussian noise is added.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

HEIGHT, WIDTH = 12, 48  # of a strip
SIDE = 8  # of a digit
GAPS = (-1, 4)  # the narrowest and the widest gap between two digits, in columns
NOISE = 0.1  # standard deviation; ink is 1 and ground 0
STRIDE = 2  # columns of pixels for each column of energies
APART = 3  # columns of energies between neighbouring digits, at least: 6 pixels, where digits are 7 or more apart
TRAINING_DIGITS = 1297  # of 1,797; the remaining 500 are held out


class Digits(NamedTuple):
    """Images of single digits.

    images: (N, 8, 8), from 0 (ground) to 1 (ink).
    labels: (N,), from 0 to 9.
    """

    images: Tensor
    labels: Tensor


class Strips(NamedTuple):
    """Images of several digits in a row.

    images: (N, 12, 48).
    labels: (N, K), from left to right.
    columns: (N, K), the first of the eight columns of each digit. Training does not see them.
    """

    images: Tensor
    labels: Tensor
    columns: Tensor


def digits() -> tuple[Digits, Digits]:
    """The first 1,297 of scikit-learn's digits for training, and the other 500, which are held out."""
    bunch = load_digits()
    images = torch.tensor(bunch.images / 16, dtype=torch.float32)
    labels = torch.tensor(bunch.target)
    cut = TRAINING_DIGITS
    return Digits(images[:cut], labels[:cut]), Digits(images[cut:], labels[cut:])


def make_strips(digits: Digits, n: int, generator: torch.Generator, *, count: int = 3, distort: bool = False) -> Strips:
    """Strips of digits that are drawn with replacement.

    Args:
        digits: What is drawn from.
        n: How many strips.
        generator: Of all that is random.
        count: K, how many digits a strip has.
        distort: Whether each digit is first rotated, scaled, sheared and shifted a little (`distorted`).

    Raises:
        ValueError: `n` or `count` is less than 1, or a strip is too narrow for so many digits (`place`).
    """
    if n < 1 or count < 1:
        raise ValueError(f"n is {n} and count {count}; expected 1 or more")
    chosen = torch.randint(len(digits.labels), (n, count), generator=generator)
    images = digits.images[chosen]  # (n, K, 8, 8)
    if distort:
        images = distorted(images.flatten(0, 1), generator).unflatten(0, (n, count))
    return place(images, digits.labels[chosen], generator)


def place(images: Tensor, labels: Tensor, generator: torch.Generator) -> Strips:
    """Strips of these digits, at random places and under noise.

    Args:
        images: Digits (N, K, 8, 8), from left to right.
        labels: Of these digits (N, K).
        generator: Of the places and the noise.

    Raises:
        ValueError: `images` has another shape than (N, K, 8, 8), `labels` another than (N, K), or a strip is too narrow
            for so many digits with the widest gaps.
    """
    if images.dim() != 4 or images.shape[2:] != (SIDE, SIDE) or labels.shape != images.shape[:2]:
        shapes = f"images {tuple(images.shape)} and labels {tuple(labels.shape)}"
        raise ValueError(f"{shapes} do not fit; expected (N, K, {SIDE}, {SIDE}) and (N, K)")
    n, count = labels.shape
    widest = count * SIDE + (count - 1) * GAPS[1]
    if widest > WIDTH:
        raise ValueError(f"{count} digits in a strip need up to {widest} columns; expected at most {WIDTH}")
    gaps = torch.randint(GAPS[0], GAPS[1] + 1, (n, count - 1), generator=generator)
    columns = F.pad((SIDE + gaps).cumsum(1), (1, 0))  # (n, K), without the margin
    margins = torch.rand(n, 1, generator=generator) * (WIDTH - SIDE + 1 - columns[:, -1:])
    columns = columns + margins.long()
    rows = torch.randint(HEIGHT - SIDE + 1, (n, count), generator=generator)
    canvas = _paste(images, rows, columns)
    return Strips(canvas + NOISE * torch.randn(canvas.shape, generator=generator), labels, columns)


def _paste(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Empty strips (n, 12, 48) with images (n, K, 8, 8) at these rows and columns (n, K); the darker ink covers."""
    offsets = torch.arange(SIDE)
    places = (rows[..., None, None] + offsets[:, None]) * WIDTH + columns[..., None, None] + offsets  # (n, K, 8, 8)
    canvas = images.new_zeros(len(images), HEIGHT * WIDTH)
    canvas.scatter_reduce_(1, places.flatten(1), images.flatten(1), "amax")
    return canvas.unflatten(1, (HEIGHT, WIDTH))


def distorted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images (N, 8, 8), each under its own small affine map, with bilinear interpolation.

    Rotations of up to 12°, scales of 0.9 to 1.1 in both directions, shears of up to 0.15, shifts of up to half a pixel,
    all uniform.
    """
    uniform = 2 * torch.rand(6, len(images), generator=generator) - 1
    angle, shear = uniform[0] * math.radians(12), 0.15 * uniform[1]
    width, height = 1 + 0.1 * uniform[2:4]
    cos, sin = angle.cos(), angle.sin()
    across = torch.stack([cos / width, shear - sin, uniform[4] / SIDE], 1)
    down = torch.stack([sin, cos / height, uniform[5] / SIDE], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), [len(images), 1, SIDE, SIDE], align_corners=False)
    return F.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


class StripReader(nn.Module):
    """A convolutional network that gives an energy to each label in each column of a strip.

    It is convolutional along the strip, so that strips of any width are read. Energies are low where a digit's centre
    is; each column sees 18 columns of pixels.

    Args:
        labels: V; one more than the digits where a model needs a blank.
    """

    def __init__(self, labels: int = 10):
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(1, 16),
            *_convolution(16, 32),
            nn.MaxPool2d(2),  # (B, 32, 6, W / 2)
            *_convolution(32, 64),
            nn.MaxPool2d((2, 1)),  # (B, 64, 3, W / 2)
            *_convolution(64, 128, kernel=(3, 5), padding=(0, 2)),  # (B, 128, 1, W / 2)
            nn.Dropout(0.3),
            nn.Conv2d(128, labels, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Energies (B, W / 2, V) of images (B, 12, W)."""
        return self.layers(images[:, None]).squeeze(2).transpose(1, 2)


def _convolution(
    inputs: int, outputs: int, kernel: tuple[int, int] = (3, 3), padding: tuple[int, int] = (1, 1)
) -> tuple[nn.Module, ...]:
    """A convolution with batch normalisation and a rectifier."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()
