import hashlib
import random
import re
import time
from collections import Counter
from functools import cache

import pytest
from places import ROOT

from tendays import grammar

TABLE = ROOT / "data" / "lexicon.tsv"


@cache
def rows() -> list[dict[str, str]]:
    header, *lines = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def of_kind(kind: str) -> list[dict[str, str]]:
    return [row for row in rows() if row["kind"] == kind]


@cache
def splits() -> dict[str, list[grammar.Example]]:
    return {name: grammar.split(name) for name in ("train", "validation", "test", "new")}


@cache
def sample() -> dict[str, list[list[str]]]:
    """German sentences by construction, cut at commas, without the final mark."""
    found: dict[str, list[list[str]]] = {}
    for example in grammar.generate(9_000, seed=11) + splits()["new"]:
        found.setdefault(example.construction, []).append(example.german.rstrip(".?").split(", "))
    return found


# --- what the word-order tests know of verbs, read from the table anew


def finite_forms(separable: bool) -> set[str]:
    found = set()
    for row in of_kind("verb"):
        prefix, _, infinitive = row["german"].rpartition("|")
        if bool(prefix) == separable:
            first = re.sub(r"(el|)(e?n)$", lambda m: "le" if m[1] else "e", infinitive)
            found |= {prefix + form for form in (row["forms"].split(", ")[0], infinitive, first)}
    return found | (set() if separable else {"weiß"})


def participles() -> set[str]:
    return {row["forms"].split()[-1] for row in of_kind("verb")}


@cache
def adjective_forms() -> frozenset[str]:
    stems = {row["forms"].split(", ")[0] for row in of_kind("adjective")}
    return frozenset(stem + ending for stem in stems for ending in ("e", "en", "em", "er", "es"))


def last(clause: str) -> str:
    return clause.split()[-1]


def unequal(left: list[str], right: set[str]) -> list[str]:
    return [word for word in left if word not in right]


# --- generation


def test_same_seed_same_sentences_everywhere():
    examples = grammar.generate(400, seed=3)
    text = "\n".join(f"{x.german}\t{x.english}\t{x.construction}" for x in examples)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "8f3917e259482aee"
    assert [x.german for x in grammar.generate(2, seed=3, constructions=["fronted"])] == [
        "Am Dienstag füttert die Tante diese Ziegen.",
        "Nach dem Frühstück nimmt Simon die Tasse.",
    ]
    assert grammar.generate(400, seed=4) != examples


def test_distinct_balanced_and_shuffled():
    examples = grammar.generate(1_805, seed=0)
    counts = Counter(x.construction for x in examples)
    assert len({x.german for x in examples}) == 1_805
    assert set(counts) == set(grammar.CONSTRUCTIONS)
    assert set(counts.values()) == {100, 101}
    assert len({x.construction for x in examples[:60]}) > 10
    assert grammar.generate(0, seed=0) == []


def test_generation_is_fast():
    grammar.generate(1, seed=0)
    start = time.process_time()
    grammar.generate(8_000, seed=5)
    assert time.process_time() - start < 2


def test_one_translation_and_one_construction_for_each_sentence():
    known: dict[str, grammar.Example] = {}
    for example in [x for examples in splits().values() for x in examples] + grammar.generate(10_000, seed=9):
        assert known.setdefault(example.german, example) == example
    assert len(known) > 30_000


def test_size():
    assert len(grammar.CONSTRUCTIONS) == 18
    assert len(grammar.lexicon()) == len(rows()) >= 320
    assert all(text[-1] in ".?" and ": " in text for text in grammar.CONSTRUCTIONS.values())


# --- splits


def test_splits_are_disjoint_and_of_their_size():
    sentences = {name: {x.german for x in examples} for name, examples in splits().items()}
    assert {name: len(found) for name, found in sentences.items()} == {
        "train": 24_000,
        "validation": 1_000,
        "test": 1_000,
        "new": 1_000,
    }
    names = list(sentences)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            assert not sentences[name] & sentences[other], (name, other)
    assert len(grammar.split("test", 40)) == 40


def test_new_combinations_are_never_in_training():
    trained = {(x.construction, grammar.head_name(head)) for x, head in grammar._split("train")}
    new = {(x.construction, grammar.head_name(head)) for x, head in grammar._split("new")}
    assert not trained & new
    listed = {name: grammar.combinations(name) for name in ("seen", "new")}
    for slug in grammar.CONSTRUCTIONS:
        seen, held = (set(listed[name][slug]) for name in ("seen", "new"))
        assert not seen & held
        assert 0.13 < len(held) / len(seen | held) < 0.17
        assert {head for name, head in trained if name == slug} <= seen
        assert {head for name, head in new if name == slug} <= held


