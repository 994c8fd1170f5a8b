"""Free energies: what is left of an energy when the latent variable has been minimised over, or marginalised.

    F_β(y) = −(1/β) log( (1/N_z) Σ_z exp(−β E(y, z)) )        F_∞(y) = min_z E(y, z)        F_0(y) = (1/N_z) Σ_z E(y, z)

A grid of N_z latents stands for the integral over z with its volume divided out, so that F_β falls from the mean
(β = 0, hot) to the minimum (β = ∞, cold) as β grows. (NYU Deep Learning 2021, lectures 5.1 and 6L.)
"""

import math

import torch
from torch import Tensor


def free_energy(energies: Tensor, beta: float, dim: int = -1) -> Tensor:
    """F_β, with the dimension of the latents removed.

    Args:
        energies: E(y, z) on a grid of latents (..., N_z, ...); +∞ for a latent that is not allowed.
        beta: inverse temperature, from 0 (the mean) to `math.inf` (the minimum).
        dim: the dimension of the latents.

    Raises:
        ValueError: `beta` is negative or NaN, the grid is empty, or an energy is NaN or −∞.
    """
    _check(energies, beta, dim)
    if beta == math.inf:
        return energies.min(dim).values
    if beta == 0:
        return energies.mean(dim)
    return -((-beta * energies).logsumexp(dim) - math.log(energies.shape[dim])) / beta


def gibbs_distribution(energies: Tensor, beta: float, dim: int = -1) -> Tensor:
    """P(z | y) ∝ exp(−β E(y, z)) in the shape of the energies: the gradient of F_β with respect to them.

    At β = ∞ it is shared equally by the latents of lowest energy.

    Args:
        energies: as for `free_energy`.
        beta: as for `free_energy`.
        dim: the dimension that sums to 1.

    Raises:
        ValueError: as for `free_energy`.
    """
    _check(energies, beta, dim)
    if beta == math.inf:
        lowest = energies == energies.min(dim, keepdim=True).values
        return lowest / lowest.sum(dim, keepdim=True, dtype=energies.dtype)
    return (-beta * energies).softmax(dim) if beta else torch.full_like(energies, 1 / energies.shape[dim])


def _check(energies: Tensor, beta: float, dim: int) -> None:
    """Raises a ValueError for an inverse temperature out of range, an empty grid, or energies that are none."""
    if not beta >= 0:
        raise ValueError(f"beta is {beta}; expected a number from 0 to math.inf")
    if not energies.dim() or not energies.shape[dim]:
        raise ValueError(f"energies has the shape {tuple(energies.shape)}; expected at least one latent in dim {dim}")
    wrong = energies.isnan() | (energies == -math.inf)
    if wrong.any():
        place = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(
            f"energies is {float(energies[place])} at {place}; expected numbers, or +∞ for what is excluded"
        )
