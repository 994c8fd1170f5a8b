"""Letters to phonemes: ids and batches, scores worked by hand, training, runs and their comparison."""

import importlib
import itertools
import json
import math
import re
from collections import Counter
from dataclasses import asdict, replace

import pytest
import torch
import typer
from places import ROOT
from typer.testing import CliRunner

from tendays import corpora, machine, pronunciation
from tendays.ctc import CTC
from tendays.pieces import BOS, EOS, PAD, UNK, Batch
from tendays.pronunciation import (
    ALIGNED,
    EPOCHS,
    JOINED,
    LETTERS,
    PHONEMES,
    SEEDS,
    Errors,
    Guess,
    Plan,
    WordBatches,
    errors,
    evaluate,
    make,
    plan_of,
    pronounce,
)
from tendays.pronunciation.__main__ import main
from tendays.pronunciation.compare import claims_over
from tendays.pronunciation.scores import claims_of
from tendays.training import Recipe, save_tensors
from tendays.transducer import BLANK, Transducer
from tendays.translation import Translator

# The packages export functions of the same names.
COMPARE, TRAIN = (importlib.import_module(f"tendays.pronunciation.{name}") for name in ("compare", "train"))
TINY = Plan(Recipe(epochs=1, learning_rate=4e-3), width=8, embedding=8, layers=1, rows=64, count=100)
KINDS = {"additive": Transducer, "tanh": Transducer, "ctc": CTC, "attention": Translator}
kinds = pytest.mark.parametrize("kind", KINDS)
alphabets = pytest.mark.parametrize("alphabet", [ALIGNED, JOINED], ids=["aligned", "joined"])
pytestmark = pytest.mark.filterwarnings("ignore:the cap of")  # new models know no end

SAID = {
    "knee": ["N IY"],
    "colonel": ["K ER N AH L"],
    "read": ["R EH D", "R IY D"],
    "'bout": ["B AW T"],
    "ox": ["AA K S"],
    "don't": ["D OW N T"],
}
"""What the models of these tests know by heart: one word has more phonemes than letters, one two pronunciations."""


def memory_of_six(name="cmudict", split="train"):
    pronunciations = [[tuple(said.split()) for said in variants] for variants in SAID.values()]
    return corpora.PronunciationCorpus(name, split, list(SAID), pronunciations)


def trained_by_heart(folder, kind):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENDAYS_DEVICE", "cpu")
        patch.setenv("ACCELERATE_MIXED_PRECISION", "no")
        patch.setattr(corpora, "load", memory_of_six)
        plan = Plan(Recipe(45, 2e-2), kind=kind, width=20, embedding=20, layers=1, dropout=0.0, rows=4)
        pronunciation.train(plan, folder)
    return folder


@pytest.fixture(scope="module")
def by_heart(tmp_path_factory):
    """The folder of a transducer that knows six words."""
    return trained_by_heart(tmp_path_factory.mktemp("additive"), "additive")


@pytest.fixture(scope="module")
def dictionary():
    return {split: corpora.load("cmudict", split) for split in corpora.SPLITS}


@pytest.fixture(scope="module")
def little(dictionary):
    """About a hundred words to learn from, and a dozen each to validate and to test."""
    return {
        split: replace(corpus, words=corpus.words[::step], pronunciations=corpus.pronunciations[::step])
        for (split, corpus), step in zip(dictionary.items(), (1000, 200, 1000), strict=True)
    }


@pytest.fixture
def small_world(monkeypatch, little):
    """Runs of this test learn from little, on the CPU, in float32."""
    _make_small(monkeypatch, little)


def _make_small(patch, little):
    patch.setenv("TENDAYS_DEVICE", "cpu")
    patch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    patch.setattr(corpora, "load", lambda name, split: {"cmudict": little}[name][split])


def sharp(kind, seed=0):
    """A new model, less uncertain than new models are, of float64 but for the baseline, whose scores never are."""
    torch.manual_seed(seed)
    model = make(replace(TINY, kind=kind)).to(torch.float32 if kind == "ctc" else torch.float64).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model


