"""Sentence pairs out of the Ding dictionary, German–English, of TU Chemnitz (GPL version 2 or later).

One line of the file is one entry, ``German :: English``. The parts of an entry, separated by ``|``, correspond one to
one; inside a part ``;`` separates synonyms, and ``{m}``, ``[med.]``, ``(…)``, ``<…>`` and a free-standing ``/ABC/`` are
annotations::

    Spaß {m} | Das macht Spaß.; Das ist lustig. :: fun | That’s fun.

A *sentence* is a part whose two sides both begin with a capital or a digit and end in ``.``, ``!`` or ``?``, quotation
marks aside; a *phrase* is a part with three words or more on both sides. What makes the corpus is every sentence and
every phrase, with two exceptions: a side that still holds a bracket or a slash after the annotations are gone
(``is/comes``, two readings in one) is nothing to learn from, and a pair that is there already adds nothing.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

ANNOTATION = re.compile(
    r"""  \{[^{}]*\} | \[[^\[\]]*\] | \([^()]*\) | <[^<>]*>
      | / (?<!\S/) [^/\s] (?: [^/]* [^/\s] )? / (?![^\s;,.!?])  # " /ABC/ ", but not the slashes of "his/her/its"
    """,
    re.VERBOSE,
)
MARK = re.compile(r"[{}\[\]<>()/]")
SPACE_BEFORE_STOP = re.compile(r" ([.,!?;:])(?!\S)")
QUOTES = "\"'“”„‘’‚«»"
HELD_OUT = 1000  # sentences in each of validation and test


class Part(NamedTuple):
    """One aligned part: the number of its entry, and its two sides without synonyms and annotations."""

    entry: int
    german: str
    english: str


def first_reading(side: str) -> str:
    """The first synonym of one side of a part, without annotations."""
    if not MARK.search(side):
        return " ".join(side.split(";", 1)[0].split())
    found = 1
    while found:  # brackets nest: the innermost go first
        side, found = ANNOTATION.subn("", side)
    words = " ".join(side.split(";", 1)[0].split())
    return SPACE_BEFORE_STOP.sub(r"\1", words)  # "in the market [fin.]." leaves a space before its full stop


def parts(lines: Iterable[str]) -> Iterator[Part]:
    """The aligned parts of the dictionary, in the order of the file; a side may come out empty.

    Args:
        lines: the lines of the file; empty ones and comments (``#``) are passed over.

    Raises:
        ValueError: a line is no entry, or its two sides differ in their number of parts; with the line's number.
    """
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        german, separator, english = line.partition("::")
        left, right = german.split("|"), english.split("|")
        if not separator or len(left) != len(right):
            raise ValueError(f"line {number} of the dictionary is no 'German :: English' entry: {line[:80]!r}")
        for one, other in zip(left, right, strict=True):
            yield Part(number, first_reading(one), first_reading(other))


def is_sentence(text: str) -> bool:
    """Whether a text begins like a sentence and ends like one; quotation marks do not count."""
    bare = text.strip(QUOTES)
    return bare.endswith((".", "!", "?")) and (bare[0].isupper() or bare[0].isdigit())


def select(candidates: Iterable[Part]) -> tuple[list[Part], list[Part]]:
    """The sentences, and the phrases that are no sentences, which make the corpus; each pair once.

    The result is in the order given.
    """
    sentences, phrases, seen = [], [], set()
    for part in candidates:
        pair = part.german, part.english
        if not all(pair) or pair in seen or any(map(MARK.search, pair)):
            continue
        if all(map(is_sentence, pair)):
            sentences.append(part)
        elif all(text.count(" ") >= 2 for text in pair):
            phrases.append(part)
        else:
            continue
        seen.add(pair)
    return sentences, phrases


def _key(text: str) -> str:
    """What two texts share that differ only in case, punctuation and spacing."""
    return "".join(filter(str.isalnum, text.casefold()))


def _order(part: Part) -> bytes:
    """A stable shuffle: depends on the sentence alone, not on the machine, the run, or the rest of the file."""
    return hashlib.sha256(f"{part.german}\t{part.english}".encode()).digest()


def split(candidates: Iterable[Part], held_out: int = HELD_OUT) -> dict[str, list[Part]]:
    """The dictionary in three: ``train``, ``validation``, ``test``; always the same for the same file.

    Validation and test hold sentences only. No two splits share an entry, or a German or an English side, case,
    punctuation and spacing aside: an entry's parts vary one theme, so one of them in training gives away the others.

    Args:
        candidates: the parts of the file.
        held_out: how many sentences each of validation and test holds.

    Raises:
        ValueError: there are too few sentences to hold out that many.
    """
    sentences, phrases = select(candidates)
    taken: set[int | str] = set()
    held: list[Part] = []
    for part in sorted(sentences, key=_order):
        marks = {part.entry, _key(part.german), _key(part.english)}
        if taken.isdisjoint(marks):
            taken |= marks
            held.append(part)
        if len(held) == 2 * held_out:
            break
    else:
        raise ValueError(
            f"the dictionary has {len(held)} entries with sentences of their own; "
            f"validation and test take {held_out} each"
        )
    train = [
        part
        for part in sorted(sentences + phrases)
        if taken.isdisjoint((part.entry, _key(part.german), _key(part.english)))
    ]
    return {"train": train, "validation": held[:held_out], "test": held[held_out:]}
