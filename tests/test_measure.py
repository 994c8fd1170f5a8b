import math
import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sacrebleu.metrics import BLEU
from sacrebleu.significance import PairedTest

from tendays import measure, translation
from tendays.measure import bootstrap_score, cost, error_rate, mean_interval, paired_bootstrap, share_interval

MB = 2**20  # bytes


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")


def megabyte() -> torch.Tensor:
    return torch.ones(MB // 4)


# ---- time -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that only `clock.sleep` moves."""
    clock = SimpleNamespace(now=0.0)
    clock.sleep = lambda seconds: setattr(clock, "now", clock.now + seconds)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: clock.now)
    return clock


def test_best_time_is_that_of_the_fastest_call(clock):
    times = [9.0, 3.0, 2.0, 4.0]
    assert measure.best_time(lambda: clock.sleep(times.pop(0)), repeats=3) == 2.0
    assert times == []


def test_best_time_stops_when_it_has_enough(clock):
    times = [2.0, 3.0, 1.0]
    assert measure.best_time(lambda: clock.sleep(times.pop(0)), repeats=2, enough=5.0) == 2.0
    assert times == [1.0]
    assert measure.best_time(lambda: clock.sleep(times.pop(0)), repeats=2, enough=1.0) == 1.0


# ---- memory ---------------------------------------------------------------------------------------------------------


def two_at_once():
    first, second = megabyte(), megabyte()
    del first
    third = megabyte()
    del second, third
    return megabyte()


def test_peak_memory_counts_what_is_there_at_once():
    assert measure.peak_memory(two_at_once) == 2 * MB
    assert measure.peak_memory(lambda: [two_at_once(), megabyte()]) == 2 * MB
    assert measure.peak_memory(lambda: [megabyte() for _ in range(5)]) == 5 * MB
    assert measure.peak_memory(lambda: None) == 0


@pytest.mark.parametrize("counted", [False, True], ids=["made unseen", "made while memory was counted"])
def test_peak_memory_does_not_count_what_was_there(counted):
    kept = []

    def make():
        kept.extend([megabyte(), megabyte(), megabyte()])

    assert measure.peak_memory(make) == 3 * MB if counted else make() is None
    assert measure.peak_memory(lambda: kept[0].neg()) == MB
    assert measure.peak_memory(kept.clear) == 0


def test_peak_memory_counts_gradients_and_what_is_kept_for_them():
    numbers = megabyte().requires_grad_()
    # The square roots are kept for the backward pass, which makes as many gradients.
    assert measure.peak_memory(lambda: numbers.sqrt()) == MB
    assert measure.peak_memory(lambda: numbers.sqrt().sum().backward()) >= 2 * MB
    assert numbers.grad is not None


def test_peak_memory_on_a_gpu_asks_the_allocator(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    gpu = SimpleNamespace(now=500, most=900)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: setattr(gpu, "most", gpu.now))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: gpu.now)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: gpu.most)
    assert measure.peak_memory(lambda: setattr(gpu, "most", 650)) == 150
    assert measure.peak_memory(megabyte, device="cpu") == MB


def test_peak_memory_writes_nothing_and_gives_stderr_back(capfd):
    held = [megabyte()]
    measure.peak_memory(held.clear)  # of which torch would say that it does not know this block
    os.write(2, b"from C\n")
    print("from Python", file=sys.stderr)
    assert capfd.readouterr() == ("", "from C\nfrom Python\n")


def test_peak_memory_passes_an_error_on_and_gives_stderr_back(capfd):
    before = os.fstat(2).st_ino, len(os.listdir("/dev/fd"))
    with pytest.raises(ZeroDivisionError):
        measure.peak_memory(lambda: 1 / 0)
    assert (os.fstat(2).st_ino, len(os.listdir("/dev/fd"))) == before
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"
    assert measure.peak_memory(megabyte) == MB


@pytest.mark.parametrize(("repeats", "enough"), [(-1, 1.0), (1, 0.0), (1, math.nan)])
def test_best_time_without_a_call_is_refused(repeats, enough):
    with pytest.raises(ValueError, match=f"repeats is {repeats} and enough is {enough}; expected at least 0, and more"):
        measure.best_time(pytest.fail, repeats, enough)


