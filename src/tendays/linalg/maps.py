"""Linear maps from ℝⁿ to ℝᵐ, and their matrices in one basis or another."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tendays.linalg.matrices import alike, identity, matrix, square, vector
from tendays.linalg.solving import SingularError, inverse, null_space
from tendays.linalg.subspaces import column_space, is_independent


def matrix_of(function: Callable[[np.ndarray], Any], n: int) -> np.ndarray:
    """Return the matrix (m, n) of a linear map in the standard bases: its columns are the images of the unit vectors.

    A function that is not linear has such a matrix too, and differs from it elsewhere.

    Args:
        function: Takes a vector (n,) of Fractions to a vector (m,).
        n: The number of entries that it takes, at least 1.

    Raises:
        ValueError: ``n`` is below 1, or the images are no vectors of one size.
    """
    if n < 1:
        raise ValueError(f"n is {n}; expected at least 1")
    images = [vector(function(e), "the image of a unit vector") for e in identity(n)]
    return np.stack(alike(*images), axis=1)


def kernel(A: Any) -> np.ndarray:
    """Return a basis of the vectors that x ↦ A x takes to 0, as the rows of an array: the null space of A (m, n)."""
    return null_space(A)


def image(A: Any) -> np.ndarray:
    """Return a basis of the values of x ↦ A x, as the rows of an array: the column space of A (m, n)."""
    return column_space(A)


def change_of_basis(A: Any, B: Any, C: Any) -> np.ndarray:
    """Return the matrix C⁻¹ A B of the map x ↦ A x in other bases, B of its arguments and C of its values.

    In the formula, the basis vectors are the columns of B and C (Deisenroth, Faisal and Ong, Mathematics for Machine
    Learning, 2020, theorem 2.20).

    Args:
        A: The matrix (m, n) of the map in the old bases.
        B: The ``n`` new basis vectors of the arguments, in old coordinates, as the rows of an array (n, n).
        C: The ``m`` new basis vectors of the values, likewise, (m, m).

    Raises:
        ValueError: An argument is refused, or has another size.
        SingularError: The rows of B, or those of C, are no basis.
    """
    A, B, C = matrix(A), square(B, "B"), square(C, "C")
    for name, basis, size in (("B", B, A.shape[1]), ("C", C, A.shape[0])):
        if len(basis) != size:
            raise ValueError(f"{name} has the shape {basis.shape}; expected {(size, size)}, as A has {A.shape}")
        if not is_independent(basis):
            raise SingularError(f"{name}, of shape {basis.shape}, has dependent rows; expected a basis")
    A, B, C = alike(A, B, C)
    return inverse(C.T) @ A @ B.T
