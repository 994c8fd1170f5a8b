import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from tendays.translation import bleu_from_statistics, bleu_statistics

REFERENCES = ["The cat sat down.", "the cat", "A man plays a guitar on the stage.", "Two dogs.", "Yes", "Nobody came."]
TRANSLATIONS = ["the cat sat", "the the the", "A man plays the guitar on a stage.", "", "Yes", "no"]


def test_the_counts_of_a_sentence_are_those_counted_by_hand():
    found = bleu_statistics(TRANSLATIONS, REFERENCES)
    assert found[0].tolist() == [2, 1, 0, 0, 3, 2, 1, 0, 3, 5]  # "The" is not "the"; the full stop is a token
    assert found[1].tolist() == [1, 0, 0, 0, 3, 2, 1, 0, 3, 2]  # matches are clipped at the reference's count
    assert found[3].tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    lower = bleu_statistics(TRANSLATIONS, REFERENCES, lowercase=True)
    assert lower[0].tolist() == [3, 2, 1, 0, 3, 2, 1, 0, 3, 5]


def random_corpus(rng, words, count):
    return [" ".join(f"w{i}" for i in rng.integers(0, words, rng.integers(0, 12))) for _ in range(count)]


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_summed_counts_give_the_corpus_score_of_sacrebleu(seed, lowercase):
    rng = np.random.default_rng(seed)
    translations = [*TRANSLATIONS, *random_corpus(rng, 8, 200)]
    references = [*REFERENCES, *random_corpus(rng, 8, 200)]
    sums = bleu_statistics(translations, references, lowercase).sum(0)
    expected = BLEU(lowercase=lowercase).corpus_score(translations, [references]).score
    assert expected > 1
    assert bleu_from_statistics(sums) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "translations",
    [["a b c d e", "x"], ["a x c y e", "x"], ["", ""], ["a b", "b"], ["u v", "w"]],
    ids=["all matched", "smoothed", "empty", "without 4-grams", "without matches"],
)
def test_corpora_with_few_matches_are_smoothed_as_sacrebleu_does(translations):
    references = ["a b c d e f", "x"]
    sums = bleu_statistics(translations, references).sum(0)
    assert bleu_from_statistics(sums) == BLEU().corpus_score(translations, [references]).score


def test_many_sums_are_scored_at_once():
    rows = bleu_statistics(TRANSLATIONS, REFERENCES)
    sums = np.stack([rows.sum(0), rows[:3].sum(0)]).astype(np.float64)
    found = bleu_from_statistics(sums[:, None])
    assert found.shape == (2, 1)
    assert found[:, 0].tolist() == [bleu_from_statistics(rows.sum(0)), bleu_from_statistics(rows[:3].sum(0))]


def test_counts_are_left_as_they_are():
    sums = bleu_statistics(TRANSLATIONS, REFERENCES).sum(0)
    before = sums.copy()
    bleu_from_statistics(sums)
    assert sums.tolist() == before.tolist()


@pytest.mark.parametrize(
    ("translations", "references", "counts"), [([], [], "0 sentences and references 0"), (["a"], ["a", "b"], "1 .* 2")]
)
def test_missing_sentences_are_refused(translations, references, counts):
    with pytest.raises(ValueError, match=f"translations has {counts}; expected as many, and some"):
        bleu_statistics(translations, references)


def test_sums_of_something_else_are_refused():
    with pytest.raises(ValueError, match=r"sums has shape \(2, 9\); expected \(\.\.\., 10\), from bleu_statistics"):
        bleu_from_statistics(np.zeros((2, 9)))