def test_peak_memory_of_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device is 'tpu'; expected 'cpu' or 'cuda'"):
        measure.peak_memory(pytest.fail, device="tpu")


# ---- means ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "confidence", "half"),
    [
        ([1, 2, 3], 0.95, 4.302653 / 3**0.5),  # Student's t with 2 degrees of freedom, from a printed table
        ([1, 2, 3], 0.90, 2.919986 / 3**0.5),
        ([0.0, 1.0, 2.0, 3.0, 4.0], 0.95, 2.7764451 * 2.5**0.5 / 5**0.5),
        (torch.tensor([1.0, 2.0, 3.0], requires_grad=True), 0.95, 4.302653 / 3**0.5),
    ],
)
def test_the_interval_of_a_mean_is_students(values, confidence, half):
    found = mean_interval(values, confidence)
    assert found == pytest.approx((2, 2 - half, 2 + half, len(values)), rel=2e-6)


def test_equal_values_have_an_interval_of_no_width():
    assert mean_interval([38.5] * 4) == (38.5, 38.5, 38.5, 4)


def test_one_seed_is_called_one_seed():
    found = mean_interval([38.12345])
    assert found == (38.12345, -math.inf, math.inf, 1)
    assert str(found) == "38.12 (one seed)"


def test_three_seeds_cover_the_true_mean_as_often_as_they_claim():
    samples = np.random.default_rng(0).normal(7.0, 2.0, (2000, 3))
    covered = np.mean([low <= 7.0 <= high for _, low, high, _ in map(mean_interval, samples)])
    assert covered == pytest.approx(0.95, abs=0.015)  # three standard errors; the normal's 1.96 would cover 0.81


# ---- shares ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_wilsons_as_published(hits, n, low, high):
    trials = np.arange(n) < hits
    assert share_interval(hits, n) == pytest.approx((hits / n, low, high, n), abs=5e-5)
    assert share_interval(trials) == share_interval(trials.tolist()) == share_interval(hits, n)
    assert share_interval(torch.from_numpy(trials)) == share_interval(np.int64(hits), n)


def test_a_lower_confidence_gives_a_narrower_interval_of_a_share():
    # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n) with p = 1/2, n = 4, z = 1.644854
    half = 1.644854 * (1 / 16 + 1.644854**2 / 64) ** 0.5 / (1 + 1.644854**2 / 4)
    assert share_interval(2, 4, 0.9) == pytest.approx((0.5, 0.5 - half, 0.5 + half, 4), rel=1e-6)


# ---- bootstrap ------------------------------------------------------------------------------------------------------


def test_the_error_rate_is_that_of_all_words_together():
    assert error_rate([1, 4]) == 25
    np.testing.assert_array_equal(error_rate([[[1, 4], [3, 2]]]), [[25, 150]])


def test_the_bootstrap_interval_is_the_normal_one_where_that_holds():
    edits = np.arange(400) < 100
    found = bootstrap_score(error_rate, np.stack([edits, np.ones(400)], axis=1), draws=4000)
    half = 1.96 * 100 * math.sqrt(0.25 * 0.75 / 400)
    assert found == pytest.approx((25, 25 - half, 25 + half, 400), abs=0.25)
    narrower = bootstrap_score(error_rate, np.stack([edits, np.ones(400)], axis=1), draws=4000, confidence=0.6827)
    assert narrower.high - narrower.low == pytest.approx(2 * half / 1.96, abs=0.25)


def test_two_sentences_are_resampled_as_counted_by_hand():
    # The system is right in one of two sentences, the baseline in none. A draw holds the first sentence 0, 1 or 2
    # times, with probabilities 1/4, 1/2, 1/4, and the difference is 0, −50 or −100.
    found = paired_bootstrap(error_rate, [[0, 1], [1, 1]], [[1, 1], [1, 1]], draws=4000)
    assert found[:3] == (-50, -100, 0)
    assert found.p == pytest.approx(2 / 4, abs=0.04)  # three standard errors
    assert (found.n, found.draws, found.tie) == (2, 4000, True)


