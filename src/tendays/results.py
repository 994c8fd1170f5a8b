"""Claims: a number, and the bound that it is held to.

A notebook states a result once, as a claim with a bound for each scale::

    claim("BLEU on test 2016", bleu, full=at_least(35.5), smoke=None, headline=True)

The claim prints one line, and fails the run when the number falls short of what the text says. The ledger of a full
run keeps its claims (`tendays.publish.ledger`).
"""

import json
import math
import os
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from tendays.scale import scale


class ClaimFailed(AssertionError):  # noqa: N818 - it reads as what happened, and it is an assertion
    """A number is not what the text says it is."""


@dataclass(frozen=True)
class Bound:
    """What a claimed value is held to; made by `at_least`, `at_most` and `about`."""

    kind: Literal["at_least", "at_most", "about"]
    value: float
    within: float = 0.0

    def holds(self, value: float) -> bool:
        """Whether the value keeps the bound."""
        if self.kind == "at_least":
            return value >= self.value
        if self.kind == "at_most":
            return value <= self.value
        return abs(value - self.value) <= self.within

    def record(self) -> dict[str, float]:
        """The bound's fields in the ledger."""
        return {self.kind: self.value} | ({"within": self.within} if self.kind == "about" else {})

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Bound | None":
        """The bound that a claim's entry in the ledger records; None where it has none."""
        kind = next((kind for kind in ("at_least", "at_most", "about") if kind in record), None)
        return kind and cls(kind, record[kind], record.get("within", 0.0))

    def __str__(self) -> str:
        sign = {"at_least": "≥", "at_most": "≤", "about": "≈"}[self.kind]
        return f"{sign} {self.value:.6g}" + (f" ± {self.within:.6g}" if self.kind == "about" else "")


def at_least(value: float) -> Bound:
    """The claimed value is this or more."""
    return Bound("at_least", _number("at_least", value))


def at_most(value: float) -> Bound:
    """The claimed value is this or less."""
    return Bound("at_most", _number("at_most", value))


def about(value: float, *, within: float) -> Bound:
    """The claimed value is this, give or take ``within``."""
    return Bound("about", _number("about", value), _number("within", within))


def claim(name: str, value: Any, *, full: Bound, smoke: Bound | None, unit: str = "", headline: bool = False) -> None:
    """State a result: print it, hold it to the bound of this run's scale, and record it.

    Where the environment variable ``TENDAYS_LEDGER`` names a file, the claim is appended to it as a line of JSON,
    and a name may be claimed only once. Elsewhere a cell may be run as often as a reader likes.

    Args:
        name: What is claimed, unique in its notebook.
        value: A number, or a tensor or array of no dimensions.
        full: The bound at full scale.
        smoke: The bound at smoke scale; ``None`` when a run of a few seconds proves nothing about this value.
        unit: The value's unit, when it has one.
        headline: Whether this claim stands for the notebook in tables.

    Raises:
        ClaimFailed: The value breaks the bound, or is not finite.
        TypeError: The value is no number, or a bound was not made by `at_least`, `at_most` or `about`.
        ValueError: The name is already claimed in this run.
    """
    number = _number("value", value)
    for argument, bound in (("full", full), ("smoke", smoke)):
        if not (isinstance(bound, Bound) or (bound is None and argument == "smoke")):
            raise TypeError(f"{argument} must be at_least(…), at_most(…) or about(…, within=…), not {bound!r}")
    bound = full if scale() == "full" else smoke
    shown = f"{name} {number:.4g}" + (f" {unit}" if unit else "")
    if not math.isfinite(number) or (bound is not None and not bound.holds(number)):
        raise ClaimFailed(f"✗ {shown}: {number!r} is not {bound or 'finite'}")
    record = {"name": name, "value": number, **(bound.record() if bound else {}), "unit": unit}
    _append(record | ({"headline": True} if headline else {}))
    print(f"✓ {shown} {bound}" if bound else f"· {shown} (not judged at smoke scale)")


def _number(argument: str, value: Any) -> float:
    """The value as a float; TypeError, naming the argument, when it is no number."""
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} must be a number, not {type(value).__name__}: {value!r}")
    return float(value)


def _append(record: dict[str, Any]) -> None:
    """Add a claim to the run's file, if this run has one."""
    if not (path := os.environ.get("TENDAYS_LEDGER")):
        return
    if record["name"] in {earlier["name"] for earlier in read_claims(Path(path))}:
        raise ValueError(f"{record['name']!r} is claimed twice in this run; a claim's name must be its own")
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_claims(path: Path) -> list[dict[str, Any]]:
    """The claims that a run has appended to its file so far."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
