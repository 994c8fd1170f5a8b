"""Connectionist temporal classification (CTC): the model, its loss and greedy decoding.

Source: Graves, Fernández, Gomez and Schmidhuber 2006, *Connectionist temporal classification: labelling unsegmented
sequence data with recurrent neural networks*.

The model gives a distribution over V symbols, one of them the blank, in each frame. Given the input, the symbols of
different frames are independent. A path has one symbol for each frame; `collapse` merges its repeated symbols and then
removes its blanks (the map B of section 3.1). The loss is minus the log-likelihood of the target, summed over all paths
that collapse to it (equations 2 and 3):

    P(path | x) = prod_t P(path_t | x, t)
    loss = -log P(target | x) = -log sum_{path: collapse(path) = target} P(path | x)

`torch.nn.functional.ctc_loss` computes the sum by the forward recursion of section 4.1.

Shapes: B sequences, T inputs, F frames for each input, D size of an encoder's state, U labels, V symbols.
"""

from collections.abc import Sequence
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tendays.pieces import Batch

BLANK = 0


class CTC(nn.Module):
    """An encoder, and a linear layer that scores the symbols of every frame.

    Called with a batch, it returns the loss summed over the batch's rows, in nats.

    Args:
        encoder: maps inputs (B, T, *) with lengths (B,) to states (B, T, D).
        states: D.
        symbols: V, the blank included, whose id is `BLANK`.
        frames: F. A target needs a frame for each label, and one more for the blank between two equal labels.
    """

    def __init__(self, encoder: nn.Module, states: int, symbols: int, frames: int = 1):
        super().__init__()
        self.encoder, self.frames = encoder, frames
        self.output = nn.Linear(states, frames * symbols)

    def log_probabilities(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities (B, T * F, V) of the symbols in every frame, float32.

        Args:
            source: inputs (B, T, *).
            lengths: how many inputs of each row are no padding (B,).
        """
        states = self.encoder(source, lengths)  # (B, T, D)
        # Outside autocast: the loss needs the scores' precision, and this layer is small.
        with torch.autocast(states.device.type, enabled=False):
            scores = self.output(states.float()).unflatten(2, (self.frames, -1))  # (B, T, F, V)
        return scores.flatten(1, 2).log_softmax(2)  # (B, T * F, V)

    def forward(self, batch: Batch) -> Tensor:
        """The loss summed over the batch's rows, in nats, a tensor of no dimension.

        A row whose target is empty, or too long for its frames, adds 0 and has no gradient.
        """
        log_probabilities = self.log_probabilities(batch.source, batch.source_lengths).transpose(0, 1)
        losses = F.ctc_loss(
            log_probabilities,
            batch.target,
            self.frames * batch.source_lengths,
            batch.target_lengths,
            blank=BLANK,
            reduction="none",
            zero_infinity=True,
        )  # (B,)
        return losses[batch.target_lengths > 0].sum()


@torch.no_grad()
def greedy(model: CTC, source: Tensor, lengths: Tensor) -> list[list[int]]:
    """The labels of the most probable path of each row: the best symbol of every frame, collapsed.

    Args:
        model: in evaluation mode.
        source: inputs (B, T, *).
        lengths: how many inputs of each row are no padding (B,).
    """
    paths = model.log_probabilities(source, lengths).argmax(2).tolist()
    counts = (model.frames * lengths).tolist()
    return [collapse(path[:count]) for path, count in zip(paths, counts, strict=True)]


def collapse(path: Sequence[int]) -> list[int]:
    """The labels that a path stands for: repeated symbols are merged, then blanks are removed."""
    return [symbol for symbol, _ in groupby(path) if symbol != BLANK]
