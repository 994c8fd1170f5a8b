"""Factor graphs that are chains: minimum, soft minimum and arc marginals by one recursion over a trellis.

The energy of a chain is a sum of factors, each of which sees two neighbouring variables:

    E(z_1, …, z_K) = first(z_1) + Σ_k pair_k(z_k, z_{k+1})

The recursion keeps the soft-minimal energy of all ways to arrive at each value of a variable:

    a_1(j) = first(j)
    a_{k+1}(j) = softmin_i [a_k(i) + pair_k(i, j)]        softmin_i e_i = −(1/β) log Σ_i exp(−β e_i)
    F_β = softmin_j a_K(j)

At β = ∞ the soft minimum is the minimum and the recursion is the Viterbi algorithm; at β = 1 it is the forward
algorithm, with F = −log Z. The derivative of F_β by the energy of an arc is the arc's marginal, its probability under
exp(−βE)/Z; at β = ∞ it is 1 on the arcs of a minimal path and 0 elsewhere, which is what backtracking finds.

Sources: Rabiner 1989 (Viterbi and forward), LeCun et al. 2006, section 6 (factor graphs of energies), Mensch and
Blondel 2018 (the gradient of a smoothed minimum as marginals).

Unlike a free energy whose integral over z is a mean (`tendays.latent.free_energy`), the soft minimum sums: it has no
−log N inside, because paths are counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Marginals(NamedTuple):
    """Probabilities of a chain's arcs; each tensor sums to 1 over its last one or two axes.

    first: (..., N_1), of the values of the first variable.
    pairs: (..., N_k, N_{k+1}) for each pair of neighbours.
    """

    first: Tensor
    pairs: tuple[Tensor, ...]


class Chain:
    """The energies of a chain's factors, for any number of chains at once.

    Args:
        first: Energies of the first variable's values (..., N_1).
        pairs: For each pair of neighbours its energies (..., N_k, N_{k+1}).

    Raises:
        ValueError: Shapes do not fit together, a variable has no value, or an energy is NaN.
    """

    def __init__(self, first: Tensor, pairs: Sequence[Tensor]):
        if first.dim() < 1 or not first.numel():
            raise ValueError(f"first has the shape {tuple(first.shape)}; expected (..., N) with a value at least")
        batch, size = first.shape[:-1], first.shape[-1]
        for index, pair in enumerate(pairs):
            if pair.dim() < 2 or pair.shape[:-2] != batch or pair.shape[-2] != size or not pair.numel():
                expected = (*batch, size, "N")
                raise ValueError(f"pairs[{index}] has the shape {tuple(pair.shape)}; expected {expected}, N ≥ 1")
            size = pair.shape[-1]
        for name, energies in [("first", first), *((f"pairs[{index}]", pair) for index, pair in enumerate(pairs))]:
            if energies.isnan().any():
                place = tuple(energies.isnan().nonzero()[0].tolist())
                raise ValueError(f"{name} is NaN at {place}; expected energies")
        self.first, self.pairs = first, tuple(pairs)

    @property
    def arcs(self) -> int:
        """How many energies of factors one chain has, which is how many the recursion reads."""
        return self.first.shape[-1] + sum(math.prod(pair.shape[-2:]) for pair in self.pairs)

    def free_energy(self, beta: float) -> Tensor:
        """The soft minimum (...) of the energy over all configurations; the minimum at β = ∞.

        Args:
            beta: Inverse temperature, more than 0.

        Raises:
            ValueError: `beta` is not more than 0.
        """
        arrived = self.first  # (..., N_1)
        for pair in self.pairs:
            arrived = soft_min(arrived[..., None] + pair, beta, -2)  # (..., N_{k+1})
        return soft_min(arrived, beta, -1)

    def marginals(self, beta: float) -> Marginals:
        """The probabilities of all arcs, as the gradient of `free_energy`; at β = ∞ the arcs of one minimal path.

        Raises:
            ValueError: As for `free_energy`.
        """
        leaves = [energies.detach().requires_grad_() for energies in (self.first, *self.pairs)]
        with torch.enable_grad():
            total = Chain(leaves[0], leaves[1:]).free_energy(beta).sum()
        first, *pairs = torch.autograd.grad(total, leaves)
        return Marginals(first, tuple(pairs))

    def best(self) -> Tensor:
        """A configuration (..., K) of minimal energy: for each variable the index of its value."""
        first, pairs = self.marginals(math.inf)
        return torch.stack([first.argmax(-1), *(pair.sum(-2).argmax(-1) for pair in pairs)], -1)


def soft_min(energies: Tensor, beta: float, dim: int) -> Tensor:
    """−(1/β) log Σ exp(−β e) over a dimension; at β = ∞ the minimum, whose gradient goes to one minimal entry.

    Raises:
        ValueError: `beta` is not more than 0. (Without a mean inside there is no limit at 0.)
    """
    expect_positive(beta)
    if beta == math.inf:
        return energies.min(dim).values
    return -(-beta * energies).logsumexp(dim) / beta


def cumulative_soft_min(energies: Tensor, beta: float, dim: int) -> Tensor:
    """The soft minimum of each entry and all before it, along a dimension, in the shape of the energies.

    Raises:
        ValueError: `beta` is not more than 0.
    """
    expect_positive(beta)
    if beta == math.inf:
        return energies.cummin(dim).values
    return -(-beta * energies).logcumsumexp(dim) / beta


def expect_positive(beta: float) -> None:
    """Raises a ValueError unless β is more than 0; infinity is allowed."""
    if not beta > 0:
        raise ValueError(f"beta is {beta}; expected more than 0, or math.inf for the minimum")
