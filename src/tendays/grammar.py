"""A synchronous German→English grammar: aligned, correct sentence pairs, each labelled with its construction.

The lexicon, `data/lexicon.tsv`, is a table with one lexeme a row; ``-`` marks an empty cell. Lists are separated by
blanks (classes, and whatever refers to classes or to German lemmas) or by commas (inflected forms). By kind of row:

* *noun*: ``forms`` are genitive singular and plural (``-``: a mass noun). A masculine whose genitive ends in *n* is
  weak: *der Junge, den Jungen*. ``english_forms`` is the plural; a noun with an ``object`` is a part of such things.
* *verb*: a bar divides a separable prefix (*auf|machen*); ``forms`` are the third person singular, and the perfect
  with its auxiliary; the first ``class`` is the frame; ``subject``, ``object`` and ``place`` say which nouns go with
  it. ``english_forms``: third person, past, participle. More classes: *daily* (may be a habit), *timeless* (takes no
  adverb), *unwilled* (takes no modal), *nopassive*, *whole* (the object is definite), *activity* (goes on while
  something else happens).
* *adjective*: ``forms`` are the stem before endings and the comparative; ``object`` says what it describes; a *mood*
  may have a reason.
* *adverb*: ``class`` is *any*, *present* or *past* (the tense it goes with), or *before* (it stands before the English
  verb); ``object`` names the verbs that it is kept to.
* *modifier*: the first part of compounds with the nouns in ``object``.
* *preposition*: English with the dative, then with the accusative; ``object`` says what places it goes with,
  ``subject`` what may be there. *determiner*: English singular, then plural.

Rules of the translation, which make it a function: the German present is the English simple present, the German
perfect the English simple past (*hat gelesen* → *read*); a fronted adverbial stays in front and takes no comma;
whoever receives something follows *to* (*gibt dem Kind das Buch* → *gives the book to the child*); *kein* is *not …
a* or *not … any*; persons own with *'s*, things with *of*; spelling is American. Wherever the object precedes the
subject, case tells them apart; *sie* is always *she*, and nobody is addressed as *Sie* or *ihr*.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

from tendays.files import packaged

T = TypeVar("T")
F = TypeVar("F", bound=Callable)
COLUMNS = ("kind", "german", "gender", "forms", "class", "subject", "object", "place", "english", "english_forms")
FRAMES = ("intransitive", "transitive", "dative", "ditransitive", "location", "direction", "placement", "saying")
# How many German and how many English forms a lexeme of each kind lists.
FORMS = dict.fromkeys(("name", "pronoun", "modifier", "adverb", "conjunction"), (0, 0))
FORMS |= {
    "noun": (2, 1),
    "verb": (2, 3),
    "adjective": (2, 1),
    "modal": (1, 1),
    "preposition": (0, 1),
    "determiner": (0, 1),
}
NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE = range(4)


# Rows by gender ("p" is the plural of every gender), columns in the order of the cases above; a dash is no ending.
def _endings(**rows: str) -> dict[str, tuple[str, ...]]:
    return {gender: tuple(row.replace("-", "").split(" ")) for gender, row in rows.items()}


DEFINITE = _endings(m="der den dem des", f="die die der der", n="das das dem des", p="die die den der")
RELATIVE = {**DEFINITE, "p": ("die", "die", "denen", "deren")}
STRONG = _endings(m="er en em es", f="e e er er", n="es es em es", p="e e en er")
EIN = {**STRONG, **_endings(m="- en em es", n="- - em es")}
# An adjective without an article has the strong endings, save the genitive singular of masculine and neuter.
BARE = {**STRONG, **_endings(m="er en em en", n="es es em en")}
WEAK = _endings(m="e en en en", f="e e en en", n="e e en en", p="en en en en")
MIXED = {**WEAK, **_endings(m="er en en en", n="es es en en")}
AUXILIARIES = {
    "hat": {"1sg": "habe", "3sg": "hat", "plural": "haben"},
    "ist": {"1sg": "bin", "3sg": "ist", "plural": "sind"},
    "is": {"1sg": "am", "3sg": "is", "plural": "are"},
}
# What a speaker may own, and so what a person's genitive goes with.
OWNED = ("worn", "item", "luggage", "pet", "home", "own", "Auto", "Fahrrad", "Motorrad", "Boot")


CONSTRUCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "statement": "Main clause in the order subject, verb, object: Der Mann liest ein Buch.",
        "fronted": "An adverbial in front, the finite verb second: Heute liest der Mann ein Buch.",
        "subordinate": "A clause with the finite verb last: Die Frau ist glücklich, weil sie dem Kind hilft.",
        "separable": "A main clause whose separable prefix goes last: Die Frau macht die Tür auf.",
        "separable_subordinate": "The verb last and joined to its prefix: Der Mann lacht, während die Frau aufsteht.",
        "modal": "A modal verb second and the infinitive last: Das Kind kann das Buch lesen.",
        "perfect": "The perfect tense, with the participle last: Der Mann hat gestern ein Buch gelesen.",
        "negation": "Denied with nicht or kein: Der Mann liest das Buch nicht. Der Mann liest kein Buch.",
        "compound": "A compound noun, two or more words in English: Der Mann repariert den Küchentisch.",
        "dative": "A dative object: Die Frau hilft dem Kind. Der Mann gibt dem Kind das Buch.",
        "adjective": "An accusative object with an adjective's ending: Die Frau wäscht das rote Auto.",
        "object_fronting": "The object in front, told by its case: Den Hund sieht der Mann.",
        "question": "A yes/no question, with the finite verb first: Liest der Mann das Buch?",
        "relative": "A relative clause about the subject: Der Mann, der das Buch liest, ist müde.",
        "passive": "The passive, with the participle last: Das Auto wird vom Mann gewaschen.",
        "comparison": "A comparison with als or so … wie: Das Auto ist schneller als das Fahrrad.",
        "preposition": "A two-way preposition: Der Hund liegt unter dem Tisch. Der Hund springt unter den Tisch.",
        "genitive": "Whose it is: Der Hund der Nachbarin ist klein. Annas Auto ist neu.",
    }
)


@dataclass(frozen=True)
class Example:
    """One sentence, its only translation, and the slug of its construction (a key of `CONSTRUCTIONS`)."""

    german: str
    english: str
    construction: str


@dataclass(frozen=True, eq=False)
class Lexeme:
    """One row of the lexicon; the module's docstring says what the columns mean for each kind."""

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

    def fits(self, wanted: Sequence[str]) -> bool:
        """Tell whether the lemma or one of the classes is among those wanted."""
        return self.german in wanted or any(name in wanted for name in self.classes)


