"""Selection: which words combine, and the random choice among them."""

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from tendays.corpora.grammar.clauses import Clause
from tendays.corpora.grammar.inflection import ACCUSATIVE, DATIVE, Phrase, compound, separable_prefix
from tendays.corpora.grammar.lexicon import FORMS, Lexeme, lexicon

T = TypeVar("T")


class Selection:
    """The lexicon, indexed by its selectional restrictions.

    Attributes:
        kinds: The lexemes of each kind.
        lemmas: The lexeme of each German lemma.
        determiners: The determiner of each German lemma.
        subjects, objects, places: The nouns that a verb selects in each role; subjects include names and pronouns.
        adverbs: The adverbs that modify a verb, by (verb, tense), repeated by their weights.
        adjectives: The adjectives that modify a noun.
        determined: Pairs (determiner, plural) for a noun, by (noun, definite), repeated by their weights.
        governors: The transitive verbs that take a noun as their object.
        comparable: The nouns that an adjective compares with another noun of the same first class.
        compounds: The compound noun of each (modifier, noun).
    """

    def __init__(self, lexemes: Sequence[Lexeme]):
        self.kinds = {kind: [x for x in lexemes if x.kind == kind] for kind in FORMS}
        self.determiners = {x.german: x for x in self.kinds["determiner"]}
        self.lemmas = {x.german: x for x in lexemes}
        nouns, adjectives = self.kinds["noun"], self.kinds["adjective"]
        persons = nouns + self.kinds["name"] + self.kinds["pronoun"]
        self.subjects, self.objects, self.places, self.adverbs = {}, {}, {}, {}
        for verb in self.kinds["verb"]:
            self.subjects[verb] = [x for x in persons if x.matches(verb.subject)]
            self.objects[verb] = [x for x in nouns if x.matches(verb.object)]
            self.places[verb] = [x for x in nouns if x.matches(verb.place)]
            for tense in ("present", "past", "before", "negated"):
                self.adverbs[verb, tense] = self._adverbs(verb, tense)
        self.adjectives = {x: [a for a in adjectives if x.matches(a.object)] for x in nouns}
        self.determined = {(x, definite): self._determined(x, definite) for x in nouns for definite in (False, True)}
        self.governors = {x: [v for v in self.frame("transitive") if x in self.objects[v]] for x in nouns}
        self.comparable = {adjective: self._comparable(adjective) for adjective in adjectives}
        self.compounds = {
            (modifier, noun): compound(modifier, noun)
            for modifier in self.kinds["modifier"]
            for noun in nouns
            if noun.german in modifier.object
        }

    def frame(self, *frames: str, separable: bool | None = None) -> list[Lexeme]:
        """The verbs of some valency frames: all, or only those with (or without) a separable prefix."""
        verbs = [x for x in self.kinds["verb"] if any(name in frames for name in x.classes)]
        return [x for x in verbs if separable is None or bool(separable_prefix(x)) == separable]

    def clausal(self, separable: bool | None = None) -> list[Lexeme]:
        """The verbs that need no more than a subject and at most two objects."""
        return self.frame("intransitive", "transitive", "dative", "ditransitive", separable=separable)

    def _adverbs(self, verb: Lexeme, tense: str) -> list[Lexeme]:
        found = [x for x in self.kinds["adverb"] if _modifies(x, verb, tense)]
        # Adverbs that are restricted to few verbs get three times the weight, so that training has enough of them.
        return found + [x for x in found if x.object] * 2

    def _comparable(self, adjective: Lexeme) -> list[Lexeme]:
        nouns = [x for x in self.kinds["noun"] if adjective in self.adjectives[x]]
        counts = Counter(x.classes[0] for x in nouns)
        return [x for x in nouns if counts[x.classes[0]] > 1]

    def _determined(self, noun: Lexeme, definite: bool) -> list[tuple[Lexeme | None, bool]]:
        get = self.determiners
        possessive = [(get[x], False) for x in ("mein", "unser") if noun.matches(get[x].object)]
        if "mass" in noun.classes:
            return [(get["der"], False)] * 2 + ([] if definite else [(None, False)] * 2)
        if "kin" in noun.classes:
            plural = [] if "single" in noun.classes else [(x, True) for x, _ in possessive]
            return [(get["der"], False)] * 2 + possessive * 2 + plural
        found = [(get["der"], False)] * 6 + [(get["dies"], False)] + possessive
        if "single" in noun.classes:
            return found
        found += [(get["der"], True)] * 2 + [(get["dies"], True)]
        if definite:
            return found
        numerals = [(x, True) for x in self.kinds["determiner"] if x.classes[0] == "numeral"]
        return found + [(get["ein"], False)] * 6 + numerals


