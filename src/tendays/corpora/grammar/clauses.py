"""The order of words in German and English clauses.

In the topological model, a German main clause has the finite verb second, and the rest of the verb (prefix, infinitive,
participle) last; between them is the middle field. In a subordinate clause the whole verb is last.
"""

from typing import NamedTuple

from tendays.corpora.grammar.inflection import (
    AUXILIARIES,
    DATIVE,
    NOMINATIVE,
    Phrase,
    english_finite,
    finite,
    separable_prefix,
)
from tendays.corpora.grammar.lexicon import Lexeme

Pair = tuple[str, str]  # German and English


class Clause(NamedTuple):
    """A verb with its arguments; objects come with their case, in German order."""

    subject: Phrase
    verb: Lexeme
    objects: tuple[tuple[Phrase, int], ...] = ()
    adverb: Lexeme | None = None

    def without_adjectives(self) -> "Clause":
        """The clause without attributive adjectives in its objects."""
        return self._replace(objects=tuple((phrase._replace(adjective=None), case) for phrase, case in self.objects))


def join(*parts: str) -> str:
    """The parts that are not empty, separated by blanks."""
    return " ".join(part for part in parts if part)


def middle_field(clause: Clause, negation: str = "") -> str:
    """The middle field without the subject: objects and adverb; *nicht* goes last."""
    objects = [phrase.german(case) for phrase, case in clause.objects]
    adverb = clause.adverb.german if clause.adverb else ""
    if negation:
        return join(*objects, adverb, negation)
    # "nach dem Frühstück der Lehrerin" would read as the teacher's breakfast.
    before = 1 if _has_genitive_homonym(clause) else 0
    return join(*objects[:before], adverb, *objects[before:])


def _has_genitive_homonym(clause: Clause) -> bool:
    """Whether the first object is a feminine dative, whose form is that of the genitive."""
    return bool(clause.objects) and clause.objects[0][1] == DATIVE and clause.objects[0][0].gender == "f"


def reads_as_genitive(clause: Clause) -> bool:
    """Whether the first object, right after the subject, reads as its genitive attribute: *der Gast der Nachbarin*."""
    return clause.subject.noun.kind == "noun" and _has_genitive_homonym(clause)


def distinguishes_subject(subject: Phrase, object_: Phrase, case: int) -> bool:
    """Whether a case form distinguishes subject and object: a dative, or a masculine singular with a determiner.

    Nominative and accusative are the same in the feminine, the neuter and the plural.
    """
    marked_object = case == DATIVE or (object_.gender == "m" and object_.determiner is not None)
    marked_subject = subject.noun.kind == "noun" and subject.gender == "m"
    return marked_object or marked_subject or subject.noun.german in ("er", "ich")


def english_predicate(clause: Clause, verb: str) -> str:
    """The English verb phrase: a recipient follows the direct object, with *to*."""
    objects = [phrase.english() for phrase, _ in clause.objects]
    if len(objects) == 2:
        objects = [objects[1], "to", objects[0]]
    adverb = clause.adverb.english if clause.adverb else ""
    if clause.adverb and "before" in clause.adverb.classes:
        return join(adverb, verb, *objects)
    return join(verb, *objects, adverb)


def do_support(subject: Phrase) -> str:
    """The auxiliary *do* of negation and questions, in agreement with the subject."""
    return "does" if subject.agreement == "3sg" else "do"


def main_clause(clause: Clause) -> Pair:
    """A main clause with the subject in front and the finite verb second."""
    subject, verb = clause.subject, clause.verb
    german = join(subject.german(NOMINATIVE), finite(verb, subject), middle_field(clause), separable_prefix(verb))
    return german, join(subject.english(), english_predicate(clause, english_finite(verb, subject)))


def subordinate_clause(clause: Clause) -> Pair:
    """A subordinate clause: the finite verb is last, joined to its prefix."""
    verb = separable_prefix(clause.verb) + finite(clause.verb, clause.subject)
    return join(clause.subject.german(NOMINATIVE), middle_field(clause), verb), main_clause(clause)[1]


def copular_clause(subject: Phrase, german: str, english: str) -> Pair:
    """A main clause of *sein* and *be* with a predicative expression."""
    return (
        join(subject.german(NOMINATIVE), AUXILIARIES["ist"][subject.agreement], german),
        join(subject.english(), AUXILIARIES["is"][subject.agreement], english),
    )