def test_new_participles_and_compounds_do_not_show_in_training_text():
    forms = Counter(row["forms"].split()[-1] for row in of_kind("verb"))
    train, new = (splits()[name] for name in ("train", "new"))

    def ends(examples):
        return {last(x.german.rstrip(".")) for x in examples if x.construction == "perfect"}

    assert {form for form in ends(new) & ends(train) if forms[form] == 1} == set()
    words = set(re.findall(r"\w+", " ".join(x.german for x in train)))
    held = [head.split("-+") for head in grammar.combinations("new")["compound"]]
    assert [pair for pair in held if pair[0] + pair[1].lower() in words] == []


def test_every_lexeme_occurs_in_training():
    text = " ".join(x.german for x in splits()["train"])
    words = {word.lower() for word in re.findall(r"[\w-]+", text)}
    articles = ("", "e", "er", "en", "em", "es")
    for row in rows():
        lemma = row["german"].lower()
        if row["kind"] == "modifier":
            assert any(word.startswith(lemma[:-1]) and word != lemma[:-1] for word in words), row
        elif row["kind"] == "adverb":
            assert row["german"].lower() in text.lower(), row
        elif row["kind"] == "verb":
            prefix, _, infinitive = lemma.rpartition("|")
            present = row["forms"].split(", ")[0]
            assert words & {prefix + infinitive, prefix + present, row["forms"].split()[-1]}, row
        elif row["kind"] == "determiner":
            assert lemma == "der" or words & {lemma + ending for ending in articles}, row
        elif row["kind"] == "adjective":
            stem = row["forms"].split(", ")[0]
            assert words & {lemma, *(stem + ending for ending in articles[1:])}, row
        else:
            forms = row["forms"].lower().split(", ")
            contracted = {"in": {"im", "ins"}, "von": {"vom"}}.get(lemma, set())
            assert words & {lemma, *contracted, *forms}, row


# --- form of the text


def test_surface_of_both_languages():
    for example in splits()["train"] + splits()["new"]:
        for text in (example.german, example.english):
            assert re.fullmatch(r"[A-ZÄÖÜ][\w ,'-]*[.?]", text), text
            assert "  " not in text, text
            assert " ," not in text, text
        assert (example.german[-1] == "?") == (example.english[-1] == "?") == (example.construction == "question")


def test_lengths():
    lengths = [len(x.german.split()) for x in splits()["train"]]
    assert min(lengths) >= 3
    assert max(lengths) <= 19
    assert 6 < sum(lengths) / len(lengths) < 9


def test_a_and_an():
    odd = {"hour": "an", "honest": "an", "uniform": "a", "useful": "a", "unusual": "an", "university": "a"}
    text = " ".join(x.english for x in splits()["train"])
    pairs = set(re.findall(r"\b([Aa]n?) (\w+)", text))
    assert len(pairs) > 100
    for article, word in pairs:
        stem = word.rstrip("s")
        assert article.lower() == odd.get(stem, "an" if word[0] in "aeiou" else "a"), (article, word)


# --- word order


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


def test_fronted_objects_are_told_by_case():
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


def test_objects_have_adjectives_only_where_no_other_construction_is_meant():
    finite = {x for row in of_kind("verb") for x in (row["forms"].split(",")[0], row["german"].split("|")[-1])}
    for clauses in sample()["statement"] + sample()["separable"]:
        words = clauses[0].split()
        verbs = [i for i, word in enumerate(words) if word in finite]
        if verbs:
            assert not set(words[verbs[0] + 1 :]) & adjective_forms(), clauses


def test_number_shows_after_a_name_as_well():
    alike = "|".join(row["german"] for row in of_kind("noun") if row["forms"].endswith(f", {row['german']}"))
    names = "|".join(row["german"] for row in of_kind("name"))
    sentences = [x.german for x in grammar.generate(3_000, seed=2, constructions=["genitive"])]
    assert [x for x in sentences if re.search(rf"(?<= )({names})s ({alike})\b", x)] == []
    assert any(re.match(rf"({names})s ({alike}) (ist|sind)\b", x) for x in sentences)


def test_prepositions_contract_with_their_article():
    text = "; ".join(x for found in sample().values() for clauses in found for x in clauses)
    assert re.findall(r"\b(?:von dem|in dem|in das) \w+", text) == []
    assert all(re.search(rf"\b{word} ", text) for word in ("vom", "im", "ins"))


def test_negation_has_one_negative_word():
    for (sentence,) in sample()["negation"]:
        assert len(re.findall(r"\b(nicht|kein\w*)\b", sentence)) == 1, sentence


# --- agreement: gender × case × number × definiteness, written out for the tests alone