@cache
def lexicon() -> tuple[Lexeme, ...]:
    """Return the lexemes in the order of the table, validated.

    Raises:
        FileNotFoundError: there is no table.
        ValueError: a row is malformed; the message names file, line, column, what came and what was expected.
    """
    path = packaged("data/lexicon.tsv")
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, name: str) -> tuple[Lexeme, ...]:
    """Parse and validate a lexicon's text.

    Args:
        text: the table, with its header.
        name: what to call the file in messages.

    Raises:
        ValueError: a row is malformed; the message names file, line, column, what came and what was expected.
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
    for column, wanted in zip(("forms", "english_forms"), FORMS[row["kind"]], strict=True):
        if len(_forms(row[column], wanted)) != wanted:
            raise _malformed(name, number, column, row[column], f"{wanted} forms separated by a comma and a space")
    if row["kind"] == "verb":
        _check_verb(row, name, number)
    lists = (
        tuple(row[column].split()) if row[column] != "-" else () for column in ("class", "subject", "object", "place")
    )
    german, english = (_forms(row[c], n) for c, n in zip(("forms", "english_forms"), FORMS[row["kind"]], strict=True))
    return Lexeme(row["kind"], row["german"], row["gender"], german, *lists, row["english"], english)


def _forms(cell: str, wanted: int) -> tuple[str, ...]:
    return () if not wanted and cell == "-" else tuple(cell.split(", "))


def _check_verb(row: Mapping[str, str], name: str, number: int) -> None:
    if row["class"].split()[0] not in FRAMES:
        raise _malformed(name, number, "class", row["class"], "one of " + ", ".join(FRAMES) + " in front")
    if row["forms"].split(", ")[1].split(" ")[0] not in ("hat", "ist"):
        raise _malformed(name, number, "forms", row["forms"], "hat or ist before the participle")


class Phrase(NamedTuple):
    """A noun phrase in both languages: noun, name or pronoun with what stands around it."""

    noun: Lexeme
    determiner: Lexeme | None = None
    plural: bool = False
    adjective: Lexeme | None = None
    possessor: Phrase | None = None

    @property
    def key(self) -> str:
        """The row of the tables of endings: m, f, n, or p for every plural."""
        return "p" if self.plural else self.noun.gender

    @property
    def agreement(self) -> str:
        """Which form of the verb goes with it as subject: 1sg, 3sg or plural."""
        if self.noun.kind == "pronoun":
            return {"ich": "1sg", "wir": "plural"}.get(self.noun.german, "3sg")
        return "plural" if self.plural else "3sg"

    def german(self, case: int) -> str:
        """Inflect for a case."""
        if self.noun.kind in ("name", "pronoun"):
            return self.noun.german
        named = self.possessor is not None and self.possessor.noun.kind == "name"
        article, endings = (f"{self.possessor.noun.german}s ", BARE) if named else _article(self, case)
        adjective = self.adjective.forms[0] + endings[self.key][case] + " " if self.adjective else ""
        owner = f" {self.possessor.german(GENITIVE)}" if self.possessor and not named else ""
        return article + adjective + _declension(self.noun, self.plural)[case] + owner

    def english(self) -> str:
        """Translate."""
        if self.noun.kind in ("name", "pronoun"):
            return self.noun.english
        noun = self.noun.english_forms[0] if self.plural else self.noun.english
        bare = f"{self.adjective.english} {noun}" if self.adjective else noun
        if self.possessor and "person" in self.possessor.noun.classes:
            owner = self.possessor.english()
            return f"{owner}{_apostrophe(owner, self.possessor.plural)} {bare}"
        whole = f" of {self.possessor.english()}" if self.possessor else ""
        return _english_article(self, bare) + bare + whole


def _article(phrase: Phrase, case: int) -> tuple[str, Mapping[str, Sequence[str]]]:
    """Return the determiner with a blank after it, and the table of endings that an adjective then takes."""
    determiner = phrase.determiner
    if determiner is None:
        return "", BARE
    kind = determiner.classes[0]
    if kind == "numeral":
        return determiner.german + " ", BARE
    if kind == "definite":
        return DEFINITE[phrase.key][case] + " ", WEAK
    table, endings = (EIN, MIXED) if kind == "mixed" else (STRONG, WEAK)
    return f"{determiner.german}{table[phrase.key][case]} ", endings


def _english_article(phrase: Phrase, following: str) -> str:
    determiner = phrase.determiner
    if determiner is None:
        return ""
    if phrase.plural:
        return determiner.english_forms[0] + " "
    if determiner.english != "a":
        return determiner.english + " "
    if "mass" in phrase.noun.classes:
        return determiner.english_forms[0] + " "
    return "an " if _starts_with_vowel_sound(following) else "a "


def _starts_with_vowel_sound(text: str) -> bool:
    if text.startswith(("uni", "use", "eu", "one")):
        return False
    return text[0] in "aeiou" or text.startswith(("hour", "honest"))


def _apostrophe(owner: str, plural: bool) -> str:
    return "'" if plural and owner.endswith("s") else "'s"


@cache
def _declension(noun: Lexeme, plural: bool) -> tuple[str, str, str, str]:
    genitive, many = noun.forms
    if plural:
        return many, many, many if many[-1] in "ns" else many + "n", many
    if noun.gender == "m" and genitive[-1] == "n":
        return noun.german, genitive, genitive, genitive
    return noun.german, noun.german, noun.german, genitive


class Clause(NamedTuple):
    """A verb with its arguments; objects come with their case, in German order."""

    subject: Phrase
    verb: Lexeme
    objects: tuple[tuple[Phrase, int], ...] = ()
    adverb: Lexeme | None = None


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _prefix(verb: Lexeme) -> str:
    return verb.german.rpartition("|")[0]


def _finite(verb: Lexeme, subject: Phrase) -> str:
    """Inflect a German verb for its subject, without a separable prefix."""
    agreement, infinitive = subject.agreement, verb.german.rpartition("|")[2]
    if agreement == "3sg":
        return verb.forms[0]
    if agreement == "plural":
        return infinitive
    if verb.kind == "modal" or infinitive == "wissen":
        return verb.forms[0]
    return (
        infinitive[:-3] + "le" if infinitive.endswith("eln") else infinitive.removesuffix("n").removesuffix("e") + "e"
    )


def _english_finite(verb: Lexeme, subject: Phrase) -> str:
    return verb.english_forms[0] if subject.agreement == "3sg" else verb.english


def _middle(clause: Clause, negated: str = "") -> str:
    """Return what stands between the two parts of the German verb; *nicht* goes last."""
    objects = [phrase.german(case) for phrase, case in clause.objects]
    adverb = clause.adverb.german if clause.adverb else ""
    if negated:
        return _words(*objects, adverb, negated)
    # "nach dem Frühstück der Lehrerin" would be the teacher's breakfast.
    before = 1 if _looks_genitive(clause) else 0
    return _words(*objects[:before], adverb, *objects[before:])


def _looks_genitive(clause: Clause) -> bool:
    """Tell whether the first object is a feminine dative, which belongs to a noun if one stands right before it."""
    return bool(clause.objects) and clause.objects[0][1] == DATIVE and clause.objects[0][0].key == "f"


def _runs_together(clause: Clause) -> bool:
    """Tell whether the first object would belong to the subject, with no verb between: *der Gast der Nachbarin*."""
    return clause.subject.noun.kind == "noun" and _looks_genitive(clause)


def _predicate(clause: Clause, verb: str) -> str:
    """Return the English verb with its objects and the adverb: the thing before the person who receives it."""
    objects = [phrase.english() for phrase, _ in clause.objects]
    if len(objects) == 2:
        objects = [objects[1], "to", objects[0]]
    adverb = clause.adverb.english if clause.adverb else ""
    if clause.adverb and "before" in clause.adverb.classes:
        return _words(adverb, verb, *objects)
    return _words(verb, *objects, adverb)


def _main(clause: Clause) -> tuple[str, str]:
    """Realise a main clause with the subject first."""
    german = _words(
        clause.subject.german(NOMINATIVE), _finite(clause.verb, clause.subject), _middle(clause), _prefix(clause.verb)
    )
    return german, _words(clause.subject.english(), _predicate(clause, _english_finite(clause.verb, clause.subject)))


def _final(clause: Clause) -> tuple[str, str]:
    """Realise a subordinate clause: the verb is last, and joined to its prefix."""
    verb = _prefix(clause.verb) + _finite(clause.verb, clause.subject)
    return _words(clause.subject.german(NOMINATIVE), _middle(clause), verb), _main(clause)[1]


def _copula(subject: Phrase, german: str, english: str) -> tuple[str, str]:
    """Say that the subject is something."""
    return (
        _words(subject.german(NOMINATIVE), AUXILIARIES["ist"][subject.agreement], german),
        _words(subject.english(), AUXILIARIES["is"][subject.agreement], english),
    )


def _contract(text: str) -> str:
    """Contract a preposition with its article, where German does: vom, im, ins."""
    for full, short in (("von dem ", "vom "), ("in dem ", "im "), ("in das ", "ins ")):
        if text.startswith(full):
            return short + text[len(full) :]
    return text


class Grammar:
    """The lexicon indexed for drawing: which nouns, adverbs and adjectives go with which words."""

    def __init__(self, lexemes: Sequence[Lexeme]):
        self.kinds = {kind: [x for x in lexemes if x.kind == kind] for kind in FORMS}
        self.determiners = {x.german: x for x in self.kinds["determiner"]}
        self.lemmas = {x.german: x for x in lexemes}
        nouns = self.kinds["noun"]
        persons = nouns + self.kinds["name"] + self.kinds["pronoun"]
        self.subjects, self.objects, self.places, self.adverbs = {}, {}, {}, {}
        for verb in self.kinds["verb"]:
            self.subjects[verb] = [x for x in persons if x.fits(verb.subject)]
            self.objects[verb] = [x for x in nouns if x.fits(verb.object)]
            self.places[verb] = [x for x in nouns if x.fits(verb.place)]
            for tense in ("present", "past", "before", "negated"):
                found = [x for x in self.kinds["adverb"] if _goes_with(x, verb, tense)]
                # What goes with few verbs is likelier with those, so that training has enough of it.
                self.adverbs[verb, tense] = found + [x for x in found if x.object] * 2
        adjectives = self.kinds["adjective"]
        self.adjectives = {x: [a for a in adjectives if x.fits(a.object)] for x in nouns}
        self.determined = {(x, definite): self._determined(x, definite) for x in nouns for definite in (False, True)}
        self.users = {x: [v for v in self.frame("transitive") if x in self.objects[v]] for x in nouns}
        self.compounds = {
            (modifier, noun): _join(modifier, noun)
            for modifier in self.kinds["modifier"]
            for noun in nouns
            if noun.german in modifier.object
        }

    def frame(self, *frames: str, separable: bool | None = None) -> list[Lexeme]:
        """List the verbs of some frames, all of them or only those with or without a separable prefix."""
        verbs = [x for x in self.kinds["verb"] if any(name in frames for name in x.classes)]
        return [x for x in verbs if separable is None or bool(_prefix(x)) == separable]

    def clauses(self, separable: bool | None = None) -> list[Lexeme]:
        """List the verbs that make a full clause with a subject and at most two objects."""
        return self.frame("intransitive", "transitive", "dative", "ditransitive", separable=separable)

    @cache  # noqa: B019 - there is one grammar
    def rivals(self, adjective: Lexeme) -> list[Lexeme]:
        """List the nouns that an adjective compares with another noun of the same first class."""
        nouns = [x for x in self.kinds["noun"] if adjective in self.adjectives[x]]
        alike = Counter(x.classes[0] for x in nouns)
        return [x for x in nouns if alike[x.classes[0]] > 1]

    def _determined(self, noun: Lexeme, definite: bool) -> list[tuple[Lexeme | None, bool]]:
        """List pairs of determiner and plural for a noun, repeated as often as they are likely."""
        get = self.determiners
        own = [(get[x], False) for x in ("mein", "unser") if noun.fits(get[x].object)]
        if "mass" in noun.classes:
            return [(get["der"], False)] * 2 + ([] if definite else [(None, False)] * 2)
        if "kin" in noun.classes:
            several = [] if "single" in noun.classes else [(x, True) for x, _ in own]
            return [(get["der"], False)] * 2 + own * 2 + several
        found = [(get["der"], False)] * 6 + [(get["dies"], False)] + own
        if "single" in noun.classes:
            return found
        found += [(get["der"], True)] * 2 + [(get["dies"], True)]
        if definite:
            return found
        numerals = [(x, True) for x in self.kinds["determiner"] if x.classes[0] == "numeral"]
        return found + [(get["ein"], False)] * 6 + numerals


def _goes_with(adverb: Lexeme, verb: Lexeme, tense: str) -> bool:
    """Tell whether an adverb goes with a verb; *nicht* would have to precede what goes with few verbs only."""
    wanted = {"present": ("any", "present"), "past": ("any", "past"), "before": ("before",), "negated": ("any",)}[tense]
    if "timeless" in verb.classes or not adverb.fits(wanted):
        return False
    return not adverb.object or (tense != "negated" and verb.fits(adverb.object))


def _join(modifier: Lexeme, noun: Lexeme) -> Lexeme:
    first = modifier.german.removesuffix("-")
    genitive, plural = (first + form.lower() if form != "-" else form for form in noun.forms)
    english = f"{modifier.english} {noun.english}"
    plurals = tuple(f"{modifier.english} {form}" for form in noun.english_forms)
    german = first + noun.german.lower()
    return replace(noun, german=german, forms=(genitive, plural), english=english, english_forms=plurals)


@cache
def _grammar() -> Grammar:
    return Grammar(lexicon())


class Writer:
    """Draws the words of one sentence after another."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.grammar = _grammar()

    def pick(self, options: Sequence[T]) -> T:
        """Draw from a list. Only random() gives the same numbers in every version of Python."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.rng.random() < probability

    def phrase(self, noun: Lexeme, definite: bool = False, adjective: float = 0.25) -> Phrase:
        """Put a determiner, and with a probability an adjective, before a noun; other than nouns stay alone."""
        if noun.kind != "noun":
            return Phrase(noun)
        determiner, plural = self.pick(self.grammar.determined[noun, definite])
        described = self.chance(adjective) and self.grammar.adjectives[noun]
        return Phrase(noun, determiner, plural, self.pick(described) if described else None)

    def subject(self, verb: Lexeme, kinds: Sequence[str] = ("noun", "name", "pronoun")) -> Phrase:
        """Draw a subject of one of the kinds for a verb."""
        while (noun := self.pick(self.grammar.subjects[verb])).kind not in kinds:
            pass
        return self.phrase(noun, True, 0.15)

    def adverb(self, verb: Lexeme, tense: str = "present", probability: float = 0.3) -> Lexeme | None:
        """Draw an adverb, or none."""
        adverbs = self.chance(probability) and self.grammar.adverbs[verb, tense]
        return self.pick(adverbs) if adverbs else None

    def clause(self, verb: Lexeme, subject: Phrase | None = None, definite: bool = False) -> Clause:
        """Draw a subject, unless there is one, and the objects that the verb governs; no noun stands twice."""
        subject = subject or self.subject(verb)
        objects = []
        if verb.classes[0] == "ditransitive":
            objects.append((self.phrase(self.recipient(subject), True, 0.15), DATIVE))
        if verb.classes[0] != "intransitive":
            while (noun := self.pick(self.grammar.objects[verb])) is subject.noun:
                pass
            case = DATIVE if verb.classes[0] == "dative" else ACCUSATIVE
            definite = definite or case == DATIVE or "whole" in verb.classes
            objects.append((self.phrase(noun, definite), case))
        return Clause(subject, verb, tuple(objects))

    def recipient(self, giver: Phrase) -> Lexeme:
        """Draw a person other than the one who gives."""
        while (noun := self.pick(self.grammar.kinds["noun"])) is giver.noun or "person" not in noun.classes:
            pass
        return noun


Head = tuple[Lexeme, ...]
Pair = tuple[str, str]


class Construction(NamedTuple):
    """What a construction can be built on, and what builds it (None: these words do not do, draw again)."""

    heads: Callable[[Grammar], list[Head]]
    realise: Callable[..., Pair | None]


_CONSTRUCTIONS: dict[str, Construction] = {}


def _construction(heads: Callable[[Grammar], list[Head]]) -> Callable[[F], F]:
    """Register a function as the construction of its name."""

    def register(realise: F) -> F:
        _CONSTRUCTIONS[realise.__name__.removeprefix("_")] = Construction(heads, realise)
        return realise

    return register


def _each(lexemes: Sequence[Lexeme]) -> list[Head]:
    return [(x,) for x in lexemes]


@_construction(lambda g: _each(g.frame("intransitive", "transitive", separable=False)))
def _statement(writer: Writer, verb: Lexeme) -> Pair:
    tense = "before" if writer.chance(0.3) else "present"
    return _main(_plain(writer.clause(verb))._replace(adverb=writer.adverb(verb, tense)))


def _plain(clause: Clause) -> Clause:
    """Take the adjectives from the objects, so that no sentence has two constructions."""
    return clause._replace(objects=tuple((phrase._replace(adjective=None), case) for phrase, case in clause.objects))


@_construction(
    lambda g: _each([v for v in g.clauses(separable=False) if "timeless" not in v.classes]),
)
def _fronted(writer: Writer, verb: Lexeme) -> Pair | None:
    clause, adverb = writer.clause(verb), writer.adverb(verb, probability=1)
    if _runs_together(clause):
        return None
    subject = clause.subject.german(NOMINATIVE)
    german = _words(adverb.german, _finite(verb, clause.subject), subject, _middle(clause))
    return german, _words(adverb.english, _main(clause)[1])


def _subordinate(writer: Writer, verb: Lexeme) -> Pair | None:
    conjunction = writer.pick(writer.grammar.kinds["conjunction"])
    outer, german, english = _matrix(writer, conjunction)
    first = conjunction.classes[0] != "saying" and writer.chance(0.3)
    subject = writer.subject(verb)
    clause = writer.clause(verb, subject)
    if not _may_follow(subject, outer, first) or _runs_together(clause):
        return None
    inner = _final(clause)
    finite, _, rest = german.partition(" ")
    if first:
        german = _words(f"{conjunction.german} {inner[0]},", finite, outer.german(NOMINATIVE), rest)
        return german, f"{conjunction.english} {inner[1]}, {outer.english()} {english}"
    german = f"{outer.german(NOMINATIVE)} {german}, {conjunction.german} {inner[0]}"
    return german, f"{outer.english()} {english} {conjunction.english} {inner[1]}"


def _matrix(writer: Writer, conjunction: Lexeme) -> tuple[Phrase, str, str]:
    """Draw the main clause that a conjunction goes with: its subject and, in both languages, the rest."""
    grammar, kind = writer.grammar, conjunction.classes[0]
    if kind == "mood":
        subject = writer.subject(grammar.lemmas["wissen"])
        mood = writer.pick([x for x in grammar.kinds["adjective"] if "mood" in x.classes])
        german, english = AUXILIARIES["ist"][subject.agreement], AUXILIARIES["is"][subject.agreement]
        return subject, f"{german} {mood.german}", f"{english} {mood.english}"
    if kind == "saying":
        verb = grammar.lemmas[writer.pick(conjunction.object)]
    else:
        verb = writer.pick([x for x in grammar.frame("intransitive") if "activity" in x.classes])
    subject = writer.subject(verb)
    return subject, _finite(verb, subject), _english_finite(verb, subject)


def _may_follow(inner: Phrase, outer: Phrase, first: bool) -> bool:
    """Tell whether two clauses may have these subjects: *er* and *sie* look back to the main clause's."""
    if inner.noun is outer.noun:
        return False
    if inner.noun.german not in ("er", "sie"):
        return True
    return not first and outer.key == inner.noun.gender and "person" in outer.noun.classes


