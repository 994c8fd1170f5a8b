"""Text as tensors: word pieces, batches of sentence pairs of similar length, and decoding by length.

The only module that imports torchtext. Version 0.6.0 is its last pure-Python release and so the last that runs
under every current torch. Pieces are learnt by sentencepiece (Kudo and Richardson 2018) with the byte-pair
algorithm (Sennrich, Haddow and Birch 2016), on both languages together.
"""

import io
import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from sentencepiece import SentencePieceTrainer
from torch import Tensor
from torchtext.data import Example, Field
from torchtext.data.functional import load_sp_model
from torchtext.data.iterator import pool
from torchtext.data.utils import RandomShuffler

from tendays.files import write_atomically

R = TypeVar("R")

PAD, UNK, BOS, EOS = 0, 1, 2, 3
"""The ids of the four pieces that are no text: padding, unknown, beginning and end of a sentence."""


ROWS, COLUMNS = 16, 4
"""Batches have a multiple of so many rows, and their sources of so many columns, where there are enough: processors
prepare a kernel for every shape they meet, so that few and even shapes are a quarter faster than many odd ones."""


class Batch(NamedTuple):
    """Some sentence pairs as padded tensors.

    source: (B, T) ids, each row ending in EOS.
    source_lengths: (B,) how many of them count, EOS included.
    target: (B, U + 1) ids, each row from BOS to EOS.
    target_lengths: (B,) how many predictions count: the length of the row less BOS.
    """

    source: Tensor
    source_lengths: Tensor
    target: Tensor
    target_lengths: Tensor

    @property
    def predictions(self) -> int:
        """How many target pieces there are to predict."""
        return int(self.target_lengths.sum())

    def shard(self, rank: int, processes: int) -> "Batch":
        """Every so-many-th row, from the one of this rank on; where there is none, a row that predicts nothing."""
        if rank < len(self.source):
            return Batch(*(tensor[rank::processes] for tensor in self))
        return Batch(*(tensor[:1] for tensor in self[:3]), torch.zeros_like(self.target_lengths[:1]))

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        return Batch(*(tensor.to(device) for tensor in self))


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Lists of ids as one tensor (B, T), filled up with PAD, and their lengths (B,).

    Raises:
        ValueError: there is no row, or an empty one.
    """
    lengths = [len(row) for row in rows]
    if not lengths or min(lengths) < 1:
        raise ValueError(f"rows have the lengths {lengths}; expected at least one row, and in each at least one id")
    width = max(lengths)
    padded = [[*row, *[PAD] * (width - len(row))] for row in rows]
    return torch.tensor(padded), torch.tensor(lengths)


def by_length(rows: Sequence[Sequence[int]], batch: int, decode: Callable[[Tensor, Tensor], Sequence[R]]) -> list[R]:
    """The results of `decode` for rows of ids, in the order of the rows.

    Rows of similar length are decoded together, so that little is computed on padding.

    Args:
        rows: N lists of ids, none of them empty.
        batch: how many rows are decoded at once, B.
        decode: maps padded ids (B, T) with their lengths (B,) to B results.

    Raises:
        ValueError: batch < 1.
    """
    if batch < 1:
        raise ValueError(f"batch is {batch}; expected at least 1")
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    results = {}
    for begin in range(0, len(order), batch):
        chosen = order[begin : begin + batch]
        results.update(zip(chosen, decode(*pad([rows[index] for index in chosen])), strict=True))
    return [results[index] for index in range(len(rows))]


class Pieces:
    """A learnt vocabulary of word pieces: text to ids, and ids back to text.

    Args:
        path: the model file that `learn` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no piece model.
    """

    def __init__(self, path: Path):
        if not Path(path).is_file():
            raise FileNotFoundError(f"path is {str(path)!r}, where there is no piece model")
        try:
            self.model = load_sp_model(str(path))
        except RuntimeError as error:
            raise ValueError(f"path is {str(path)!r}; expected a piece model, but: {error}") from error

    @classmethod
    def learn(cls, sentences: Sequence[str], size: int, path: Path) -> "Pieces":
        """Learns a vocabulary of `size` pieces and keeps it at `path`; the file is written whole or not at all.

        Raises:
            ValueError: there are no sentences, or too few for so many pieces.
        """
        if not sentences:
            raise ValueError("sentences is empty; expected at least one to learn pieces from")
        # Not torchtext's generate_sp_model: sentencepiece 0.2.3 refuses the runs of blanks between its options.
        learnt = io.BytesIO()
        try:
            SentencePieceTrainer.train(
                sentence_iterator=iter(sentences),
                model_writer=learnt,
                model_type="bpe",
                vocab_size=size,
                pad_id=PAD,
                unk_id=UNK,
                bos_id=BOS,
                eos_id=EOS,
                minloglevel=2,
                num_threads=1,
            )
        except RuntimeError as error:
            raise ValueError(f"size is {size}; these {len(sentences)} sentences do not give it: {error}") from error
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, learnt.getvalue())
        return cls(path)

    def __len__(self) -> int:
        return self.model.get_piece_size()

    def encode(self, text: str) -> list[int]:
        """The ids of a text's pieces, ending in EOS. A character never seen in learning becomes UNK."""
        return [*self.model.encode_as_ids(text), EOS]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, up to the first EOS."""
        ids = list(ids)
        return self.model.decode_ids(ids[: ids.index(EOS)] if EOS in ids else ids)

    def names(self, ids: Sequence[int]) -> list[str]:
        """What each id stands for; ▁ marks the beginning of a word."""
        return [self.model.id_to_piece(index) for index in ids]


def _field(start: int | None) -> Field:
    return Field(
        use_vocab=False, batch_first=True, include_lengths=True, init_token=start, eos_token=None, pad_token=PAD
    )


class PairBatches:
    """Sentence pairs, in batches of about `tokens` pieces, each of pairs of like length.

    Args:
        pieces: the vocabulary.
        german, english: the two sides, N sentences each.
        tokens: the largest number of target pieces in a batch, padding included. (One longer pair still
            makes a batch of its own.)

    Raises:
        ValueError: the sides differ in length, or tokens < 1.
    """

    def __init__(self, pieces: Pieces, german: Sequence[str], english: Sequence[str], tokens: int):
        if len(german) != len(english):
            raise ValueError(f"german has {len(german)} sentences and english {len(english)}; expected as many")
        if tokens < 1:
            raise ValueError(f"tokens is {tokens}; expected at least 1")
        self.tokens = tokens
        self.fields = {"source": _field(None), "target": _field(BOS)}
        pairs = zip(map(pieces.encode, german), map(pieces.encode, english), strict=True)
        self.examples = [Example.fromlist(pair, list(self.fields.items())) for pair in pairs]

    def epoch(self, seed: int | None = None) -> Iterator[Batch]:
        """One pass over the pairs, shuffled by `seed`; without a seed, in order of length."""
        examples, shuffler = self.examples, None
        if seed is not None:
            shuffler = RandomShuffler(random.Random(seed).getstate())
            examples = shuffler(examples)
        for rows in pool(examples, self.tokens, _lengths, _padded_size, shuffler, seed is not None, True):
            if rows:  # torchtext puts an empty batch before a pair that is longer than the limit
                yield self._batch(rows)

    def _batch(self, rows: list[Example]) -> Batch:
        source, source_lengths = self.fields["source"].process([row.source for row in rows])
        target, target_lengths = self.fields["target"].process([row.target for row in rows])
        source = F.pad(source, (0, -source.shape[1] % COLUMNS), value=PAD)
        return Batch(source, source_lengths, target, target_lengths - 1)


def _lengths(row: Example) -> tuple[int, int]:
    return len(row.target), len(row.source)


def _padded_size(row: Example, count: int, size: int) -> int:
    # Rows come in order of length, so the newest is the longest and sets the width of all.
    rows = count if count <= ROWS else math.ceil(count / ROWS) * ROWS
    return rows * len(row.target)
