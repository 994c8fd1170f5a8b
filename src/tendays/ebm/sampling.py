"""Sampling from e^{−E(x)/T} with Langevin dynamics, and persistent chains in a replay buffer.

Shapes: N chains, each of any shape.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from tendays.training import Diverged

Energy = Callable[[Tensor], Tensor]
"""An energy: (N, ...) -> (N,)."""

FARTHEST = 1e6  # data are scaled to about 1; a coordinate beyond this one belongs to a chain that runs away


def langevin(
    energy: Energy,
    x: Tensor,
    *,
    steps: int,
    step_size: float,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The ends of N chains of the unadjusted Langevin algorithm, which samples e^{−E(x)/T}.

    A step is x ← x − ε ∇E(x) + √(2εT) ξ with ξ ~ N(0, I). The two factors belong together: for another noise scale s
    the chains sample the temperature s²/(2ε). No step is rejected (unadjusted), so that the stationary distribution has
    a bias of order ε (Roberts and Tweedie 1996).

    Args:
        energy: maps (N, ...) to (N,); its gradient is taken for all chains at once.
        x: the chains' starts (N, ...), which are not changed.
        steps: how many steps each chain makes.
        step_size: ε.
        temperature: T; 0 is gradient descent.
        generator: of the noise; torch's own without.

    Returns:
        Samples (N, ...), without a graph.

    Raises:
        Diverged: an energy is not finite, or a coordinate is not finite or beyond ±1e6. The message names the step, the
            chain and the step size.
        ValueError: an argument is out of range, or the energies are not of shape (N,).
        TypeError: the chains are not of a floating-point type.
    """
    _check_chains(x)
    _check_settings(steps, step_size, temperature)
    x = x.detach()
    scale = math.sqrt(2 * step_size * temperature)
    for step in range(1, steps + 1):
        with torch.enable_grad():
            x.requires_grad_()
            energies = energy(x)
            if energies.shape != x.shape[:1]:
                raise ValueError(f"energy returns the shape {tuple(energies.shape)}; expected (N,) = ({len(x)},)")
            (grad,) = torch.autograd.grad(energies.sum(), x)
        x = x.detach() - step_size * grad
        if scale:
            x += scale * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        _check_step(step, energies.detach(), x, step_size)
    return x


def _check_chains(x: Tensor) -> None:
    """Raises unless x holds at least one chain of floating-point numbers."""
    if not x.is_floating_point():
        raise TypeError(f"x is {x.dtype}; expected a floating-point type")
    if not x.dim() or not x.numel():
        raise ValueError(f"x has the shape {tuple(x.shape)}; expected (N, ...) with at least one chain")
    if not x.isfinite().all():
        raise ValueError("x holds values that are not finite; expected finite starts")


def _check_settings(steps: int, step_size: float, temperature: float) -> None:
    """Raises a ValueError for a number of steps, step size or temperature out of range."""
    if steps < 0:
        raise ValueError(f"steps is {steps}; expected 0 or more")
    if not 0 < step_size < math.inf:
        raise ValueError(f"step_size is {step_size}; expected a positive number")
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature is {temperature}; expected 0 or a positive number")


def _check_step(step: int, energies: Tensor, x: Tensor, step_size: float) -> None:
    """Raises Diverged when an energy (N,) or a chain (N, ...) is no longer usable."""
    largest = x.abs().reshape(len(x), -1).amax(1)  # (N,)
    off = ~energies.isfinite() | ~(largest < FARTHEST)  # NaN is not below it either
    if off.any():
        chain = int(off.nonzero()[0])
        raise Diverged(
            f"at step {step} of Langevin dynamics with step_size {step_size:g} the energy of chain {chain} is "
            f"{energies[chain]:.4g} and its largest coordinate {largest[chain]:.4g}; "
            f"{int(off.sum())} of {len(x)} chains ran away: a smaller step, or an energy that rises far from the data"
        )


class ReplayBuffer:
    """Persistent chains: each call moves some of them on from where they stopped (Tieleman 2008; Du and Mordatch 2019).

    `samples` (size, ...) holds the chains' current states. A small share of the chains that are moved starts afresh, so
    that the buffer does not stay in the modes that it has found.
    """

    def __init__(
        self,
        fresh: Callable[[int], Tensor],
        size: int,
        *,
        restarts: float = 0.05,
        generator: torch.Generator | None = None,
    ):
        """Fills the buffer with fresh starts.

        Args:
            fresh: makes n new starts (n, ...).
            size: how many chains the buffer holds.
            restarts: the share of the moved chains that start afresh, from 0 to 1.
            generator: of the choices; torch's own without.

        Raises:
            ValueError: the size is not positive, or the share is not from 0 to 1.
        """
        if size < 1:
            raise ValueError(f"size is {size}; expected at least 1")
        if not 0 <= restarts <= 1:
            raise ValueError(f"restarts is {restarts}; expected a share from 0 to 1")
        self.samples = fresh(size)  # (size, ...)
        self._fresh, self._restarts, self._generator = fresh, restarts, generator

    def advance(self, n: int, move: Callable[[Tensor], Tensor]) -> Tensor:
        """Moves n different chains, chosen at random, stores where they end, and returns that.

        Args:
            n: how many chains, at most the buffer's size.
            move: maps states (n, ...) to new states (n, ...), such as `langevin` with its settings bound.

        Returns:
            The new states (n, ...), without a graph.

        Raises:
            ValueError: n is not from 1 to the buffer's size, or move returns another shape.
        """
        if not 1 <= n <= len(self.samples):
            raise ValueError(f"n is {n}; expected from 1 to the buffer's size, {len(self.samples)}")
        chosen = torch.randperm(len(self.samples), generator=self._generator)[:n]
        states = self.samples[chosen]
        anew = torch.rand(n, generator=self._generator) < self._restarts
        if count := int(anew.sum()):
            states[anew] = self._fresh(count)
        moved = move(states).detach()
        if moved.shape != states.shape:
            raise ValueError(f"move returns the shape {tuple(moved.shape)}; expected {tuple(states.shape)}")
        self.samples[chosen] = moved
        return moved
