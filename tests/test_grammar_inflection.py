import re
from collections import Counter
from functools import cache

import pytest
from grammar_samples import adjective_forms, of_kind, sample, splits, table

from tendays.corpora.grammar.inflection import DATIVE, Phrase, finite
from tendays.corpora.grammar.selection import selection


@pytest.mark.parametrize(
    ("german", "wanted"),
    [
        ("Junge", ["der Junge", "den Jungen", "dem Jungen", "des Jungen"]),
        ("Kind", ["das Kind", "das Kind", "dem Kind", "des Kindes"]),
        ("Frau", ["die Frau", "die Frau", "der Frau", "der Frau"]),
        ("Nachbar", ["der Nachbar", "den Nachbarn", "dem Nachbarn", "des Nachbarn"]),
    ],
)
def test_a_noun_with_its_article_is_declined(german, wanted):
    words = selection().lemmas
    phrase = Phrase(words[german], words["der"])
    assert [phrase.german(case) for case in range(4)] == wanted


@pytest.mark.parametrize(("german", "wanted"), table("dative_plurals"))
def test_the_dative_plural_is_as_written_out(german, wanted):
    words = selection().lemmas
    assert Phrase(words[german], words["der"], True).german(DATIVE) == f"den {wanted}"


@pytest.mark.parametrize(("infinitive", "wanted"), table("finite_verbs"))
def test_the_finite_verb_is_as_written_out(infinitive, wanted):
    words = selection().lemmas
    subjects = [Phrase(words["ich"]), Phrase(words["Anna"]), Phrase(words["Kind"], words["der"], True)]
    assert [finite(words[infinitive], subject) for subject in subjects] == wanted.split()


@pytest.mark.parametrize(
    ("verb", "wanted"),
    [
        ("lesen", ["lese", "liest", "lesen"]),
        ("lächeln", ["lächle", "lächelt", "lächeln"]),
        ("füttern", ["füttere", "füttert", "füttern"]),
        ("auf|machen", ["mache", "macht", "machen"]),
        ("wissen", ["weiß", "weiß", "wissen"]),
        ("müssen", ["muss", "muss", "müssen"]),
    ],
)
def test_the_finite_verb_agrees_with_its_subject(verb, wanted):
    words = selection().lemmas
    subjects = [Phrase(words["ich"]), Phrase(words["Anna"]), Phrase(words["Kind"], words["der"], True)]
    assert [finite(words[verb], subject) for subject in subjects] == wanted


def test_prepositions_are_contracted_with_their_article():
    text = "; ".join(x for found in sample().values() for clauses in found for x in clauses)
    assert re.findall(r"\b(?:von dem|in dem|in das) \w+", text) == []
    assert all(re.search(rf"\b{word} ", text) for word in ("vom", "im", "ins"))


def test_an_stands_before_vowel_sounds_and_a_before_the_others():
    odd = {"hour": "an", "honest": "an", "uniform": "a", "useful": "a", "unusual": "an", "university": "a"}
    text = " ".join(x.english for x in splits()["train"])
    pairs = set(re.findall(r"\b([Aa]n?) (\w+)", text))
    assert len(pairs) > 100
    for article, word in pairs:
        stem = word.rstrip("s")
        assert article.lower() == odd.get(stem, "an" if word[0] in "aeiou" else "a"), (article, word)


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
WEAK_NOUNS = {"Junge", "Student", "Nachbar", "Kollege", "Kunde", "Polizist", "Bauer", "Tourist", "Architekt", "Pilot"}
WEAK_NOUNS |= {"Hase", "Affe", "Löwe", "Bär", "Elefant"}
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
            for word, declined in ARTICLES.items():
                article = [x.split() for x in declined.split(" | ")][cell[0]][cell[1]]
                endings = ADJECTIVES[DECLENSION.get(word, "mixed")].split(" | ")[cell[0]].split()
                pairs[form].add((article, endings[cell[1]]))
    return pairs


def noun_cells(row: dict[str, str]):
    """Yield ((gender or plural, case), form) of a noun."""
    genitive, plural = row["forms"].split(", ")
    gender, lemma = "mfn".index(row["gender"]), row["german"]
    oblique = genitive if lemma in WEAK_NOUNS else lemma
    yield from zip([(gender, case) for case in range(4)], (lemma, oblique, oblique, genitive), strict=True)
    if plural != "-":
        dative = dict(table("dative_plurals"))[lemma]
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
