"""What recurrent networks of several subjects share: dropout along time, and reading backwards."""

import torch
from torch import Tensor, nn


class LockedDropout(nn.Module):
    """Dropout that hides the same components at every time step of a sequence (Gal and Ghahramani 2016).

    For a recurrent network it is the better noise, and it needs one random number where there were T.
    """

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, states: Tensor) -> Tensor:
        """States (B, T, *) with some components hidden, the others scaled up; unchanged outside training."""
        if not self.training or self.probability == 0:
            return states
        kept = torch.rand(len(states), 1, states.shape[2], device=states.device) >= self.probability
        return states * (kept / (1 - self.probability)).to(states.dtype)


def reverse(states: Tensor, lengths: Tensor) -> Tensor:
    """Each row of states (B, T, *) backwards up to its length (B,); the padding stays where it is.

    So a recurrent network that runs backwards starts at a sequence's end and not in its padding. It takes the place
    of packed sequences, which leave the fast kernels of the CPU unused.
    """
    if int(lengths.min()) == states.shape[1]:
        return states.flip(1)
    time = torch.arange(states.shape[1], device=states.device)
    source = torch.where(time < lengths[:, None], lengths[:, None] - 1 - time, time)
    return states.gather(1, source[:, :, None].expand_as(states))
