"""Inflection: declension of noun phrases by case, conjugation of verbs by person and number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from tendays.corpora.grammar.lexicon import Lexeme

NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE = range(4)

# ---- tables ---------------------------------------------------------------------------------------------------------


def _paradigm(**rows: str) -> dict[str, tuple[str, ...]]:
    """A table of forms: rows are genders ("p": plural), columns the cases in the order above, "-" an empty ending."""
    return {gender: tuple(row.replace("-", "").split(" ")) for gender, row in rows.items()}


DEFINITE_ARTICLE = _paradigm(m="der den dem des", f="die die der der", n="das das dem des", p="die die den der")
RELATIVE_PRONOUN = {**DEFINITE_ARTICLE, "p": ("die", "die", "denen", "deren")}
# Endings of determiners: dies-, and ein-, kein-, mein-, unser-.
DER_WORD = _paradigm(m="er en em es", f="e e er er", n="es es em es", p="e e en er")
EIN_WORD = {**DER_WORD, **_paradigm(m="- en em es", n="- - em es")}
# Endings of adjectives: strong without an article, weak after a der-word, mixed after an ein-word.
STRONG = {**DER_WORD, **_paradigm(m="er en em en", n="es es em en")}
WEAK = _paradigm(m="e en en en", f="e e en en", n="e e en en", p="en en en en")
MIXED = {**WEAK, **_paradigm(m="er en en en", n="es es en en")}
AUXILIARIES = {
    "hat": {"1sg": "habe", "3sg": "hat", "plural": "haben"},
    "ist": {"1sg": "bin", "3sg": "ist", "plural": "sind"},
    "is": {"1sg": "am", "3sg": "is", "plural": "are"},
}

# ---- noun phrases ---------------------------------------------------------------------------------------------------


class Phrase(NamedTuple):
    """A noun phrase in both languages, whose head is a noun, a name or a pronoun."""

    noun: Lexeme
    determiner: Lexeme | None = None
    plural: bool = False
    adjective: Lexeme | None = None
    possessor: Phrase | None = None

    @property
    def gender(self) -> str:
        """The row of a paradigm: m, f, n, or p for the plural, which has no genders in German."""
        return "p" if self.plural else self.noun.gender

    @property
    def agreement(self) -> str:
        """Person and number of the finite verb with this subject: 1sg, 3sg or plural."""
        if self.noun.kind == "pronoun":
            return {"ich": "1sg", "wir": "plural"}.get(self.noun.german, "3sg")
        return "plural" if self.plural else "3sg"

    def german(self, case: int) -> str:
        """The German phrase in a case."""
        if self.noun.kind in ("name", "pronoun"):
            return self.noun.german
        by_name = self.possessor is not None and self.possessor.noun.kind == "name"
        determiner, endings = (f"{self.possessor.noun.german}s ", STRONG) if by_name else _determiner(self, case)
        adjective = self.adjective.forms[0] + endings[self.gender][case] + " " if self.adjective else ""
        genitive = f" {self.possessor.german(GENITIVE)}" if self.possessor and not by_name else ""
        return determiner + adjective + _declension(self.noun, self.plural)[case] + genitive

    def english(self) -> str:
        """The English phrase."""
        if self.noun.kind in ("name", "pronoun"):
            return self.noun.english
        noun = self.noun.english_forms[0] if self.plural else self.noun.english
        bare = f"{self.adjective.english} {noun}" if self.adjective else noun
        if self.possessor and "person" in self.possessor.noun.classes:
            owner = self.possessor.english()
            apostrophe = "'" if self.possessor.plural and owner.endswith("s") else "'s"
            return f"{owner}{apostrophe} {bare}"
        of = f" of {self.possessor.english()}" if self.possessor else ""
        return _english_determiner(self, bare) + bare + of


def _determiner(phrase: Phrase, case: int) -> tuple[str, Mapping[str, Sequence[str]]]:
    """The determiner, followed by a blank, and the endings that an adjective takes after it."""
    determiner = phrase.determiner
    if determiner is None:
        return "", STRONG
    kind = determiner.classes[0]
    if kind == "numeral":
        return determiner.german + " ", STRONG
    if kind == "definite":
        return DEFINITE_ARTICLE[phrase.gender][case] + " ", WEAK
    own, endings = (EIN_WORD, MIXED) if kind == "mixed" else (DER_WORD, WEAK)
    return f"{determiner.german}{own[phrase.gender][case]} ", endings


def _english_determiner(phrase: Phrase, following: str) -> str:
    """The English determiner, followed by a blank; empty where there is none."""
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


@cache
def _declension(noun: Lexeme, plural: bool) -> tuple[str, str, str, str]:
    """The forms of a noun, by case."""
    genitive, many = noun.forms
    if plural:
        return many, many, many if many[-1] in "ns" else many + "n", many
    if noun.gender == "m" and genitive[-1] == "n":  # the weak declension
        return noun.german, genitive, genitive, genitive
    return noun.german, noun.german, noun.german, genitive


def compound(modifier: Lexeme, noun: Lexeme) -> Lexeme:
    """The compound noun of a modifier and its head, which gives it gender and declension: *Küchentisch*."""
    first = modifier.german.removesuffix("-")
    genitive, plural = (first + form.lower() if form != "-" else form for form in noun.forms)
    english = f"{modifier.english} {noun.english}"
    plurals = tuple(f"{modifier.english} {form}" for form in noun.english_forms)
    german = first + noun.german.lower()
    return replace(noun, german=german, forms=(genitive, plural), english=english, english_forms=plurals)


def contract(phrase: str) -> str:
    """A prepositional phrase with preposition and article contracted where German does so: vom, im, ins."""
    for full, short in (("von dem ", "vom "), ("in dem ", "im "), ("in das ", "ins ")):
        if phrase.startswith(full):
            return short + phrase[len(full) :]
    return phrase


# ---- verbs ----------------------------------------------------------------------------------------------------------


def separable_prefix(verb: Lexeme) -> str:
    """The separable prefix, or nothing: *auf* of *aufmachen*."""
    return verb.german.rpartition("|")[0]


def finite(verb: Lexeme, subject: Phrase) -> str:
    """The German finite verb in the present tense, in agreement with its subject, without a separable prefix."""
    infinitive = verb.german.rpartition("|")[2]
    if subject.agreement == "3sg":
        return verb.forms[0]
    if subject.agreement == "plural":
        return infinitive
    if verb.kind == "modal" or infinitive == "wissen":  # ich kann, ich weiß: the first person is the third
        return verb.forms[0]
    if infinitive.endswith("eln"):
        return infinitive[:-3] + "le"
    return infinitive.removesuffix("n").removesuffix("e") + "e"


def english_finite(verb: Lexeme, subject: Phrase) -> str:
    """The English finite verb in the simple present, in agreement with its subject."""
    return verb.english_forms[0] if subject.agreement == "3sg" else verb.english
