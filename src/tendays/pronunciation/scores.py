"""Error rates."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import jiwer
from torch import nn

from tendays import corpora
from tendays.ctc import CTC
from tendays.pronunciation.models import pronounce


class Errors(NamedTuple):
    """Error rates in percent: of phonemes, and of words that have any error."""

    phonemes: float
    words: float


def errors(guesses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> Errors:
    """How wrong pronunciations are, each beside the variant of its word that it is nearest to.

    That is how the field counts. The edits are counted by jiwer, for which a phoneme is a word.

    Raises:
        ValueError: there are none, or not as many guesses as references.
    """
    if not guesses or len(guesses) != len(references):
        raise ValueError(
            f"guesses has {len(guesses)} words and references {len(references)}; expected as many, and some"
        )
    said = [" ".join(guess) for guess in guesses]
    nearest = [
        _nearest(guess, [" ".join(one) for one in variants]) for guess, variants in zip(said, references, strict=True)
    ]
    wrong = sum(guess != reference for guess, reference in zip(said, nearest, strict=True))
    return Errors(100 * jiwer.wer(nearest, said), 100 * wrong / len(said))


def _nearest(guess: str, variants: list[str]) -> str:
    return variants[0] if len(variants) == 1 else min(variants, key=lambda variant: _edits(variant, guess))


def _edits(reference: str, guess: str) -> int:
    counts = jiwer.process_words(reference, guess)
    return counts.substitutions + counts.deletions + counts.insertions


def evaluate(model: nn.Module, corpus: corpora.PronunciationCorpus, width: int = 1) -> Errors:
    """The error rates of a model's best pronunciations of the words of a corpus."""
    return errors([found[0].phonemes for found in pronounce(model, corpus.words, width)], corpus.pronunciations)


def scores_of(model: nn.Module, corpus: corpora.PronunciationCorpus) -> dict[str, dict[str, float]]:
    """The error rates of a model, greedy and with a beam of 5 where it has one, and the seconds that either took."""
    scores = {}
    for name, width in (("greedy", 1), ("beam 5", 5))[: 1 if isinstance(model, CTC) else 2]:
        begun = time.perf_counter()
        found = evaluate(model, corpus, width)
        scores[name] = {"PER": found.phonemes, "WER": found.words, "seconds": time.perf_counter() - begun}
    return scores
