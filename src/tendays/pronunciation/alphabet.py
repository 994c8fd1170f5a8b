"""Words and pronunciations as ids, and batches of them.

Shapes: B words, T letters.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tendays import corpora
from tendays.pieces import BOS, EOS, Batch, pad

LETTERS = "'" + string.ascii_lowercase
PHONEMES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH"),
    *("K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
"""The letters of words, and the phonemes of pronunciations: the ARPAbet, without stress."""


class Alphabet(NamedTuple):
    """The ids of letters and phonemes.

    first_letter: the id of the first letter; the others follow.
    first_phoneme: the id of the first phoneme; the others follow.
    start: ids before a target.
    end: ids after a source and after a target.
    """

    first_letter: int = 1
    first_phoneme: int = 1
    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()

    def source(self, word: str) -> list[int]:
        """The ids of a word's letters.

        Raises:
            ValueError: the word is empty, or has a character other than letters from a to z and the apostrophe.
        """
        word = word.lower()
        wrong = "".join(sorted(set(word) - set(LETTERS)))
        if wrong or not word:
            raise ValueError(f"word is {word!r}; expected letters from a to z and apostrophes, and not {wrong!r}")
        return [*(LETTERS.index(letter) + self.first_letter for letter in word), *self.end]

    def target(self, phonemes: Sequence[str]) -> list[int]:
        """The ids of a pronunciation."""
        return [*self.start, *(PHONEMES.index(phoneme) + self.first_phoneme for phoneme in phonemes), *self.end]

    def phonemes(self, ids: Sequence[int]) -> tuple[str, ...]:
        """The phonemes of ids; ids of anything else are left out."""
        indices = (index - self.first_phoneme for index in ids)
        return tuple(PHONEMES[index] for index in indices if 0 <= index < len(PHONEMES))

    def sources(self, words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Words as one tensor (B, T), and their lengths (B,)."""
        return pad([self.source(word) for word in words])


ALIGNED = Alphabet()
"""For transducer and CTC: letters and phonemes have a vocabulary each, whose 0 is the blank."""

JOINED = Alphabet(first_letter=4, first_phoneme=4 + len(LETTERS), start=(BOS,), end=(EOS,))
"""For the encoder-decoder of `tendays.translation`: letters and phonemes share a vocabulary, after four special ids."""


class WordBatches:
    """Pairs of a word and one of its pronunciations, in batches of pairs of similar length.

    Args:
        corpus: words with the variants of their pronunciations; each variant makes a pair.
        rows: B, of every batch but one.
        alphabet: the ids.
        count: use only about so many words, evenly spread over the corpus.
    """

    def __init__(self, corpus: corpora.PronunciationCorpus, rows: int, alphabet: Alphabet, count: int | None = None):
        step = max(len(corpus) // count, 1) if count else 1
        chosen = list(zip(corpus.words, corpus.pronunciations, strict=True))[::step]
        self.pairs = [
            (alphabet.source(word), alphabet.target(pronunciation))
            for word, pronunciations in chosen
            for pronunciation in pronunciations
        ]
        self.rows, self.alphabet = rows, alphabet

    def epoch(self, seed: int) -> Iterator[Batch]:
        """One pass over the pairs: `seed` shuffles pairs of the same lengths, and then the batches."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.pairs), generator=generator).tolist()
        # Sorted by both lengths: hardly any padding, and few shapes. A processor prepares a kernel for each shape.
        order.sort(key=lambda i: (len(self.pairs[i][0]), len(self.pairs[i][1])))
        starts = list(range(0, len(order), self.rows))
        for index in torch.randperm(len(starts), generator=generator).tolist():
            pairs = [self.pairs[i] for i in order[starts[index] : starts[index] + self.rows]]
            source, source_lengths = pad([pair[0] for pair in pairs])
            target, target_lengths = pad([pair[1] for pair in pairs])
            yield Batch(source, source_lengths, target, target_lengths - len(self.alphabet.start))
