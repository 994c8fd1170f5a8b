"""Numbers are compared as numbers, whatever carries them.

A number may be an int, float, complex, Fraction, Decimal, a NumPy scalar, or an array or tensor of no dimension, of any
dtype and on any device. A vector or matrix may be an array, a tensor, or (nested) lists. A boolean is not a number.

An answer a is right where an expected e is

- whole (every entry an int, a Fraction with the denominator 1, or of an integer dtype): when a = e. Floats may carry
  the rounding of a computation: ε^¾ · max(1, max |e|), but no more than 0.01, with ε the machine epsilon of a's dtype
  (1.8e-12 in float64, 6.4e-6 in float32); 16-bit floats one rounding, ε/2.
- another finite number: when a has ``digits`` significant digits right, that is |a − e| is at most half a unit of the
  last one. 1.15 has three digits of 1.1542 right; 90 has one of 89.48. A dtype is not asked for more digits than it
  holds: |a − e| ≤ ε/2 · |e| is right.
- an entry of an array: likewise, or when |a − e| is at most half a unit of digit ``digits`` + 2 of the array's largest
  entry. An entry that is 0 but for rounding, beside others that are not, need not be reproduced.
- 0, or an array of zeros, which gives no scale: when |a| ≤ √ε (1.5e-8 in float64).
- infinite: when a = e; NaN: when a is NaN.

Where a vector (n,) is expected, a row (1, n) or a column (n, 1) counts as one. Other shapes must agree.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Complex, Integral, Rational, Real
from typing import Any

import numpy as np
import torch

DIGITS = 4
FLOOR_DIGITS = 2  # by so many more digits, entries of an array are right on the scale of its largest entry
WHOLE_ROUNDING = 0.01  # a float this far from a whole number is another number, whatever its dtype
UNANSWERED = "· not answered yet"
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
COUNTS += ("eleven", "twelve", "thirteen", "fourteen", "fifteen")


class UnreadableError(Exception):
    """A value does not hold numbers; ``place`` is where in a nested list."""

    def __init__(self, reason: str, value: Any = None, place: tuple[int, ...] = ()):
        super().__init__(reason)
        self.reason, self.value, self.place = reason, value, place

    def explained(self, asked: str) -> str:
        """The message for a reader who was asked for ``asked``."""
        if self.reason:
            return self.reason
        if not self.place:
            return f"{asked} was asked for; this is {named(self.value)}"
        return f"{asked} was asked for; at {_place(self.place)} there is {named(self.value)}"


@dataclass(frozen=True)
class Numbers:
    """Numbers of any shape: booleans, exact ones (int or Fraction, dtype object), float64 or complex128.

    ``eps`` is the machine epsilon of the dtype they came in; 0 when they are exact.
    """

    values: np.ndarray
    eps: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape; () for a single number."""
        return self.values.shape

    @property
    def boolean(self) -> bool:
        """Whether these are booleans."""
        return self.values.dtype == bool

    @property
    def exact(self) -> bool:
        """Whether these are ints and Fractions."""
        return self.values.dtype == object

    @property
    def whole(self) -> bool:
        """Whether these are whole numbers, as ints or Fractions."""
        return self.exact and all(value.denominator == 1 for value in self.values.flat)

    def floats(self) -> np.ndarray:
        """The values as float64 or complex128."""
        if not self.exact:
            return self.values
        return np.array([_float(value) for value in self.values.flat], dtype=np.float64).reshape(self.shape)


def read(value: Any) -> Numbers:
    """Return the numbers that a value holds.

    Raises:
        UnreadableError: It holds something else, its lists are ragged, or it mixes booleans and numbers.
    """
    if value is ...:
        raise UnreadableError(UNANSWERED)
    if isinstance(value, (list, tuple, range)):
        return _stack(value)
    if isinstance(value, torch.Tensor):
        return _read_tensor(value)
    if isinstance(value, (bool, np.bool_)):
        return Numbers(np.array(bool(value)))
    if hasattr(value, "__array__"):  # NumPy's own and what converts to it
        return _read_array(np.asarray(value))
    return _read_scalar(value)


def read_answer(answer: Any) -> Numbers:
    """Return the numbers that an answer holds; whatever reading it raises becomes an UnreadableError."""
    try:
        return read(answer)
    except UnreadableError:
        raise
    except Exception as error:
        raise UnreadableError(f"reading its numbers raised {type(error).__name__}: {error}") from error


