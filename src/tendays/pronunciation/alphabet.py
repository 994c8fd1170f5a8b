"""Words and pronunciations as ids, and batches of them."""

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
"""What words are written with, and what they sound like: the ARPAbet, without stress."""


class Alphabet(NamedTuple):
    """How words and pronunciations become ids.

    letters: the id of the first letter. phonemes: of the first phoneme.
    start, end: ids put around a target, if any; `end` also closes the source.
    """

    letters: int = 1
    phonemes: int = 1
    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()

    def source(self, word: str) -> list[int]:
        """The ids of a word's letters.

        Raises:
            ValueError: the word is empty, or has a character that is neither a letter from a to z nor an apostrophe.
        """
        word = word.lower()
        wrong = "".join(sorted(set(word) - set(LETTERS)))
        if wrong or not word:
            raise ValueError(f"word is {word!r}; expected letters from a to z and apostrophes, and not {wrong!r}")
        return [*(LETTERS.index(letter) + self.letters for letter in word), *self.end]

    def target(self, phonemes: Sequence[str]) -> list[int]:
        """The ids of a pronunciation."""
        return [*self.start, *(PHONEMES.index(phoneme) + self.phonemes for phoneme in phonemes), *self.end]

    def spoken(self, ids: Sequence[int]) -> tuple[str, ...]:
        """The phonemes of ids; ids of no phoneme are left out."""
        places = (index - self.phonemes for index in ids)
        return tuple(PHONEMES[place] for place in places if 0 <= place < len(PHONEMES))

    def sources(self, words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Words as one tensor (B, T), and their lengths (B,)."""
        return pad([self.source(word) for word in words])


ALIGNED = Alphabet()
"""For transducer and CTC, whose 0 is the blank."""

JOINED = Alphabet(letters=4, phonemes=4 + len(LETTERS), start=(BOS,), end=(EOS,))
"""For the encoder-decoder of `tendays.translation`: one vocabulary for both sides, behind its four special ids."""


class WordBatches:
    """Pairs of a word and one of its pronunciations, in batches of words of like length.

    Args:
        corpus: N words with their variants; each variant makes a pair.
        rows: B, in every batch but the last.
        alphabet: how they become ids.
        count: only so many words, spread over the corpus.
    """

    def __init__(self, corpus: corpora.PronunciationCorpus, rows: int, alphabet: Alphabet, count: int | None = None):
        step = max(len(corpus) // count, 1) if count else 1
        chosen = list(zip(corpus.words, corpus.pronunciations, strict=True))[::step]
        self.pairs = [(alphabet.source(word), alphabet.target(said)) for word, all_ in chosen for said in all_]
        self.rows, self.alphabet = rows, alphabet

    def epoch(self, seed: int) -> Iterator[Batch]:
        """One pass over the pairs, shuffled by `seed` among those of the same lengths, and batch by batch."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.pairs), generator=generator).tolist()
        # Sorted by both lengths: hardly any padding, and few shapes, for each of which a processor prepares a kernel.
        order.sort(key=lambda i: (len(self.pairs[i][0]), len(self.pairs[i][1])))
        starts = list(range(0, len(order), self.rows))
        for index in torch.randperm(len(starts), generator=generator).tolist():
            pairs = [self.pairs[i] for i in order[starts[index] : starts[index] + self.rows]]
            source, source_lengths = pad([pair[0] for pair in pairs])
            target, target_lengths = pad([pair[1] for pair in pairs])
            yield Batch(source, source_lengths, target, target_lengths - len(self.alphabet.start))
