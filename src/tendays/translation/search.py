"""Greedy search and beam search, for many sentences at once; text to text.

Shapes: B sentences, T source pieces, V vocabulary, K hypotheses for each sentence (the width of the beam), R sentences
that are not finished, u pieces so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tendays.pieces import BOS, EOS, Pieces, by_length
from tendays.training import evaluation_mode
from tendays.translation.model import Memory, State, Translator


class Hypothesis(NamedTuple):
    """A finished translation: its pieces without EOS, its log-probability in nats, and its score.

    The score is the log-probability divided by a power of the length, EOS included; see `beam_search`.
    """

    pieces: list[int]
    log_probability: float
    score: float


def limits(lengths: Tensor) -> Tensor:
    """The largest length of a translation, EOS included, for sources of these lengths (B,)."""
    return 2 * lengths + 10


@torch.no_grad()
def greedy(model: Translator, source: Tensor, lengths: Tensor) -> list[list[int]]:
    """The translations that the most probable next piece at each step makes, as lists of pieces without EOS.

    Args:
        model: in evaluation mode.
        source: ids (B, T).
        lengths: (B,).
    """
    memory, state = model.encode(source, lengths)
    limit = limits(lengths)
    written, unfinished = [], torch.ones(len(source), dtype=torch.bool, device=source.device)
    previous = torch.full((len(source), 1), BOS, device=source.device)
    while unfinished.any():
        logp, state = model.step(previous, memory, state)
        previous = logp.argmax(2)
        unfinished &= (previous[:, 0] != EOS) & (len(written) + 1 < limit)
        previous = previous.where(unfinished[:, None], EOS)
        written.append(previous)
    return [row[: row.index(EOS)] for row in torch.cat(written, 1).tolist()]


class _Beams(NamedTuple):
    """The live hypotheses of the sentences that are not finished."""

    sentences: Tensor  # (R,) index of the sentence of each row
    pieces: Tensor  # (R, K, u) from BOS on
    scores: Tensor  # (R, K) log-probabilities; -inf where there is no hypothesis
    state: State  # (R, K, H)
    memory: Memory  # (R, T, M)

    def keep(self, rows: Tensor) -> _Beams:
        """The rows where a mask (R,) is true."""
        parts = (self.sentences, self.pieces, self.scores)
        return _Beams(
            *(part[rows] for part in parts),
            State(*(x[rows] for x in self.state)),
            Memory(*(x[rows] for x in self.memory)),
        )


class _Ended(NamedTuple):
    """The E hypotheses that ended in EOS at one step."""

    sentences: Tensor  # (E,)
    pieces: Tensor  # (E, u), without BOS and EOS
    scores: Tensor  # (E,) log-probabilities

    def hypotheses(self, normalise: float) -> list[tuple[int, Hypothesis]]:
        """Each sentence's index with its hypothesis."""
        rows, pieces, scores = (part.tolist() for part in self)
        return [
            (row, Hypothesis(written, score, score / (len(written) + 1) ** normalise))
            for row, written, score in zip(rows, pieces, scores, strict=True)
        ]


@torch.no_grad()
def beam_search(
    model: Translator,
    source: Tensor,
    lengths: Tensor,
    width: int = 5,
    normalise: float = 1.0,
    limit: Tensor | None = None,
) -> list[list[Hypothesis]]:
    """The best translations that a beam of `width` hypotheses finds, for all sentences at once.

    Each step extends every hypothesis by every piece. Of the best `width` extensions, those that end in EOS are
    finished; the best `width` others stay in the beam. A sentence is finished when it has `width` finished hypotheses,
    or at its limit of length, where only EOS may follow. Finished hypotheses are ranked by log P / U^normalise, where U
    is their length (Wu et al. 2016, section 7, without their constant).

    Args:
        model: in evaluation mode.
        source: ids (B, T).
        lengths: (B,).
        width: K, at least 1.
        normalise: 0 ranks by probability, 1 by the mean log-probability of a piece.
        limit: (B,) the largest length of a translation, EOS included; by default `limits(lengths)`.

    Returns:
        For each sentence its finished hypotheses, at most `width` of them, best first.

    Raises:
        ValueError: width < 1.
    """
    if width < 1:
        raise ValueError(f"width is {width}; expected at least 1")
    finished: list[list[Hypothesis]] = [[] for _ in range(len(source))]
    limit = limits(lengths) if limit is None else limit
    beams = _start(model, source, lengths, width)
    while len(beams.sentences):
        length = beams.pieces.shape[2]
        last = limit[beams.sentences] == length
        beams, ended = _extend(model, beams, last)
        for row, hypothesis in ended.hypotheses(normalise):
            finished[row].append(hypothesis)
        counts = torch.tensor([len(finished[row]) for row in beams.sentences.tolist()], device=source.device)
        unfinished = (counts < width) & ~last
        if not unfinished.all():
            beams = beams.keep(unfinished)
    return [sorted(found, key=lambda hypothesis: -hypothesis.score)[:width] for found in finished]


