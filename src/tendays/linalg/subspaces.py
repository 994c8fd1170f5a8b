"""Subspaces, given by vectors that span them: the rows of an array (k, n)."""

from typing import Any

import numpy as np

from tendays.linalg.elimination import echelon, reduced
from tendays.linalg.matrices import alike, beside, matrix, vector
from tendays.linalg.solving import AffineSet, null_space, rank, solve


def row_space(A: Any) -> np.ndarray:
    """Return a basis of the span of a matrix's rows: the rows of its reduced form that are not 0, (rank A, n).

    Two matrices have the same row space exactly when they have the same one of these.
    """
    form = reduced(A)
    return form.end[: form.rank]


def column_space(A: Any) -> np.ndarray:
    """Return a basis of the span of a matrix's columns: those with a pivot, as the rows of an array (rank A, m)."""
    A = matrix(A)
    return A[:, list(echelon(A).pivots)].T


def is_independent(vectors: Any) -> bool:
    """Return whether vectors, the rows of an array (k, n), are linearly independent."""
    vectors = matrix(vectors, "vectors")
    return rank(vectors) == len(vectors)


def contains(vectors: Any, v: Any) -> bool:
    """Return whether a vector (n,) is a linear combination of vectors, the rows of an array (k, n).

    In floats, up to 1.8e-12 of the vector's length.
    """
    vectors = matrix(vectors, "vectors")
    v = vector(v, "v", vectors.shape[1], f"as the vectors, of shape {vectors.shape}")
    return AffineSet(0 * v, vectors).contains(v)


def coordinates(basis: Any, v: Any) -> np.ndarray | None:
    """Return the coordinates (k,) of a vector in a basis, or None where it is outside the basis's span.

    Args:
        basis: Independent vectors, the rows of an array (k, n).
        v: A vector (n,).

    Raises:
        ValueError: An argument is refused, the vectors are dependent, or ``v`` has another number of entries.
    """
    basis = matrix(basis, "basis")
    v = vector(v, "v", basis.shape[1], f"as the basis vectors, of shape {basis.shape}")
    pivots = list(echelon(basis).pivots)
    if len(pivots) < len(basis):
        raise ValueError(f"basis has {len(basis)} vectors of rank {len(pivots)}; expected independent vectors")
    if not contains(basis, v):
        return None
    return solve(basis[:, pivots].T, v[pivots]).point  # these entries decide, and have exactly one solution


def subspace_sum(U: Any, V: Any) -> np.ndarray:
    """Return a basis of U + V, the sums of a vector of each, as the rows of an array.

    Args:
        U: Vectors that span U, the rows of an array (k, n).
        V: Vectors that span V, the rows of an array (l, n).

    Raises:
        ValueError: An argument is refused, or the vectors differ in length.
    """
    return row_space(np.vstack(_two(U, V)))


def intersection(U: Any, V: Any) -> np.ndarray:
    """Return a basis of U ∩ V, as the rows of an array.

    With bases B and C as rows, x B = y C says that [Bᵀ, -Cᵀ] takes (x, y) to 0; the null space gives every such x.

    Args:
        U: Vectors that span U, the rows of an array (k, n).
        V: Vectors that span V, the rows of an array (l, n).

    Raises:
        ValueError: An argument is refused, or the vectors differ in length.
    """
    B, C = (row_space(vectors) for vectors in _two(U, V))
    x = null_space(beside(B.T, -C.T))[:, : len(B)]
    return row_space(x @ B) if len(x) and len(B) else B[:0]


def _two(U: Any, V: Any) -> list[np.ndarray]:
    """Two lists of vectors of one length, in one kind of number."""
    U, V = matrix(U, "U"), matrix(V, "V")
    if U.shape[1] != V.shape[1]:
        raise ValueError(f"V has the shape {V.shape}; expected {U.shape[1]} columns, as U, of shape {U.shape}")
    return alike(U, V)