_CONSTRUCTIONS["subordinate"] = Construction(lambda g: _each(g.clauses(separable=False)), _subordinate)


@_construction(lambda g: _each(g.frame("intransitive", "transitive", separable=True)))
def _separable(writer: Writer, verb: Lexeme) -> Pair:
    return _main(_plain(writer.clause(verb))._replace(adverb=writer.adverb(verb)))


_CONSTRUCTIONS["separable_subordinate"] = Construction(lambda g: _each(g.clauses(separable=True)), _subordinate)


@_construction(
    lambda g: _each(
        [v for v in g.clauses() if not v.fits(("timeless", "unwilled")) and any(map(_animate, g.subjects[v]))]
    ),
)
def _modal(writer: Writer, verb: Lexeme) -> Pair | None:
    clause, modal = writer.clause(verb), writer.pick(writer.grammar.kinds["modal"])
    if not _animate(clause.subject.noun):
        return None
    clause = clause._replace(adverb=writer.adverb(verb, probability=0.2))
    german = _words(
        clause.subject.german(NOMINATIVE), _finite(modal, clause.subject), _middle(clause), verb.german.replace("|", "")
    )
    english = f"{_english_finite(modal, clause.subject)} {_predicate(clause, verb.english)}"
    return german, f"{clause.subject.english()} {english}"


