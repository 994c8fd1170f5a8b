"""Networks of one shape, side by side: one matrix product a layer for all of them, so that seeds train in parallel.

Shapes: S networks, one for each seed; N points of D dimensions.
"""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# The first layer's weights are drawn wider than usual: the data have features of .15 on a range of 3. Two moons after
# 600 steps of noise-contrastive estimation: KL .12 nats with a gain of 1, .013 with 3.
FIRST_GAIN = 3.0


class StackedMLP(nn.Module):
    """S multilayer perceptrons with SiLU, whose weights are drawn from a seed each."""

    def __init__(self, sizes: tuple[int, ...], seeds: range):
        """Draws the weights.

        Args:
            sizes: the units of every layer, from the D inputs to the outputs.
            seeds: a seed for each of the S networks.

        Raises:
            ValueError: there are fewer than two layers, a layer is empty, or there is no seed.
        """
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes is {sizes}; expected two or more positive numbers of units")
        if not seeds:
            raise ValueError(f"seeds is {seeds}; expected at least one seed")
        networks = [_initial_weights(sizes, seed) for seed in seeds]  # S lists of pairs
        layers = list(zip(*networks, strict=True))
        self.weights = nn.ParameterList(torch.stack([pair[0] for pair in layer]) for layer in layers)  # (S, in, out)
        self.biases = nn.ParameterList(torch.stack([pair[1] for pair in layer]) for layer in layers)  # (S, 1, out)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (S, N, outputs) at points (S, N, D), or at points (N, D) that all networks see."""
        expected, came = (len(self.weights[0]), self.weights[0].shape[1]), tuple(x.shape)
        if x.dim() not in (2, 3) or x.shape[-1] != expected[1] or (x.dim() == 3 and len(x) != expected[0]):
            raise ValueError(
                f"x has the shape {came}; expected (N, {expected[1]}) or ({expected[0]}, N, {expected[1]})"
            )
        hidden = x.expand(expected[0], -1, -1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = F.silu(torch.baddbmm(bias, hidden, weight))
        return torch.baddbmm(self.biases[-1], hidden, self.weights[-1])


class EnergyMLP(StackedMLP):
    """E(x) = f(x) + |x − centre|²/(2 spread²), with a perceptron f that is 0 at the start.

    With SiLU, f grows linearly at most, so that the square wins far from the data: Z is finite whatever the weights,
    and chains come back.
    """

    def __init__(self, centre: tuple[float, ...], spread: float, seeds: range, width: int = 64):
        """Draws the weights.

        Args:
            centre: the place of the square's minimum (D,).
            spread: the standard deviation of the normal distribution that e^{−E} is at the start.
            seeds: a seed for each of the S networks.
            width: units in each of the two hidden layers.

        Raises:
            ValueError: the spread is not positive.
        """
        if not 0 < spread < math.inf:
            raise ValueError(f"spread is {spread}; expected a positive number")
        super().__init__((len(centre), width, width, 1), seeds)
        nn.init.zeros_(self.weights[-1])
        nn.init.zeros_(self.biases[-1])
        self.register_buffer("centre", torch.tensor(centre))
        self.spread = spread

    def forward(self, x: Tensor) -> Tensor:
        """Energies (S, N) of points (S, N, D), or of points (N, D) that all networks see."""
        shifted = x - self.centre
        return super().forward(shifted)[..., 0] + shifted.square().sum(-1) / (2 * self.spread**2)


def _initial_weights(sizes: tuple[int, ...], seed: int) -> list[tuple[Tensor, Tensor]]:
    """Weight (in, out) and bias (1, out) of each layer, drawn as by `torch.nn.Linear`; the first times FIRST_GAIN."""
    generator = torch.Generator().manual_seed(seed)
    layers = []
    for index, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        bound = (FIRST_GAIN if index == 0 else 1.0) / math.sqrt(inputs)
        weight, bias = (bound * (2 * torch.rand(n, outputs, generator=generator) - 1) for n in (inputs, 1))
        layers.append((weight, bias))
    return layers