# ---- words as ids ----------------------------------------------------------------------------------------------------


@alphabets
def test_ids_can_be_read_back(alphabet):
    ids = alphabet.source("don't")
    assert "".join(LETTERS[index - alphabet.first_letter] for index in ids[:5]) == "don't"
    assert ids[5:] == list(alphabet.end)
    assert alphabet.phonemes(alphabet.target(PHONEMES)) == PHONEMES
    assert alphabet.phonemes(alphabet.target(["T", "UW", "T", "UW"])) == ("T", "UW", "T", "UW")


def test_ids_are_these():
    assert ALIGNED.source("a'z") == [2, 1, 27]
    assert ALIGNED.target(["AA", "ZH"]) == [1, 39]
    assert JOINED.source("a'z") == [5, 4, 30, EOS]
    assert JOINED.target(["AA", "ZH"]) == [BOS, 31, 69, EOS]


def test_no_two_symbols_share_an_id():
    assert {PAD, UNK, BOS, EOS} == set(range(4))
    joined = [*JOINED.source(LETTERS)[:-1], *JOINED.target(PHONEMES)[1:-1]]
    assert joined == list(range(4, 4 + len(LETTERS) + len(PHONEMES)))
    assert ALIGNED.source(LETTERS) == list(range(1, 1 + len(LETTERS)))
    assert ALIGNED.target(PHONEMES) == list(range(1, 1 + len(PHONEMES)))
    assert BLANK not in ALIGNED.target(PHONEMES)


@alphabets
def test_ids_of_no_phoneme_are_left_out(alphabet):
    assert alphabet.phonemes(range(alphabet.first_phoneme)) == ()
    assert alphabet.phonemes([0, alphabet.first_phoneme, alphabet.first_phoneme + len(PHONEMES)]) == ("AA",)


@alphabets
def test_capitals_are_read_as_small_letters(alphabet):
    assert alphabet.source("O'Neill") == alphabet.source("o'neill")


@pytest.mark.parametrize(("word", "wrong"), [("", ""), ("naïve", "ï"), ("a b", " "), ("x2", "2"), ("b2-b", "-2")])
def test_a_word_of_other_characters_is_refused(word, wrong):
    message = f"word is {word!r}; expected letters from a to z and apostrophes, and not {wrong!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        ALIGNED.source(word)
    with pytest.raises(ValueError, match=re.escape(message)):
        JOINED.sources(["fine", word])


def test_words_of_one_tensor_have_their_lengths():
    source, lengths = ALIGNED.sources(["ab", "a", "cab"])
    assert source.tolist() == [[2, 3, 0], [2, 0, 0], [4, 2, 3]]
    assert lengths.tolist() == [2, 1, 3]


def test_the_phonemes_are_those_of_the_dictionary_and_all_its_words_have_ids(dictionary):
    found = set()
    for corpus in dictionary.values():
        found.update(phoneme for variants in corpus.pronunciations for said in variants for phoneme in said)
        assert all(len(ALIGNED.source(word)) == len(word) for word in corpus.words)
    assert tuple(sorted(found)) == PHONEMES


# ---- batches ---------------------------------------------------------------------------------------------------------


def pairs_of(batch, alphabet):
    """The rows without their padding, which is checked to be nothing else."""
    for source, length, target, labels in zip(*(part.tolist() for part in batch), strict=True):
        end = labels + len(alphabet.start)
        assert not any([*source[length:], *target[end:]])
        yield tuple(source[:length]), tuple(target[:end])


@alphabets
@pytest.mark.parametrize("seed", [0, 7])
def test_an_epoch_has_each_pair_once(little, alphabet, seed):
    corpus = little["train"]
    expected = Counter(
        (tuple(alphabet.source(word)), tuple(alphabet.target(said)))
        for word, variants in zip(corpus.words, corpus.pronunciations, strict=True)
        for said in variants
    )
    assert expected.total() > len(corpus)
    batches = list(WordBatches(corpus, 16, alphabet).epoch(seed))
    assert Counter(pair for batch in batches for pair in pairs_of(batch, alphabet)) == expected