def _read_tensor(tensor: torch.Tensor) -> Numbers:
    tensor = tensor.detach().cpu()
    if tensor.dtype.is_complex:
        return Numbers(tensor.to(torch.complex128).resolve_conj().numpy(), torch.finfo(tensor.dtype).eps)
    if tensor.dtype.is_floating_point:
        return Numbers(tensor.double().numpy(), torch.finfo(tensor.dtype).eps)
    return _read_array(tensor.numpy())


def _read_array(array: np.ndarray) -> Numbers:
    kind = array.dtype.kind
    if kind == "b":
        return Numbers(array)
    if kind in "iu":
        return Numbers(array.astype(object))
    if kind in "fc":
        return Numbers(array.astype(np.float64 if kind == "f" else np.complex128), float(np.finfo(array.dtype).eps))
    if kind == "O":
        return read(array.tolist())
    raise UnreadableError("", array)


def _read_scalar(value: Any) -> Numbers:
    if isinstance(value, Decimal):
        value = Fraction(value) if value.is_finite() else float(value)
    if isinstance(value, Integral):
        return Numbers(np.array(int(value), dtype=object))
    if isinstance(value, Rational):
        return Numbers(np.array(Fraction(int(value.numerator), int(value.denominator)), dtype=object))
    eps = float(np.finfo(np.float64).eps)
    if isinstance(value, Complex) and not isinstance(value, Real):
        return Numbers(np.array(complex(value)), eps)
    if hasattr(value, "__float__"):
        try:
            return Numbers(np.array(float(value)), eps)
        except (TypeError, ValueError):  # a symbol, say
            pass
    raise UnreadableError("", value)


def _stack(items: Any) -> Numbers:
    parts = []
    for i, item in enumerate(items):
        try:
            parts.append(read(item))
        except UnreadableError as error:
            raise UnreadableError(error.reason, error.value, (i, *error.place)) from None
    if not parts:
        return Numbers(np.empty(0, dtype=object))
    if len({part.shape for part in parts}) > 1:
        raise UnreadableError("it is ragged: its items differ in length or depth")
    if len({part.boolean for part in parts}) > 1:
        raise UnreadableError("it mixes booleans and numbers")
    alike = all(part.boolean for part in parts) or all(part.exact for part in parts)
    return Numbers(
        np.stack([part.values if alike else part.floats() for part in parts]), max(part.eps for part in parts)
    )


def compare_numbers(answer: Any, right: Numbers, digits: int) -> str | None:
    """What is wrong with an answer where numbers are expected; None when nothing is."""
    try:
        mine = read_answer(answer)
    except UnreadableError as error:
        return error.explained(_asked(right))
    if len(right.shape) == 1 and mine.shape in ((1, *right.shape), (*right.shape, 1)):
        mine = Numbers(mine.values.reshape(right.shape), mine.eps)
    if mine.shape != right.shape:
        if mine.shape and right.shape:
            return f"its shape is {mine.shape}; it should be {right.shape}"
        return f"{_asked(right)} was asked for; this is {named(answer)}"
    if mine.boolean != right.boolean:
        return f"{_asked(right)} was asked for; this is {named(answer)}"
    ordered = right.boolean or (right.whole and mine.exact)
    if ordered:  # by place: the first wrong value is reported
        close, excess = mine.values == right.values, np.ones(right.shape)
    else:
        close, excess = _closeness(mine, right, digits)
    if np.all(close):
        return None
    worst = np.unravel_index(np.where(close, -1.0, excess).argmax(), right.shape)
    problem = _off(mine.values[worst], right.values[worst], right.whole, digits)
    if not right.shape:
        return f"it {problem}"
    wrong = np.size(close) - np.count_nonzero(close)
    count = f"{wrong} of {np.size(close)} values {'is' if wrong == 1 else 'are'} wrong"
    return f"{count}; the {'first' if ordered else 'worst'}, at {_place(worst)}, {problem}"


