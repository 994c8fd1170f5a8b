"""Sets in any order, and yes or no with a counterexample."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tendays.exercises.numeric import UNANSWERED, UnreadableError, named, read_answer, show
from tendays.exercises.values import Equivalence, compare


def set_of(items: Collection) -> Equivalence:
    """Return the expected answer "these items, in any order, each once".

    The answer may be a set, list, tuple, array or tensor (of two dimensions: its rows are the items).

    Raises:
        ValueError: ``items`` is no collection, or names an item twice.
    """
    if not _is_collection(items):
        raise ValueError(f"items is {named(items)}; expected a collection")
    items = list(items)
    for i, item in enumerate(items):
        if any(compare(item, other, 15) is None for other in items[:i]):
            raise ValueError(f"items names {show(item)} twice")
    return _Set(items)


@dataclass(frozen=True)
class _Set(Equivalence):
    items: list

    def problem(self, answer: Any, digits: int) -> str | None:
        if not _is_collection(answer):
            return f"a set of items was asked for; this is {named(answer)}"
        try:
            answer = list(answer)
        except Exception as error:
            return f"listing its items raised {type(error).__name__}: {error}"
        if any(item is ... for item in answer):
            return UNANSWERED
        missing, found, superfluous, twice = list(self.items), [], [], []
        for mine in answer:
            place = next((i for i, right in enumerate(missing) if compare(mine, right, digits) is None), None)
            if place is not None:
                found.append(missing.pop(place))
            elif any(compare(mine, right, digits) is None for right in found):
                twice.append(f"{show(mine)} stands there twice")
            else:
                superfluous.append(mine)
        if len(missing) == len(superfluous) == 1:
            reason = compare(superfluous[0], missing[0], digits)
            if reason.startswith("it is right to"):
                return reason.replace("it", show(superfluous[0]), 1)
        counted = "one item is" if len(missing) == 1 else f"{len(missing)} items are"
        problems = [f"{counted} missing"] if missing else []
        problems += [f"{show(item)} is too much" for item in superfluous] + twice
        return "; ".join(problems) or None


def _is_collection(value: Any) -> bool:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return value.ndim > 0
    return isinstance(value, Collection) and not isinstance(value, (str, bytes, Mapping))


def yes_no(expected: bool, counterexample: Callable[[Any], bool] | None = None) -> Equivalence:
    """Return the expected answer yes (True) or no (False).

    The answer may be a boolean, "yes" or "no". Where ``counterexample`` is given, it must be a pair ``("no", x)``.

    Args:
        expected: The right answer.
        counterexample: For no: a function of x that is true when x is a counterexample.

    Raises:
        ValueError: ``expected`` is not a boolean, or ``counterexample`` is given where it is True or is no function.
    """
    if not isinstance(expected, bool):
        raise ValueError(f"expected is {expected!r}; expected True or False")
    if counterexample is not None and (expected or not callable(counterexample)):
        raise ValueError("counterexample is a function that goes with expected=False")
    return _YesNo(expected, counterexample)


@dataclass(frozen=True)
class _YesNo(Equivalence):
    expected: bool
    counterexample: Callable[[Any], bool] | None

    def problem(self, answer: Any, digits: int) -> str | None:
        given = isinstance(answer, (tuple, list)) and len(answer) == 2
        word, example = answer if given else (answer, None)
        if word is ... or example is ...:
            return UNANSWERED
        verdict = _verdict(word)
        if verdict is None:
            if isinstance(answer, (tuple, list)) and len(answer) > 2 and _verdict(answer[0]) is not None:
                return 'a pair was asked for: ("no", counterexample), the counterexample in brackets of its own'
            return f"yes or no was asked for; this is {named(answer)}"
        if verdict != self.expected:
            return f"it is not {'yes' if verdict else 'no'}"
        if self.counterexample is None:
            return None
        if not given or example is None:
            return 'a counterexample is missing: answer ("no", counterexample)'
        try:
            holds = bool(self.counterexample(example))
        except Exception as error:
            return f"{show(example)} does not have the form of a counterexample ({type(error).__name__}: {error})"
        return None if holds else f"no is right, but {show(example)} is not a counterexample"


def _verdict(word: Any) -> bool | None:
    """True for yes, False for no, None for anything else."""
    if isinstance(word, str):
        return {"yes": True, "no": False}.get(word.strip().lower())
    try:
        read = read_answer(word)
    except UnreadableError:
        return None
    return bool(read.values) if read.boolean and not read.shape else None