def _animate(noun: Lexeme) -> bool:
    return noun.fits(("person", "animal", "baby"))


@_construction(
    lambda g: _each(g.clauses()),
)
def _perfect(writer: Writer, verb: Lexeme) -> Pair:
    clause = writer.clause(verb)._replace(adverb=writer.adverb(verb, "past", 0.5))
    auxiliary, participle = verb.forms[1].split(" ")
    subject = clause.subject.german(NOMINATIVE)
    german = _words(subject, AUXILIARIES[auxiliary][clause.subject.agreement], _middle(clause), participle)
    return german, f"{clause.subject.english()} {_predicate(clause, verb.english_forms[1])}"


@_construction(
    lambda g: _each(g.clauses()),
)
def _negation(writer: Writer, verb: Lexeme) -> Pair:
    clause = writer.clause(verb, definite=True)
    negated = "nicht"
    if clause.objects and clause.objects[-1][1] == ACCUSATIVE and writer.chance(0.5):
        thing = clause.objects[-1][0]._replace(determiner=writer.grammar.determiners["kein"])
        clause = clause._replace(objects=(*clause.objects[:-1], (thing, ACCUSATIVE)))
        negated = ""
    clause = clause._replace(adverb=writer.adverb(verb, "negated", 0.2))
    subject = clause.subject
    german = _words(subject.german(NOMINATIVE), _finite(verb, subject), _middle(clause, negated), _prefix(verb))
    return german, f"{subject.english()} {_do(subject)} not {_predicate(clause, verb.english)}"


