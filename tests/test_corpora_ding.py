import random
import re

import pytest

from tendays.corpora import ding, fetch


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("Haus", "Haus"),
        ("Aal {m} (auf der Speisekarte) [cook.] ", "Aal"),
        ("Das macht Spaß.; Das ist lustig.", "Das macht Spaß."),
        ("Haus {n} (groß; alt); Heim {n}", "Haus"),  # this semicolon separates no synonyms
        ("der Satz (mit (zwei) Klammern [ling.]) da", "der Satz da"),
        ("Sorry, I don't understand. /SIDU/", "Sorry, I don't understand."),
        ("eigentlich /eigtl./, von Rechts wegen", "eigentlich, von Rechts wegen"),
        ("eel-smoking <eelsmoking> house", "eel-smoking house"),
        ("They are backpedal(l)ing.", "They are backpedaling."),
        ("It is in the market [fin.].", "It is in the market."),
        ("he/she is/comes here", "he/she is/comes here"),  # alternatives, not annotations: select() leaves them out
        ("this order/custom./ You have to know it.", "this order/custom./ You have to know it."),
        ("the /out/side", "the /out/side"),
        ("to belong to / with me / us", "to belong to / with me / us"),
        ("open (bracket", "open (bracket"),
        ("(nur) ", ""),
    ],
)
def test_the_first_synonym_keeps_its_words_without_annotations(side, expected):
    assert ding.first_synonym(side) == expected


def test_parts_are_aligned_and_have_the_number_of_their_line():
    lines = ["# Version :: devel", "Haus {n} | Häuser {pl} :: house | houses", "", "Bär :: bear"]
    assert list(ding.parts(lines)) == [(2, "Haus", "house"), (2, "Häuser", "houses"), (4, "Bär", "bear")]


@pytest.mark.parametrize("line", ["Haus, house", "Haus | Häuser :: house"])
def test_a_line_that_is_no_entry_is_refused_with_its_number(line):
    with pytest.raises(ValueError, match=r"line 2 .*Haus"):
        list(ding.parts(["Bär :: bear", line]))


@pytest.mark.parametrize(
    "text", ["Halt!", "„Villa“ war falsch.", "2009 kam er.", "Wer?", "Er sagte: „Nein!“", "Über uns."]
)
def test_a_sentence_begins_and_ends_like_one(text):
    assert ding.is_sentence(text)


@pytest.mark.parametrize("text", ["", "“", "halt!", "Aal", "im Sinne von etw.", "… und Schluss!", "Ich fragte:"])
def test_what_does_not_begin_and_end_like_a_sentence_is_none(text):
    assert not ding.is_sentence(text)


def test_select_takes_sentences_and_phrases_once_and_leaves_out_alternatives():
    pairs = [
        ("Halt!", "Stop!"),
        ("ein kleines Haus", "a small house"),
        ("kleines Haus", "a small house"),  # two words
        ("ein kleines Haus", "house"),
        ("Er ist/kommt hier.", "He is here."),
        ("Er ist hier.", "He is/comes here."),
        ("Er ist hier.", "He is (here."),
        ("", "He is here."),
        ("Halt!", "Stop!"),
        ("Er ist da.", "he is there"),  # a phrase: only one side is a sentence
    ]
    sentences, phrases = ding.select(ding.Part(i, *pair) for i, pair in enumerate(pairs))
    assert [part.entry for part in sentences] == [0]
    assert [part.entry for part in phrases] == [1, 9]


def dictionary(entries=60):
    """Entries of four parts, which share German sentences, English sentences and English phrases with others."""
    lines = []
    for i in range(entries):
        german = [f"Satz {i} ist neu.", f"Satz {i // 3} gilt.", f"Wort {i} fehlt.", f"ein Wort wie {i}"]
        english = [
            f"Sentence {i} is new.",
            f"Sentence {i}, it holds.",
            f"Word {i // 3} is missing.",
            f"a word like {i // 2}",
        ]
        lines.append(f"{' | '.join(german)} :: {' | '.join(english)}")
    return list(ding.parts(lines))


def sides(chosen):
    """The entries and the sides, without case and punctuation, which no two splits may share."""
    keys = {("entry", part.entry) for part in chosen}
    for language in ("german", "english"):
        keys |= {(language, re.sub(r"[\W_]", "", getattr(part, language).lower())) for part in chosen}
    return keys


def assert_splits_share_nothing(chosen):
    train, validation, test = (sides(chosen[name]) for name in ("train", "validation", "test"))
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_splits_share_no_entry_and_no_side():
    chosen = ding.splits(dictionary(), held_out=12)
    assert [len(chosen[name]) for name in ("validation", "test")] == [12, 12]
    assert len(chosen["train"]) > 40
    assert_splits_share_nothing(chosen)
    assert all(ding.is_sentence(part.german) for name in ("validation", "test") for part in chosen[name])
    assert any(not ding.is_sentence(part.german) for part in chosen["train"])


def test_a_held_out_sentence_with_other_case_and_punctuation_is_not_in_training():
    lines = [f"Satz {i} ist neu. :: Sentence {i} is new." for i in range(4)]
    lines += [f"satz {i}, ist neu :: sentence {i} – is new" for i in range(4)]
    train = ding.splits(ding.parts(lines), held_out=1)["train"]
    assert len(train) == 4
    assert len({part.german[5] for part in train}) == 2


def test_training_keeps_the_order_of_the_file():
    train = ding.splits(dictionary(), held_out=8)["train"]
    assert [part.entry for part in train] == sorted(part.entry for part in train)


def test_the_held_out_sentences_do_not_depend_on_the_order_of_the_file():
    lines = [f"Satz {i} ist neu. | So geht {i}. :: Sentence {i} is new. | This is how {i} works." for i in range(60)]
    shuffled = random.Random(3).sample(lines, len(lines))
    one, other = (ding.splits(ding.parts(order), held_out=8) for order in (lines, shuffled))
    for name in ("validation", "test"):
        assert [part.german for part in one[name]] == [part.german for part in other[name]]
    assert {part.german for part in one["train"]} == {part.german for part in other["train"]}


def test_too_small_a_dictionary_is_an_error():
    with pytest.raises(ValueError, match="has 4 entries with sentences"):
        ding.splits([ding.Part(i, f"Satz {i}.", f"Sentence {i}.") for i in range(4)], held_out=3)


def real_dictionary():
    path = fetch.on_disk(ding.NAME, ding.SHA256)
    if path is None and fetch.has_hash(ding.INSTALLED, ding.SHA256):
        path = ding.INSTALLED
    if path is None:
        pytest.skip("the Ding dictionary of 2023-01-30 is not on this machine")
    return fetch.read_lines(path)


def test_the_real_dictionary_has_its_known_sizes():
    found = list(ding.parts(real_dictionary()))
    assert len({part.entry for part in found}) == 206_233
    assert len(found) == 391_763
    sentences, phrases = ding.select(found)
    assert (len(sentences), len(phrases)) == (18_270, 34_146)
    chosen = ding.splits(found)
    assert {name: len(part) for name, part in chosen.items()} == {"train": 45_926, "validation": 1000, "test": 1000}
    assert_splits_share_nothing(chosen)
