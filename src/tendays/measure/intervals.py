"""Confidence intervals: of a mean over seeds, of a share, of a corpus score, and of the difference of two systems."""

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from torch import Tensor

from tendays.measure.tables import cell

Score = Callable[[NDArray[np.float64]], ArrayLike]
"""A corpus score as a function of the summed statistics of the sentences: (..., K) -> (...)."""


class Interval(NamedTuple):
    """An estimate with its confidence interval.

    value: the estimate.
    low, high: the interval's bounds; infinite where one value says nothing about the spread.
    n: how many values it is estimated from: seeds, trials or sentences.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if not math.isfinite(self.high - self.low):
            return f"{cell(self.value)} (one seed)"
        value, low, high = _rounded(self.value, self.low, self.high)
        return f"{value} ({low}{' to ' if low.startswith('−') else '–'}{high})"


class Difference(NamedTuple):
    """The difference of two systems' scores on the same sentences, with its confidence interval.

    value: the system's score less the baseline's.
    low, high: the interval's bounds.
    p: the two-sided p-value of the bootstrap.
    n: how many sentences.
    draws: how many times they were resampled.
    """

    value: float
    low: float
    high: float
    p: float
    n: int
    draws: int

    @property
    def tie(self) -> bool:
        """Whether the interval contains 0: these sentences do not tell which system is better."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        value, low, high = _rounded(self.value, self.low, self.high, sign="+")
        return f"{'tie: ' if self.tie else ''}{value} ({low} to {high}), p = {self.p:.2g}"


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """The mean of independent values, one for each seed, with Student's t interval.

    The interval of a single value is infinite, and is printed as "one seed".

    Raises:
        ValueError: `values` is empty, is not one-dimensional, or holds something that is not a finite number; or
            `confidence` is not between 0 and 1.
    """
    _check_confidence(confidence)
    numbers = _numbers("values", values, ("seeds",))
    n, mean = len(numbers), float(numbers.mean())
    if n == 1:
        return Interval(mean, -math.inf, math.inf, 1)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * stats.sem(numbers))
    return Interval(mean, mean - half, mean + half, n)


def share_interval(hits: int | ArrayLike, n: int | None = None, confidence: float = 0.95) -> Interval:
    """The share of hits among independent trials, from 0 to 1, with Wilson's score interval (Wilson 1927).

    Args:
        hits: one boolean for each trial; with `n`, how many of the trials are hits.
        n: how many trials.
        confidence: how often such an interval contains the true share.

    Raises:
        ValueError: there is no trial, `hits` holds something else than booleans, there are more hits than trials or
            fewer than 0, or `confidence` is not between 0 and 1.
        TypeError: with `n`, one of the two is not an integer.
    """
    _check_confidence(confidence)
    if n is None:
        trials = _array(hits)
        if trials.dtype != bool or trials.ndim != 1:
            raise ValueError(f"hits is {hits!r}; expected booleans, one for each trial, or a count with n")
        hits, n = int(trials.sum()), len(trials)
    try:
        hits, n = operator.index(hits), operator.index(n)
    except TypeError as error:
        raise TypeError(f"hits is {hits!r} and n is {n!r}; expected integers, or booleans without n") from error
    if n < 1:
        raise ValueError(f"n is {n}; expected at least one trial")
    if not 0 <= hits <= n:
        raise ValueError(f"hits is {hits}; expected from 0 to n = {n}")
    bounds = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    return Interval(hits / n, float(bounds.low), float(bounds.high), n)


