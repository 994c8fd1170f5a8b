"""Data sets sampled from the grammar, and the combinations of construction and head that are held out of training."""

import hashlib
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from tendays.corpora.grammar.constructions import CONSTRUCTIONS, Head
from tendays.corpora.grammar.lexicon import Lexeme
from tendays.corpora.grammar.selection import Sampler, selection

HELD_OUT = 0.15  # of each construction's heads
# What must stay in training for each lexeme, as a share of one construction's sentences, summed over constructions.
# With 24,000 sentences in 18 constructions it is about four sentences.
MIN_SHARE = 1 / 300
# Draws in a row without a new sentence after which a construction counts as exhausted.
MAX_ATTEMPTS = 2_000


@dataclass(frozen=True)
class Example:
    """A sentence, its translation, and the name of its construction (a key of `CONSTRUCTIONS`)."""

    german: str
    english: str
    construction: str


class Split(NamedTuple):
    """A split: its usual size, its combinations, and its residues of the sentences' CRC-32 modulo 10."""

    size: int
    combinations: str
    residues: range


SPLITS: Mapping[str, Split] = {
    "train": Split(24_000, "seen", range(2, 10)),
    "validation": Split(1_000, "seen", range(1)),
    "test": Split(1_000, "seen", range(1, 2)),
    "new": Split(1_000, "new", range(10)),
}


def combinations(name: Literal["seen", "new"]) -> dict[str, tuple[str, ...]]:
    """The heads (verbs, pairs of nouns, …) of each construction that are in training, or those held out of it."""
    return {slug: tuple(map(head_name, divided[name])) for slug, divided in divided_heads().items()}


def head_name(head: Head) -> str:
    """A head as `combinations` lists it: its lemmas joined by a plus sign."""
    return "+".join(lexeme.german for lexeme in head)


@cache
def divided_heads() -> dict[str, dict[str, tuple[Head, ...]]]:
    """The heads of each construction, divided into ``seen`` and ``new``.

    ``new`` are 15 %: those with the smallest hashes, without whom every lexeme keeps `MIN_SHARE` in training.
    """
    heads = {slug: construction.heads(selection()) for slug, construction in CONSTRUCTIONS.items()}
    everything = [(slug, head) for slug in heads for head in heads[slug]]
    everything.sort(key=lambda pair: hashlib.sha256(f"{pair[0]} {head_name(pair[1])}".encode()).digest())
    share: Counter[Lexeme] = Counter()
    for slug, head in everything:
        share.update(dict.fromkeys(head, 1 / len(heads[slug])))
    divided: dict[str, dict[str, list[Head]]] = {slug: {"seen": [], "new": []} for slug in heads}
    for slug, head in everything:
        part, new = 1 / len(heads[slug]), divided[slug]["new"]
        if len(new) < round(HELD_OUT * len(heads[slug])) and all(share[x] - part > MIN_SHARE for x in head):
            new.append(head)
            share.subtract(dict.fromkeys(head, part))
        else:
            divided[slug]["seen"].append(head)
    return {slug: {name: tuple(found) for name, found in kinds.items()} for slug, kinds in divided.items()}


def generate(
    count: int,
    *,
    seed: int,
    combinations: Literal["seen", "new"] = "seen",
    constructions: Sequence[str] | None = None,
) -> list[Example]:
    """Examples with distinct German sentences, the constructions equally frequent and shuffled.

    Args:
        count: The number of examples.
        seed: The same seed gives the same examples on every machine.
        combinations: ``seen`` for the combinations of construction and head in training, ``new`` for those held out.
        constructions: The constructions to use, by name; all by default. The sentences may be in a split as well.

    Raises:
        ValueError: The count is negative or cannot be met, or a name is unknown.
    """
    if count < 0:
        raise ValueError(f"count is {count}; expected at least 0")
    if combinations not in ("seen", "new"):
        raise ValueError(f"combinations is {combinations!r}; expected 'seen' or 'new'")
    slugs = tuple(CONSTRUCTIONS if constructions is None else constructions)
    if not slugs or not set(slugs) <= set(CONSTRUCTIONS):
        raise ValueError(f"constructions is {constructions!r}; expected one or more of {', '.join(CONSTRUCTIONS)}")
    return [example for example, _ in _sample(count, str(seed), combinations, slugs, lambda german: True)]


def split(name: Literal["train", "validation", "test", "new"], count: int | None = None) -> list[Example]:
    """One of the fixed splits. No sentence is in two of them, whatever their sizes.

    Args:
        name: ``train``, ``validation`` or ``test``, on seen combinations; or ``new``, on new ones only.
        count: The number of examples; by default 24,000 for ``train`` and 1,000 for the others.

    Raises:
        ValueError: The name is unknown, or the count is negative or cannot be met.
    """
    return [example for example, _ in split_with_heads(name, count)]


def split_with_heads(name: str, count: int | None = None) -> Iterator[tuple[Example, Head]]:
    """The examples of `split`, each with the head that it is built on."""
    if name not in SPLITS:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(SPLITS)}")
    size, kind, residues = SPLITS[name]
    count = size if count is None else count
    if count < 0:
        raise ValueError(f"count is {count}; expected at least 0")

    def accept(german: str) -> bool:
        return zlib.crc32(german.encode()) % 10 in residues

    return _sample(count, f"split {name}", kind, tuple(CONSTRUCTIONS), accept)


def _sample(
    count: int, seed: str, combination: str, slugs: Sequence[str], accept: Callable[[str], bool]
) -> Iterator[tuple[Example, Head]]:
    """Yields distinct examples whose German sentence `accept` takes, the constructions in equal parts and shuffled."""
    sampler = Sampler(random.Random(f"{seed} {combination}"))
    order = [slugs[i % len(slugs)] for i in range(count)]
    order = [slug for _, slug in sorted((sampler.rng.random(), slug) for slug in order)]
    drawn: set[str] = set()
    for slug in order:
        heads, realise = divided_heads()[slug][combination], CONSTRUCTIONS[slug].realise
        for _ in range(MAX_ATTEMPTS):
            head = sampler.choice(heads)
            pair = realise(sampler, *head)
            german = pair and punctuated(pair[0])
            if german and german.count(" ") >= 2 and german not in drawn and accept(german):
                break
        else:
            raise ValueError(
                f"count is {count}; expected fewer: the construction {slug!r} has too few {combination} sentences"
            )
        drawn.add(german)
        yield Example(german, punctuated(pair[1]), slug), head


def punctuated(text: str) -> str:
    """The text with an initial capital and, unless it is a question already, a full stop."""
    return text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")