def _closeness(mine: Numbers, right: Numbers, digits: int) -> tuple[np.ndarray, np.ndarray]:
    """Which entries are right, and each one's distance as a multiple of what is allowed."""
    m, r = mine.floats(), right.floats()
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        gaps = np.abs(m - r)
        same = (m == r) | (np.isnan(m) & np.isnan(r))
        allowed = _allowed(right, max(mine.eps, right.eps), digits)
        close = same | (np.isfinite(m) & np.isfinite(r) & (gaps <= allowed))
        return close, np.nan_to_num(gaps / allowed, nan=np.inf, posinf=np.inf)


def _allowed(right: Numbers, eps: float, digits: int) -> np.ndarray:
    """How far each entry may be off: the rules at the top of this file."""
    sizes = np.abs(right.floats())
    largest = np.max(sizes, where=np.isfinite(sizes), initial=0.0)
    if right.whole:
        return np.full(right.shape, min(rounding(eps) * max(1.0, largest), WHOLE_ROUNDING))
    if largest == 0:
        return np.full(right.shape, eps**0.5)
    floor = _half_unit(largest, digits + FLOOR_DIGITS)
    return np.maximum(np.maximum(_half_unit(sizes, digits), eps / 2 * sizes), floor)


def rounding(eps: float) -> float:
    """The relative error that a computation in a dtype of machine epsilon ``eps`` may have.

    A quarter of the digits of float64 and float32 is left to rounding; 16-bit types have none to spare.
    """
    return eps**0.75 if eps < 1e-4 else eps / 2


def _half_unit(size: Any, digits: int) -> Any:
    """Half a unit of digit number ``digits`` of numbers of these sizes; 0 for size 0."""
    with np.errstate(divide="ignore", over="ignore"):
        half = 0.5 * 10.0 ** (np.floor(np.log10(size)) - digits + 1)
    return half * (1 + 1e-9)  # 0.12 is 0.125 rounded, though their floats are further apart than 0.005


def _off(mine: Any, right: Any, whole: bool, digits: int) -> str:
    """How one wrong entry differs from the right one, after "it"."""
    if isinstance(right, (bool, np.bool_)):
        return f"is not {mine}"
    if not (isinstance(mine, Fraction | int) and isinstance(right, Fraction | int)):
        mine, right = (_float(x) if isinstance(x, Fraction | int) else complex(x) for x in (mine, right))
        mine, right = (x.real if isinstance(x, complex) and x.imag == 0 else x for x in (mine, right))
        if not np.isfinite(mine):
            return f"is {mine}"
        if not np.isfinite(right):
            return "is finite, and should not be"
    if whole and mine != round(mine.real):
        return f"is {mine}; a whole number was asked for"
    gap = _float(abs(mine - right))
    right_digits = [] if whole else [n for n in range(1, digits) if gap <= _half_unit(_float(abs(right)), n)]
    if right_digits:
        n = right_digits[-1]
        return f"is right to {COUNTS[n]} digit{'s' * (n > 1)}, asked for {COUNTS[digits]}"
    return f"is off by {gap:.3g}"


def _asked(right: Numbers) -> str:
    """What an exercise asks for, in words."""
    if not right.shape:
        return "True or False" if right.boolean else "a number"
    items = "booleans" if right.boolean else "numbers"
    if len(right.shape) == 1:
        return f"a vector of {right.shape[0]} {items}"
    return f"{' × '.join(map(str, right.shape))} {items}"


def named(value: Any) -> str:
    """What to call a value of the wrong type."""
    name = type(value).__name__
    if value is None:
        return "None"
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"{_article(name)} of shape {tuple(value.shape)} and dtype {value.dtype}"
    return f"{_article(name)}: {show(value)}"[:120]


def show(value: Any) -> str:
    """A value in short: numbers without their type, anything else as Python writes it."""
    try:
        numbers = read(value)
        return _show(numbers.values.tolist())
    except Exception:
        pass
    try:
        return repr(value)
    except Exception as error:
        return f"its repr raises {type(error).__name__}"


def _show(values: Any) -> str:
    if isinstance(values, list):
        return f"({', '.join(map(_show, values))}{',' * (len(values) == 1)})"
    return f"{values:.6g}" if isinstance(values, (float, complex)) else str(values)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _place(index: tuple) -> str:
    return f"[{', '.join(str(int(i)) for i in index)}]"


def _float(value: float | Fraction) -> float:
    """The nearest float; infinite where there is none."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