def test_the_seed_decides_the_order(little):
    batches = WordBatches(little["train"], 16, ALIGNED)
    first, again, other = ([list(pairs_of(batch, ALIGNED)) for batch in batches.epoch(seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sorted(map(sorted, first)) != sorted(map(sorted, other))  # nor is it only the batches that move


def test_batches_are_full_but_for_one_and_of_like_lengths(little):
    batches = WordBatches(little["train"], 16, ALIGNED)
    full, rest = divmod(len(batches.pairs), 16)
    assert rest
    found = [sorted((len(source), len(said)) for source, said in pairs_of(b, ALIGNED)) for b in batches.epoch(0)]
    assert Counter(map(len, found)) == {16: full, rest: 1}
    assert found != sorted(found)
    in_order = [lengths for batch in sorted(found) for lengths in batch]
    assert in_order == sorted(in_order)


def test_so_many_words_are_spread_over_the_corpus(dictionary):
    corpus = dictionary["train"]
    batches = WordBatches(corpus, 64, ALIGNED, count=1500)
    words = dict.fromkeys("".join(LETTERS[index - 1] for index in source) for source, _ in batches.pairs)
    assert len(words) == pytest.approx(1500, rel=0.01)
    place = {word: index for index, word in enumerate(corpus.words)}
    places = [place[word] for word in words]
    (gap,) = {after - before for before, after in itertools.pairwise(places)}
    assert places[0] == 0
    assert len(corpus) - places[-1] <= gap


@pytest.mark.parametrize("count", [6, 7, 100])
def test_more_words_than_there_are_is_all_of_them(count):
    assert len(WordBatches(memory_of_six(), 4, ALIGNED, count).pairs) == 7


def test_targets_of_the_encoder_decoder_are_framed_and_their_end_is_predicted():
    (batch,) = WordBatches(memory_of_six(), 7, JOINED).epoch(0)
    rows = torch.arange(7)
    assert batch.target[:, 0].eq(BOS).all()
    assert batch.target[rows, batch.target_lengths].eq(EOS).all()
    assert batch.source[rows, batch.source_lengths - 1].eq(EOS).all()
    labels = [len(said.split()) for variants in SAID.values() for said in variants]
    assert sorted(batch.target_lengths.tolist()) == sorted(count + 1 for count in labels)
    assert batch.predictions == sum(labels) + 7
    (aligned,) = WordBatches(memory_of_six(), 7, ALIGNED).epoch(0)
    assert aligned.predictions == sum(labels)


# ---- plans -----------------------------------------------------------------------------------------------------------


@kinds
def test_a_plan_makes_the_model_of_its_kind(kind):
    model = make(replace(TINY, kind=kind, layers=2))
    assert type(model) is KINDS[kind]
    if kind == "attention":
        # Letters, phonemes and the four special pieces; a smoothed loss would be no likelihood.
        assert (model.size.vocabulary, model.smoothing) == (4 + 27 + 39, 0)
    else:
        assert model.encoder.embedding.num_embeddings == 1 + 27
        assert len(model.encoder.lstm.forward_layers) == 2
    if kind == "ctc":
        assert model.output.out_features == 3 * (1 + 39)
    if kind in ("additive", "tanh"):
        assert model.size.symbols == 1 + 39
        assert model.size.joint == (TINY.width if kind == "tanh" else None)


def test_the_plan_is_that_of_the_scale(monkeypatch):
    assert plan_of() == plan_of(long=True) == pronunciation.SMOKE
    assert plan_of("ctc") == replace(pronunciation.SMOKE, kind="ctc")
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    assert (plan_of(), plan_of(long=True)) == (pronunciation.FULL, pronunciation.LONG)
    assert plan_of("attention", long=True) == replace(pronunciation.LONG, kind="attention")


def test_a_plan_of_no_kind_is_refused():
    with pytest.raises(ValueError, match="kind is 'rnn'; expected one of additive, tanh, ctc, attention"):
        plan_of("rnn")


# ---- scores ----------------------------------------------------------------------------------------------------------


def spoken(*texts):
    return [tuple(text.split()) for text in texts]


def test_errors_are_counted_beside_the_nearest_variant():
    guesses = spoken("N IY", "R IY T", "", "T AH M AA T OW")
    references = [
        spoken("K N IY", "N IY"),  # right: no edit, 2 phonemes
        spoken("R EH D", "R IY D"),  # one substitution, 3 phonemes
        spoken("AE K", "AH"),  # one deletion, 1 phoneme
        spoken("T AH M EY T OW", "T AH M AA T OW", "M AA T OW"),  # right: no edit, 6 phonemes
    ]
    found = errors(guesses, references)
    assert found.phonemes == pytest.approx(100 * 2 / 12)
    assert found.words == 50


def test_a_phoneme_is_one_symbol_and_what_is_too_much_counts():
    assert errors(spoken("CH"), [spoken("SH")]) == Errors(100, 100)
    assert errors(spoken("B B B"), [spoken("B")]) == Errors(200, 100)
    assert errors(spoken("", ""), [spoken("B AH"), spoken("B")]) == Errors(100, 100)
    assert errors(spoken("B", "B AH"), [spoken("B"), spoken("AH", "B AH")]) == Errors(0, 0)


@pytest.mark.parametrize(("guesses", "references"), [([], []), (["B"], []), ([], [["B"]]), (["B"], [["B"], ["B"]])])
def test_guesses_without_their_references_are_refused(guesses, references):
    with pytest.raises(ValueError, match=f"guesses has {len(guesses)} words and references {len(references)}"):
        errors(spoken(*guesses), [spoken(*variants) for variants in references])


# ---- pronouncing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 5])
def test_pronunciations_come_in_the_order_of_the_words(by_heart, width):
    model = pronunciation.load(by_heart)
    words = ["colonel", "ox", "knee", "Don't", "ox", "'bout"]
    found = pronounce(model, words, width, batch=2)
    assert [" ".join(row[0].phonemes) for row in found] == [SAID[word.lower()][0] for word in words]
    assert pronounce(model, [], width) == []
    assert evaluate(model, memory_of_six(), width) == Errors(0, 0)


@kinds
def test_a_word_is_pronounced_alike_in_any_company(kind):
    model = sharp(kind, seed=3)
    words = ["colonel", "a", "knee", "antidisestablishment"]
    for width in (1, 3):
        together = pronounce(model, words, width, batch=3)
        for word, found in zip(words, together, strict=True):
            (alone,) = pronounce(model, [word], width)
            assert [guess.phonemes for guess in alone] == [guess.phonemes for guess in found]


@kinds
def test_greedy_makes_one_guess_without_a_probability(kind):
    model = make(replace(TINY, kind=kind)).eval()
    for found in pronounce(model, ["knee", "ox"]):
        assert found == [Guess(found[0].phonemes, None)]
    if kind == "ctc":
        assert pronounce(model, ["knee", "ox"], 5) == pronounce(model, ["knee", "ox"])


@pytest.mark.parametrize("kind", ["additive", "tanh", "attention"])
def test_a_beam_makes_as_many_guesses_from_the_most_probable_on(kind):
    for found in pronounce(sharp(kind), ["colonel", "ox", "knee"], 5):
        chances = [guess.log_probability for guess in found]
        assert len(chances) == 5
        assert chances == sorted(chances, reverse=True)
        assert sum(map(math.exp, chances)) <= 1


def loss_of(model, word, phonemes):
    """Of one pair; an output of no phoneme still needs a column, which its length leaves out."""
    labels = ALIGNED.target(phonemes)
    batch = Batch(*ALIGNED.sources([word]), torch.tensor([labels or [1]]), torch.tensor([len(labels)]))
    return model.losses(batch).item()


@pytest.mark.parametrize("kind", ["additive", "tanh"])
def test_a_guess_of_a_transducer_has_the_probability_of_the_loss(kind):
    model, words = sharp(kind, seed=1), ["colonel", "ox", "knee"]
    for word, found in zip(words, pronounce(model, words, 5), strict=True):
        assert len({guess.phonemes for guess in found}) == 5
        losses = [loss_of(model, word, guess.phonemes) for guess in found]
        assert [-guess.log_probability for guess in found] == pytest.approx(losses, abs=1e-9)


def test_a_word_of_two_pronunciations_gets_both(by_heart):
    ((one, other),) = pronounce(pronunciation.load(by_heart), ["read"], 2)
    assert {" ".join(one.phonemes), " ".join(other.phonemes)} == set(SAID["read"])
    assert math.exp(one.log_probability) + math.exp(other.log_probability) > 0.75
    assert math.exp(other.log_probability) > 0.25


@pytest.mark.parametrize("training", [True, False])
def test_pronouncing_leaves_the_mode_of_the_model_and_hides_nothing(training):
    model = make(replace(TINY, dropout=0.9)).eval()
    expected = pronounce(model, ["colonel"], 5)
    assert pronounce(model.train(training), ["colonel"], 5) == expected
    assert model.training is training
    with pytest.raises(ValueError, match="'x2'"):
        pronounce(model, ["knee", "x2"])
    assert model.training is training


@kinds
@pytest.mark.parametrize("arguments", [{"width": 0}, {"batch": 0}, {"batch": -1}])
def test_bad_arguments_of_pronounce_are_named(kind, arguments):
    model = make(replace(TINY, kind=kind)).train()
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        pronounce(model, ["knee"], **arguments)
    assert model.training


# ---- training --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=KINDS)
def run_of(request, little, tmp_path_factory):
    """A kind, its folder, and what training returned."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        _make_small(patch, little)
        return request.param, folder, *pronunciation.train(replace(TINY, kind=request.param), folder)


def test_training_keeps_a_model_that_loads_as_it_was(run_of, little):
    kind, folder, model, history = run_of
    assert not model.training
    loaded = pronunciation.load(folder)
    assert type(loaded) is KINDS[kind]
    assert not loaded.training
    words = little["test"].words
    for width in (1, 5):
        assert pronounce(loaded, words, width) == pronounce(model, words, width)
    assert [row["epoch"] for row in history] == [1]
    fifth = slice(None, None, 5)
    held_out = little["validation"]
    held_out = replace(held_out, words=held_out.words[fifth], pronunciations=held_out.pronunciations[fifth])
    assert history[0]["PER"] == evaluate(loaded, held_out).phonemes


@kinds
@pytest.mark.parametrize("seed", [0, 5])
def test_the_first_loss_is_that_of_a_new_model_of_the_seed(small_world, little, tmp_path, kind, seed):
    plan = replace(TINY, recipe=replace(TINY.recipe, seed=seed), kind=kind, dropout=0.0, rows=1000, count=20)
    _, history = pronunciation.train(plan, tmp_path)
    torch.manual_seed(seed)
    model = make(plan)
    # All words in one batch, so that what the epoch reports is from before its only step.
    (batch,) = WordBatches(little["train"], 1000, JOINED if kind == "attention" else ALIGNED, 20).epoch(seed)
    assert history[0]["loss"] == pytest.approx(model(batch).item() / batch.predictions, rel=1e-5)


def test_a_run_that_was_stopped_goes_on_to_the_same_model(small_world, tmp_path, monkeypatch):
    plan = replace(TINY, recipe=Recipe(epochs=2, learning_rate=4e-3))
    whole, rows = pronunciation.train(plan, tmp_path / "whole")
    measure, measured = evaluate, []

    def stop_at_the_second(model, corpus):
        measured.append(corpus.split)
        if len(measured) == 2:
            raise KeyboardInterrupt
        return measure(model, corpus)

    monkeypatch.setattr(TRAIN, "evaluate", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        pronunciation.train(plan, tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    resumed, rows_after = pronunciation.train(plan, tmp_path / "stopped", resume=True)
    assert measured == ["validation"] * 3  # the first epoch was not run again
    for row, after in zip(rows, rows_after, strict=True):
        assert row | {"seconds": 0} == after | {"seconds": 0}
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name
    with pytest.raises(ValueError, match="about is"):
        pronunciation.train(replace(plan, count=50), tmp_path / "stopped", resume=True)


def test_without_a_model_it_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape(repr(str(tmp_path))) + ".*make run UNIT=transducer"):
        pronunciation.load(tmp_path)


OTHERS = {
    "no plan": {},
    "another plan": {"plan": asdict(TINY) | {"pieces": 8000}},
    "another recipe": {"plan": asdict(TINY) | {"recipe": {"epochs": 0, "learning_rate": 1}}},
    "a list": [],
}


def message_of_load(folder):
    """What is said of a folder whose model cannot be loaded."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is returned
        pronunciation.load(folder)
    return str(error.value)


@pytest.mark.parametrize("about", OTHERS.values(), ids=OTHERS)
def test_a_model_of_another_plan_is_refused_in_one_sentence(tmp_path, about):
    save_tensors(tmp_path / "model.safetensors", {"weight": torch.ones(2)}, about)
    assert message_of_load(tmp_path) == (
        f"folder is {str(tmp_path)!r}; expected a model of this version's code, and its description fits none:"
        " train it anew with: make run UNIT=transducer"
    )


@pytest.mark.parametrize("kind", ["additive", "tanh", "ctc"])
def test_a_model_with_the_weight_names_of_earlier_code_is_refused_in_one_sentence(tmp_path, kind):
    plan = replace(TINY, kind=kind)
    renamed = {"encoder.lstm.": "encoder.", "forward_layers": "ahead", "backward_layers": "back"}
    weights = make(plan).state_dict()
    for new, earlier in renamed.items():
        weights = {name.replace(new, earlier): weight for name, weight in weights.items()}
    assert "encoder.ahead.0.weight_ih_l0" in weights
    save_tensors(tmp_path / "model.safetensors", weights, {"plan": asdict(plan)})
    assert message_of_load(tmp_path) == (
        f"folder is {str(tmp_path)!r}; expected a model of this version's code, and its weights are named otherwise:"
        " train it anew with: make run UNIT=transducer"
    )


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        pronunciation.load(tmp_path)


# ---- runs and their comparison ---------------------------------------------------------------------------------------


def invoke(*arguments):
    """The command line's result."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def read_report(folder):
    return json.loads((folder / "report.json").read_text("utf-8"))


@pytest.mark.parametrize(("kind", "ways"), [("additive", ["greedy", "beam 5"]), ("ctc", ["greedy"])])
def test_a_run_reports_its_scores_on_the_test_words(small_world, little, tmp_path, monkeypatch, capsys, kind, ways):
    monkeypatch.setattr(TRAIN, "SMOKE", TINY)
    main(kind=kind, folder=tmp_path, seed=3)
    report, model = read_report(tmp_path), pronunciation.load(tmp_path)
    name = {"additive": "additive joint", "ctc": "CTC"}[kind]
    expected = {
        "title": f"English pronunciation, {name}",
        "command": f"python -m tendays.pronunciation --kind {kind} --seed 3",
        "kind": kind,
        "seed": 3,
        "processes": 1,
        "learning_rate": 4e-3,
        "layers": {"additive": 2, "ctc": 1}[kind],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": report["history"][0]["steps"],
        "seconds": report["history"][0]["seconds"],
    }
    assert {key: report[key] for key in expected} == expected
    assert set(report) == {*machine.facts(), *expected, "history", "scores", "claims"}
    assert report["seconds"] > 0
    assert report["steps"] == 2  # about 115 pairs in batches of 64
    assert list(report["scores"]) == ways
    printed = capsys.readouterr().out
    for way, width in zip(ways, (1, 5), strict=False):
        score, found = report["scores"][way], evaluate(model, little["test"], width)
        assert (score["PER"], score["WER"]) == found
        assert f"{name}, phoneme error rate on test words, {way}: {found.phonemes:.2f} %" in printed
    assert report["claims"] == claims_of(report["scores"])


def test_the_claims_of_a_run_are_its_rates_and_the_last_search_stands_for_it():
    scores = {"greedy": {"PER": 7.5, "WER": 31.0, "seconds": 1}, "beam 5": {"PER": 7.25, "WER": 30.5, "seconds": 2}}
    last = [
        {"name": "phoneme error rate on test words, beam 5", "value": 7.25, "unit": "%", "headline": True},
        {"name": "word error rate on test words, beam 5", "value": 30.5, "unit": "%", "headline": True},
    ]
    assert claims_of(scores) == [
        {"name": "phoneme error rate on test words, greedy", "value": 7.5, "unit": "%"},
        {"name": "word error rate on test words, greedy", "value": 31.0, "unit": "%"},
        *last,
    ]
    assert claims_of({"beam 5": scores["beam 5"]}) == last


def test_a_comparison_says_the_mean_and_the_spread_of_what_each_kind_does_best(tmp_path, monkeypatch):
    plans = []

    def run(plan, folder, *, title, command):
        assert command == "python -m tendays.pronunciation --compare"
        assert title.endswith(f", seed {plan.recipe.seed}")
        plans.append(plan)
        seed = plan.recipe.seed
        scores = {"greedy": {"PER": 20 + 4 * seed, "WER": 50}}
        if plan.kind != "ctc":
            scores["beam 5"] = {"PER": 10 + 2 * seed, "WER": 30 + 20 * seed}
        folder.mkdir()
        facts = machine.facts() | {"kind": plan.kind, "seed": seed, "seconds": 1.5, "scores": scores}
        facts |= {"layers": 3, "parameters": 7, "learning_rate": 0.1, "steps": 9, "history": []}
        (folder / "report.json").write_text(json.dumps(facts))

    monkeypatch.setenv("TENDAYS_SCALE", "full")
    monkeypatch.setattr(COMPARE, "EPOCHS", {"additive": 4, "ctc": 5})
    monkeypatch.setattr(COMPARE, "SEEDS", 2)
    monkeypatch.setattr(COMPARE, "run", run)
    report = pronunciation.compare(tmp_path)
    assert report["title"] == "English pronunciation, 2 kinds of model from 2 seeds each"
    claims = [(entry["name"], entry["value"], entry["unit"], "headline" in entry) for entry in report["claims"]]
    assert claims == [
        ("phoneme error rate, additive joint, mean of 2 seeds", 11, "%", True),
        ("word error rate, additive joint, mean of 2 seeds", 40, "%", True),
        ("phoneme error rate, CTC, mean of 2 seeds", 22, "%", False),
        ("word error rate, CTC, mean of 2 seeds", 50, "%", False),
    ]
    spreads = [math.sqrt(2), math.sqrt(200), math.sqrt(8), 0]
    assert [entry["spread"] for entry in report["claims"]] == pytest.approx(spreads)
    assert report["seconds"] == 6
    assert report["command"] == f"{TRAIN.COMMAND} --compare"
    expected = [(kind, epochs, seed) for kind, epochs in (("additive", 4), ("ctc", 5)) for seed in range(2)]
    assert [(plan.kind, plan.recipe.epochs, plan.recipe.seed) for plan in plans] == expected
    for plan in plans:
        assert replace(plan, recipe=pronunciation.FULL.recipe) == plan_of(plan.kind)

    # A comparison that was stopped does only what is missing.
    (tmp_path / "ctc-0" / "report.json").unlink()
    (tmp_path / "ctc-0").rmdir()
    plans.clear()
    assert pronunciation.compare(tmp_path) == report
    assert [(plan.kind, plan.recipe.seed) for plan in plans] == [("ctc", 0)]


def test_the_command_compares_and_runs_nothing_twice(small_world, tmp_path, monkeypatch):
    monkeypatch.setattr(TRAIN, "SMOKE", TINY)
    monkeypatch.setattr(COMPARE, "EPOCHS", {"additive": 9, "ctc": 9})
    monkeypatch.setattr(COMPARE, "SEEDS", 2)
    result = invoke("--compare", "--folder", tmp_path)
    assert result.exit_code == 0, result.output
    report = read_report(tmp_path)
    assert set(machine.facts()) < set(report)
    alone = [read_report(tmp_path / f"{kind}-{seed}") for kind in ("additive", "ctc") for seed in (0, 1)]
    assert report["runs"] == [{key: entry[key] for key in COMPARE.KEPT} for entry in alone]
    assert all(len(entry["history"]) == 1 for entry in report["runs"])
    assert report["claims"] == claims_over(report["runs"])

    monkeypatch.setattr(COMPARE, "run", None)
    (tmp_path / "report.json").unlink()
    main(compare_all=True, folder=tmp_path)
    assert read_report(tmp_path) == report


def test_the_record_has_all_kinds_and_says_what_its_runs_say():
    record = pronunciation.comparison()
    runs = Counter((entry["kind"], entry["seed"]) for entry in record["runs"])
    assert runs == Counter(itertools.product(EPOCHS, range(SEEDS)))
    assert record["claims"] == claims_over(record["runs"])
    assert len(record["claims"]) == 2 * len(EPOCHS)
    beams = (7.279722580808465, 7.293986636971046, 7.148732615380722)  # PER of the additive joint
    assert record["claims"][0]["value"] == pytest.approx(sum(beams) / 3)
    assert record["seconds"] == pytest.approx(sum(entry["seconds"] for entry in record["runs"]))


@pytest.mark.parametrize(
    ("variables", "arguments", "words"),
    [
        ({}, ["--kind", "nosuch"], "kind is 'nosuch'; expected one of additive, tanh, ctc, attention"),
        ({"TENDAYS_DEVICE": "tpu"}, [], "TENDAYS_DEVICE is 'tpu'; expected 'cpu' or 'cuda'"),
        ({"ACCELERATE_MIXED_PRECISION": "fp8"}, [], "ACCELERATE_MIXED_PRECISION is 'fp8'; expected 'no' or 'bf16'"),
        ({"TENDAYS_SCALE": "huge"}, [], "TENDAYS_SCALE is 'huge'; expected 'smoke' or 'full'"),
    ],
)
def test_wrong_arguments_are_answered_in_one_line_before_anything_is_made(
    tmp_path, monkeypatch, variables, arguments, words
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = invoke(*arguments, "--folder", tmp_path / "model")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"pronunciation: {words}\n")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_run_is_answered_in_one_line(small_world, tmp_path, monkeypatch):
    monkeypatch.setattr(TRAIN, "SMOKE", TINY)
    pronunciation.train(replace(TINY, width=9), tmp_path)
    result = invoke("--folder", tmp_path, "--resume")
    assert result.exit_code == 2
    assert result.stderr.startswith("pronunciation: about is {'plan': ")
    assert result.stderr.count("\n") == 1


def test_the_record_of_the_longer_run_claims_what_its_scores_say():
    record = json.loads((ROOT / "results" / "longer" / "pronunciation_long.json").read_text("utf-8"))
    assert record["claims"] == claims_of(record["scores"])
    assert record["title"] == "English pronunciation, tanh joint, the longer run"
