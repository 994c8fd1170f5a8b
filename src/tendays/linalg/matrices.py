"""Matrices and vectors of real numbers: exact where all entries are, floats otherwise.

A matrix is a NumPy array of shape (m, n). It holds `fractions.Fraction` (dtype object) where every number that it was
read from is an int or a Fraction, and float64 where any is a float. A vector has the shape (n,); a list of vectors is
an array of shape (k, n) with a vector in each row.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from tendays.exercises.numeric import UnreadableError, named, read


def matrix(A: Any, name: str = "A") -> np.ndarray:
    """Return a matrix that is read from nested lists, an array, a tensor or a SymPy matrix.

    Args:
        A: ``m`` rows of ``n`` numbers. Without rows or columns it must be an array, which knows the other size.
        name: What messages call it.

    Returns:
        A new array of shape (m, n): Fractions, or float64 where any number is a float.

    Raises:
        ValueError: The rows differ in length, there is no row, or an entry is no finite real number.
    """
    shape = getattr(A, "shape", None)
    if shape is None:
        _check_rows(A, name)
    values = _numbers(A, name)
    if shape is not None and 0 in shape:  # lists lose the size of what is empty
        values = np.empty(tuple(shape), dtype=object)
    if values.ndim != 2:
        raise ValueError(f"{name} has the shape {values.shape}; expected a matrix, of shape (m, n)")
    return values


def vector(b: Any, name: str = "b", size: int | None = None, why: str = "") -> np.ndarray:
    """Return a vector that is read from a list, an array, a tensor or a SymPy matrix of one row or column.

    Args:
        b: ``n`` numbers, of shape (n,), (n, 1) or (1, n).
        name: What messages call it.
        size: The ``n`` that is expected, if any.
        why: Where that size comes from, for the message.

    Returns:
        A new array of shape (n,): Fractions, or float64 where any number is a float.

    Raises:
        ValueError: It has another shape or size, or an entry is no finite real number.
    """
    values = _numbers(b, name)
    if values.ndim == 2 and 1 in values.shape:
        values = values.reshape(-1)
    if values.ndim != 1:
        raise ValueError(f"{name} has the shape {values.shape}; expected a vector, of shape (n,)")
    if size is not None and len(values) != size:
        raise ValueError(f"{name} has {len(values)} entries; expected {size}{why and f', {why}'}")
    return values


def square(A: Any, name: str = "A") -> np.ndarray:
    """Return a square matrix, read by `matrix`.

    Raises:
        ValueError: It is not square, or `matrix` refuses it.
    """
    A = matrix(A, name)
    if A.shape[0] != A.shape[1]:
        raise ValueError(f"{name} has the shape {A.shape}; expected a square matrix")
    return A


def is_exact(A: np.ndarray) -> bool:
    """Return whether a matrix or vector holds Fractions."""
    return A.dtype == object


def identity(n: int) -> np.ndarray:
    """Return the identity matrix of shape (n, n), in Fractions."""
    return matrix(np.eye(n, dtype=int))


def beside(*blocks: np.ndarray) -> np.ndarray:
    """Return matrices of ``m`` rows side by side; in floats where one of them is.

    A vector of shape (m,) is a column.
    """
    columns = [block.reshape(-1, 1) if block.ndim == 1 else block for block in blocks]
    return np.hstack(alike(*columns))


def unit_size(A: np.ndarray) -> tuple[np.ndarray, int]:
    """Return an array of floats over a power of two, so that its largest entry is between 0.5 and 1, and the exponent.

    A tolerance that compares numbers of two arrays needs them of one size. Fractions stay as they are.
    """
    if is_exact(A) or not A.any():
        return A, 0
    exponent = int(np.frexp(np.abs(A).max())[1])
    return np.ldexp(A, -exponent), exponent


def alike(*blocks: np.ndarray) -> list[np.ndarray]:
    """Return arrays in one kind of number: floats where one of them holds floats."""
    exact = all(is_exact(block) for block in blocks)
    return [block if exact else block.astype(np.float64) for block in blocks]


def _check_rows(A: Any, name: str) -> None:
    """Raise ValueError where nested lists are not rows of one length."""
    if not isinstance(A, (list, tuple)) or not all(hasattr(row, "__len__") and not isinstance(row, str) for row in A):
        raise ValueError(f"{name} is {named(A)}; expected a matrix: a list of rows of numbers")
    if not A:
        raise ValueError(f"{name} has no rows; expected at least one (an array of shape (0, n) has a width)")
    lengths = [len(row) for row in A]
    if len(set(lengths)) > 1:
        raise ValueError(f"{name} is ragged: its rows have {', '.join(map(str, lengths))} entries; expected one length")
    if not lengths[0]:
        raise ValueError(
            f"{name} has the shape ({len(A)}, 0); expected columns (an array of shape (m, 0) may have none)"
        )


def _numbers(A: Any, name: str) -> np.ndarray:
    """The finite real numbers that something holds: an array of Fractions, or of float64."""
    try:
        numbers = read(A)
    except UnreadableError as error:
        if error.reason:
            raise ValueError(f"{name} is no array of numbers: {error.reason}") from None
        where = f"[{', '.join(map(str, error.place))}]" if error.place else ""
        raise ValueError(f"{name}{where} is {named(error.value)}; expected a finite real number") from None
    values = numbers.values
    if numbers.boolean or values.dtype.kind == "c":
        raise ValueError(f"{name} is {named(A)}; expected real numbers")
    if numbers.exact:
        return np.array([Fraction(x) for x in values.flat], dtype=object).reshape(values.shape)
    for place in np.argwhere(~np.isfinite(values))[:1]:
        where = ", ".join(map(str, place))
        raise ValueError(f"{name}[{where}] is {values[tuple(place)]}; expected a finite real number")
    return values.copy()
