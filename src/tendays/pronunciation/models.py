"""The kinds of model that are compared, their plans, and their pronunciations of words.

Shapes: B words, T letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from tendays import ctc, transducer, translation
from tendays.ctc import CTC
from tendays.pieces import by_length
from tendays.pronunciation.alphabet import ALIGNED, JOINED, LETTERS, PHONEMES
from tendays.training import Recipe, evaluation_mode
from tendays.transducer import Encoder, Transducer

Kind = Literal["additive", "tanh", "ctc", "attention"]

KINDS: dict[Kind, str] = {"additive": "additive joint", "tanh": "tanh joint", "ctc": "CTC", "attention": "attention"}
"""The kinds in words: two of transducers, by their joint; CTC; the encoder-decoder of `tendays.translation`."""

FRAMES = 3
"""Frames of CTC for each letter. A word must have at least as many frames as phonemes."""


@dataclass(frozen=True)
class Plan:
    """Everything that the model of `train` depends on.

    recipe: epochs, learning rate, seed and so on.
    kind: of model, see `KINDS`.
    width: hidden size of one direction of the encoder, of the predictor, and of the tanh joint.
    embedding, layers, dropout: of the encoder.
    rows: words in a batch.
    count: the number of words to learn from, about; None for all.
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
        vocabulary = JOINED.first_phoneme + len(PHONEMES)
        return translation.Translator(translation.Size(vocabulary, **size, embedding_dropout=0.0), smoothing=0.0)
    if plan.kind == "ctc":
        reader = Encoder(inputs=1 + len(LETTERS), width=plan.width, **encoder)
        return CTC(reader, states=2 * plan.width, symbols=1 + len(PHONEMES), frames=FRAMES)
    joint = plan.width if plan.kind == "tanh" else None
    size = {"encoder": plan.width, "predictor": plan.width, "joint": joint, **encoder}
    return Transducer(transducer.Size(1 + len(LETTERS), 1 + len(PHONEMES), **size))


class Guess(NamedTuple):
    """A pronunciation and its log-probability in nats, which is None where decoding was greedy."""

    phonemes: tuple[str, ...]
    log_probability: float | None = None


def decode(model: nn.Module, source: Tensor, lengths: Tensor, width: int) -> list[list[Guess]]:
    """The best pronunciations that a model finds for each row of letter ids (B, T), best first."""
    if isinstance(model, CTC):
        return [[Guess(ALIGNED.phonemes(row))] for row in ctc.greedy(model, source, lengths)]
    if isinstance(model, translation.Translator):
        if width == 1:
            return [[Guess(JOINED.phonemes(row))] for row in translation.greedy(model, source, lengths)]
        found = translation.beam_search(model, source, lengths, width, normalise=0)
        return [[Guess(JOINED.phonemes(one.pieces), one.log_probability) for one in row] for row in found]
    if width == 1:
        return [[Guess(ALIGNED.phonemes(row))] for row in transducer.greedy(model, source, lengths)]
    found = transducer.beam_search(model, source, lengths, width)
    return [[Guess(ALIGNED.phonemes(one.labels), one.log_probability) for one in row] for row in found]


def pronounce(model: nn.Module, words: Sequence[str], width: int = 1, batch: int = 500) -> list[list[Guess]]:
    """The best pronunciations of words, best first: one each with `width` 1, which is greedy, otherwise up to `width`.

    Args:
        model: of any kind; its mode, training or evaluation, is left as it was.
        words: of letters from a to z and apostrophes.
        width: of the beam. CTC has none here, and is always greedy.
        batch: how many words at once.

    Raises:
        ValueError: a word is empty, or has another character; or width or batch < 1.
    """
    if width < 1:
        raise ValueError(f"width is {width}; expected at least 1")
    alphabet = JOINED if isinstance(model, translation.Translator) else ALIGNED
    device = next(model.parameters()).device
    with evaluation_mode(model):
        return by_length(
            [alphabet.source(word) for word in words],
            batch,
            lambda source, lengths: decode(model, source.to(device), lengths.to(device), width),
        )