def bootstrap_score(
    score: Score, statistics: ArrayLike, draws: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """A system's corpus score with its bootstrap interval: sentences are drawn with replacement (Koehn 2004).

    Args:
        score: makes a corpus score of summed statistics, (..., K) -> (...): `error_rate`, for example.
        statistics: a row for each sentence, (N, K); the rows' sum is what the corpus score depends on.
        draws: how many times N sentences are drawn.
        confidence: how often such an interval contains the true score.
        seed: of the draws.

    Raises:
        ValueError: `statistics` is not a table of finite numbers with two rows or more, `score` returns something
            else than one finite number for each row of sums, `draws` < 1, or `confidence` is not between 0 and 1.
    """
    rows = _statistics("statistics", statistics)
    value, low, high, _ = _bootstrap(score, (rows,), draws, confidence, seed)
    return Interval(value, low, high, len(rows))


def paired_bootstrap(
    score: Score,
    statistics: ArrayLike,
    baseline: ArrayLike,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Difference:
    """A system's corpus score less a baseline's, tested by paired bootstrap (Koehn 2004).

    Each draw takes the same sentences of both systems, so that what makes a sentence easy or hard cancels. The bounds
    are percentiles of the draws' differences. The p-value is twice the share of draws in which the difference is 0 or
    has the other sign, one draw added to both counts so that it is never 0. Both are read from the same draws: where a
    bound of the 95 % interval is 0, p is 0.05.

    Args:
        score: as for `bootstrap_score`.
        statistics: a row for each sentence of the system, (N, K).
        baseline: the same of the baseline, for the same sentences in the same order, (N, K).
        draws: how many times N sentences are drawn.
        confidence: how often such an interval contains the true difference.
        seed: of the draws.

    Raises:
        ValueError: as for `bootstrap_score`; or `baseline` has another shape than `statistics`.
    """
    ours, theirs = _statistics("statistics", statistics), _statistics("baseline", baseline)
    if ours.shape != theirs.shape:
        raise ValueError(f"statistics has shape {ours.shape} and baseline {theirs.shape}; expected the same")
    value, low, high, differences = _bootstrap(
        lambda sums, base: np.asarray(score(sums)) - np.asarray(score(base)), (ours, theirs), draws, confidence, seed
    )
    flipped = min((differences <= 0).sum(), (differences >= 0).sum())
    p = min(1.0, 2 * float(flipped + 1) / (draws + 1))
    return Difference(value, low, high, p, len(ours), draws)


def error_rate(sums: ArrayLike) -> NDArray[np.float64]:
    """An error rate in percent: 100 × edits / reference length. Sums (..., 2) of the two -> (...)."""
    edits, lengths = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # the caller refuses what is not finite
        return 100 * edits / lengths


def _bootstrap(
    statistic: Callable[..., ArrayLike],
    samples: tuple[NDArray[np.float64], ...],
    draws: int,
    confidence: float,
    seed: int,
) -> tuple[float, float, float, NDArray[np.float64]]:
    """The statistic of the samples' sums, its percentile interval, and its value in each draw.

    Percentiles match the p-value, and exist where all draws are equal, as for a system beside itself; BCa does neither.

    Args:
        statistic: sums of the samples, each (..., K), -> (...).
        samples: tables (N, K) whose rows belong together.
        draws: how many times N rows are drawn.
        confidence: of the interval.
        seed: of the draws.
    """
    if draws < 1:
        raise ValueError(f"draws is {draws}; expected at least 1")
    _check_confidence(confidence)

    def scores(*sums: NDArray[np.float64]) -> NDArray[np.float64]:
        found, expected = np.asarray(statistic(*sums), dtype=np.float64), sums[0].shape[:-1]
        if found.shape != expected:
            raise ValueError(f"score returns shape {found.shape} for sums {sums[0].shape}; expected {expected}")
        if not np.isfinite(found).all():
            raise ValueError("score is not finite for all draws of the sentences; expected a number for any of them")
        return found

    def resampled(*drawn: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return scores(*(np.moveaxis(some.sum(axis), 0, -1) for some in drawn))  # (K, draws, N) -> (draws, K)

    value = scores(*(sample.sum(0) for sample in samples))
    result = stats.bootstrap(
        samples,
        resampled,
        n_resamples=draws,
        batch=max(1, 200_000 // len(samples[0])),  # (K, batch, N): 16 MB for BLEU's ten statistics
        vectorized=True,
        paired=True,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return float(value), float(low), float(high), result.bootstrap_distribution


def _array(values: Any) -> NDArray[Any]:
    """Values of any kind as an array; tensors come from any device."""
    return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)


def _numbers(name: str, values: Any, shape: tuple[str, ...]) -> NDArray[np.float64]:
    """Values as an array of floating-point numbers: not empty, all finite, of as many dimensions as `shape` names."""
    try:
        numbers = _array(values).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {values!r}; expected numbers") from error
    if numbers.ndim != len(shape) or not numbers.size:
        raise ValueError(f"{name} has shape {numbers.shape}; expected ({', '.join(shape)}), not empty")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} holds {numbers[~np.isfinite(numbers)][0]}; expected finite numbers")
    return numbers


def _statistics(name: str, values: Any) -> NDArray[np.float64]:
    """The statistics of sentences, (N, K), of which at least two can be resampled."""
    rows = _numbers(name, values, ("N", "K"))
    if len(rows) < 2:
        raise ValueError(f"{name} has {len(rows)} row; expected a row for each of at least 2 sentences")
    return rows


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; expected a number between 0 and 1")


def _rounded(value: float, low: float, high: float, sign: str = "-") -> tuple[str, str, str]:
    """An estimate and its bounds, to two significant digits of half the interval's width."""
    half = (high - low) / 2
    if half <= 1e-9 * abs(value):  # equal but for rounding errors
        half = abs(value) / 100 or 1.0
    digits = max(0, 1 - math.floor(math.log10(half)))
    value, low, high = (f"{number:{sign}z,.{digits}f}".replace("-", "−") for number in (value, low, high))
    return value, low, high