#              masculine        feminine         neuter           plural
ARTICLES = {
    "der": "der den dem des | die die der der | das das dem des | die die den der",
    "dies": "dieser diesen diesem dieses | diese diese dieser dieser | dieses dieses diesem dieses | "
    "diese diese diesen dieser",
    "ein": "ein einen einem eines | eine eine einer einer | ein ein einem eines | - - - -",
}
ARTICLES |= {
    word: ARTICLES["ein"].replace("ein", word).replace("- - - -", f"{word}e {word}e {word}en {word}er")
    for word in ("kein", "mein", "unser")
}
ARTICLES |= {word: f"- - - - | - - - - | - - - - | {word} {word} {word} -" for word in ("zwei", "drei", "vier")}
ADJECTIVES = {
    "weak": "e en en en | e e en en | e e en en | en en en en",
    "mixed": "er en en en | e e en en | es es en en | en en en en",
    "strong": "er en em en | e e er er | es es em en | e e en er",
}
CONTRACTED = {"im": "dem", "vom": "dem", "ins": "das"}
DECLENSION = {"der": "weak", "dies": "weak", "zwei": "strong", "drei": "strong", "vier": "strong"}


@cache
def allowed() -> dict[str, set[tuple[str, str]]]:
    """For each noun's form: the articles and adjective endings that go together before it."""
    pairs: dict[str, set[tuple[str, str]]] = {}
    for row in of_kind("noun"):
        for cell, form in noun_cells(row):
            bare = ADJECTIVES["strong"].split(" | ")[cell[0]].split()[cell[1]]
            pairs.setdefault(form, set()).add(("", bare))
            for word, table in ARTICLES.items():
                article = [x.split() for x in table.split(" | ")][cell[0]][cell[1]]
                endings = ADJECTIVES[DECLENSION.get(word, "mixed")].split(" | ")[cell[0]].split()
                pairs[form].add((article, endings[cell[1]]))
    return pairs


def noun_cells(row: dict[str, str]):
    """Yield ((gender or plural, case), form) of a noun."""
    genitive, plural = row["forms"].split(", ")
    gender, lemma = "mfn".index(row["gender"]), row["german"]
    oblique = genitive if row["gender"] == "m" and not genitive.endswith("s") else lemma
    yield from zip([(gender, case) for case in range(4)], (lemma, oblique, oblique, genitive), strict=True)
    if plural != "-":
        dative = plural if plural[-1] in "sn" else plural + "n"
        yield from zip([(3, case) for case in range(4)], (plural, plural, dative, plural), strict=True)


def test_articles_adjectives_and_nouns_agree():
    pairs = allowed()
    stems = {row["forms"].split(", ")[0] for row in of_kind("adjective")}
    articles = {x for table in ARTICLES.values() for x in re.findall(r"\w+", table)}
    checked: Counter[str] = Counter()
    for clauses in (x for found in sample().values() for x in found):
        words = ["", "", *(CONTRACTED.get(word, word) for word in " , ".join(clauses).split())]
        for second, first, noun in zip(words, words[1:], words[2:], strict=False):
            adjective = first if first in adjective_forms() and noun in pairs else ""
            article = (second if adjective else first).lower()
            article = article if article in articles else ""
            if noun not in pairs or not (article or adjective):
                continue
            fitting = {ending for word, ending in pairs[noun] if word == article}
            assert fitting, clauses
            assert not adjective or any(adjective == stem + end for stem in stems for end in fitting), clauses
            checked[("article" if article else "bare") + (" adjective" if adjective else "")] += 1
    assert checked["article"] > 8_000
    assert checked["article adjective"] > 1_500
    assert checked["bare adjective"] > 30


# --- sentences written by hand that the grammar must give

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


class Dictated(grammar.Writer):
    """Prefers the words of one sentence, so that it soon comes up."""

    def __init__(self, sentence: str):
        super().__init__(random.Random(sentence))
        self.words = set(re.findall(r"[\w-]+", sentence.lower()))
        self.sentence = sentence.lower()

    def pick(self, options):
        hits = [x for x in options if isinstance(x, grammar.Lexeme) and self.occurs(x)]
        return super().pick(hits if hits and self.chance(0.9) else options)

    def occurs(self, lexeme: grammar.Lexeme) -> bool:
        forms = {x.lower() for x in (lexeme.german, *lexeme.forms)}
        stems = {lexeme.forms[0] + x for x in ("e", "en", "er", "es")} if lexeme.kind == "adjective" else set()
        return bool((forms | stems) & self.words) or (" " in lexeme.german and lexeme.german.lower() in self.sentence)


