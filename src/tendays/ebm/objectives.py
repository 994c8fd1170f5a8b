"""Objectives that fit an energy E to samples of a density p, so that e^{−E}/Z comes near p.

Objectives are functions of energies, and average over their last dimension: energies (..., N) -> (...). Leading
dimensions hold models that are trained side by side, such as one for each seed (`tendays.ebm.networks`).

Energies of two sets whose leading dimensions differ, or of an empty set, raise a ValueError that names the argument.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from tendays.ebm.moons import Grid


def grid_negative_log_likelihood(data: Tensor, on_grid: Tensor, grid: Grid) -> Tensor:
    """The mean of E + log Z over the data, in nats, with Z by quadrature: exact maximum likelihood in the plane.

    Args:
        data: energies of samples of p (..., N).
        on_grid: energies at the grid's points (..., G).
        grid: the grid, which must reach as far as e^{−E} does.
    """
    _check_sets(data=data, on_grid=on_grid)
    return data.mean(-1) + grid.log_partition(on_grid)


def noise_contrastive_loss(data: Tensor, noise: Tensor) -> Tensor:
    """The loss of noise-contrastive estimation: a logistic regression that tells data from noise.

    Its input is the log-ratio of the two densities, log q(x) − log n(x) = −E(x) − c − log n(x), where n is the density
    of the noise. The constant c is learnt with the energy; at the optimum it is log Z. (Gutmann and Hyvärinen 2010.)

    Args:
        data: log-ratios at samples of p (..., N).
        noise: log-ratios at samples of n (..., M).
    """
    _check_sets(data=data, noise=noise)
    nu = noise.shape[-1] / data.shape[-1]  # samples of the noise for each of the data
    wrong_data = F.softplus(math.log(nu) - data).mean(-1)  # −log σ(log-ratio − log ν)
    wrong_noise = F.softplus(noise - math.log(nu)).mean(-1)
    return wrong_data + nu * wrong_noise


def contrastive_divergence_loss(data: Tensor, samples: Tensor, penalty: float = 0.0) -> Tensor:
    """The mean energy of the data less that of the model's samples.

    Its gradient is that of the negative log-likelihood where the samples come from e^{−E}/Z. Its value says nothing:
    near 0 is where both ends of a run lie. (Hinton 2002; with chains that persist, Tieleman 2008.)

    Args:
        data: energies of samples of p (..., N).
        samples: energies of samples of the model (..., M); no gradient goes to their places.
        penalty: weight of the mean squares of both energies, which keep them near 0 (Du and Mordatch 2019).
    """
    _check_sets(data=data, samples=samples)
    squares = data.square().mean(-1) + samples.square().mean(-1)
    return data.mean(-1) - samples.mean(-1) + penalty * squares


def denoising_score_matching_loss(
    energy: Callable[[Tensor], Tensor], x: Tensor, sigma: float, generator: torch.Generator | None = None
) -> Tensor:
    """σ²/2 ‖∇E(x + σξ) − ξ/σ‖², averaged over the data: at the optimum ∇E = −∇ log p_σ.

    p_σ is p after normal noise of standard deviation σ is added; it is p_σ that the energy comes to model (Vincent
    2011).

    Args:
        energy: maps (..., N, D) to (..., N).
        x: samples of p (..., N, D).
        sigma: σ.
        generator: of the noise ξ; torch's own without.
    """
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma is {sigma}; expected a positive number")
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    places = (x + sigma * noise).requires_grad_()
    (grad,) = torch.autograd.grad(energy(places).sum(), places, create_graph=True)
    return 0.5 * (sigma * grad - noise).square().sum(-1).mean(-1)


def _check_sets(**energies: Tensor) -> None:
    """Raises a ValueError unless all energies, by name, are (..., N), N ≥ 1, with one set of leading dimensions."""
    leading = next(iter(energies.values())).shape[:-1]
    for name, values in energies.items():
        if not values.dim() or not values.shape[-1] or values.shape[:-1] != leading:
            expected = ", ".join(map(str, [*leading, "N"]))
            raise ValueError(f"{name} has the shape {tuple(values.shape)}; expected ({expected}) with N of at least 1")
