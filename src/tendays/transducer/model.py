"""The transducer's model: encoder, predictor and joint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tendays.pieces import Batch
from tendays.recurrent import BidirectionalLSTM, LockedDropout
from tendays.transducer.additive import additive_transducer_loss
from tendays.transducer.joint import joint_transducer_loss
from tendays.transducer.scores import _without_autocast

BLANK = 0  # of the models here; the losses take any


@dataclass(frozen=True)
class Size:
    """The size of a transducer.

    inputs: how many input symbols there are. symbols: V, the blank included, which is 0.
    embedding: the width of an embedding. encoder: of the state of one direction. layers: of the encoder.
    predictor: of the state of the predictor.
    joint: H, the width of the hidden layer of the joint; None for Graves' additive joint, which has none.
    dropout: the part of a state's components that training hides.
    """

    inputs: int
    symbols: int
    embedding: int = 128
    encoder: int = 160
    layers: int = 2
    predictor: int = 160
    joint: int | None = None
    dropout: float = 0.2


class Encoder(nn.Module):
    """Reads a sequence of symbols in both directions, in layers.

    Args:
        inputs: how many symbols there are.
        embedding, width, layers: of an embedding, of a direction's state, and how many.
        dropout: the part of a state's components that training hides.
    """

    def __init__(self, inputs: int, embedding: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.embedding = nn.Embedding(inputs, embedding)
        self.lstm = BidirectionalLSTM(embedding, width, layers, dropout)

    def forward(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Source ids (B, T) with lengths (B,) to states (B, T, 2 * width)."""
        return self.lstm(self.embedding(source), lengths)[0]


class State(NamedTuple):
    """What the predictor remembers of the labels so far, each part (N, predictor) for N outputs."""

    hidden: Tensor
    cell: Tensor


class Transducer(nn.Module):
    """Encoder, predictor and joint. Called with a batch, it returns the loss summed over its rows, in nats.

    Args:
        size: how large, and which joint.
    """

    def __init__(self, size: Size):
        super().__init__()
        self.size = size
        width = size.symbols if size.joint is None else size.joint
        self.encoder = Encoder(size.inputs, size.embedding, size.encoder, size.layers, size.dropout)
        self.embedding = nn.Embedding(size.symbols, size.embedding)
        self.predictor = nn.LSTM(size.embedding, size.predictor, batch_first=True)
        self.hide = LockedDropout(size.dropout)
        self.from_encoder = nn.Linear(2 * size.encoder, width)
        self.from_predictor = nn.Linear(size.predictor, width, bias=False)
        self.output = None if size.joint is None else nn.Linear(width, size.symbols)

    def encode(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Source ids (B, T) with lengths (B,) to what the joint gets from them (B, T, V or H), float32."""
        return _exactly(self.from_encoder, self.encoder(source, lengths))

    def predict(self, labels: Tensor) -> Tensor:
        """Labels (B, U) to what the joint gets before, between and behind them (B, U + 1, V or H), float32."""
        # The blank is never a label, so that its embedding is free to say that nothing is written yet.
        states, _ = self.predictor(self.embedding(nn.functional.pad(labels, (1, 0), value=BLANK)))
        return _exactly(self.from_predictor, self.hide(states))

    def start(self, rows: int) -> tuple[Tensor, State]:
        """What `advance` returns before the first label, for so many outputs."""
        weight = self.embedding.weight
        nothing = weight.new_zeros(rows, self.size.predictor)
        return self.advance(torch.full((rows,), BLANK, device=weight.device), State(nothing, nothing))

    def advance(self, labels: Tensor, state: State) -> tuple[Tensor, State]:
        """One label further (N,): what the joint gets from the predictor (N, V or H), and its state."""
        outputs, after = self.predictor(self.embedding(labels)[:, None], tuple(part[None] for part in state))
        return _exactly(self.from_predictor, outputs[:, 0]), State(*(part[0] for part in after))

    def joint(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        """Scores of the next symbol (*, V) where an input and the labels before meet, of shapes that broadcast."""
        met = encoded + predicted
        return met if self.output is None else _exactly(self.output, met.tanh())

    def losses(self, batch: Batch) -> Tensor:
        """Minus the log-likelihood of each row's target (B,), in nats."""
        encoded, predicted = self.encode(batch.source, batch.source_lengths), self.predict(batch.target)
        given = (batch.target, batch.source_lengths, batch.target_lengths, BLANK, "none")
        if self.output is None:
            return additive_transducer_loss(encoded, predicted, *given)
        return joint_transducer_loss(encoded, predicted, self.output.weight, self.output.bias, *given)

    def forward(self, batch: Batch) -> Tensor:
        """The loss summed over the batch's rows; one without a target counts for nothing."""
        return self.losses(batch)[batch.target_lengths > 0].sum()


def _exactly(layer: nn.Linear, states: Tensor) -> Tensor:
    """A layer outside autocast: scores keep the precision that the loss needs, for next to no time."""
    with _without_autocast(states):
        return layer(states.to(layer.weight.dtype))
