"""The ellipse: points near a curve whose place on it, an angle, is never seen (NYU Deep Learning 2021, lecture 5.1).

A point is y = (ρ_1(x) cos θ, ρ_2(x) sin θ) + ε with ε ~ N(0, σ²I) and θ uniform. The model's decoder is
g(z) = (w_1 cos z, w_2 sin z), and its energy is E(y, z) = ‖y − g(z)‖².

Shapes: N points, N_z latents on a grid, S models that are fitted side by side.
"""

import math

import torch
from torch import Tensor

from tendays.latent.free_energy import free_energy

ALPHA, BETA = 1.5, 2.0  # the radii at x = 0 are (BETA, ALPHA); those at x = 1 (ALPHA, BETA), times e²


def radii(x: Tensor) -> Tensor:
    """The true radii ρ(x) = (αx + β(1 − x), βx + α(1 − x)) e^{2x} of the horn: (...) -> (..., 2)."""
    return torch.stack([ALPHA * x + BETA * (1 - x), BETA * x + ALPHA * (1 - x)], -1) * (2 * x).exp()[..., None]


def sample(rho: Tensor, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A point near each ellipse, and its angle, which a model does not see.

    Args:
        rho: radii (..., 2) of the ellipses.
        noise: σ.
        generator: of angles and noise.

    Returns:
        Points y (..., 2) and angles θ (...).

    Raises:
        ValueError: the noise is negative or not finite, or the radii are not of shape (..., 2).
    """
    _check_points("rho", rho)
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise is {noise}; expected 0 or a positive number")
    theta = 2 * math.pi * torch.rand(rho.shape[:-1], generator=generator, dtype=rho.dtype)
    y = decode(theta, rho)
    return y + noise * torch.randn(y.shape, generator=generator, dtype=rho.dtype), theta


def latents(count: int = 48) -> Tensor:
    """A grid of angles z (count,), in float64."""
    if count < 1:
        raise ValueError(f"count is {count}; expected at least 1")
    return torch.arange(count, dtype=torch.float64) * (2 * math.pi / count)


def decode(z: Tensor, w: Tensor) -> Tensor:
    """g(z) = (w_1 cos z, w_2 sin z): angles (...) and radii (..., 2) or (2,) -> (..., 2)."""
    return w * torch.stack([z.cos(), z.sin()], -1)


def energies(y: Tensor, w: Tensor, z: Tensor) -> Tensor:
    """E(y, z) for all latents: points (..., 2), radii (..., 2) or (2,), angles (N_z,) -> (..., N_z).

    Raises:
        ValueError: points or radii are not of shape (..., 2), their shapes do not broadcast, or `z` is not of shape
            (N_z,).
    """
    _check_points("y", y)
    _check_points("w", w)
    try:
        torch.broadcast_shapes(y.shape, w.shape)
    except RuntimeError as error:
        raise ValueError(
            f"y has the shape {tuple(y.shape)}, w {tuple(w.shape)}; expected shapes that broadcast"
        ) from error
    if z.dim() != 1:
        raise ValueError(f"z has the shape {tuple(z.shape)}; expected (N_z,)")
    return (y[..., None, :] - decode(z, w[..., None, :])).square().sum(-1)


def circle_free_energy(y: Tensor, radius: float, beta: float) -> Tensor:
    """F_β(y) in closed form where w_1 = w_2 = r: |y|² + r² − (1/β) log I_0(2βr|y|), (..., 2) -> (...).

    I_0 is the modified Bessel function; it comes scaled by e^{−|·|}, which keeps large arguments finite.

    Raises:
        ValueError: `beta` is not a positive finite number, or the points are not of shape (..., 2).
    """
    _check_points("y", y)
    if not 0 < beta < math.inf:
        raise ValueError(f"beta is {beta}; expected a positive finite number")
    norm = y.square().sum(-1).sqrt()
    argument = 2 * beta * radius * norm
    return norm.square() + radius**2 - (torch.special.i0e(argument).log() + argument) / beta


def fit(
    y: Tensor, beta: float | Tensor, start: Tensor, *, steps: int = 200, rate: float = 0.1, count: int = 48
) -> Tensor:
    """The radii (S, 2) of S models that minimise the mean free energy of their points, by Adam.

    Args:
        y: points (S, N, 2), each model's own.
        beta: inverse temperature, from 0 to `math.inf`, of all models; or a finite positive one for each (S,).
        start: the first radii (S, 2).
        steps: of the optimiser.
        rate: its learning rate, which falls to 0 along half a cosine.
        count: N_z.

    Raises:
        ValueError: shapes do not fit together, or `beta` is out of range.
    """
    _check_points("y", y)
    if y.dim() != 3 or start.shape != (len(y), 2):
        raise ValueError(f"y has the shape {tuple(y.shape)}, start {tuple(start.shape)}; expected (S, N, 2) and (S, 2)")
    if isinstance(beta, Tensor) and (beta.shape != (len(y),) or not ((beta > 0) & (beta < math.inf)).all()):
        raise ValueError(f"beta is {beta}; expected a number, or a positive finite one for each of {len(y)} models")
    w, z = start.clone().requires_grad_(), latents(count).to(y)
    optimizer = torch.optim.Adam([w], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    for _ in range(steps):
        optimizer.zero_grad()
        _mean_free_energy(energies(y, w[:, None], z), beta).sum().backward()
        optimizer.step()
        schedule.step()
    return w.detach()


def _mean_free_energy(grid: Tensor, beta: float | Tensor) -> Tensor:
    """The mean over its points of each model's free energy: (S, N, N_z) -> (S,)."""
    if isinstance(beta, Tensor):  # F_β of E is F_1 of βE, divided by β
        return free_energy(beta[:, None, None] * grid, 1.0).mean(1) / beta
    return free_energy(grid, beta).mean(1)


def _check_points(name: str, points: Tensor) -> None:
    if not points.dim() or points.shape[-1] != 2:
        raise ValueError(f"{name} has the shape {tuple(points.shape)}; expected (..., 2)")
