"""Two noisy moons: a density of two curved modes that is known, so that a model of it can be checked.

A point is drawn uniformly along one of two half circles, and normal noise is added. The arcs are those of
`sklearn.datasets.make_moons`.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Nodes of the quadrature along an arc, times sigma: the widest gap of n nodes is π²/(2n), which is then .9 sigma. Sums
# of a Gaussian's values over such gaps have a relative error of about e^{−2π²/.9²} = 3e-11.
NODES_TIMES_SIGMA = 5.5
WIDEST = 0.25  # the sigma beyond which nodes are no longer saved: with few of them the ends of an arc count


@dataclass(frozen=True)
class Grid:
    """Points at the centres of equal cells, for integrals over the plane by the midpoint rule.

    points: (G, 2), row by row from low y to high y, float32.
    cell: the area of a cell.
    shape: how many rows and columns the G points have.
    extent: left, right, bottom and top, as `matplotlib.axes.Axes.imshow` takes them.
    """

    points: Tensor
    cell: float
    shape: tuple[int, int]
    extent: tuple[float, float, float, float]

    def log_partition(self, energies: Tensor) -> Tensor:
        """The log of Z = ∫ e^{−E(x)} dx over the grid: energies at its points (..., G) -> (...)."""
        if energies.shape[-1] != len(self.points):
            raise ValueError(f"energies has the shape {tuple(energies.shape)}; expected (..., G = {len(self.points)})")
        return (-energies).logsumexp(-1) + math.log(self.cell)


def make_grid(spacing: float = 0.05, extent: tuple[float, float, float, float] = (-2.5, 3.5, -2.5, 3.0)) -> Grid:
    """A grid of square cells; the default extent holds the moons, and leaves more than eight sigma on all sides.

    Args:
        spacing: the side of a cell. A density whose features are as wide as the moons' needs at most sigma.
        extent: left, right, bottom and top; the sides are multiples of the spacing.

    Raises:
        ValueError: the spacing is not positive, a side is not positive or no multiple of it.
    """
    if not 0 < spacing < math.inf:
        raise ValueError(f"spacing is {spacing}; expected a positive number")
    left, right, bottom, top = extent
    columns, rows = round((right - left) / spacing), round((top - bottom) / spacing)
    off = max(abs(left + columns * spacing - right), abs(bottom + rows * spacing - top))
    if columns < 1 or rows < 1 or off > 1e-6 * spacing * max(columns, rows):
        raise ValueError(f"extent is {extent}; expected positive sides that are multiples of spacing, {spacing}")
    x = left + spacing * (torch.arange(columns) + 0.5)
    y = bottom + spacing * (torch.arange(rows) + 0.5)
    points = torch.cartesian_prod(y, x).flip(1)  # (rows · columns, 2)
    return Grid(points, spacing**2, (rows, columns), extent)


@dataclass(frozen=True)
class Moons:
    """Two noisy moons, sigma being the standard deviation of the noise."""

    sigma: float = 0.15

    def __post_init__(self):
        if not 0 < self.sigma < math.inf:
            raise ValueError(f"sigma is {self.sigma}; expected a positive number")

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """N independent points (N, 2), each from either moon with probability one half."""
        angles = math.pi * torch.rand(n, generator=generator)
        lower = torch.rand(n, generator=generator) < 0.5
        clean = torch.where(lower[:, None], _lower(angles), _upper(angles))
        return clean + self.sigma * torch.randn(n, 2, generator=generator)

    def log_density(self, x: Tensor) -> Tensor:
        """The log of the density at points (..., 2) -> (...), in nats, by Gauss–Legendre quadrature along the arcs."""
        nodes, weights = np.polynomial.legendre.leggauss(math.ceil(NODES_TIMES_SIGMA / min(self.sigma, WIDEST)))
        angles = torch.tensor(math.pi * (nodes + 1) / 2, dtype=x.dtype)
        log_weights = torch.tensor(np.log(weights / 4), dtype=x.dtype).repeat(2)  # the weights of the moons sum to 1
        centres = torch.cat([_upper(angles), _lower(angles)])  # (C, 2), for both moons
        middle = torch.tensor([0.5, 0.25], dtype=x.dtype)  # around which squares are small, and lose few digits
        centres, x = centres - middle, x - middle
        # −|x − c|²/2 = x·c − |c|²/2 − |x|²/2: one matrix product for the terms that depend on c
        offsets = log_weights - centres.square().sum(1) / (2 * self.sigma**2)  # (C,)
        logs = torch.addmm(offsets, x.reshape(-1, 2), centres.T / self.sigma**2).logsumexp(1).view(x.shape[:-1])
        return logs - x.square().sum(-1) / (2 * self.sigma**2) - math.log(2 * math.pi * self.sigma**2)

    def smoothed(self, noise: float) -> "Moons":
        """The moons after normal noise of this standard deviation is added: those of sigma √(sigma² + noise²)."""
        return Moons(math.hypot(self.sigma, noise))


def _upper(angles: Tensor) -> Tensor:
    """Points of the upper half circle, around the origin: (N,) -> (N, 2)."""
    return torch.stack([angles.cos(), angles.sin()], -1)


def _lower(angles: Tensor) -> Tensor:
    """Points of the lower half circle, around (1, 1/2): (N,) -> (N, 2)."""
    return torch.stack([1 - angles.cos(), 0.5 - angles.sin()], -1)


def kl_divergence(log_p: Tensor, log_q: Tensor, cell: float) -> Tensor:
    """KL(p ‖ q) in nats on a grid: log-densities (G,) and (..., G) at its points -> (...).

    Raises:
        ValueError: the two do not have the same points.
    """
    if log_p.dim() != 1 or log_q.shape[-1:] != log_p.shape:
        came = f"{tuple(log_p.shape)} and log_q {tuple(log_q.shape)}"
        raise ValueError(f"log_p has the shape {came}; expected (G,) and (..., G)")
    return (log_p.exp() * (log_p - log_q)).sum(-1) * cell