def _modifies(adverb: Lexeme, verb: Lexeme, tense: str) -> bool:
    """Whether an adverb modifies a verb. Under *nicht* only unrestricted ones do: it would precede the others."""
    wanted = {"present": ("any", "present"), "past": ("any", "past"), "before": ("before",), "negated": ("any",)}[tense]
    if "timeless" in verb.classes or not adverb.matches(wanted):
        return False
    return not adverb.object or (tense != "negated" and verb.matches(adverb.object))


@cache
def selection() -> Selection:
    """The index of the project's lexicon."""
    return Selection(lexicon())


class Sampler:
    """Draws words, phrases and clauses that satisfy the selectional restrictions."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.selection = selection()

    def choice(self, options: Sequence[T]) -> T:
        """One of the options. Of the module random, only random() is the same in every version of Python."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, probability: float) -> bool:
        """True with a probability."""
        return self.rng.random() < probability

    def phrase(self, noun: Lexeme, definite: bool = False, adjective: float = 0.25) -> Phrase:
        """A noun with a determiner and, with a probability, an adjective; a name or pronoun alone."""
        if noun.kind != "noun":
            return Phrase(noun)
        determiner, plural = self.choice(self.selection.determined[noun, definite])
        adjectives = self.chance(adjective) and self.selection.adjectives[noun]
        return Phrase(noun, determiner, plural, self.choice(adjectives) if adjectives else None)

    def subject(self, verb: Lexeme, kinds: Sequence[str] = ("noun", "name", "pronoun")) -> Phrase:
        """A subject of one of the kinds that the verb selects."""
        while (noun := self.choice(self.selection.subjects[verb])).kind not in kinds:
            pass
        return self.phrase(noun, True, 0.15)

    def adverb(self, verb: Lexeme, tense: str = "present", probability: float = 0.3) -> Lexeme | None:
        """With a probability an adverb that modifies the verb, else None."""
        adverbs = self.chance(probability) and self.selection.adverbs[verb, tense]
        return self.choice(adverbs) if adverbs else None

    def clause(self, verb: Lexeme, subject: Phrase | None = None, definite: bool = False) -> Clause:
        """A clause of a verb and the arguments of its frame, without adverb.

        Args:
            verb: The verb.
            subject: Its subject; drawn by default. No noun is both subject and object.
            definite: Whether all objects are definite.
        """
        subject = subject or self.subject(verb)
        objects, frame = [], verb.classes[0]
        if frame == "ditransitive":
            objects.append((self.phrase(self.recipient(subject), True, 0.15), DATIVE))
        if frame != "intransitive":
            while (noun := self.choice(self.selection.objects[verb])) is subject.noun:
                pass
            case = DATIVE if frame == "dative" else ACCUSATIVE
            definite = definite or case == DATIVE or "whole" in verb.classes
            objects.append((self.phrase(noun, definite), case))
        return Clause(subject, verb, tuple(objects))

    def recipient(self, giver: Phrase) -> Lexeme:
        """A person other than the giver."""
        while (noun := self.choice(self.selection.kinds["noun"])) is giver.noun or "person" not in noun.classes:
            pass
        return noun
