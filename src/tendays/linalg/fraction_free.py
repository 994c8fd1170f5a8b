"""Reduced row echelon form of an exact matrix without fractions on the way (Bareiss 1968).

Rows are first cleared of denominators and of common divisors. The reduced form is scaled by d, the last pivot before
normalisation: then each entry is an integer, a minor of the cleared matrix up to its sign. So no entry is longer than
Hadamard's bound allows, and no step computes a greatest common divisor, which elimination over fractions does for each
entry.
"""

from fractions import Fraction
from math import gcd, lcm
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from tendays.linalg.matrices import is_exact, matrix


def rref(A: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the reduced row echelon form (m, n) of an exact matrix, in Fractions, and the columns of its pivots.

    Args:
        A: A matrix (m, n) of integers or Fractions, or what `matrix` reads.

    Returns:
        R of shape (m, n), and as many columns as A has rank, in order.

    Raises:
        ValueError: A holds floats, or `matrix` refuses it.
    """
    A = exact_matrix(A)
    form = _eliminate([cleared(row) for row in A.tolist()], A.shape[1])
    order = sorted(range(len(form.pivots)), key=form.pivots.__getitem__)
    R = np.full(A.shape, Fraction(0))
    for i, row in enumerate(order):
        R[i, form.pivots[row]] = Fraction(1)
        for column, entries in form.free.items():
            R[i, column] = Fraction(entries[row], form.d)
    return R, tuple(sorted(form.pivots))


def exact_matrix(A: Any, name: str = "A") -> np.ndarray:
    """Return a matrix (m, n) whose entries are all integers or Fractions.

    An array of integers or Fractions is returned as it is: to read it takes longer than many a solution.

    Raises:
        ValueError: There are floats, or `matrix` refuses A.
    """
    is_matrix = isinstance(A, np.ndarray) and A.ndim == 2
    if is_matrix and (A.dtype.kind in "iu" or {int, Fraction}.issuperset(map(type, A.flat))):
        return A
    values = matrix(A, name)
    if not is_exact(values):
        raise ValueError(f"{name}, of shape {values.shape}, holds floats; expected integers or Fractions")
    return values


def cleared(row: list[int | Fraction]) -> list[int]:
    """Return a row of rational numbers times a positive number: integers without a common divisor."""
    # int: a Fraction may hold NumPy's integers, which overflow.
    common = lcm(*(int(x.denominator) for x in row))
    integers = [int(x.numerator) * (common // int(x.denominator)) for x in row]
    content = gcd(*integers)
    return integers if content <= 1 else [x // content for x in integers]


class _Form(NamedTuple):
    """A reduced echelon form times d, without its columns of pivots.

    d: the entry that all pivots have.
    pivots: the column of each row's pivot, in the order in which the rows were taken.
    free: for each of the other columns, its entries in these rows.
    """

    d: int
    pivots: list[int]
    free: dict[int, list[int]]


def _eliminate(rows: list[list[int]], n: int) -> _Form:
    """Fraction-free Gauss-Jordan elimination, a row at a time.

    With the rows r before it reduced to ``d · r = d · e_pivot + Σ free``, a new row a of the matrix becomes

        a ← d · a - Σ a[pivot] · r    over the rows r: zero in their columns, and the a[pivot] are still short,

    its first entry p that is not 0 is the new pivot, and that column q is cleared in the rows above, whose new d is p:

        r ← (p · r - r[q] · a) / d    which has no remainder, by Sylvester's identity.

    Rows that are taken late are long when they meet the others, but then only few columns are left. Taken column by
    column, all rows at once, each entry below would be multiplied twice at every step.

    Source: Bareiss, Sylvester's identity and multistep integer-preserving Gaussian elimination, 1968; the order of
    the rows is that of SymPy's ``sdm_rref_den``.
    """
    d, pivots, free = 1, [], {column: [] for column in range(n)}
    for row in rows:
        multipliers = [row[pivot] for pivot in pivots]
        new = {column: d * row[column] - sum(map(mul, multipliers, above)) for column, above in free.items()}
        lead = next((column for column, entry in new.items() if entry), None)
        if lead is None:  # the row depends on those before it
            continue
        p, cleared_column = new.pop(lead), free.pop(lead)
        for column, entry in new.items():
            above = [(p * x - q * entry) // d for x, q in zip(free[column], cleared_column, strict=True)]
            free[column] = [*above, entry]
        pivots.append(lead)
        d = p
    return _Form(d, pivots, free)
