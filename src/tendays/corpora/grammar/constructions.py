"""The 18 constructions.

Each has a list of heads. A head is a tuple of lexemes: a verb, a noun, or a pair such as adjective and noun. The other
words of a sentence are drawn at random. Splits hold out combinations of construction and head.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tendays.corpora.grammar import realisation
from tendays.corpora.grammar.clauses import Pair
from tendays.corpora.grammar.lexicon import Lexeme
from tendays.corpora.grammar.selection import Selection

Head = tuple[Lexeme, ...]

# Classes and lemmas of what a person can possess.
POSSESSIONS = ("worn", "item", "luggage", "pet", "home", "own", "Auto", "Fahrrad", "Motorrad", "Boot")


class Construction(NamedTuple):
    """A construction of the grammar.

    Attributes:
        description: What it is, with an example.
        heads: Lists the heads that it can have.
        realise: Its function in `realisation`. Where it returns None, the caller draws again.
    """

    description: str
    heads: Callable[[Selection], list[Head]]
    realise: Callable[..., Pair | None]


def _each(lexemes: Iterable[Lexeme]) -> list[Head]:
    return [(lexeme,) for lexeme in lexemes]


def _modal_heads(selection: Selection) -> list[Head]:
    verbs = [verb for verb in selection.clausal() if not verb.matches(("timeless", "unwilled"))]
    return _each(verb for verb in verbs if any(map(realisation.animate, selection.subjects[verb])))


def _adjective_heads(selection: Selection) -> list[Head]:
    nouns = [noun for noun in selection.kinds["noun"] if selection.governors[noun]]
    return [(adjective, noun) for noun in nouns for adjective in selection.adjectives[noun]]


def _comparison_heads(selection: Selection) -> list[Head]:
    gradable = [adjective for adjective in selection.kinds["adjective"] if adjective.forms[1] != "-"]
    return [(adjective, noun) for adjective in gradable for noun in selection.comparable[adjective]]


def _preposition_heads(selection: Selection) -> list[Head]:
    return [
        (verb, preposition)
        for verb in selection.frame("location", "direction", "placement")
        for preposition in selection.kinds["preposition"]
        if any(place.matches(preposition.object) for place in selection.places[verb])
        and any(realisation.locates(preposition, noun) for noun in selection.objects[verb] or selection.subjects[verb])
    ]


def _genitive_heads(selection: Selection) -> list[Head]:
    nouns = [noun for noun in selection.kinds["noun"] if noun.matches((*POSSESSIONS, "part"))]
    return _each(noun for noun in nouns if selection.adjectives[noun])


CONSTRUCTIONS: Mapping[str, Construction] = MappingProxyType(
    {
        "statement": Construction(
            "Main clause in the order subject, verb, object: Der Mann liest ein Buch.",
            lambda s: _each(s.frame("intransitive", "transitive", separable=False)),
            realisation.statement,
        ),
        "fronted": Construction(
            "An adverbial in front, the finite verb second: Heute liest der Mann ein Buch.",
            lambda s: _each(verb for verb in s.clausal(separable=False) if "timeless" not in verb.classes),
            realisation.fronted,
        ),
        "subordinate": Construction(
            "A clause with the finite verb last: Die Frau ist glücklich, weil sie dem Kind hilft.",
            lambda s: _each(s.clausal(separable=False)),
            realisation.subordinate,
        ),
        "separable": Construction(
            "A main clause whose separable prefix goes last: Die Frau macht die Tür auf.",
            lambda s: _each(s.frame("intransitive", "transitive", separable=True)),
            realisation.separable,
        ),
        "separable_subordinate": Construction(
            "The verb last and joined to its prefix: Der Mann lacht, während die Frau aufsteht.",
            lambda s: _each(s.clausal(separable=True)),
            realisation.subordinate,
        ),
        "modal": Construction(
            "A modal verb second and the infinitive last: Das Kind kann das Buch lesen.",
            _modal_heads,
            realisation.modal,
        ),
        "perfect": Construction(
            "The perfect tense, with the participle last: Der Mann hat gestern ein Buch gelesen.",
            lambda s: _each(s.clausal()),
            realisation.perfect,
        ),
        "negation": Construction(
            "Negation with nicht or kein: Der Mann liest das Buch nicht. Der Mann liest kein Buch.",
            lambda s: _each(s.clausal()),
            realisation.negation,
        ),
        "compound": Construction(
            "A compound noun, two or more words in English: Der Mann repariert den Küchentisch.",
            lambda s: list(s.compounds),
            realisation.compound,
        ),
        "dative": Construction(
            "A dative object: Die Frau hilft dem Kind. Der Mann gibt dem Kind das Buch.",
            lambda s: _each(s.frame("dative", "ditransitive")),
            realisation.dative,
        ),
        "adjective": Construction(
            "An accusative object with an attributive adjective: Die Frau wäscht das rote Auto.",
            _adjective_heads,
            realisation.adjective,
        ),
        "object_fronting": Construction(
            "The object in front, distinguished by case: Den Hund sieht der Mann.",
            lambda s: _each(s.frame("transitive", "dative")),
            realisation.object_fronting,
        ),
        "question": Construction(
            "A yes/no question, with the finite verb first: Liest der Mann das Buch?",
            lambda s: _each(s.clausal()),
            realisation.question,
        ),
        "relative": Construction(
            "A relative clause about the subject: Der Mann, der das Buch liest, ist müde.",
            lambda s: _each(s.frame("transitive", "dative")),
            realisation.relative,
        ),
        "passive": Construction(
            "The passive, with the participle last: Das Auto wird vom Mann gewaschen.",
            lambda s: _each(verb for verb in s.frame("transitive") if "nopassive" not in verb.classes),
            realisation.passive,
        ),
        "comparison": Construction(
            "A comparison with als or so … wie: Das Auto ist schneller als das Fahrrad.",
            _comparison_heads,
            realisation.comparison,
        ),
        "preposition": Construction(
            "A two-way preposition: Der Hund liegt unter dem Tisch. Der Hund springt unter den Tisch.",
            _preposition_heads,
            realisation.preposition,
        ),
        "genitive": Construction(
            "A genitive attribute or a possessive: Der Hund der Nachbarin ist klein. Annas Auto ist neu.",
            _genitive_heads,
            realisation.genitive,
        ),
    }
)
