import hashlib
import re
import time
from collections import Counter

import pytest
from grammar_samples import of_kind, rows, splits

from tendays.corpora import grammar
from tendays.corpora.grammar.splits import head_name, split_with_heads

# --- generation


def test_the_same_seed_gives_the_same_sentences_on_every_machine():
    examples = grammar.generate(400, seed=3)
    text = "\n".join(f"{x.german}\t{x.english}\t{x.construction}" for x in examples)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "8f3917e259482aee"
    assert [x.german for x in grammar.generate(2, seed=3, constructions=["fronted"])] == [
        "Am Dienstag füttert die Tante diese Ziegen.",
        "Nach dem Frühstück nimmt Simon die Tasse.",
    ]
    assert grammar.generate(400, seed=4) != examples


def test_examples_are_distinct_balanced_and_shuffled():
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


def test_each_sentence_has_one_translation_and_one_construction():
    known: dict[str, grammar.Example] = {}
    for example in [x for examples in splits().values() for x in examples] + grammar.generate(10_000, seed=9):
        assert known.setdefault(example.german, example) == example
    assert len(known) > 30_000


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


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("train", "cecc9e832b7a4072"),
        ("validation", "78d6aba2e8958845"),
        ("test", "ee22c94d741fcb2d"),
        ("new", "093df419196d0fca"),
    ],
)
def test_the_splits_stay_the_same(name, digest):
    text = "\n".join(f"{x.german}\t{x.english}\t{x.construction}" for x in splits()[name])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest


def test_new_combinations_are_never_in_training():
    trained = {(x.construction, head_name(head)) for x, head in split_with_heads("train")}
    new = {(x.construction, head_name(head)) for x, head in split_with_heads("new")}
    assert not trained & new
    listed = {name: grammar.combinations(name) for name in ("seen", "new")}
    for slug in grammar.CONSTRUCTIONS:
        seen, held = (set(listed[name][slug]) for name in ("seen", "new"))
        assert not seen & held
        assert 0.13 < len(held) / len(seen | held) < 0.17
        assert {head for name, head in trained if name == slug} <= seen
        assert {head for name, head in new if name == slug} <= held


def test_new_participles_and_compounds_do_not_occur_in_training():
    forms = Counter(row["forms"].split()[-1] for row in of_kind("verb"))
    train, new = (splits()[name] for name in ("train", "new"))

    def ends(examples):
        return {x.german.rstrip(".").split()[-1] for x in examples if x.construction == "perfect"}

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


def test_sentences_have_a_capital_a_final_mark_and_no_stray_blanks():
    for example in splits()["train"] + splits()["new"]:
        for text in (example.german, example.english):
            assert re.fullmatch(r"[A-ZÄÖÜ][\w ,'-]*[.?]", text), text
            assert "  " not in text, text
            assert " ," not in text, text
        assert (example.german[-1] == "?") == (example.english[-1] == "?") == (example.construction == "question")


def test_sentences_have_3_to_19_words():
    lengths = [len(x.german.split()) for x in splits()["train"]]
    assert min(lengths) >= 3
    assert max(lengths) <= 19
    assert 6 < sum(lengths) / len(lengths) < 9


# --- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": -1}, "^count is -1; expected at least 0$"),
        (
            {"count": 1, "constructions": ["statement", "limerick"]},
            r"^constructions is \['statement', 'limerick'\]; expected one or more of statement, fronted",
        ),
        ({"count": 1, "constructions": []}, r"^constructions is \[\]; expected one or more of statement, fronted"),
        ({"count": 1, "combinations": "all"}, "^combinations is 'all'; expected 'seen' or 'new'$"),
    ],
)
def test_generate_refuses_a_bad_argument_and_names_it(arguments, message):
    with pytest.raises(ValueError, match=message):
        grammar.generate(**arguments, seed=0)


def test_a_construction_without_enough_sentences_is_named(monkeypatch):
    only = grammar.CONSTRUCTIONS["statement"]._replace(
        realise=lambda sampler, verb: ("der Hund bellt", "the dog barks")
    )
    monkeypatch.setattr(grammar.splits, "CONSTRUCTIONS", {**grammar.CONSTRUCTIONS, "statement": only})
    assert len(grammar.generate(1, seed=0, constructions=["statement"])) == 1
    with pytest.raises(ValueError, match=r"^count is 2; expected fewer: the construction 'statement'"):
        grammar.generate(2, seed=0, constructions=["statement"])


def test_split_refuses_a_bad_argument_and_names_it():
    with pytest.raises(ValueError, match=r"^name is 'dev'; expected one of train, validation, test, new$"):
        grammar.split("dev")
    with pytest.raises(ValueError, match=r"^count is -2; expected at least 0$"):
        grammar.split("test", -2)