def _do(subject: Phrase) -> str:
    return "does" if subject.agreement == "3sg" else "do"


@_construction(
    lambda g: list(g.compounds),
)
def _compound(writer: Writer, modifier: Lexeme, noun: Lexeme) -> Pair:
    users, adjectives = writer.grammar.users[noun], writer.grammar.adjectives[noun]
    thing = writer.phrase(noun)._replace(noun=writer.grammar.compounds[modifier, noun])
    if not users or (adjectives and writer.chance(0.2)):
        determiner, plural = writer.pick(writer.grammar.determined[noun, True])
        quality = writer.pick(adjectives)
        return _copula(Phrase(thing.noun, determiner, plural), quality.german, quality.english)
    verb = writer.pick(users)
    return _main(Clause(writer.subject(verb), verb, ((thing, ACCUSATIVE),)))


@_construction(
    lambda g: _each(g.frame("dative", "ditransitive")),
)
def _dative(writer: Writer, verb: Lexeme) -> Pair:
    return _main(writer.clause(verb)._replace(adverb=writer.adverb(verb, probability=0.2)))


@_construction(
    lambda g: [(a, noun) for noun in g.kinds["noun"] if g.users[noun] for a in g.adjectives[noun]],
)
def _adjective(writer: Writer, adjective: Lexeme, noun: Lexeme) -> Pair | None:
    verb = writer.pick(writer.grammar.users[noun])
    subject, thing = writer.subject(verb), writer.phrase(noun)._replace(adjective=adjective)
    return None if subject.noun is noun else _main(Clause(subject, verb, ((thing, ACCUSATIVE),)))


