"""What the tests of the grammar share: the lexicon's rows, read anew, and sampled sentences."""

from functools import cache

from places import ROOT

from tendays.corpora import grammar


@cache
def rows() -> list[dict[str, str]]:
    header, *lines = [line.split("\t") for line in (ROOT / "data/lexicon.tsv").read_text("utf-8").splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def of_kind(kind: str) -> list[dict[str, str]]:
    return [row for row in rows() if row["kind"] == kind]


@cache
def table(name: str) -> list[list[str]]:
    """The two columns of a table of German forms that was written for the tests."""
    return [line.split("\t") for line in (ROOT / f"tests/data/{name}.tsv").read_text("utf-8").splitlines()[1:]]


@cache
def adjective_forms() -> frozenset[str]:
    stems = {row["forms"].split(", ")[0] for row in of_kind("adjective")}
    return frozenset(stem + ending for stem in stems for ending in ("e", "en", "em", "er", "es"))


@cache
def splits() -> dict[str, list[grammar.Example]]:
    return {name: grammar.split(name) for name in ("train", "validation", "test", "new")}


@cache
def sample() -> dict[str, list[list[str]]]:
    """German sentences by construction, split at commas, without the final mark."""
    found: dict[str, list[list[str]]] = {}
    for example in grammar.generate(9_000, seed=11) + splits()["new"]:
        found.setdefault(example.construction, []).append(example.german.rstrip(".?").split(", "))
    return found