def test_what_two_systems_share_cancels():
    edits = np.random.default_rng(0).integers(0, 9, 50)
    baseline, system = (np.stack([edits + more, np.full(50, 10)], axis=1) for more in (0, 1))
    found = paired_bootstrap(error_rate, system, baseline, draws=99)
    assert found == pytest.approx((10, 10, 10, 2 / 100, 50, 99))
    assert not found.tie


def test_a_system_beside_itself_is_a_tie():
    rows = np.random.default_rng(0).integers(1, 9, (30, 2))
    found = paired_bootstrap(error_rate, rows, rows)
    assert found == (0, 0, 0, 1.0, 30, 1000)
    assert found.tie
    assert str(found) == "tie: +0.0 (+0.0 to +0.0), p = 1"


@pytest.fixture(scope="module")
def corpus():
    """References, and two translations of which the first has fewer wrong words; some are short, some empty."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(60)] + ["Berlin", "end."])
    sentences = [rng.choice(words, rng.integers(1, 20)) for _ in range(300)]

    def translated(share):
        return [" ".join(np.where(rng.random(len(one)) < share, rng.choice(words, len(one)), one)) for one in sentences]

    first, second = translated(0.30), translated(0.35)
    first[3], first[7], second[5] = "", "w1", ""
    return [" ".join(one) for one in sentences], first, second


def test_swapped_systems_give_the_opposite_difference(corpus):
    references, *systems = corpus
    first, second = (translation.bleu_statistics(system, references) for system in systems)
    there = paired_bootstrap(translation.bleu_from_statistics, first, second)
    back = paired_bootstrap(translation.bleu_from_statistics, second, first)
    assert back == pytest.approx((-there.value, -there.high, -there.low, there.p, 300, 1000))
    assert there.value > 0


def test_draws_depend_on_the_seed_alone():
    rows = np.random.default_rng(0).integers(1, 9, (30, 2))
    assert bootstrap_score(error_rate, rows) == bootstrap_score(error_rate, rows)
    assert bootstrap_score(error_rate, rows, seed=1) != bootstrap_score(error_rate, rows)


def test_intervals_of_bleu_are_sacrebleus(corpus, monkeypatch):
    references, *systems = corpus
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    named = list(zip(("baseline", "system"), reversed(systems), strict=True))
    _, found = PairedTest(named, {"BLEU": BLEU()}, [references], test_type="bs", n_samples=1000)()
    theirs = found["BLEU"][1]
    first, second = (translation.bleu_statistics(system, references) for system in systems)
    ours = bootstrap_score(translation.bleu_from_statistics, first, seed=12345)
    assert ours.value == pytest.approx(theirs.score, rel=1e-12)
    assert (ours.high - ours.low) / 2 == pytest.approx(theirs.ci, rel=0.01)  # the same draws; other order statistics
    difference = paired_bootstrap(translation.bleu_from_statistics, first, second)
    assert difference.value == pytest.approx(theirs.score - found["BLEU"][0].score, rel=1e-12)


@pytest.mark.parametrize(("better", "p_value"), [(60, 0.22), (80, 0.05)])
def test_the_p_value_of_bleu_agrees_with_approximate_randomization(corpus, better, p_value):
    references, first, second = corpus
    mixed = first[:better] + second[better:]
    named = [("baseline", second), ("system", mixed)]
    _, found = PairedTest(named, {"BLEU": BLEU()}, [references], test_type="ar", n_samples=2000)()
    ours, theirs = (translation.bleu_statistics(system, references) for system in (mixed, second))
    p = paired_bootstrap(translation.bleu_from_statistics, ours, theirs, draws=2000).p
    assert found["BLEU"][1].p_value == pytest.approx(p_value, rel=0.1)
    assert p == pytest.approx(found["BLEU"][1].p_value, rel=0.2)


def test_equal_systems_are_ties_as_often_as_they_should_be():
    rng = np.random.default_rng(0)
    ties = []
    for _ in range(300):
        lengths = rng.integers(3, 20, 100)
        system, baseline = (np.stack([rng.binomial(lengths, 0.2), lengths], axis=1) for _ in range(2))
        ties.append(paired_bootstrap(error_rate, system, baseline, draws=200).tie)
    assert np.mean(ties) == pytest.approx(0.95, abs=0.035)


# ---- how they print -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        ((38.11, 36.86, 39.33, 1000), "38.1 (36.9–39.3)"),
        ((0.30798, 0.25529, 0.36621, 263), "0.308 (0.255–0.366)"),
        ((0.0, 0.0, 0.16113, 20), "0.000 (0.000–0.161)"),
        ((38.114, 37.989, 38.243, 5), "38.11 (37.99–38.24)"),
        ((1234.5, 1150.0, 1321.0, 3), "1,234 (1,150–1,321)"),
        ((0.2, -0.81, 1.22, 3), "0.2 (−0.8 to 1.2)"),
        ((0.5, -1e-17, 0.96, 2), "0.50 (0.00–0.96)"),
        ((10.0, 10 - 2e-15, 10 + 2e-15, 9), "10.00 (10.00–10.00)"),
    ],
)
def test_an_interval_has_the_digits_that_it_supports(interval, text):
    assert str(measure.Interval(*interval)) == text


@pytest.mark.parametrize(
    ("difference", "text", "tie"),
    [
        ((1.473, 0.318, 2.611, 0.01398, 1000, 1000), "+1.5 (+0.3 to +2.6), p = 0.014", False),
        ((-1.473, -2.611, -0.318, 0.01398, 1000, 1000), "−1.5 (−2.6 to −0.3), p = 0.014", False),
        ((-0.03, -1.14, 1.08, 0.9331, 1000, 1000), "tie: +0.0 (−1.1 to +1.1), p = 0.93", True),
        ((0.5, 0.0, 1.0, 0.06, 9, 99), "tie: +0.50 (+0.00 to +1.00), p = 0.06", True),
    ],
)
def test_a_difference_has_its_sign_and_a_tie_is_called_a_tie(difference, text, tie):
    found = measure.Difference(*difference)
    assert (str(found), found.tie) == (text, tie)


# ---- bad input ------------------------------------------------------------------------------------------------------

ROWS = [[1, 4], [2, 5], [0, 3]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([]), r"values has shape \(0,\); expected \(seeds\), not empty"),
        (lambda: mean_interval(3.0), r"values has shape \(\); expected \(seeds\), not empty"),
        (lambda: mean_interval([1.0, math.nan]), "values holds nan; expected finite numbers"),
        (lambda: mean_interval([1.0, -math.inf]), "values holds -inf; expected finite numbers"),
        (lambda: mean_interval(["a", "b"]), r"values is \['a', 'b'\]; expected numbers"),
        (lambda: mean_interval([1, 2], confidence=1.0), "confidence is 1.0; expected a number between 0 and 1"),
        (lambda: mean_interval([1, 2], confidence=95), "confidence is 95; expected a number between 0 and 1"),
        (lambda: mean_interval([1], confidence=math.nan), "confidence is nan; expected a number between 0 and 1"),
        (lambda: share_interval([]), r"hits is \[\]; expected booleans, one for each trial, or a count with n"),
        (lambda: share_interval([0.5, 1.0]), r"hits is \[0.5, 1.0\]; expected booleans"),
        (lambda: share_interval(3), "hits is 3; expected booleans, one for each trial, or a count with n"),
        (lambda: share_interval(np.zeros(0, bool)), "n is 0; expected at least one trial"),
        (lambda: share_interval(0, 0), "n is 0; expected at least one trial"),
        (lambda: share_interval(4, 3), "hits is 4; expected from 0 to n = 3"),
        (lambda: share_interval(-1, 3), "hits is -1; expected from 0 to n = 3"),
        (lambda: share_interval(1, 3, confidence=0.0), "confidence is 0.0; expected a number between 0 and 1"),
        (lambda: bootstrap_score(error_rate, [1, 4]), r"statistics has shape \(2,\); expected \(N, K\), not empty"),
        (lambda: bootstrap_score(error_rate, [[1, 4]]), "statistics has 1 row; expected a row for each of at least 2"),
        (lambda: bootstrap_score(error_rate, [[1, 4], [math.nan, 4]]), "statistics holds nan; expected finite numbers"),
        (lambda: bootstrap_score(error_rate, ROWS, draws=0), "draws is 0; expected at least 1"),
        (lambda: bootstrap_score(error_rate, ROWS, confidence=1.5), "confidence is 1.5; expected a number between"),
        (lambda: bootstrap_score(error_rate, [[1, 0], [1, 0]]), "score is not finite for all draws of the sentences"),
        (lambda: bootstrap_score(error_rate, [[1, 0], [1, 9]]), "score is not finite for all draws of the sentences"),
        (
            lambda: bootstrap_score(lambda sums: sums, ROWS),
            r"score returns shape \(2,\) for sums \(2,\); expec",
        ),
        (lambda: paired_bootstrap(error_rate, ROWS, ROWS[:2]), r"statistics has shape \(3, 2\) and baseline \(2, 2\)"),
        (lambda: paired_bootstrap(error_rate, ROWS, []), r"baseline has shape \(0,\); expected \(N, K\), not empty"),
        (lambda: paired_bootstrap(error_rate, ROWS, ROWS, draws=-1), "draws is -1; expected at least 1"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_its_argument(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_a_count_of_hits_is_an_integer():
    with pytest.raises(TypeError, match=r"hits is 1\.5 and n is 3; expected integers, or booleans without n"):
        share_interval(1.5, 3)


# ---- tables ---------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    system: str
    layers: int
    parameters: int
    learning_rate: float
    steps: int
    seconds: float | None
    BLEU: measure.Interval | None = None


RUN = Run("a|b", 2, 1_201_704, 3e-3, 1200, 119.874, measure.Interval(38.11, 36.86, 39.33, 1000))


def test_a_table_of_runs_shows_sizes_budgets_and_scores():
    other = Run("quoted", 1, 20_500_000, 1e-4, 45_000, None)
    assert measure.runs_table([RUN, other]).data.splitlines() == [
        "| system | layers | parameters | learning rate | steps | time, s | BLEU |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        r"| a\|b | 2 | 1,201,704 | 0.003 | 1,200 | 119.9 | 38.1 (36.9–39.3) |",
        "| quoted | 1 | 20,500,000 | 0.0001 | 45,000 | – | – |",
    ]
    assert measure.runs_table([vars(RUN)]).data == measure.runs_table([RUN]).data


def test_a_table_of_runs_names_the_columns_that_a_row_lacks():
    incomplete = {name: value for name, value in vars(RUN).items() if name not in ("steps", "seconds")}
    with pytest.raises(ValueError, match="row 2 of rows lacks steps, seconds; it has system, layers, parameters"):
        measure.runs_table([RUN, incomplete])


def test_a_table_has_its_columns_in_the_order_of_the_first_row():
    rows = [{"system": "tiny", "WER, %": 12.3456, "n": np.int64(12_000)}, {"n": 7, "WER, %": 2034.9, "system": "big"}]
    assert measure.table(rows).data.splitlines() == [
        "| system | WER, % | n |",
        "| --- | --- | --- |",
        "| tiny | 12.35 | 12,000 |",
        "| big | 2,035 | 7 |",
    ]


def test_rows_with_different_columns_are_refused():
    with pytest.raises(ValueError, match="row 2 of rows differs from the first in BLEU, n"):
        measure.table([{"system": "a", "n": 1}, {"system": "b", "BLEU": 1}])


@pytest.mark.parametrize("make", [measure.table, measure.runs_table])
def test_a_table_without_rows_is_refused(make):
    with pytest.raises(ValueError, match="rows is empty; expected at least one row"):
        make([])


@pytest.mark.parametrize("row", [("system", 1), Run], ids=["a tuple", "a class"])
def test_a_row_without_names_is_refused(row):
    with pytest.raises(TypeError, match="expected mappings or dataclasses"):
        measure.table([row])


def test_parameters_are_counted_once():
    layer = torch.nn.Linear(3, 4)
    assert measure.parameters(torch.nn.Sequential(layer, layer, torch.nn.Linear(4, 2, bias=False))) == 16 + 8
