"""Error rates of pronunciations, counted by jiwer.

PER is the phoneme error rate: edits (substitutions, deletions and insertions) per phoneme of the reference. WER is the
word error rate: the share of words whose pronunciation has any error.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jiwer
from torch import nn

from tendays import corpora
from tendays.ctc import CTC
from tendays.pronunciation.models import pronounce

RATES = {"PER": "phoneme error rate", "WER": "word error rate"}
"""The error rates of `scores_of`, in words."""


class Errors(NamedTuple):
    """Error rates in percent: of phonemes (PER), and of words (WER)."""

    phonemes: float
    words: float


def errors(guesses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> Errors:
    """The error rates of pronunciations, each against the nearest variant of its word, as is usual in the field.

    Args:
        guesses: the phonemes of N pronunciations.
        references: N lists of variants.

    Raises:
        ValueError: there are none, or not as many guesses as references.
    """
    if not guesses or len(guesses) != len(references):
        raise ValueError(
            f"guesses has {len(guesses)} words and references {len(references)}; expected as many, and some"
        )
    hypotheses = [" ".join(guess) for guess in guesses]
    nearest = [
        _nearest(hypothesis, [" ".join(variant) for variant in variants])
        for hypothesis, variants in zip(hypotheses, references, strict=True)
    ]
    wrong = sum(hypothesis != reference for hypothesis, reference in zip(hypotheses, nearest, strict=True))
    return Errors(100 * jiwer.wer(nearest, hypotheses), 100 * wrong / len(hypotheses))


def _nearest(guess: str, variants: list[str]) -> str:
    """The variant with the fewest edits; the first of several."""
    return variants[0] if len(variants) == 1 else min(variants, key=lambda variant: _edits(variant, guess))


def _edits(reference: str, guess: str) -> int:
    """Edits between two texts of phonemes: for jiwer, a phoneme is a word."""
    counts = jiwer.process_words(reference, guess)
    return counts.substitutions + counts.deletions + counts.insertions


def evaluate(model: nn.Module, corpus: corpora.PronunciationCorpus, width: int = 1) -> Errors:
    """The error rates of a model's best pronunciations of the words of a corpus."""
    return errors([found[0].phonemes for found in pronounce(model, corpus.words, width)], corpus.pronunciations)


def scores_of(model: nn.Module, corpus: corpora.PronunciationCorpus) -> dict[str, dict[str, float]]:
    """PER, WER and seconds of a model on a corpus, by the search: greedy, and a beam of 5 where the kind has one."""
    scores = {}
    for name, width in (("greedy", 1), ("beam 5", 5))[: 1 if isinstance(model, CTC) else 2]:
        begun = time.perf_counter()
        found = evaluate(model, corpus, width)
        scores[name] = {"PER": found.phonemes, "WER": found.words, "seconds": time.perf_counter() - begun}
    return scores


def claims_of(scores: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """The error rates of `scores_of` on test words, as claims; those of the last search stand for the run."""
    claims = [
        {"name": f"{name} on test words, {search}", "value": found[rate], "unit": "%"}
        for search, found in scores.items()
        for rate, name in RATES.items()
    ]
    for claim in claims[-len(RATES) :]:
        claim["headline"] = True
    return claims
