import random
import re
from collections import Counter
from functools import cache

import pytest
from grammar_samples import adjective_forms, of_kind, sample, table

from tendays.corpora import grammar
from tendays.corpora.grammar.selection import Sampler
from tendays.corpora.grammar.splits import divided_heads, head_name, punctuated


def test_there_are_18_constructions_each_with_a_description_and_an_example():
    assert len(grammar.CONSTRUCTIONS) == 18
    assert all(x.description[-1] in ".?" and ": " in x.description for x in grammar.CONSTRUCTIONS.values())


# --- forms of verbs, written out for the tests alone


def finite_forms(separable: bool) -> set[str]:
    """The present tense of verbs with or without a separable prefix, which is joined as in a subordinate clause."""
    found = set()
    for infinitive, forms in table("finite_verbs"):
        prefix, bar, _ = infinitive.rpartition("|")
        if bool(bar) == separable:
            found |= {prefix + form for form in forms.split()}
    return found


def test_every_verb_of_the_lexicon_is_written_out():
    assert [infinitive for infinitive, _ in table("finite_verbs")] == [row["german"] for row in of_kind("verb")]


def participles() -> set[str]:
    return {row["forms"].split()[-1] for row in of_kind("verb")}


def last(clause: str) -> str:
    return clause.split()[-1]


def unequal(left: list[str], right: set[str]) -> list[str]:
    return [word for word in left if word not in right]


# --- order of words


def test_finite_verb_comes_second_after_an_adverbial():
    adverbs = sorted((row["german"] for row in of_kind("adverb")), key=len, reverse=True)
    for (sentence,) in sample()["fronted"]:
        front = next(x for x in adverbs if sentence.lower().startswith(x.lower() + " "))
        assert sentence[len(front) + 1 :].split()[0] in finite_forms_once(), sentence


@cache
def finite_forms_once() -> frozenset[str]:
    return frozenset(finite_forms(False))


@pytest.mark.parametrize(("slug", "separable"), [("subordinate", False), ("separable_subordinate", True)])
def test_finite_verb_is_last_in_subordinate_clauses(slug, separable):
    conjunctions = {row["german"] for row in of_kind("conjunction")}
    finite = finite_forms(separable)
    first = 0
    for clauses in sample()[slug]:
        assert len(clauses) == 2
        (inner,) = [x for x in clauses if x.split()[0].lower() in conjunctions]
        assert last(inner) in finite, clauses
        if inner is clauses[0]:
            first += 1
            assert clauses[1].split()[0] in finite_forms_once() | {"ist", "sind", "bin"}, clauses
    assert 0 < first < len(sample()[slug]) / 2


def test_separable_prefix_is_last_in_main_clauses():
    prefixes = {row["german"].split("|")[0] for row in of_kind("verb") if "|" in row["german"]}
    for (sentence,) in sample()["separable"]:
        prefix = last(sentence)
        assert prefix in prefixes, sentence
        joined = finite_forms(True)
        assert any(prefix + word in joined for word in sentence.split()[1:-1]), sentence


def test_infinitives_and_participles_are_last():
    infinitives = {row["german"].replace("|", "") for row in of_kind("verb")}
    assert unequal([last(x) for (x,) in sample()["modal"]], infinitives) == []
    assert unequal([last(x) for (x,) in sample()["perfect"]], participles()) == []
    assert unequal([last(x) for (x,) in sample()["passive"]], participles()) == []
    assert all(re.search(r" (wird|werden) ", x) for (x,) in sample()["passive"])
    assert all(re.search(r" (hat|haben|habe|ist|sind|bin) ", x) for (x,) in sample()["perfect"])


def test_questions_start_with_the_verb():
    finite = {x for row in of_kind("verb") for x in (row["forms"].split(",")[0], row["german"].split("|")[-1])}
    assert unequal([x.split()[0].lower() for (x,) in sample()["question"]], finite) == []


def test_relative_clauses_are_enclosed_and_end_in_their_verb():
    finite = finite_forms(False) | finite_forms(True)
    for clauses in sample()["relative"]:
        _, inner, rest = clauses
        assert inner.split()[0] in ("der", "die", "das", "den", "dem", "denen"), clauses
        assert last(inner) in finite, clauses
        assert rest.split()[0] in ("ist", "sind"), clauses


def test_fronted_objects_are_distinguished_by_case():
    nominative_only = r"(der|dieser|mein|unser|ein|er|ich)( \w+e)? [A-ZÄÖÜ]\w+( \w+)?$|(er|ich)( \w+)?$"
    marked = r"(Den|Dem|Diese[nmr]|Einen|Meine[nmr]|Unsere[nmr]|Der) "
    for (sentence,) in sample()["object_fronting"]:
        assert re.match(marked, sentence) or re.search(nominative_only, sentence), sentence


