"""The comparison of one answer with one expected value, by what is expected."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from tendays.exercises.numeric import UNANSWERED, UnreadableError, compare_numbers, named, read


class Equivalence(ABC):
    """An expected answer that has many forms."""

    @abstractmethod
    def problem(self, answer: Any, digits: int) -> str | None:
        """What is wrong with an answer, which is neither ``...`` nor None; None when nothing is."""


def compare(answer: Any, expected: Any, digits: int) -> str | None:
    """What is wrong with an answer; None when nothing is.

    Numbers, and lists of numbers that form an array, are compared by `compare_numbers`; other lists item by item;
    what is left by equality.
    """
    if answer is ...:
        return UNANSWERED
    if answer is None and expected is not None:
        return "it is None: is a `return` missing?"
    if isinstance(expected, Equivalence):
        return expected.problem(answer, digits)
    if isinstance(expected, str):
        return _compare_strings(answer, expected)
    if isinstance(expected, (list, tuple)) and isinstance(answer, (list, tuple)) and not expected:
        return _compare_lists(answer, expected, digits)
    try:
        numbers = read(expected)
    except UnreadableError:
        if isinstance(expected, (list, tuple)):
            return _compare_lists(answer, expected, digits)
        return _compare_plain(answer, expected)
    return compare_numbers(answer, numbers, digits)


def _compare_plain(answer: Any, expected: Any) -> str | None:
    if not isinstance(answer, type(expected)):
        return f"a {type(expected).__name__} was asked for; this is {named(answer)}"
    try:
        equal = bool(answer == expected)
    except Exception as error:
        return f"comparing it raised {type(error).__name__}: {error}"
    return None if equal else f"it is not right: {named(answer)}"


def _compare_strings(answer: Any, expected: str) -> str | None:
    if not isinstance(answer, str):
        return f"a string was asked for; this is {named(answer)}"
    if answer == expected:
        return None
    pairs = zip(answer, expected, strict=False)
    place = next((i for i, (a, e) in enumerate(pairs) if a != e), min(len(answer), len(expected)))
    if place == len(expected):
        return f"it goes on after the right answer has ended: {answer[place:][:20]!r} is too much"
    if place == len(answer):
        return f"it is right as far as it goes, and {len(expected) - place} characters short"
    return f"it is right up to character {place}, where it goes on {answer[place:][:20]!r}"


def _compare_lists(answer: Any, expected: Sequence, digits: int) -> str | None:
    if not isinstance(answer, (list, tuple)):
        return f"a {type(expected).__name__} was asked for; this is {named(answer)}"
    if len(answer) != len(expected):
        return f"it has {len(answer)} items; there should be {len(expected)}"
    for i, (mine, right) in enumerate(zip(answer, expected, strict=True)):
        if problem := compare(mine, right, digits):
            return problem if problem == UNANSWERED else f"item {i} is the first that differs: {problem}"
    return None
