"""What recurrent networks of several subjects share: locked dropout, reversal by length, the bidirectional LSTM, sizes.

Shapes: B sequences, T steps, H hidden size of one direction.
"""

import torch
from torch import Tensor, nn


class LockedDropout(nn.Module):
    """Dropout with one mask for all time steps of a sequence (variational dropout, Gal and Ghahramani 2016).

    It draws one random number where a mask for every step draws T.
    """

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, states: Tensor) -> Tensor:
        """States (B, T, *) with masked components set to 0 and the others scaled up; unchanged in evaluation mode."""
        if not self.training or self.probability == 0:
            return states
        kept = torch.rand(len(states), 1, states.shape[2], device=states.device) >= self.probability
        return states * (kept / (1 - self.probability)).to(states.dtype)


def reverse(states: Tensor, lengths: Tensor) -> Tensor:
    """Each row of states (B, T, *) reversed up to its length (B,); padding keeps its place.

    A backward LSTM then starts at the end of the sequence, and not in the padding. Packed sequences do the same, but
    leave the fast kernels of the CPU unused.
    """
    if int(lengths.min()) == states.shape[1]:
        return states.flip(1)
    time = torch.arange(states.shape[1], device=states.device)
    source = torch.where(time < lengths[:, None], lengths[:, None] - 1 - time, time)
    return states.gather(1, source[:, :, None].expand_as(states))


class BidirectionalLSTM(nn.Module):
    """Layers of LSTMs in both directions over sequences of different lengths (Graves and Schmidhuber 2005).

    Args:
        inputs: size of an input.
        hidden: H.
        layers: how many.
        dropout: probability of locked dropout behind every layer.
    """

    def __init__(self, inputs: int, hidden: int, layers: int = 1, dropout: float = 0.0):
        super().__init__()
        sizes = [inputs, *[2 * hidden] * (layers - 1)]
        self.forward_layers = nn.ModuleList(nn.LSTM(size, hidden, batch_first=True) for size in sizes)
        self.backward_layers = nn.ModuleList(nn.LSTM(size, hidden, batch_first=True) for size in sizes)
        self.dropout = LockedDropout(dropout)

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (B, T, *) with lengths (B,) to states (B, T, 2 H), and the last state of both directions (B, 2 H).

        The last states are those that have read the whole sequence, of the highest layer and before dropout.
        """
        for forward_layer, backward_layer in zip(self.forward_layers, self.backward_layers, strict=True):
            forward, _ = forward_layer(states)
            backward, _ = backward_layer(reverse(states, lengths))
            states = self.dropout(torch.cat([forward, reverse(backward, lengths)], 2))
        last = (lengths - 1)[:, None, None].expand(-1, 1, forward.shape[2])
        return states, torch.cat([forward.gather(1, last), backward.gather(1, last)], 2)[:, 0]


def parameters(model: nn.Module) -> int:
    """How many parameters a model has; shared ones count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def recurrent_layers(model: nn.Module) -> int:
    """The number of LSTM layers in a model; the two directions of a bidirectional layer count as one."""
    lstms = sum(module.num_layers for module in model.modules() if isinstance(module, nn.LSTM))
    return lstms - sum(
        len(module.backward_layers) for module in model.modules() if isinstance(module, BidirectionalLSTM)
    )