def test_no_feminine_dative_right_after_a_noun():
    genitive_alike = r"(?<= )[A-ZÄÖÜ]\w\w+ (der|dieser|meiner|unserer) (\w+en )?[A-ZÄÖÜ]\w+"
    names = tuple(row["german"] for row in of_kind("name"))
    for slug in sorted(set(sample()) - {"genitive"}):
        for clauses in sample()[slug]:
            found = [x for clause in clauses for x in re.finditer(genitive_alike, clause)]
            assert [x[0] for x in found if not x[0].startswith(names)] == [], clauses


def test_objects_of_other_constructions_have_no_adjectives():
    finite = {x for row in of_kind("verb") for x in (row["forms"].split(",")[0], row["german"].split("|")[-1])}
    for clauses in sample()["statement"] + sample()["separable"]:
        words = clauses[0].split()
        verbs = [i for i, word in enumerate(words) if word in finite]
        if verbs:
            assert not set(words[verbs[0] + 1 :]) & adjective_forms(), clauses


def test_a_noun_without_plural_ending_is_no_object_after_a_name():
    alike = "|".join(row["german"] for row in of_kind("noun") if row["forms"].endswith(f", {row['german']}"))
    names = "|".join(row["german"] for row in of_kind("name"))
    sentences = [x.german for x in grammar.generate(3_000, seed=2, constructions=["genitive"])]
    assert [x for x in sentences if re.search(rf"(?<= )({names})s ({alike})\b", x)] == []
    assert any(re.match(rf"({names})s ({alike}) (ist|sind)\b", x) for x in sentences)


def test_negation_has_one_negative_word():
    for (sentence,) in sample()["negation"]:
        assert len(re.findall(r"\b(nicht|kein\w*)\b", sentence)) == 1, sentence


# --- sentences written by hand that the grammar must generate

GOLD = [
    ("statement", "lesen", "Der Mann liest ein Buch.", "The man reads a book."),
    ("statement", "sehen", "Er sieht den Jungen.", "He sees the boy."),
    ("adjective", "kalt+Wasser", "Mein Bruder trinkt kaltes Wasser.", "My brother drinks cold water."),
    ("statement", "lesen", "Wir lesen am Abend drei Bücher.", "We read three books in the evening."),
    ("statement", "lesen", "Der Lehrer liest oft einen Roman.", "The teacher often reads a novel."),
    ("statement", "streicheln", "Ich streichle den Hund.", "I stroke the dog."),
    ("adjective", "alt+Buch", "Wir lesen drei alte Bücher.", "We read three old books."),
    ("fronted", "lesen", "Heute liest der Mann ein Buch.", "Today the man reads a book."),
    ("fronted", "fahren", "Am Morgen fährt die Ärztin das Auto.", "In the morning the doctor drives the car."),
    (
        "subordinate",
        "helfen",
        "Die Frau ist glücklich, weil sie dem Kind hilft.",
        "The woman is happy because she helps the child.",
    ),
    (
        "subordinate",
        "kochen",
        "Wenn der Vater die Suppe kocht, ist das Kind zufrieden.",
        "When the father cooks the soup, the child is satisfied.",
    ),
    ("separable", "auf|stehen", "Er steht jeden Morgen auf.", "He gets up every morning."),
    ("separable", "ein|laden", "Die Frau lädt den Kollegen ein.", "The woman invites the colleague."),
    ("separable", "an|ziehen", "Das Kind zieht eine Jacke an.", "The child puts on a jacket."),
    ("adjective", "warm+Jacke", "Das Kind zieht eine warme Jacke an.", "The child puts on a warm jacket."),
    (
        "separable_subordinate",
        "auf|machen",
        "Anna ist wütend, weil sie die Tür aufmacht.",
        "Anna is angry because she opens the door.",
    ),
    (
        "separable_subordinate",
        "an|kommen",
        "Der Mann glaubt, dass der Bus ankommt.",
        "The man believes that the bus arrives.",
    ),
    ("modal", "lesen", "Das Kind kann das Buch lesen.", "The child can read the book."),
    ("modal", "an|machen", "Ich muss die Lampe anmachen.", "I must turn on the lamp."),
    ("modal", "nehmen", "Meine Tante möchte einen Apfel nehmen.", "My aunt would like to take an apple."),
    ("perfect", "lesen", "Der Mann hat gestern ein Buch gelesen.", "The man read a book yesterday."),
    ("perfect", "an|kommen", "Der Zug ist vor einer Stunde angekommen.", "The train arrived an hour ago."),
    ("negation", "lesen", "Der Mann liest das Buch nicht.", "The man does not read the book."),
    ("negation", "lesen", "Der Mann liest kein Buch.", "The man does not read a book."),
    ("negation", "auf|machen", "Wir machen die Tür nicht auf.", "We do not open the door."),
    ("negation", "trinken", "Ich trinke heute keinen Tee.", "I do not drink any tea today."),
    ("compound", "Küchen-+Tisch", "Der Mann kauft einen Küchentisch.", "The man buys a kitchen table."),
    ("compound", "Schul-+Bus", "Der Schulbus ist neu.", "The school bus is new."),
    ("compound", "Apfel-+Kuchen", "Wir essen den frischen Apfelkuchen auf.", "We eat up the fresh apple cake."),
    ("dative", "helfen", "Die Ärztin hilft dem Jungen.", "The doctor helps the boy."),
    ("dative", "geben", "Der Vater gibt dem Kind einen Apfel.", "The father gives an apple to the child."),
    ("dative", "danken", "Peter dankt den alten Nachbarn.", "Peter thanks the old neighbors."),
    ("adjective", "rot+Auto", "Die Frau wäscht das rote Auto.", "The woman washes the red car."),
    ("adjective", "teuer+Wein", "Der Koch bestellt teuren Wein.", "The cook orders expensive wine."),
    ("adjective", "ehrlich+Kollege", "Ich frage einen ehrlichen Kollegen.", "I ask an honest colleague."),
    ("object_fronting", "sehen", "Den Hund sieht der Mann.", "The man sees the dog."),
    ("object_fronting", "helfen", "Dem Jungen hilft die Lehrerin.", "The teacher helps the boy."),
    ("question", "lesen", "Liest der Mann das Buch?", "Does the man read the book?"),
    ("question", "an|rufen", "Rufen die Frauen den Arzt an?", "Do the women call the doctor?"),
    ("question", "geben", "Gibt sie dem Kind den Ball?", "Does she give the ball to the child?"),
    ("relative", "lesen", "Der Mann, der das Buch liest, ist müde.", "The man who reads the book is tired."),
    ("relative", "lesen", "Das Buch, das er liest, ist neu.", "The book that he reads is new."),
    ("relative", "helfen", "Die Frau, der ich helfe, ist krank.", "The woman whom I help is sick."),
    ("passive", "waschen", "Das Auto wird vom Mann gewaschen.", "The car is washed by the man."),
    (
        "passive",
        "auf|räumen",
        "Die Zimmer werden heute von Maria aufgeräumt.",
        "The rooms are cleaned up by Maria today.",
    ),
    ("comparison", "schnell+Auto", "Das Auto ist schneller als das Fahrrad.", "The car is faster than the bicycle."),
    ("comparison", "hoch+Turm", "Der Turm ist so hoch wie die Brücke.", "The tower is as high as the bridge."),
    ("preposition", "liegen+unter", "Der Hund liegt unter dem Tisch.", "The dog lies under the table."),
    ("preposition", "gehen+in", "Das Kind geht ins Haus.", "The child goes into the house."),
    (
        "preposition",
        "legen+auf",
        "Die Frau legt den Schlüssel auf den Tisch.",
        "The woman puts the key onto the table.",
    ),
    ("genitive", "Hund", "Der Hund der Nachbarin ist klein.", "The neighbor's dog is small."),
    ("genitive", "Dach", "Das Dach des Hauses ist alt.", "The roof of the house is old."),
    ("genitive", "Auto", "Annas Auto ist neu.", "Anna's car is new."),
    ("genitive", "Koffer", "Wir packen den Koffer des Studenten.", "We pack the student's suitcase."),
]


