"""Sentence pairs from the Ding dictionary, German–English, of TU Chemnitz (GPL version 2 or later).

One line of the file is one entry, ``German :: English``. The parts of an entry, separated by ``|``, correspond one to
one; inside a part ``;`` separates synonyms, and ``{m}``, ``[med.]``, ``(…)``, ``<…>`` and a free-standing ``/ABC/`` are
annotations::

    Spaß {m} | Das macht Spaß.; Das ist lustig. :: fun | That’s fun.

A *sentence* is a part whose two sides both begin with a capital or a digit and end in ``.``, ``!`` or ``?``, quotation
marks aside. A *phrase* is a part with at least three words on both sides. The corpus holds every sentence and every
phrase, except duplicates and parts that still have a bracket or a slash without their annotations: ``is/comes`` is two
alternatives in one text.

The file comes from a Debian package. Its installed version may be another one, which `load` warns of.
"""

import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tendays.corpora import fetch
from tendays.corpora.types import ParallelCorpus

NAME = "ding/de-en"  # below TENDAYS_DATA and below the cache
PACKAGE = "trans-de-en"
INSTALLED = Path("/usr/share/trans/de-en")
SHA256 = "34052c6021d09eadfee7a893a789204265954df70fe9c36d38fa00058d79d326"  # "devel 2023-01-30"
ADVICE = (
    f"Check the network and try again, install the package {PACKAGE}, or set TENDAYS_DATA to a folder that "
    f"holds {NAME}; 'de-en' falls back to 'grammar'"
)

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


# ---- the file -------------------------------------------------------------------------------------------------------


def load(split: str) -> ParallelCorpus:
    """One split: ``train``, ``validation`` or ``test``.

    Raises:
        DataUnavailable: The dictionary is not on this machine, and its package cannot be fetched.
        ValueError: ``TENDAYS_DATA`` names no folder or holds a wrong file; or the installed file has another format.
    """
    path = _file()
    lines = fetch.read_lines(path)
    try:
        chosen = splits(parts(lines))[split]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return ParallelCorpus("ding", split, [part.german for part in chosen], [part.english for part in chosen])


def _file() -> Path:
    """The dictionary: from ``TENDAYS_DATA``, the cache, the installed package, or the package downloaded now.

    The installed package alone may hold another version, since the system's package manager has verified it. Counts
    and scores differ then, which a warning says.
    """
    if found := fetch.on_disk(NAME, SHA256):
        return found
    if INSTALLED.is_file():
        if not fetch.has_hash(INSTALLED, SHA256):
            message = f"{INSTALLED} is not the version of 2023-01-30: counts and scores will differ"
            warnings.warn(message, stacklevel=2)
        return INSTALLED
    return fetch.unpack_package(NAME, PACKAGE, str(INSTALLED.relative_to("/")), SHA256, ADVICE)


# ---- its entries ----------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """One aligned part: the line number of its entry, and its two sides without synonyms and annotations."""

    entry: int
    german: str
    english: str


def first_synonym(side: str) -> str:
    """The first synonym of one side of a part, without annotations."""
    if not MARK.search(side):
        return " ".join(side.split(";", 1)[0].split())
    found = 1
    while found:  # brackets nest: each pass removes the innermost
        side, found = ANNOTATION.subn("", side)
    words = " ".join(side.split(";", 1)[0].split())
    return SPACE_BEFORE_STOP.sub(r"\1", words)  # "in the market [fin.]." leaves a space before its full stop


def parts(lines: Iterable[str]) -> Iterator[Part]:
    """The aligned parts of the dictionary, in the order of the file; a side may be empty.

    Args:
        lines: The lines of the file; empty ones and comments (``#``) are skipped.

    Raises:
        ValueError: A line is no entry, or its two sides differ in their number of parts; with the line's number.
    """
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        german, separator, english = line.partition("::")
        left, right = german.split("|"), english.split("|")
        if not separator or len(left) != len(right):
            raise ValueError(f"line {number} of the dictionary is no 'German :: English' entry: {line[:80]!r}")
        for one, other in zip(left, right, strict=True):
            yield Part(number, first_synonym(one), first_synonym(other))


# ---- the corpus -----------------------------------------------------------------------------------------------------


def is_sentence(text: str) -> bool:
    """Whether a text starts with a capital or a digit and ends in ``.``, ``!`` or ``?``, quotation marks aside."""
    bare = text.strip(QUOTES)
    return bare.endswith((".", "!", "?")) and (bare[0].isupper() or bare[0].isdigit())


def select(candidates: Iterable[Part]) -> tuple[list[Part], list[Part]]:
    """The sentences, and the phrases that are no sentences, without duplicates and in the order given."""
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


def splits(candidates: Iterable[Part], held_out: int = HELD_OUT) -> dict[str, list[Part]]:
    """The corpus by split, ``train``, ``validation`` and ``test``; the same for the same parts in any order.

    Validation and test hold only sentences. No two splits share an entry, or a German or an English side, where case,
    punctuation and spacing do not count: the parts of an entry are variants of each other, so that one of them in
    training would leak the others.

    Args:
        candidates: The parts of the file.
        held_out: The number of sentences in each of validation and test.

    Raises:
        ValueError: There are too few sentences.
    """
    sentences, phrases = select(candidates)
    taken: set[int | str] = set()
    held: list[Part] = []
    for part in sorted(sentences, key=_shuffle_key):
        keys = {part.entry, _normalized(part.german), _normalized(part.english)}
        if taken.isdisjoint(keys):
            taken |= keys
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
        if taken.isdisjoint((part.entry, _normalized(part.german), _normalized(part.english)))
    ]
    return {"train": train, "validation": held[:held_out], "test": held[held_out:]}


def _normalized(text: str) -> str:
    """The text without case, punctuation and spacing."""
    return "".join(filter(str.isalnum, text.casefold()))


def _shuffle_key(part: Part) -> bytes:
    """A pseudorandom sort key that depends only on the pair, not on the machine, the run, or the rest of the file."""
    return hashlib.sha256(f"{part.german}\t{part.english}".encode()).digest()