def realised(slug: str, head: str, german: str) -> str | None:
    """Return the translation of a German sentence, or None when the construction does not give it on this head."""
    divided = grammar._combinations()[slug]
    lexemes = next(x for heads in divided.values() for x in heads if grammar.head_name(x) == head)
    writer = Dictated(german)
    for _ in range(15_000):
        pair = grammar._CONSTRUCTIONS[slug].realise(writer, *lexemes)
        if pair and grammar._sentence(pair[0]) == german:
            return grammar._sentence(pair[1])
    return None


@pytest.mark.parametrize(("slug", "head", "german", "english"), GOLD)
def test_gold(slug, head, german, english):
    assert realised(slug, head, german) == english


def test_gold_has_two_sentences_of_each_construction():
    assert min(Counter(x[0] for x in GOLD)[slug] for slug in grammar.CONSTRUCTIONS) >= 2


@pytest.mark.parametrize(
    ("german", "wanted"),
    [
        ("Junge", ["der Junge", "den Jungen", "dem Jungen", "des Jungen"]),
        ("Kind", ["das Kind", "das Kind", "dem Kind", "des Kindes"]),
        ("Frau", ["die Frau", "die Frau", "der Frau", "der Frau"]),
        ("Nachbar", ["der Nachbar", "den Nachbarn", "dem Nachbarn", "des Nachbarn"]),
    ],
)
def test_declension(german, wanted):
    words = grammar._grammar().lemmas
    phrase = grammar.Phrase(words[german], words["der"])
    assert [phrase.german(case) for case in range(4)] == wanted


def test_dative_plural():
    words = grammar._grammar().lemmas
    for german, wanted in (("Kind", "den Kindern"), ("Auto", "den Autos"), ("Frau", "den Frauen")):
        assert grammar.Phrase(words[german], words["der"], True).german(grammar.DATIVE) == wanted


# --- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": -1}, "count must be at least 0, got -1"),
        ({"count": 1, "constructions": ["statement", "limerick"]}, "limerick.*known are statement, fronted"),
        ({"count": 1, "constructions": []}, "constructions"),
        ({"count": 1, "combinations": "all"}, "combinations must be"),
    ],
)
def test_generate_names_the_bad_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        grammar.generate(**arguments, seed=0)


def test_a_construction_that_runs_out(monkeypatch):
    only = grammar._CONSTRUCTIONS["statement"]._replace(
        realise=lambda writer, verb: ("der Hund bellt", "the dog barks")
    )
    monkeypatch.setitem(grammar._CONSTRUCTIONS, "statement", only)
    assert len(grammar.generate(1, seed=0, constructions=["statement"])) == 1
    with pytest.raises(ValueError, match="count=2 cannot be met: the construction 'statement'"):
        grammar.generate(2, seed=0, constructions=["statement"])


def test_split_names_the_bad_argument():
    with pytest.raises(ValueError, match=r"name must be one of train.*'dev'"):
        grammar.split("dev")
    with pytest.raises(ValueError, match="count must be at least 0, got -2"):
        grammar.split("test", -2)


HEADER = "\t".join(grammar.COLUMNS)
NOUN = "noun\tHund\tm\tHundes, Hunde\tanimal\t-\t-\t-\tdog\tdogs"
VERB = "verb\tbellen\t-\tbellt, hat gebellt\tintransitive\tHund\t-\t-\tbark\tbarks, barked, barked"


def test_a_good_table_parses():
    noun, verb = grammar.parse(f"{HEADER}\n{NOUN}\n{VERB}\n", "x.tsv")
    assert (noun.forms, verb.subject) == (("Hundes", "Hunde"), ("Hund",))


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "expected"),
    [
        ("kind\tgerman", "kind\tdeutsch", 1, "header", "kind"),
        ("noun\tHund\tm\t", "noun\tHund\t", 2, "all", "10 cells"),
        ("noun\t", "thing\t", 2, "kind", "one of"),
        ("\tm\t", "\tx\t", 2, "gender", "m, f or n"),
        ("Hundes, Hunde", "Hundes", 2, "forms", "2 forms"),
        ("barks, barked, barked", "barks", 3, "english_forms", "3 forms"),
        ("\tintransitive", "\tmoving", 3, "class", "intransitive"),
        ("hat gebellt", "gebellt", 3, "forms", "hat or ist"),
        ("\tHund\t-\t-\tbark", "\tHnud\t-\t-\tbark", 3, "subject", "a lemma or a class"),
        ("\tdog\t", "\t\t", 2, "english", "text"),
        (VERB, NOUN, 3, "german", "line 2"),
    ],
)
def test_malformed_rows(old, new, line, column, expected):
    text = f"{HEADER}\n{NOUN}\n{VERB}\n"
    assert old in text
    with pytest.raises(ValueError, match=rf"x\.tsv, line {line}, column {column}: got .*, expected .*{expected}"):
        grammar.parse(text.replace(old, new, 1), "x.tsv")