class Dictated(Sampler):
    """Prefers the words of one sentence, so that it is drawn after few attempts."""

    def __init__(self, sentence: str):
        super().__init__(random.Random(sentence))
        self.words = set(re.findall(r"[\w-]+", sentence.lower()))
        self.sentence = sentence.lower()

    def choice(self, options):
        hits = [x for x in options if isinstance(x, grammar.Lexeme) and self.occurs(x)]
        return super().choice(hits if hits and self.chance(0.9) else options)

    def occurs(self, lexeme: grammar.Lexeme) -> bool:
        forms = {x.lower() for x in (lexeme.german, *lexeme.forms)}
        stems = {lexeme.forms[0] + x for x in ("e", "en", "er", "es")} if lexeme.kind == "adjective" else set()
        return bool((forms | stems) & self.words) or (" " in lexeme.german and lexeme.german.lower() in self.sentence)


def realised(slug: str, head: str, german: str) -> str | None:
    """The translation of a German sentence, or None where the construction does not generate it for this head."""
    divided = divided_heads()[slug]
    lexemes = next(x for heads in divided.values() for x in heads if head_name(x) == head)
    sampler = Dictated(german)
    for _ in range(15_000):
        pair = grammar.CONSTRUCTIONS[slug].realise(sampler, *lexemes)
        if pair and punctuated(pair[0]) == german:
            return punctuated(pair[1])
    return None


@pytest.mark.parametrize(("slug", "head", "german", "english"), GOLD)
def test_a_sentence_written_by_hand_is_generated_with_its_translation(slug, head, german, english):
    assert realised(slug, head, german) == english


def test_the_sentences_written_by_hand_have_two_sentences_of_each_construction():
    assert min(Counter(x[0] for x in GOLD)[slug] for slug in grammar.CONSTRUCTIONS) >= 2
