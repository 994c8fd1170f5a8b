"""``check``: compares an answer, or a function's values, with what is expected and prints the result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tendays.exercises.numeric import DIGITS, UNANSWERED, named
from tendays.exercises.values import compare

MOST_DIGITS = 15  # what float64 holds


@dataclass(frozen=True)
class Result:
    """What `check` found; true when the answer is right."""

    right: bool
    message: str

    def __bool__(self) -> bool:
        return self.right

    def _ipython_display_(self) -> None:
        """Show nothing: `check` has printed the message already."""


def check(answer: Any, expected: Any, *, hint: str = "", digits: int = DIGITS, cases: Sequence[tuple] = ()) -> Result:
    """Print and return whether an answer is right and, when it is wrong, how far off.

    Args:
        answer: Whatever the reader wrote: a number, string, list, array, tensor or function; ``...`` while unanswered.
        expected: The right answer, or one of `set_of`, `span_of`, `basis_of`, `affine_set`, `yes_no`; for a function,
            one that returns either.
        hint: Shown with a wrong answer.
        digits: The significant digits that a number must have right. Whole numbers are exact (see `numeric`).
        cases: The arguments, one tuple for each call, on which two functions are compared.

    Raises:
        ValueError: ``digits`` is not a whole number from 1 to 15; ``expected`` is a function and there are no cases,
            or there are cases for no function.
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise ValueError(f"digits is {digits!r}; expected a whole number from 1 to {MOST_DIGITS}")
    if callable(expected) != bool(cases):
        raise ValueError("cases go with a function: give both, or neither")
    problem = _compare_calls(answer, expected, cases, digits) if cases else compare(answer, expected, digits)
    if problem is None:
        result = Result(True, "✓ right")
    elif problem == UNANSWERED:
        result = Result(False, UNANSWERED)
    else:
        result = Result(False, f"✗ {problem}" + (f"\n  Hint: {hint}" if hint else ""))
    print(result.message)
    return result


def _compare_calls(answer: Any, reference: Callable, cases: Sequence[tuple], digits: int) -> str | None:
    """What is wrong with a function on the first case where something is; None when nothing is."""
    if answer is ...:
        return UNANSWERED
    if not callable(answer):
        return f"a function was asked for; this is {named(answer)}"
    for number, case in enumerate(cases, 1):
        expected = reference(*case)  # first: an answer may change its arguments
        try:
            value = answer(*case)
        except Exception as error:  # whatever a reader's function raises is part of the answer
            return f"case {number}: it raised {type(error).__name__}: {error}"
        if problem := compare(value, expected, digits):
            return problem if problem == UNANSWERED else f"case {number}: {problem}"
    return None
