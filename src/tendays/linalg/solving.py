"""Solutions of A x = b: all of them at once, as a point and the directions in which one may go from it."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from tendays.exercises.numeric import rounding
from tendays.linalg.elimination import echelon, reduced
from tendays.linalg.matrices import alike, beside, identity, is_exact, matrix, square, unit_size, vector

EPS = float(np.finfo(np.float64).eps)


class SingularError(ValueError):
    """A square matrix has no inverse."""


class AffineSet(NamedTuple):
    """The set of all ``point + c @ directions``.

    Attributes:
        point: A vector (n,) of the set.
        directions: A basis of its direction space, as the rows of an array (k, n).
    """

    point: np.ndarray
    directions: np.ndarray

    @property
    def dimension(self) -> int:
        """The dimension ``k``: 0 for a point, 1 for a line."""
        return len(self.directions)

    def at(self, coefficients: Any) -> np.ndarray:
        """Return the vector (n,) of the set with these coefficients (k,) of the directions."""
        c = vector(coefficients, "coefficients", self.dimension, "one for each direction")
        return self.point + c @ self.directions if len(c) else self.point.copy()

    def contains(self, x: Any) -> bool:
        """Return whether a vector (n,) is in the set; in floats, up to 1.8e-12 of the longer of it and ``point``."""
        x, point, directions = alike(vector(x, "x", len(self.point), "as in point"), *self)
        step = x - point
        if is_exact(x):
            return solve(directions.T, step) is not None
        away = step - directions.T @ np.linalg.lstsq(directions.T, step, rcond=None)[0]
        return bool(np.linalg.norm(away) <= rounding(EPS) * max(np.linalg.norm(x), np.linalg.norm(point)))


def solve(A: Any, b: Any) -> AffineSet | None:
    """Return all solutions of A x = b, or None where there is none.

    The particular solution has 0 for every free variable; the directions are those of `null_space`. In floats, whether
    there is a solution is decided within rounding (see `echelon`), with b scaled to the size of A.

    Args:
        A: A matrix (m, n), or what `matrix` reads.
        b: A vector (m,).

    Returns:
        The solutions, a point and its directions (k, n), with k = n - rank A.

    Raises:
        ValueError: A or b is refused, or b has another number of entries than A has rows.
        OverflowError: A solution in floats leaves their range.
    """
    A = matrix(A)
    m, n = A.shape
    b = vector(b, "b", m, f"one for each row of A, of shape {A.shape}")
    A, b = alike(A, b)
    (A, size), (b, size_of_b) = unit_size(A), unit_size(b)
    form = reduced(beside(A, b))
    if n in form.pivots:  # a row says 0 = 1
        return None
    point = _zeros(n, form.end)
    point[list(form.pivots)] = form.end[: form.rank, n]
    return AffineSet(_times_power(point, size_of_b - size), _directions(form.end[:, :n], form.pivots))


def minus_one_trick(R: Any) -> np.ndarray:
    """Return the matrix (n, n) of the minus-1 trick: its columns with -1 on the diagonal are a basis of the null space.

    Each row of R moves to the row of its pivot's column, so that pivots stand on the diagonal; the rows that stay free
    get -1 there (Deisenroth, Faisal and Ong, Mathematics for Machine Learning, 2020, section 2.3.3).

    Args:
        R: A matrix (m, n) in reduced row echelon form.

    Raises:
        ValueError: R is refused, or is in another form.
    """
    R = matrix(R, "R")
    form = reduced(R)
    if not np.array_equal(form.end, R):
        raise ValueError(f"R, of shape {R.shape}, is not in reduced row echelon form; expected reduced(A).end")
    return _with_minus_ones(R, form.pivots)


def null_space(A: Any) -> np.ndarray:
    """Return a basis of the solutions of A x = 0, as the rows of an array (n - rank A, n).

    Raises:
        ValueError: `matrix` refuses A.
    """
    form = reduced(A)
    return _directions(form.end, form.pivots)


def inverse(A: Any) -> np.ndarray:
    """Return the inverse of a square matrix (n, n), by elimination of A beside the identity.

    Raises:
        ValueError: A is refused, or is not square.
        SingularError: A has no inverse.
        OverflowError: The inverse, in floats, leaves their range.
    """
    A, size = unit_size(square(A))
    n = len(A)
    form = reduced(beside(A, identity(n)))
    if form.pivots != tuple(range(n)):
        raise SingularError(f"A, of shape {A.shape}, has rank {sum(p < n for p in form.pivots)}; it has no inverse")
    return _times_power(form.end[:, n:], -size)


def rank(A: Any) -> int:
    """Return the rank of a matrix (m, n); in floats, within rounding (see `echelon`).

    Raises:
        ValueError: `matrix` refuses A.
    """
    return echelon(A).rank


def _directions(R: np.ndarray, pivots: tuple[int, ...]) -> np.ndarray:
    """The columns of the minus-1 trick that span the null space, as rows."""
    free = [column for column in range(R.shape[1]) if column not in pivots]
    return _with_minus_ones(R, pivots)[:, free].T


def _with_minus_ones(R: np.ndarray, pivots: tuple[int, ...]) -> np.ndarray:
    n = R.shape[1]
    square = -(identity(n) if is_exact(R) else np.eye(n))
    square[list(pivots)] = R[: len(pivots)]
    return square


def _times_power(x: np.ndarray, exponent: int) -> np.ndarray:
    """Floats times a power of two; Fractions, which are not scaled, as they are."""
    if is_exact(x):
        return x
    with np.errstate(over="ignore"):  # what is not finite raises
        scaled = np.ldexp(x, exponent)
    if not np.isfinite(scaled).all():
        raise OverflowError(f"the result, of shape {x.shape}, leaves the range of floats")
    return scaled


def _zeros(n: int, like: np.ndarray) -> np.ndarray:
    """Zeros (n,) in the numbers of another array."""
    return np.full(n, Fraction(0) if is_exact(like) else 0.0)
