"""The transducer's model: an encoder of the inputs, a predictor of the labels so far, and a joint of both.

Shapes: B sequences, T inputs, U labels, V symbols with the blank, H hidden size of the joint, N outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tendays.pieces import Batch
from tendays.recurrent import BidirectionalLSTM, LockedDropout
from tendays.transducer.additive import additive_transducer_loss
from tendays.transducer.joint import joint_transducer_loss
from tendays.transducer.precision import without_autocast

BLANK = 0  # of the models; the losses take any symbol as the blank


@dataclass(frozen=True)
class Size:
    """The size of a transducer.

    Attributes:
        inputs: number of input symbols.
        symbols: V, including the blank, which is 0.
        embedding: size of an embedding.
        encoder: hidden size of one direction of the encoder.
        layers: of the encoder.
        predictor: hidden size of the predictor.
        joint: H; None for Graves' additive joint, which has no hidden layer.
        dropout: probability of locked dropout, behind every layer of the encoder and behind the predictor.
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
    """Embeddings of input symbols, then layers of bidirectional LSTMs.

    Args:
        inputs: number of input symbols.
        embedding: size of an embedding.
        width: hidden size of one direction.
        layers: how many.
        dropout: probability of locked dropout behind every layer.
    """

    def __init__(self, inputs: int, embedding: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.embedding = nn.Embedding(inputs, embedding)
        self.lstm = BidirectionalLSTM(embedding, width, layers, dropout)

    def forward(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Source ids (B, T) with lengths (B,) to states (B, T, 2 * width)."""
        return self.lstm(self.embedding(source), lengths)[0]


class State(NamedTuple):
    """The state of the predictor's LSTM for N outputs."""

    hidden: Tensor  # (N, predictor)
    cell: Tensor  # (N, predictor)


class Transducer(nn.Module):
    """Encoder, predictor and joint. Called with a batch, it returns the loss summed over its rows, in nats.

    Args:
        size: its sizes, and which joint.
    """

    def __init__(self, size: Size):
        super().__init__()
        self.size = size
        joint_size = size.symbols if size.joint is None else size.joint
        self.encoder = Encoder(size.inputs, size.embedding, size.encoder, size.layers, size.dropout)
        self.embedding = nn.Embedding(size.symbols, size.embedding)
        self.predictor = nn.LSTM(size.embedding, size.predictor, batch_first=True)
        self.dropout = LockedDropout(size.dropout)
        self.from_encoder = nn.Linear(2 * size.encoder, joint_size)
        self.from_predictor = nn.Linear(size.predictor, joint_size, bias=False)
        self.output = None if size.joint is None else nn.Linear(joint_size, size.symbols)

    def encode(self, source: Tensor, lengths: Tensor) -> Tensor:
        """The encoder's part of the joint (B, T, V or H) for source ids (B, T) with lengths (B,), in float32."""
        return _linear(self.from_encoder, self.encoder(source, lengths))

    def predict(self, labels: Tensor) -> Tensor:
        """The predictor's part of the joint (B, U + 1, V or H) before each label (B, U) and after the last, float32."""
        # The blank is never a label, so its embedding is free to mark the start.
        states, _ = self.predictor(self.embedding(nn.functional.pad(labels, (1, 0), value=BLANK)))
        return _linear(self.from_predictor, self.dropout(states))

    def start(self, rows: int) -> tuple[Tensor, State]:
        """What `advance` returns before the first label, for so many outputs."""
        weight = self.embedding.weight
        zeros = weight.new_zeros(rows, self.size.predictor)
        return self.advance(torch.full((rows,), BLANK, device=weight.device), State(zeros, zeros))

    def advance(self, labels: Tensor, state: State) -> tuple[Tensor, State]:
        """The predictor's part of the joint (N, V or H) behind one more label (N,), and the new state."""
        outputs, after = self.predictor(self.embedding(labels)[:, None], tuple(part[None] for part in state))
        return _linear(self.from_predictor, outputs[:, 0]), State(*(part[0] for part in after))

    def joint(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        """Scores of the next symbol (*, V) from both parts of the joint, of shapes that broadcast."""
        total = encoded + predicted
        return total if self.output is None else _linear(self.output, total.tanh())

    def losses(self, batch: Batch) -> Tensor:
        """Minus the log-likelihood of each row's target (B,), in nats."""
        encoded, predicted = self.encode(batch.source, batch.source_lengths), self.predict(batch.target)
        targets = (batch.target, batch.source_lengths, batch.target_lengths, BLANK, "none")
        if self.output is None:
            return additive_transducer_loss(encoded, predicted, *targets)
        return joint_transducer_loss(encoded, predicted, self.output.weight, self.output.bias, *targets)

    def forward(self, batch: Batch) -> Tensor:
        """The loss summed over the batch's rows; a row without labels contributes 0."""
        return self.losses(batch)[batch.target_lengths > 0].sum()


def _linear(layer: nn.Linear, states: Tensor) -> Tensor:
    """The layer outside autocast, in the dtype of its weight: the loss needs that precision, which costs little."""
    with without_autocast(states):
        return layer(states.to(layer.weight.dtype))
