"""The encoder-decoder with attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tendays.pieces import BOS, PAD, UNK, Batch
from tendays.recurrent import BidirectionalLSTM, LockedDropout
from tendays.translation.loss import smoothed_cross_entropy


@dataclass(frozen=True)
class Size:
    """The size of a translator.

    vocabulary: V pieces. embedding: D. encoder: M / 2, the state of one direction. decoder: H.
    dropout: the part of a state's components, and embedding_dropout of an embedding's, that training hides.
    attention: whether the decoder looks at every state of the encoder, or only at its last one.
    """

    vocabulary: int
    embedding: int = 256
    encoder: int = 256
    decoder: int = 384
    dropout: float = 0.3
    embedding_dropout: float = 0.2
    attention: bool = True


class Memory(NamedTuple):
    """What the decoder may look at: states (B, T, M), and which of them count (B, T)."""

    states: Tensor
    mask: Tensor


class State(NamedTuple):
    """The state of both recurrences of the decoder, each part (B, K, H) for K hypotheses of each sentence."""

    hidden: Tensor
    cell: Tensor
    deep_hidden: Tensor
    deep_cell: Tensor


class Translator(nn.Module):
    """The encoder-decoder. Called with a batch, it returns the label-smoothed loss summed over all target pieces.

    Args:
        size: how large.
        smoothing: the part of the target's probability that is spread over the whole vocabulary
            (Szegedy et al. 2016).
    """

    def __init__(self, size: Size, smoothing: float = 0.1):
        super().__init__()
        self.size, self.smoothing = size, smoothing
        memory = 2 * size.encoder
        self.embedding = nn.Embedding(size.vocabulary, size.embedding)
        self.encoder = BidirectionalLSTM(size.embedding, size.encoder)
        self.bridge = nn.Linear(memory, 2 * size.decoder)
        self.decoder = nn.LSTM(size.embedding, size.decoder, batch_first=True)
        self.query = nn.Linear(size.decoder, memory, bias=False)
        self.deep = nn.LSTM(size.decoder + memory, size.decoder, batch_first=True)
        self.combine = nn.Linear(2 * size.decoder + memory, size.embedding)
        self.bias = nn.Parameter(torch.zeros(size.vocabulary))
        self.hide = LockedDropout(size.dropout)
        self.hide_embedding = LockedDropout(size.embedding_dropout)
        # The same matrix reads words and scores them (Press and Wolf 2017): small, so that first scores are near 0,
        # and scaled up again where it reads.
        nn.init.normal_(self.embedding.weight, std=size.embedding**-0.5)

    def embed(self, ids: Tensor) -> Tensor:
        """Ids (B, T) to embeddings (B, T, D)."""
        return self.hide_embedding(self.embedding(ids) * self.size.embedding**0.5)

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Memory, State]:
        """Source ids (B, T) with lengths (B,) to the memory and the decoder's first state (B, 1, H)."""
        states, summary = self.encoder(self.embed(source), lengths)
        hidden, cell = torch.tanh(self.bridge(summary))[:, None].chunk(2, 2)
        first = State(hidden, cell, torch.zeros_like(hidden), torch.zeros_like(cell))
        mask = torch.arange(source.shape[1], device=source.device) < lengths[:, None]
        if not self.size.attention:
            # With a memory of one state, attention is that state: the plain encoder-decoder is a special case.
            states, mask = summary[:, None], mask[:, :1]
        return Memory(self.hide(states), mask), first

    def attend(self, queries: Tensor, memory: Memory) -> Tensor:
        """How much each decoder state (B, U, H) looks at each state of the memory: (B, U, T), rows that sum to 1."""
        scores = self.query(queries) @ memory.states.transpose(1, 2) * memory.states.shape[2] ** -0.5
        return scores.masked_fill(~memory.mask[:, None], float("-inf")).softmax(2)

    def decode(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Embeddings (N, U, D) of the pieces before to vectors (N, U, D) that score the next, and the state (N, 1, H).

        A recurrence reads the words, attention looks for what they call for, and a second recurrence, which knows
        what was looked at, decides: the first may run over all U words at once, and so may the other two.
        """
        carried = tuple(part.transpose(0, 1).contiguous() for part in state)
        queries, after = self.decoder(words, carried[:2])
        queries = self.hide(queries)
        # In search the K hypotheses of a sentence are rows of one word each; they share its memory.
        grouped = queries.reshape(len(memory.states), -1, queries.shape[2])
        context = self.attend(grouped, memory).to(queries.dtype) @ memory.states.to(queries.dtype)
        found = torch.cat([queries, context.reshape(*queries.shape[:2], -1)], 2)
        deep, deep_after = self.deep(found, tuple(part.to(found.dtype) for part in carried[2:]))
        outputs = torch.tanh(self.combine(torch.cat([self.hide(deep), found], 2)))
        return outputs, State(*(part.transpose(0, 1) for part in (*after, *deep_after)))

    def teach(self, batch: Batch) -> Tensor:
        """Teacher forcing: the outputs (B, U, D) at every target piece, given the right pieces before it."""
        memory, first = self.encode(batch.source, batch.source_lengths)
        return self.decode(self.embed(batch.target[:, :-1]), memory, first)[0]

    def logits(self, outputs: Tensor) -> Tensor:
        """Outputs (*, D) to scores of the next piece (*, V)."""
        return F.linear(outputs, self.embedding.weight, self.bias)

    def forward(self, batch: Batch) -> Tensor:
        """The loss summed over the batch's target pieces, a tensor of no dimension, in nats."""
        outputs = self.hide(self.teach(batch))
        counts = torch.arange(outputs.shape[1], device=outputs.device) < batch.target_lengths[:, None]
        targets = batch.target[:, 1:].where(counts, PAD)
        return smoothed_cross_entropy(
            outputs.flatten(0, 1), self.embedding.weight, self.bias, targets.flatten(), self.smoothing, PAD
        )

    def step(self, previous: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """One piece further: the pieces just written (B, K) to log-probabilities of the next (B, K, V)."""
        rows, beams = previous.shape
        words = self.embed(previous).reshape(rows * beams, 1, -1)
        alone = State(*(part.flatten(0, 1)[:, None] for part in state))
        outputs, after = self.decode(words, memory, alone)
        logits = self.logits(outputs).reshape(rows, beams, -1)
        # No translation holds these three.
        logits[..., [PAD, UNK, BOS]] = float("-inf")
        return logits.log_softmax(2), State(*(part.reshape(rows, beams, -1) for part in after))