@_construction(
    lambda g: _each(g.frame("transitive", "dative")),
)
def _object_fronting(writer: Writer, verb: Lexeme) -> Pair | None:
    clause = writer.clause(verb)
    (thing, case), subject = clause.objects[0], clause.subject
    if not _told_apart(subject, thing, case):
        return None
    german = _words(thing.german(case), _finite(verb, subject), subject.german(NOMINATIVE), _prefix(verb))
    return german, _main(clause)[1]


def _told_apart(subject: Phrase, thing: Phrase, case: int) -> bool:
    """Tell whether a visible case says who does it; only the dative and the masculine singular differ in form."""
    marked_object = case == DATIVE or (thing.key == "m" and thing.determiner is not None)
    return marked_object or (subject.noun.kind == "noun" and subject.key == "m") or subject.noun.german in ("er", "ich")


@_construction(
    lambda g: _each(g.clauses()),
)
def _question(writer: Writer, verb: Lexeme) -> Pair | None:
    clause = writer.clause(verb)._replace(adverb=writer.adverb(verb, probability=0.2))
    subject = clause.subject
    if subject.noun.german in ("ich", "wir") or _runs_together(clause):
        return None
    german = _words(_finite(verb, subject), subject.german(NOMINATIVE), _middle(clause), _prefix(verb)) + "?"
    return german, f"{_do(subject)} {subject.english()} {_predicate(clause, verb.english)}?"


