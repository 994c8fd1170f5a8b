"""The models of pronunciations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from tendays import ctc, transducer, translation
from tendays.ctc import CTC
from tendays.pieces import pad
from tendays.pronunciation.alphabet import ALIGNED, JOINED, LETTERS, PHONEMES
from tendays.training import Recipe
from tendays.transducer import Encoder, Transducer

FRAMES = 3
"""Frames of CTC for each letter: there must be no fewer frames than phonemes."""

Kind = Literal["additive", "tanh", "ctc", "attention"]


@dataclass(frozen=True)
class Plan:
    """What to train, and how.

    recipe: how long and how fast.
    kind: the transducer with the additive joint or with a hidden layer (`tanh`), `ctc`, or `attention`.
    width: of a direction of the encoder, of the predictor, and of the joint.
    embedding, layers, dropout: of the encoder.
    rows: words in a batch.
    count: learn from about so many words; None for all.
    """

    recipe: Recipe
    kind: Kind = "additive"
    width: int = 160
    embedding: int = 128
    layers: int = 2
    dropout: float = 0.15
    rows: int = 256
    count: int | None = None


def make(plan: Plan) -> nn.Module:
    """A new model of the plan's kind and size."""
    encoder = {"embedding": plan.embedding, "layers": plan.layers, "dropout": plan.dropout}
    if plan.kind == "attention":
        size = {"embedding": plan.embedding, "encoder": plan.width, "decoder": 2 * plan.width, "dropout": plan.dropout}
        vocabulary = JOINED.phonemes + len(PHONEMES)
        return translation.Translator(translation.Size(vocabulary, **size, embedding_dropout=0.0), smoothing=0.0)
    if plan.kind == "ctc":
        reader = Encoder(inputs=1 + len(LETTERS), width=plan.width, **encoder)
        return CTC(reader, 2 * plan.width, 1 + len(PHONEMES), FRAMES)
    joint = plan.width if plan.kind == "tanh" else None
    size = {"encoder": plan.width, "predictor": plan.width, "joint": joint, **encoder}
    return Transducer(transducer.Size(1 + len(LETTERS), 1 + len(PHONEMES), **size))


class Guess(NamedTuple):
    """A pronunciation and its log-probability in nats; None from a model that decodes greedily."""

    phonemes: tuple[str, ...]
    log_probability: float | None = None


def decode(model: nn.Module, source: Tensor, lengths: Tensor, width: int) -> list[list[Guess]]:
    """The best pronunciations that a model finds for each row of letters (B, T), best first."""
    if isinstance(model, CTC):
        return [[Guess(ALIGNED.spoken(row))] for row in ctc.greedy(model, source, lengths)]
    if isinstance(model, translation.Translator):
        if width == 1:
            return [[Guess(JOINED.spoken(row))] for row in translation.greedy(model, source, lengths)]
        found = translation.beam_search(model, source, lengths, width, normalise=0)
        return [[Guess(JOINED.spoken(one.pieces), one.log_probability) for one in row] for row in found]
    if width == 1:
        return [[Guess(ALIGNED.spoken(row))] for row in transducer.greedy(model, source, lengths)]
    found = transducer.beam_search(model, source, lengths, width)
    return [[Guess(ALIGNED.spoken(one.labels), one.log_probability) for one in row] for row in found]


def pronounce(model: nn.Module, words: Sequence[str], width: int = 1, rows: int = 500) -> list[list[Guess]]:
    """The best pronunciations of words: one each when greedy, with `width` 1, and otherwise up to `width`.

    Args:
        model: of any kind.
        words: of letters from a to z and apostrophes.
        width: of the beam.
        rows: how many words are worked on at once.

    Raises:
        ValueError: a word is empty, or has another character; or width or rows < 1.
    """
    if width < 1 or rows < 1:
        raise ValueError(f"width is {width} and rows is {rows}; expected at least 1")
    alphabet = JOINED if isinstance(model, translation.Translator) else ALIGNED
    encoded = [alphabet.source(word) for word in words]
    order = sorted(range(len(words)), key=lambda i: len(encoded[i]))
    device, training = next(model.parameters()).device, model.training
    model.eval()
    guesses: list[list[Guess]] = [[]] * len(words)
    for start in range(0, len(order), rows):
        some = order[start : start + rows]
        source, lengths = pad([encoded[i] for i in some])
        for i, found in zip(some, decode(model, source.to(device), lengths.to(device), width), strict=True):
            guesses[i] = found
    model.train(training)
    return guesses
