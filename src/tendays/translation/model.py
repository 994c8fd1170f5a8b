"""The encoder-decoder with attention.

An encoder-decoder (Sutskever, Vinyals and Le 2014) with the dot-product attention of Luong, Pham and Manning 2015.
Attention is computed between two recurrent layers of the decoder (Wu et al. 2016), not inside of one. Under teacher
forcing each layer therefore runs over all target pieces in one call, without a Python loop over time.

Shapes: B sentences, T source pieces, U target pieces, V vocabulary, D embedding, H hidden size of the decoder, M memory
(both directions of the encoder), K hypotheses for each sentence, N = B * K.
"""

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

    vocabulary: V.
    embedding: D.
    encoder: hidden size of one direction of the encoder, M / 2.
    decoder: H, the hidden size of both layers of the decoder.
    dropout: probability of locked dropout on the states of encoder and decoder.
    embedding_dropout: probability of locked dropout on embeddings.
    attention: whether the decoder attends to every state of the encoder, or only sees its last one.
    """

    vocabulary: int
    embedding: int = 256
    encoder: int = 256
    decoder: int = 384
    dropout: float = 0.3
    embedding_dropout: float = 0.2
    attention: bool = True


class Memory(NamedTuple):
    """What the decoder attends to: states (B, T, M), and a mask (B, T) that is false in padding."""

    states: Tensor
    mask: Tensor


class State(NamedTuple):
    """The state of both LSTMs of the decoder, each part (B, K, H) for K hypotheses of each sentence."""

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
        self.dropout = LockedDropout(size.dropout)
        self.embedding_dropout = LockedDropout(size.embedding_dropout)
        # Input and output embeddings are tied (Press and Wolf 2017). The matrix starts small, so that the first logits
        # are near 0; as an input embedding it is scaled by sqrt(D).
        nn.init.normal_(self.embedding.weight, std=size.embedding**-0.5)

    def embed(self, ids: Tensor) -> Tensor:
        """Ids (B, T) to embeddings (B, T, D)."""
        return self.embedding_dropout(self.embedding(ids) * self.size.embedding**0.5)

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Memory, State]:
        """Source ids (B, T) with lengths (B,) to the memory and the decoder's first state (B, 1, H)."""
        states, summary = self.encoder(self.embed(source), lengths)  # (B, T, M), (B, M)
        hidden, cell = torch.tanh(self.bridge(summary))[:, None].chunk(2, 2)
        first = State(hidden, cell, torch.zeros_like(hidden), torch.zeros_like(cell))
        mask = torch.arange(source.shape[1], device=source.device) < lengths[:, None]
        if not self.size.attention:
            # Attention over a memory of one state returns that state: the plain encoder-decoder is a special case.
            states, mask = summary[:, None], mask[:, :1]
        return Memory(self.dropout(states), mask), first

    def attend(self, queries: Tensor, memory: Memory) -> Tensor:
        """Attention weights (B, U, T) of decoder states (B, U, H) over the memory; each row sums to 1."""
        # (B, U, T), scaled by sqrt(M)
        scores = self.query(queries) @ memory.states.transpose(1, 2) * memory.states.shape[2] ** -0.5
        return scores.masked_fill(~memory.mask[:, None], float("-inf")).softmax(2)

    def decode(self, embedded: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Embeddings (N, U, D) of the previous pieces to outputs (N, U, D) that predict the next ones.

        The first LSTM reads the pieces, its states are the queries of attention, and the second LSTM reads queries and
        context. None of the three depends on the outputs, so that each runs over all U pieces at once.

        Returns:
            The outputs, and the decoder's state after the last piece (N, 1, H).
        """
        hidden, cell, deep_hidden, deep_cell = (part.transpose(0, 1).contiguous() for part in state)  # (1, N, H)
        queries, after = self.decoder(embedded, (hidden, cell))
        queries = self.dropout(queries)  # (N, U, H)
        # In search the K hypotheses of a sentence share its memory: (B, K, H). In training this changes nothing.
        grouped = queries.reshape(len(memory.states), -1, queries.shape[2])
        context = self.attend(grouped, memory).to(queries.dtype) @ memory.states.to(queries.dtype)
        features = torch.cat([queries, context.reshape(*queries.shape[:2], -1)], 2)  # (N, U, H + M)
        deep, deep_after = self.deep(features, (deep_hidden.to(features.dtype), deep_cell.to(features.dtype)))
        outputs = torch.tanh(self.combine(torch.cat([self.dropout(deep), features], 2)))  # (N, U, D)
        return outputs, State(*(part.transpose(0, 1) for part in (*after, *deep_after)))

    def teach(self, batch: Batch) -> Tensor:
        """The outputs (B, U, D) under teacher forcing: at each target piece, given the reference before it."""
        memory, first = self.encode(batch.source, batch.source_lengths)
        return self.decode(self.embed(batch.target[:, :-1]), memory, first)[0]

    def logits(self, outputs: Tensor) -> Tensor:
        """Outputs (*, D) to logits of the next piece (*, V)."""
        return F.linear(outputs, self.embedding.weight, self.bias)

    def forward(self, batch: Batch) -> Tensor:
        """The label-smoothed loss summed over the batch's target pieces, a tensor of no dimension, in nats."""
        outputs = self.dropout(self.teach(batch))
        counts = torch.arange(outputs.shape[1], device=outputs.device) < batch.target_lengths[:, None]
        targets = batch.target[:, 1:].where(counts, PAD)
        return smoothed_cross_entropy(
            outputs.flatten(0, 1), self.embedding.weight, self.bias, targets.flatten(), self.smoothing, PAD
        )

    def step(self, previous: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """The log-probabilities (B, K, V) of the next pieces after previous ones (B, K), and the decoder's state."""
        rows, beams = previous.shape
        embedded = self.embed(previous).reshape(rows * beams, 1, -1)  # (N, 1, D)
        flat = State(*(part.flatten(0, 1)[:, None] for part in state))  # (N, 1, H)
        outputs, after = self.decode(embedded, memory, flat)
        logits = self.logits(outputs).reshape(rows, beams, -1)  # (B, K, V)
        # No translation holds any of these three.
        logits[..., [PAD, UNK, BOS]] = float("-inf")
        return logits.log_softmax(2), State(*(part.reshape(rows, beams, -1) for part in after))
