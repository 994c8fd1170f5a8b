"""Greedy and beam search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tendays.pieces import BOS, EOS, Pieces, pad
from tendays.translation.model import Memory, State, Translator


class Hypothesis(NamedTuple):
    """One translation: its pieces without EOS, the logarithm of its probability in nats, and that over its length."""

    pieces: list[int]
    log_probability: float
    score: float


def limits(lengths: Tensor) -> Tensor:
    """The most pieces, EOS included, that a translation of a source of so many pieces (B,) may have."""
    return 2 * lengths + 10


@torch.no_grad()
def greedy(model: Translator, source: Tensor, lengths: Tensor) -> list[list[int]]:
    """The most probable next piece, again and again, for source ids (B, T): lists of pieces without EOS."""
    memory, state = model.encode(source, lengths)
    limit = limits(lengths)
    written, open_rows = [], torch.ones(len(source), dtype=torch.bool, device=source.device)
    previous = torch.full((len(source), 1), BOS, device=source.device)
    while open_rows.any():
        logp, state = model.step(previous, memory, state)
        previous = logp.argmax(2)
        open_rows &= (previous[:, 0] != EOS) & (len(written) + 1 < limit)
        previous = previous.where(open_rows[:, None], EOS)
        written.append(previous)
    return [row[: row.index(EOS)] for row in torch.cat(written, 1).tolist()]


class _Beams(NamedTuple):
    """The live hypotheses of the sentences that are not finished: R rows of K."""

    sentences: Tensor  # (R,) which sentence a row belongs to
    pieces: Tensor  # (R, K, u) written so far, from BOS
    scores: Tensor  # (R, K) log-probabilities; -inf where there is no hypothesis
    state: State
    memory: Memory

    def keep(self, rows: Tensor) -> _Beams:
        """The rows where the mask (R,) holds."""
        parts = (self.sentences, self.pieces, self.scores)
        return _Beams(
            *(part[rows] for part in parts),
            State(*(x[rows] for x in self.state)),
            Memory(*(x[rows] for x in self.memory)),
        )


@torch.no_grad()
def beam_search(
    model: Translator,
    source: Tensor,
    lengths: Tensor,
    width: int = 5,
    normalise: float = 1.0,
    limit: Tensor | None = None,
) -> list[list[Hypothesis]]:
    """The best translations that a search of `width` hypotheses finds, for all sentences at once.

    Each step extends every hypothesis by every piece and keeps the best `width` unfinished ones; of the best `width`
    extensions those that end in EOS are finished. A sentence is done with `width` finished hypotheses or at its limit
    of length, where only EOS may follow. Finished ones are ranked by log P / U^normalise (Wu et al. 2016, without
    their constant).

    Args:
        model: in evaluation mode.
        source: ids (B, T).
        lengths: (B,).
        width: K, at least 1.
        normalise: 0 ranks by probability, 1 by the mean log-probability of a piece.
        limit: (B,) the most pieces of a translation, EOS included; without it, `limits(lengths)`.

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
        for row, hypothesis in _hypotheses(ended, normalise):
            finished[row].append(hypothesis)
        counts = torch.tensor([len(finished[row]) for row in beams.sentences.tolist()], device=source.device)
        going_on = (counts < width) & ~last
        if not going_on.all():
            beams = beams.keep(going_on)
    return [sorted(found, key=lambda hypothesis: -hypothesis.score)[:width] for found in finished]


def _start(model: Translator, source: Tensor, lengths: Tensor, width: int) -> _Beams:
    memory, state = model.encode(source, lengths)
    rows = len(source)
    scores = torch.full((rows, width), float("-inf"), dtype=memory.states.dtype, device=source.device)
    scores[:, 0] = 0  # the only hypothesis at first; the others are copies without probability
    return _Beams(
        torch.arange(rows, device=source.device),
        torch.full((rows, width, 1), BOS, device=source.device),
        scores,
        State(*(part.expand(-1, width, -1) for part in state)),
        memory,
    )


def _extend(model: Translator, beams: _Beams, last: Tensor) -> tuple[_Beams, tuple[Tensor, Tensor, Tensor]]:
    """All hypotheses one piece longer: those that go on, and those that end as (sentences, pieces, scores)."""
    width = beams.scores.shape[1]
    logp, state = model.step(beams.pieces[:, :, -1], beams.memory, beams.state)
    vocabulary = logp.shape[2]
    others = torch.arange(vocabulary, device=logp.device) != EOS
    logp = logp.masked_fill(last[:, None, None] & others, float("-inf"))
    totals = (beams.scores[:, :, None] + logp).flatten(1)
    # Among the best 2 K at most K end in EOS, one for each hypothesis, so that at least K can go on.
    scores, index = totals.topk(min(2 * width, totals.shape[1]), dim=1)
    parent, piece = index // vocabulary, index % vocabulary
    row, rank = ((piece == EOS) & scores.isfinite())[:, :width].nonzero(as_tuple=True)
    ended = beams.sentences[row], beams.pieces[row, parent[row, rank], 1:], scores[row, rank]
    scores, best = scores.masked_fill(piece == EOS, float("-inf")).topk(width, dim=1)
    parent, piece = parent.gather(1, best), piece.gather(1, best)
    chosen = torch.arange(len(parent), device=parent.device)[:, None], parent
    pieces = torch.cat([beams.pieces[chosen], piece[:, :, None]], 2)
    return _Beams(beams.sentences, pieces, scores, State(*(part[chosen] for part in state)), beams.memory), ended


def _hypotheses(ended: tuple[Tensor, Tensor, Tensor], normalise: float) -> list[tuple[int, Hypothesis]]:
    rows, pieces, scores = (part.tolist() for part in ended)
    return [
        (row, Hypothesis(written, score, score / (len(written) + 1) ** normalise))
        for row, written, score in zip(rows, pieces, scores, strict=True)
    ]


def translate(
    model: Translator, pieces: Pieces, sentences: Sequence[str], beam: int = 5, normalise: float = 1.0, batch: int = 128
) -> list[str]:
    """German sentences to English ones, one for one; an empty sentence stays empty.

    Args:
        model: the translator; it is left in the mode, training or evaluation, that it was in.
        pieces: the vocabulary that it was trained with.
        sentences: any text, also longer than the model has seen; unknown characters are read as UNK.
        beam: width of the search; 1 is greedy.
        normalise: see `beam_search`.
        batch: how many sentences at once.

    Raises:
        ValueError: beam or batch < 1.
    """
    if beam < 1 or batch < 1:
        raise ValueError(f"beam is {beam} and batch {batch}; expected at least 1")
    device = model.bias.device
    encoded = [pieces.encode(sentence) if sentence.strip() else [] for sentence in sentences]
    # Sentences of like length together, so that little is computed on padding.
    order = sorted((index for index, ids in enumerate(encoded) if ids), key=lambda index: len(encoded[index]))
    translations = [""] * len(sentences)
    training, _ = model.training, model.eval()
    for begin in range(0, len(order), batch):
        chosen = order[begin : begin + batch]
        source, lengths = pad([encoded[index] for index in chosen])
        source, lengths = source.to(device), lengths.to(device)
        if beam == 1:
            found = greedy(model, source, lengths)
        else:
            found = [best[0].pieces for best in beam_search(model, source, lengths, beam, normalise)]
        for index, ids in zip(chosen, found, strict=True):
            translations[index] = pieces.decode(ids)
    model.train(training)
    return translations
