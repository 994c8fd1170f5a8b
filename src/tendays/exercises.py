"""Exercises that answer back: ``check(answer, expected)`` says whether an answer is right, or how far off it is.

A stub is written with ``...``, so that a notebook runs from end to end before anyone has solved anything::

    energy = ...  # your answer
    check(energy, expected, hint="Sum over the last dimension.")

    def attention(q, k, v):
        return ...  # your code

    check(attention, reference, cases=[(q, k, v)])

A solution cell asserts the same call: ``assert check(solution, expected)``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import torch

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Result:
    """What `check` found; true when the answer is right."""

    right: bool
    message: str

    def __bool__(self) -> bool:
        return self.right

    def _ipython_display_(self) -> None:
        """Show nothing: `check` has printed the message already."""


def check(
    answer: Any, expected: Any, *, hint: str = "", tolerance: float = TOLERANCE, cases: Sequence[tuple] = ()
) -> Result:
    """Say whether an answer is right and, when it is wrong, how far off.

    Args:
        answer: A number, a string, a list, an array, a tensor, or a function; ``...`` while it is unanswered.
        expected: The right answer; for a function, one that gives the right values.
        hint: Shown with a wrong answer.
        tolerance: How far a number may be off, both absolutely and relative to the expected one.
        cases: The arguments, one tuple for each call, on which two functions are compared.

    Raises:
        ValueError: ``expected`` is a function and there are no cases, or there are cases for no function.
    """
    if callable(expected) != bool(cases):
        raise ValueError("cases go with a function: give both, or neither")
    problem = _compare_calls(answer, expected, cases, tolerance) if cases else _compare(answer, expected, tolerance)
    if problem is None:
        result = Result(True, "✓ right")
    elif problem == UNANSWERED:
        result = Result(False, UNANSWERED)
    else:
        result = Result(False, f"✗ {problem}" + (f"\n  Hint: {hint}" if hint else ""))
    print(result.message)
    return result


UNANSWERED = "· not answered yet"


def _compare_calls(answer: Any, reference: Callable, cases: Sequence[tuple], tolerance: float) -> str | None:
    """What is wrong with a function on the first case where something is; None when nothing is."""
    if answer is ...:
        return UNANSWERED
    if not callable(answer):
        return f"a function was asked for; this is {_kind(answer)}"
    for number, case in enumerate(cases, 1):
        expected = reference(*case)  # first: an answer may change its arguments
        try:
            value = answer(*case)
        except Exception as error:  # whatever a learner's function raises is part of the answer
            return f"case {number}: it raised {type(error).__name__}: {error}"
        if problem := _compare(value, expected, tolerance):
            return problem if problem == UNANSWERED else f"case {number}: {problem}"
    return None


def _compare(answer: Any, expected: Any, tolerance: float) -> str | None:
    """What is wrong with an answer; None when nothing is."""
    if answer is ...:
        return UNANSWERED
    if answer is None and expected is not None:
        return "it is None: is a `return` missing?"
    if isinstance(expected, (torch.Tensor, np.ndarray)):
        return _compare_arrays(answer, expected, tolerance)
    if isinstance(expected, (bool, np.bool_)):
        return _compare_plain(answer, expected, (bool, np.bool_), "True or False")
    if isinstance(expected, Number):
        return _compare_numbers(answer, expected, tolerance)
    if isinstance(expected, str):
        return _compare_strings(answer, expected)
    if isinstance(expected, (list, tuple)):
        return _compare_lists(answer, expected, tolerance)
    return _compare_plain(answer, expected, type(expected), f"a {type(expected).__name__}")


def _compare_plain(answer: Any, expected: Any, kinds: Any, asked: str) -> str | None:
    if not isinstance(answer, kinds):
        return f"{asked} was asked for; this is {_kind(answer)}"
    return None if answer == expected else f"it is not {answer!r}"


def _compare_numbers(answer: Any, expected: Any, tolerance: float) -> str | None:
    if getattr(answer, "ndim", None) == 0:
        answer = answer.item()
    if isinstance(answer, bool) or not isinstance(answer, Number):
        return f"a number was asked for; this is {_kind(answer)}"
    if np.isclose(answer, expected, rtol=tolerance, atol=tolerance, equal_nan=True):
        return None
    return f"it is off by {abs(answer - expected):.3g}"


def _compare_strings(answer: Any, expected: str) -> str | None:
    if not isinstance(answer, str):
        return f"a string was asked for; this is {_kind(answer)}"
    if answer == expected:
        return None
    pairs = zip(answer, expected, strict=False)
    place = next((i for i, (a, e) in enumerate(pairs) if a != e), min(len(answer), len(expected)))
    if place == len(expected):
        return f"it goes on after the right answer has ended: {answer[place:][:20]!r} is too much"
    if place == len(answer):
        return f"it is right as far as it goes, and {len(expected) - place} characters short"
    return f"it is right up to character {place}, where it goes on {answer[place:][:20]!r}"


def _compare_lists(answer: Any, expected: Sequence, tolerance: float) -> str | None:
    if not isinstance(answer, (list, tuple)):
        return f"a {type(expected).__name__} was asked for; this is {_kind(answer)}"
    if len(answer) != len(expected):
        return f"it has {len(answer)} items; there should be {len(expected)}"
    for i, (mine, right) in enumerate(zip(answer, expected, strict=True)):
        if problem := _compare(mine, right, tolerance):
            return problem if problem == UNANSWERED else f"item {i} is the first that differs: {problem}"
    return None


def _compare_arrays(answer: Any, expected: torch.Tensor | np.ndarray, tolerance: float) -> str | None:
    library = torch.Tensor if isinstance(expected, torch.Tensor) else np.ndarray
    if not isinstance(answer, library):
        return f"a {library.__name__} was asked for; this is {_kind(answer)}"
    if tuple(answer.shape) != tuple(expected.shape):
        return f"its shape is {tuple(answer.shape)}; it should be {tuple(expected.shape)}"
    mine, right = _array(answer), _array(expected)
    if _family(mine) != _family(right):
        return f"its values are {_family(mine)} ({answer.dtype}); they should be {_family(right)} ({expected.dtype})"
    close = np.isclose(mine, right, rtol=tolerance, atol=tolerance, equal_nan=True)
    if close.all():
        return None
    with np.errstate(invalid="ignore"):  # inf less inf, where both are right
        gaps = np.where(close, 0.0, np.abs(mine.astype(complex) - right.astype(complex)))
    worst = np.unravel_index(np.nan_to_num(gaps, nan=np.inf).argmax(), gaps.shape)
    place = f"[{', '.join(str(int(i)) for i in worst)}]"
    return f"{(~close).sum()} of {close.size} values are off, most at {place}: by {gaps[worst]:.3g}"


def _array(value: torch.Tensor | np.ndarray) -> np.ndarray:
    """The values as NumPy's, from any device; bfloat16, which NumPy lacks, as float32."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return value


def _family(array: np.ndarray) -> str:
    """What kind of numbers an array holds: widths may differ, kinds may not."""
    return {"b": "booleans", "i": "whole numbers", "u": "whole numbers", "c": "complex"}.get(
        array.dtype.kind, "floating-point"
    )


def _kind(value: Any) -> str:
    """What to call a value of the wrong type."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"a {type(value).__name__} of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}: {value!r}"[:120]
