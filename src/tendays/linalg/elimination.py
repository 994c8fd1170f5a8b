"""Gaussian elimination that returns its steps: the three elementary row operations, and the echelon forms.

Each operation is a multiplication from the left by an invertible matrix E. So a chain of them keeps the solutions of
A x = b when it is applied to A and to b, and it keeps the row space of A.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from tendays.linalg.matrices import identity, is_exact, matrix

Number = Fraction | float


class _Operation:
    """What the three row operations have in common."""

    def elementary(self, m: int) -> np.ndarray:
        """Return the elementary matrix E of shape (m, m) with ``apply(A) = E @ A``."""
        return self.apply(identity(m))


@dataclass(frozen=True)
class Swap(_Operation):
    """Rows ``i`` and ``j`` change places."""

    i: int
    j: int

    def apply(self, A: np.ndarray) -> np.ndarray:
        """Return the matrix (m, n) with the operation done."""
        result = A.copy()
        result[[self.i, self.j]] = A[[self.j, self.i]]
        return result

    def latex(self) -> str:
        """Return the operation as LaTeX, rows counted from 1."""
        return rf"R_{{{self.i + 1}}} \leftrightarrow R_{{{self.j + 1}}}"


@dataclass(frozen=True)
class Scale(_Operation):
    """Row ``i`` is multiplied by ``factor``, which is not 0."""

    i: int
    factor: Number

    def __post_init__(self) -> None:
        if self.factor == 0:
            raise ValueError("factor is 0; expected a number that can be divided by again")

    def apply(self, A: np.ndarray) -> np.ndarray:
        """Return the matrix (m, n) with the operation done."""
        result = A.copy()
        result[self.i] = self.factor * A[self.i]
        return result

    def latex(self) -> str:
        """Return the operation as LaTeX, rows counted from 1."""
        return times_row(self.factor, self.i)


@dataclass(frozen=True)
class Add(_Operation):
    """``factor`` times row ``j`` is added to row ``i``, another one."""

    i: int
    j: int
    factor: Number

    def __post_init__(self) -> None:
        if self.i == self.j:
            raise ValueError(f"i and j are both {self.i}; expected two rows (Scale multiplies one)")

    def apply(self, A: np.ndarray) -> np.ndarray:
        """Return the matrix (m, n) with the operation done."""
        result = A.copy()
        result[self.i] = A[self.i] + self.factor * A[self.j]
        return result

    def latex(self) -> str:
        """Return the operation as LaTeX, rows counted from 1."""
        sign = "-" if self.factor < 0 else "+"
        return rf"R_{{{self.i + 1}}} {sign} {times_row(abs(self.factor), self.j)}"


Step = Swap | Scale | Add


def times_row(factor: Number, i: int) -> str:
    """Return a multiple of row ``i`` as LaTeX, without a factor of 1."""
    row = f"R_{{{i + 1}}}"
    return {1: row, -1: f"-{row}"}.get(factor, f"{number_latex(factor)} {row}")


def number_latex(x: Number) -> str:
    """Return a number as LaTeX: a fraction, or four digits of a float."""
    if isinstance(x, float):
        return f"{x + 0.0:.4g}"  # -0 is 0
    if x.denominator == 1:
        return str(x.numerator)
    return rf"{'-' if x < 0 else ''}\tfrac{{{abs(x.numerator)}}}{{{x.denominator}}}"


@dataclass(frozen=True)
class Elimination:
    """An elimination, step by step.

    Attributes:
        start: The matrix (m, n) before the first step.
        steps: The row operations, in order.
        end: The echelon form (m, n). In floats, entries that the form has as 0 or 1 are set to that.
        pivots: The columns of the pivots; row i has the pivot ``pivots[i]``.
    """

    start: np.ndarray
    steps: tuple[Step, ...]
    end: np.ndarray
    pivots: tuple[int, ...]

    @property
    def rank(self) -> int:
        """The number of pivots."""
        return len(self.pivots)

    def states(self) -> list[np.ndarray]:
        """Return all matrices on the way: ``start``, then one for each step. The last is ``end``."""
        states = [self.start]
        for step in self.steps:
            states.append(step.apply(states[-1]))
        return [*states[:-1], self.end]


def echelon(A: Any, *, pivoting: bool = True) -> Elimination:
    """Bring a matrix to row echelon form, by swaps and additions of rows above.

    In Fractions a column's pivot is the first entry that is not 0. In floats it is the largest in absolute value
    (partial pivoting), and a column counts as 0 where that is at most ε · max(m, n) · max |A|, with ε = 2.2e-16.

    Args:
        A: A matrix (m, n), or what `matrix` reads.
        pivoting: Whether floats are pivoted so. Without it, a float's pivot is the first entry that is not exactly 0,
            which loses digits; it is here to be seen.

    Raises:
        ValueError: `matrix` refuses A.
        OverflowError: A has floats so large or so small that the elimination leaves their range.
    """
    return _eliminate(matrix(A), pivoting, reduce=False)


def reduced(A: Any, *, pivoting: bool = True) -> Elimination:
    """Bring a matrix to reduced row echelon form: pivots are 1, and alone in their columns (Gauss and Jordan).

    Args:
        A: A matrix (m, n), or what `matrix` reads.
        pivoting: As for `echelon`.

    Raises:
        ValueError: `matrix` refuses A.
        OverflowError: As for `echelon`.
    """
    return _eliminate(matrix(A), pivoting, reduce=True)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what is not finite raises
def _eliminate(A: np.ndarray, pivoting: bool, reduce: bool) -> Elimination:
    state, steps, pivots = A, [], []
    floor = 0 if is_exact(A) or not pivoting else _rounding(A)

    def do(step: Step) -> None:
        nonlocal state
        state = step.apply(state)
        if not is_exact(state) and not np.isfinite(state).all():
            raise OverflowError(f"A, of shape {A.shape}, leaves the range of floats in step {len(steps) + 1}; scale it")
        steps.append(step)

    for column in range(A.shape[1]):
        row = len(pivots)
        place = _pivot(state[row:, column], floor, largest=pivoting and not is_exact(A))
        if place is None:
            continue
        if place:
            do(Swap(row, row + place))
        if reduce and state[row, column] != 1:
            do(Scale(row, 1 / state[row, column]))
        for other in range(0 if reduce else row + 1, len(A)):
            if other != row and state[other, column] != 0:
                do(Add(other, row, -state[other, column] / state[row, column]))
        pivots.append(column)
    return Elimination(A, tuple(steps), _settled(state, pivots, reduce), tuple(pivots))


def _pivot(column: np.ndarray, floor: float, largest: bool) -> int | None:
    """Where a column's pivot is; None where it has none."""
    candidates = np.flatnonzero(np.abs(column) > floor)
    if not len(candidates):
        return None
    return int(np.abs(column).argmax() if largest else candidates[0])


def _rounding(A: np.ndarray) -> float:
    """How large an entry may be that elimination in floats leaves where 0 belongs."""
    return np.finfo(np.float64).eps * max(A.shape) * np.abs(A).max(initial=0)


def _settled(state: np.ndarray, pivots: list[int], reduce: bool) -> np.ndarray:
    """The form without the rounding of floats where it has 0 or 1."""
    if is_exact(state):
        return state
    end = state.copy()
    for row, column in enumerate(pivots):
        end[row, :column] = 0
    end[len(pivots) :] = 0
    if reduce:
        end[:, pivots] = np.eye(len(end))[:, : len(pivots)]
    return end
