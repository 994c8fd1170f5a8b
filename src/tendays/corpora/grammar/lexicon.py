"""The lexicon: `data/lexicon.tsv`, a table with one lexeme a row.

``-`` marks an empty cell. Lists are separated by blanks (classes, and references to classes or to German lemmas) or by
commas (inflected forms). The columns, by part of speech:

* *noun*: ``forms`` are genitive singular and plural (``-``: a mass noun). A masculine whose genitive ends in *n* is
  weak: *der Junge, den Jungen*. ``english_forms`` is the plural. ``object`` refers to the wholes that a part belongs
  to (*Dach*: *Haus*).
* *verb*: a bar follows a separable prefix (*auf|machen*); ``forms`` are the third person singular, and the perfect
  with its auxiliary. The first ``class`` is the valency frame, one of `FRAMES`; ``subject``, ``object`` and ``place``
  are its selectional restrictions. ``english_forms``: third person, past, participle. Further classes: *daily* (may be
  habitual), *timeless* (takes no adverb), *unwilled* (takes no modal), *nopassive*, *whole* (the object is definite),
  *activity* (may be simultaneous with another event).
* *adjective*: ``forms`` are the stem before endings and the comparative; ``object`` refers to the nouns that it
  modifies; class *mood*: may be followed by a reason.
* *adverb*: ``class`` is *any*, *present* or *past*, the tense that it modifies, or *before*, which precedes the English
  verb; ``object`` refers to the verbs that it is restricted to.
* *modifier*: the first part of compounds with the nouns in ``object``.
* *preposition*: the English of the dative, then of the accusative; ``object`` restricts its noun, ``subject`` what is
  located.
* *determiner*: English singular, then plural.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from tendays.files import packaged

COLUMNS = ("kind", "german", "gender", "forms", "class", "subject", "object", "place", "english", "english_forms")
FRAMES = ("intransitive", "transitive", "dative", "ditransitive", "location", "direction", "placement", "saying")
# The number of German and of English forms of a lexeme, by kind.
FORMS = dict.fromkeys(("name", "pronoun", "modifier", "adverb", "conjunction"), (0, 0))
FORMS |= {
    "noun": (2, 1),
    "verb": (2, 3),
    "adjective": (2, 1),
    "modal": (1, 1),
    "preposition": (0, 1),
    "determiner": (0, 1),
}


@dataclass(frozen=True, eq=False)
class Lexeme:
    """One row of the lexicon; the module's docstring defines the columns for each kind."""

    kind: str
    german: str
    gender: str
    forms: tuple[str, ...]
    classes: tuple[str, ...]
    subject: tuple[str, ...]
    object: tuple[str, ...]
    place: tuple[str, ...]
    english: str
    english_forms: tuple[str, ...]

    def matches(self, references: Sequence[str]) -> bool:
        """Whether the German lemma or one of the classes is among the references."""
        return self.german in references or any(name in references for name in self.classes)


@cache
def lexicon() -> tuple[Lexeme, ...]:
    """The lexemes in the order of the table, validated.

    Raises:
        FileNotFoundError: The table is missing.
        ValueError: A row is malformed; the message names file, line, column, what came and what was expected.
    """
    path = packaged("data/lexicon.tsv")
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, name: str) -> tuple[Lexeme, ...]:
    """The lexemes of a table.

    Args:
        text: The table, with its header.
        name: The file's name in error messages.

    Raises:
        ValueError: A row is malformed; the message names file, line, column, what came and what was expected.
    """
    lines = text.splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise _malformed(name, 1, "header", lines[0] if lines else "", "\t".join(COLUMNS))
    lexemes = [_parse_row(line, name, number) for number, line in enumerate(lines[1:], 2)]
    seen: dict[tuple[str, str], int] = {}
    known = set(chain.from_iterable((x.german, *x.classes) for x in lexemes if x.kind not in ("adverb", "modifier")))
    for number, lexeme in enumerate(lexemes, 2):
        first = seen.setdefault((lexeme.kind, lexeme.german), number)
        if first != number:
            raise _malformed(name, number, "german", lexeme.german, f"a lexeme other than that of line {first}")
        for column in ("subject", "object", "place"):
            for word in getattr(lexeme, column):
                if word not in known:
                    raise _malformed(name, number, column, word, "a lemma or a class of the table")
    return tuple(lexemes)


def _malformed(name: str, line: int, column: str, came: str, expected: str) -> ValueError:
    return ValueError(f"{name}, line {line}, column {column}: got {came!r}, expected {expected}")


def _parse_row(line: str, name: str, number: int) -> Lexeme:
    cells = line.split("\t")
    if len(cells) != len(COLUMNS):
        raise _malformed(name, number, "all", f"{len(cells)} cells", f"{len(COLUMNS)} cells")
    row = dict(zip(COLUMNS, cells, strict=True))
    for column, cell in row.items():
        if not cell or cell != cell.strip():
            raise _malformed(name, number, column, cell, "text without blanks around it, or - for none")
    if row["kind"] not in FORMS:
        raise _malformed(name, number, "kind", row["kind"], "one of " + ", ".join(FORMS))
    if row["kind"] in ("noun", "name") and row["gender"] not in ("m", "f", "n"):
        raise _malformed(name, number, "gender", row["gender"], "m, f or n")
    for column, count in zip(("forms", "english_forms"), FORMS[row["kind"]], strict=True):
        if len(_forms(row[column], count)) != count:
            raise _malformed(name, number, column, row[column], f"{count} forms separated by a comma and a space")
    if row["kind"] == "verb":
        _check_verb(row, name, number)
    lists = (
        tuple(row[column].split()) if row[column] != "-" else () for column in ("class", "subject", "object", "place")
    )
    german, english = (_forms(row[c], n) for c, n in zip(("forms", "english_forms"), FORMS[row["kind"]], strict=True))
    return Lexeme(row["kind"], row["german"], row["gender"], german, *lists, row["english"], english)


def _forms(cell: str, count: int) -> tuple[str, ...]:
    return () if not count and cell == "-" else tuple(cell.split(", "))


def _check_verb(row: Mapping[str, str], name: str, number: int) -> None:
    if row["class"].split()[0] not in FRAMES:
        raise _malformed(name, number, "class", row["class"], "one of " + ", ".join(FRAMES) + " in front")
    if row["forms"].split(", ")[1].split(" ")[0] not in ("hat", "ist"):
        raise _malformed(name, number, "forms", row["forms"], "hat or ist before the participle")