def _start(model: Translator, source: Tensor, lengths: Tensor, width: int) -> _Beams:
    """Beams of one hypothesis for each sentence: BOS."""
    memory, state = model.encode(source, lengths)
    rows = len(source)
    scores = torch.full((rows, width), float("-inf"), dtype=memory.states.dtype, device=source.device)
    scores[:, 0] = 0  # the others are copies of probability 0
    return _Beams(
        torch.arange(rows, device=source.device),
        torch.full((rows, width, 1), BOS, device=source.device),
        scores,
        State(*(part.expand(-1, width, -1) for part in state)),
        memory,
    )


def _extend(model: Translator, beams: _Beams, last: Tensor) -> tuple[_Beams, _Ended]:
    """The beams one piece longer, and the hypotheses that ended.

    Args:
        model: in evaluation mode.
        beams: the live hypotheses.
        last: (R,) true where a sentence is at its limit of length.
    """
    width = beams.scores.shape[1]
    logp, state = model.step(beams.pieces[:, :, -1], beams.memory, beams.state)
    vocabulary = logp.shape[2]
    others = torch.arange(vocabulary, device=logp.device) != EOS
    logp = logp.masked_fill(last[:, None, None] & others, float("-inf"))  # (R, K, V)
    totals = (beams.scores[:, :, None] + logp).flatten(1)  # (R, K * V)
    # Each hypothesis ends at most once: of the best 2 K extensions at most K end in EOS, and K others are left.
    scores, index = totals.topk(min(2 * width, totals.shape[1]), dim=1)
    parent, piece = index // vocabulary, index % vocabulary
    row, rank = ((piece == EOS) & scores.isfinite())[:, :width].nonzero(as_tuple=True)
    ended = _Ended(beams.sentences[row], beams.pieces[row, parent[row, rank], 1:], scores[row, rank])
    scores, best = scores.masked_fill(piece == EOS, float("-inf")).topk(width, dim=1)
    parent, piece = parent.gather(1, best), piece.gather(1, best)
    chosen = torch.arange(len(parent), device=parent.device)[:, None], parent
    pieces = torch.cat([beams.pieces[chosen], piece[:, :, None]], 2)  # (R, K, u + 1)
    return _Beams(beams.sentences, pieces, scores, State(*(part[chosen] for part in state)), beams.memory), ended


def translate(
    model: Translator, pieces: Pieces, sentences: Sequence[str], beam: int = 5, normalise: float = 1.0, batch: int = 128
) -> list[str]:
    """German sentences to English ones, one for one; an empty sentence stays empty.

    Args:
        model: the translator; its mode, training or evaluation, is left as it was.
        pieces: the vocabulary that it was trained with.
        sentences: any text, also longer than in training; unknown characters are read as UNK.
        beam: width of the search; 1 is greedy.
        normalise: see `beam_search`.
        batch: how many sentences at once.

    Raises:
        ValueError: beam or batch < 1.
    """
    if beam < 1:
        raise ValueError(f"beam is {beam}; expected at least 1")
    device = model.bias.device

    def decode(source: Tensor, lengths: Tensor) -> list[list[int]]:
        source, lengths = source.to(device), lengths.to(device)
        if beam == 1:
            return greedy(model, source, lengths)
        return [found[0].pieces for found in beam_search(model, source, lengths, beam, normalise)]

    translations = [""] * len(sentences)
    written = [index for index, sentence in enumerate(sentences) if sentence.strip()]
    with evaluation_mode(model):
        found = by_length([pieces.encode(sentences[index]) for index in written], batch, decode)
    for index, ids in zip(written, found, strict=True):
        translations[index] = pieces.decode(ids)
    return translations