@_construction(
    lambda g: _each(g.frame("transitive", "dative")),
)
def _relative(writer: Writer, verb: Lexeme) -> Pair | None:
    clause = writer.clause(verb, definite=True)
    (thing, case), doer = clause.objects[0], clause.subject
    about_object = writer.chance(0.5)
    head, case = (thing, case) if about_object else (doer, NOMINATIVE)
    qualities = writer.grammar.adjectives.get(head.noun)
    # No preposition left over (the man whom the car belongs to), and nobody whom a name or a title tells already.
    unfit = not qualities or "single" in head.noun.classes or (case == DATIVE and " " in verb.english)
    if unfit or not _told_apart(doer, *clause.objects[0]):
        return None
    head = head._replace(determiner=writer.grammar.determiners["der"], adjective=None)
    persons = "person" in head.noun.classes
    rest = _middle(clause) if not about_object else doer.german(NOMINATIVE)
    german = f"{RELATIVE[head.key][case]} {_words(rest, _prefix(verb) + _finite(verb, doer))}"
    predicate = _english_finite(verb, doer)
    if about_object:
        english = f"{'whom' if persons else 'that'} {doer.english()} {predicate}"
    else:
        english = f"{'who' if persons else 'that'} {_predicate(clause, predicate)}"
    quality = writer.pick(qualities)
    outer = _copula(head, quality.german, quality.english)
    start, english_start = head.german(NOMINATIVE), head.english()
    return (
        f"{start}, {german},{outer[0].removeprefix(start)}",
        f"{english_start} {english}{outer[1].removeprefix(english_start)}",
    )


@_construction(
    lambda g: _each([v for v in g.frame("transitive") if "nopassive" not in v.classes]),
)
def _passive(writer: Writer, verb: Lexeme) -> Pair:
    clause = writer.clause(verb, writer.subject(verb, kinds=("noun", "name")), definite=True)
    thing, agent = clause.objects[0][0], clause.subject
    adverb = writer.adverb(verb, probability=0.2)
    by = _contract(f"von {agent.german(DATIVE)}")
    participle = verb.forms[1].split(" ")[1]
    become = "werden" if thing.plural else "wird"
    german = _words(thing.german(NOMINATIVE), become, adverb.german if adverb else "", by, participle)
    passive = f"{AUXILIARIES['is'][thing.agreement]} {verb.english_forms[2]} by {agent.english()}"
    return german, _words(thing.english(), passive, adverb.english if adverb else "")


@_construction(
    lambda g: [(a, n) for a in g.kinds["adjective"] if a.forms[1] != "-" for n in g.rivals(a)],
)
def _comparison(writer: Writer, adjective: Lexeme, noun: Lexeme) -> Pair | None:
    rivals = writer.grammar.rivals(adjective)
    other = writer.pick([x for x in rivals if x is not noun and x.classes[0] == noun.classes[0]])
    first, second = (writer.phrase(x, True, 0) for x in (noun, other))
    if writer.chance(0.3):
        german, english = f"so {adjective.german} wie", f"as {adjective.english} as"
    else:
        german, english = f"{adjective.forms[1]} als", f"{adjective.english_forms[0]} than"
    return _copula(first, f"{german} {second.german(NOMINATIVE)}", f"{english} {second.english()}")


@_construction(
    lambda g: [
        (v, p)
        for v in g.frame("location", "direction", "placement")
        for p in g.kinds["preposition"]
        if any(x.fits(p.object) for x in g.places[v]) and any(_may_be(p, x) for x in g.objects[v] or g.subjects[v])
    ],
)
def _preposition(writer: Writer, verb: Lexeme, preposition: Lexeme) -> Pair | None:
    subject = writer.subject(verb)
    thing = writer.phrase(writer.pick(writer.grammar.objects[verb])) if "placement" in verb.classes else None
    if not _may_be(preposition, (thing or subject).noun):
        return None
    place = writer.phrase(
        writer.pick([x for x in writer.grammar.places[verb] if x.fits(preposition.object)]), True, 0.1
    )
    rests = "location" in verb.classes
    where = _contract(f"{preposition.german} {place.german(DATIVE if rests else ACCUSATIVE)}")
    english_where = f"{preposition.english if rests else preposition.english_forms[0]} {place.english()}"
    german = _words(_finite(verb, subject), thing.german(ACCUSATIVE) if thing else "", where)
    english = _words(_english_finite(verb, subject), thing.english() if thing else "", english_where)
    return f"{subject.german(NOMINATIVE)} {german}", f"{subject.english()} {english}"


def _may_be(preposition: Lexeme, thing: Lexeme) -> bool:
    return not preposition.subject or thing.fits(preposition.subject)


@_construction(
    lambda g: _each([n for n in g.kinds["noun"] if g.adjectives[n] and n.fits((*OWNED, "part"))]),
)
def _genitive(writer: Writer, noun: Lexeme) -> Pair:
    grammar = writer.grammar
    if noun.object:
        whole = writer.pick([x for x in grammar.kinds["noun"] if x.fits(noun.object)])
        possessor, plural = Phrase(whole, writer.pick([grammar.determiners[x] for x in ("der", "dies")])), False
    else:
        possessor = writer.subject(grammar.lemmas["wissen"], kinds=("noun", "name"))
        plural = writer.chance(0.2)
    owned = Phrase(noun, grammar.determiners["der"], plural, None, possessor)
    if noun.object or writer.chance(0.5):
        quality = writer.pick(grammar.adjectives[noun])
        return _copula(owned, quality.german, quality.english)
    described = writer.chance(0.3)
    owned = owned._replace(adjective=writer.pick(grammar.adjectives[noun]) if described else None)
    verb = writer.pick(grammar.users[noun])
    subject = writer.subject(verb)
    # Nothing tells whether Annas Löffel, as an object, is one spoon or several.
    unclear = possessor.noun.kind == "name" and noun.forms[1] == noun.german
    return None if unclear or subject.noun is possessor.noun else _main(Clause(subject, verb, ((owned, ACCUSATIVE),)))


def head_name(head: Head) -> str:
    """Write a head, as `combinations` lists it: its lemmas joined by a plus sign."""
    return "+".join(lexeme.german for lexeme in head)


