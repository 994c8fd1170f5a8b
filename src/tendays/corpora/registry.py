"""The data sets by name, and `load`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, overload

from tendays.corpora import cmudict, ding, grammar, multi30k
from tendays.corpora.fetch import DataUnavailable
from tendays.corpora.types import ParallelCorpus, PronunciationCorpus

SPLITS = ("train", "validation", "test")


@overload
def load(name: Literal["cmudict"], split: str) -> PronunciationCorpus: ...
@overload
def load(
    name: Literal["multi30k", "ding", "grammar", "de-en"], split: str, max_words: int | None = None
) -> ParallelCorpus: ...
@overload
def load(name: str, split: str, max_words: int | None = None) -> ParallelCorpus | PronunciationCorpus: ...


def load(name: str, split: str, max_words: int | None = None) -> ParallelCorpus | PronunciationCorpus:
    """One split of a data set: words with their pronunciations for ``cmudict``, sentence pairs for all others.

    Args:
        name: ``multi30k``, ``ding``, ``grammar`` or ``cmudict``; or ``de-en``, the first of the former three that is
            available, which prints one line with its name and the reason. The other splits of the same data set are
            then loaded by ``corpus.name``.
        split: ``train``, ``validation`` or ``test``; the grammar has ``new`` as well.
        max_words: Keep only pairs with at most so many words, separated by white space, on the German side. Not for
            ``cmudict``, which has no sentences.

    Raises:
        ValueError: An argument is none of these, or ``max_words`` is given for ``cmudict``; or ``TENDAYS_DATA`` names
            no folder, or holds a wrong file.
        DataUnavailable: The data set is neither on this machine nor can it be downloaded.
    """
    if name not in REGISTRY:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(REGISTRY)}")
    source = REGISTRY[name]
    if split not in source.splits:
        raise ValueError(f"split is {split!r}; {name!r} has {', '.join(source.splits)}")
    if max_words is None:
        return source.load(split)
    if type(max_words) is not int or max_words < 1:
        raise ValueError(f"max_words is {max_words!r}; expected None or a whole number from 1")
    if not source.has_sentences:
        raise ValueError(f"max_words is {max_words!r}; {name!r} has single words and no sentences, so expected None")
    return source.load(split).shortened(max_words)


@dataclass(frozen=True)
class DataSet:
    """A data set that `load` knows.

    Attributes:
        splits: The names of its splits.
        load: Returns the split of a name.
        has_sentences: Whether it holds sentence pairs; otherwise words with pronunciations.
    """

    splits: tuple[str, ...]
    load: Callable[[str], ParallelCorpus | PronunciationCorpus]
    has_sentences: bool = True


def _load_grammar(split: str) -> ParallelCorpus:
    examples = grammar.split(split)
    return ParallelCorpus(
        "grammar",
        split,
        [example.german for example in examples],
        [example.english for example in examples],
        labels=[example.construction for example in examples],
    )


def _load_first_available(split: str) -> ParallelCorpus:
    """Multi30k, or else Ding, or else the grammar, which is always available; prints which and why."""
    failures = []
    for name, source in (("multi30k", multi30k), ("ding", ding)):
        try:
            corpus = source.load(split)
            break
        except DataUnavailable as error:
            failures.append(f"{name}: {error.why}")
    else:
        corpus = _load_grammar(split)
    print(f"de-en: {corpus.name} ({'; '.join(failures) or 'the first choice'})")
    return corpus


REGISTRY = {
    "multi30k": DataSet(SPLITS, multi30k.load),
    "ding": DataSet(SPLITS, ding.load),
    "grammar": DataSet((*SPLITS, "new"), _load_grammar),
    "de-en": DataSet(SPLITS, _load_first_available),
    "cmudict": DataSet(SPLITS, cmudict.load, has_sentences=False),
}
