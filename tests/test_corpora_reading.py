import gzip

import pytest

from tendays import corpora
from tendays.corpora import fetch


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("", []),
        ("eins\nzwei", ["eins", "zwei"]),
        ("eins\nzwei\n", ["eins", "zwei"]),
        ("eins\r\nzwei\r\n", ["eins", "zwei"]),
        ("\n eins\t\n\n", ["", "eins", ""]),
        ("a\u2028b\u0085c\x0bd\x1ce\rf\n", ["a\u2028b\u0085c\x0bd\x1ce\rf"]),  # one line to every other program
        ("u\u0308ber\n", ["\u00fcber"]),
    ],
)
def test_lines_are_nfc_and_stripped_and_end_only_in_line_feeds(tmp_path, content, lines, pack):
    path = tmp_path / ("text" if pack(b"") == b"" else "text.gz")
    path.write_bytes(pack(content.encode()))
    assert fetch.read_lines(path) == lines


@pytest.mark.parametrize(("content", "number"), [(b"\xff", 1), (b"eins\nzwei\ndr\xe4i\n", 3), (b"eins\n\xc3", 2)])
def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path, content, number):
    path = tmp_path / "text.de"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"text\.de, line {number}: not UTF-8"):
        fetch.read_lines(path)


def test_files_of_unequal_length_are_named_with_both_counts(tmp_path):
    (tmp_path / "a.de").write_bytes(b"eins\nzwei\n")
    (tmp_path / "a.en").write_bytes(b"one\n")
    with pytest.raises(ValueError, match=r"a\.de has 2 lines, .*a\.en has 1"):
        fetch.read_pairs(tmp_path / "a.de", tmp_path / "a.en")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((["a"], []), r"lists of different lengths: \[0, 1\]"),
        ((["a"], ["b"], ["c", "d"]), r"lists of different lengths: \[1, 2\]"),
        ((["a", ""], ["b", "c"]), "a side of a pair is empty"),
        ((["a", "d"], ["b", ""]), "a side of a pair is empty"),
    ],
)
def test_a_parallel_corpus_whose_columns_do_not_correspond_is_refused(columns, message):
    with pytest.raises(ValueError, match=f"mine, train: {message}"):
        corpora.ParallelCorpus("mine", "train", *columns)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((["a"], []), r"lists of different lengths: \[0, 1\]"),
        ((["a", ""], [[("AH",)], [("B",)]]), "a word is empty"),
        ((["a", "b"], [[("AH",)], []]), r"'b' lacks a pronunciation: \[\]"),
        ((["a", "b"], [[("AH",), ()], [("B",)]]), r"'a' lacks a pronunciation: \[\('AH',\), \(\)\]"),
    ],
)
def test_a_pronunciation_corpus_with_a_gap_is_refused(columns, message):
    with pytest.raises(ValueError, match=f"mine, train: {message}"):
        corpora.PronunciationCorpus("mine", "train", *columns)