@cache
def _combinations() -> dict[str, dict[str, tuple[Head, ...]]]:
    """Divide each construction's heads: 15 % are new, those with the smallest hashes that training can do without."""
    heads = {slug: x.heads(_grammar()) for slug, x in _CONSTRUCTIONS.items()}
    everything = [(slug, head) for slug in heads for head in heads[slug]]
    everything.sort(key=lambda pair: hashlib.sha256(f"{pair[0]} {head_name(pair[1])}".encode()).digest())
    # How much of one construction's sentences a lexeme heads in training; RARE of them must be left.
    share: Counter[Lexeme] = Counter()
    for slug, head in everything:
        share.update(dict.fromkeys(head, 1 / len(heads[slug])))
    divided: dict[str, dict[str, list[Head]]] = {slug: {"seen": [], "new": []} for slug in heads}
    for slug, head in everything:
        part, new = 1 / len(heads[slug]), divided[slug]["new"]
        if len(new) < round(0.15 * len(heads[slug])) and all(share[lexeme] - part > RARE for lexeme in head):
            new.append(head)
            share.subtract(dict.fromkeys(head, part))
        else:
            divided[slug]["seen"].append(head)
    return {slug: {name: tuple(found) for name, found in kinds.items()} for slug, kinds in divided.items()}


def combinations(name: Literal["seen", "new"]) -> dict[str, tuple[str, ...]]:
    """List, by construction, the heads (verbs, noun pairs, …) that it has in training, or only outside it."""
    return {slug: tuple(map(head_name, divided[name])) for slug, divided in _combinations().items()}


def _sentence(text: str) -> str:
    """Give a sentence its capital and, unless it has one, its final punctuation."""
    return text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")


# How often in a row one construction may repeat itself before it counts as exhausted.
PATIENCE = 2_000
# With 24,000 sentences in 18 constructions, about four sentences.
RARE = 1 / 300


def _draw(
    count: int, seed: str, combination: str, slugs: Sequence[str], accept: Callable[[str], bool]
) -> Iterator[tuple[Example, Head]]:
    """Yield examples with their heads: distinct German sentences that `accept` takes, constructions in equal parts."""
    writer = Writer(random.Random(f"{seed} {combination}"))
    order = [slugs[i % len(slugs)] for i in range(count)]
    order = [slug for _, slug in sorted((writer.rng.random(), slug) for slug in order)]
    drawn: set[str] = set()
    for slug in order:
        heads, realise = _combinations()[slug][combination], _CONSTRUCTIONS[slug].realise
        for _ in range(PATIENCE):
            head = writer.pick(heads)
            pair = realise(writer, *head)
            german = pair and _sentence(pair[0])
            if german and german.count(" ") >= 2 and german not in drawn and accept(german):
                break
        else:
            raise ValueError(
                f"count={count} cannot be met: the construction {slug!r} has too few {combination} sentences"
            )
        drawn.add(german)
        yield Example(german, _sentence(pair[1]), slug), head


def generate(
    count: int,
    *,
    seed: int,
    combinations: Literal["seen", "new"] = "seen",
    constructions: Sequence[str] | None = None,
) -> list[Example]:
    """Generate examples with distinct German sentences, the constructions equally frequent and shuffled.

    Args:
        count: how many.
        seed: the same seed gives the same examples on every machine.
        combinations: *seen* for combinations of construction and head that training has, *new* for those held out.
        constructions: the slugs to use; all by default. The sentences are not kept apart from those of `split`.

    Raises:
        ValueError: the count is negative or cannot be met, or a name is unknown.
    """
    if count < 0:
        raise ValueError(f"count must be at least 0, got {count}")
    if combinations not in ("seen", "new"):
        raise ValueError(f"combinations must be 'seen' or 'new', got {combinations!r}")
    slugs = tuple(CONSTRUCTIONS if constructions is None else constructions)
    unknown = [slug for slug in slugs if slug not in CONSTRUCTIONS]
    if unknown or not slugs:
        raise ValueError(f"constructions: unknown {unknown} or none at all; known are {', '.join(CONSTRUCTIONS)}")
    return [example for example, _ in _draw(count, str(seed), combinations, slugs, lambda german: True)]


# Each split's usual size, its combinations, and which tenths of all sentences (by checksum) are its own.
SPLITS = {
    "train": (24_000, "seen", range(2, 10)),
    "validation": (1_000, "seen", range(1)),
    "test": (1_000, "seen", range(1, 2)),
    "new": (1_000, "new", range(10)),
}


def split(name: Literal["train", "validation", "test", "new"], count: int | None = None) -> list[Example]:
    """Return one of the fixed splits. No sentence is in two of them, however many are asked for.

    Args:
        name: *train*, *validation* or *test*, on seen combinations; or *new*, on new ones only.
        count: how many examples; by default 24,000 for *train* and 1,000 for the others.

    Raises:
        ValueError: the name is unknown, or the count is negative or cannot be met.
    """
    return [example for example, _ in _split(name, count)]


def _split(name: str, count: int | None = None) -> Iterator[tuple[Example, Head]]:
    if name not in SPLITS:
        raise ValueError(f"name must be one of {', '.join(SPLITS)}, got {name!r}")
    usual, combination, tenths = SPLITS[name]
    count = usual if count is None else count
    if count < 0:
        raise ValueError(f"count must be at least 0, got {count}")
    return _draw(
        count, f"split {name}", combination, tuple(CONSTRUCTIONS), lambda g: zlib.crc32(g.encode()) % 10 in tenths
    )
