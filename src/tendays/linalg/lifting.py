"""Exact solution of a square system by p-adic lifting (Dixon 1982).

One inverse is computed modulo a prime p, in floats that hold integers. Each digit of the solution, in base p, then
costs two products of a matrix and a vector. When the digits are as many as the solution's numerators and denominators
can need, the fractions are read from them.

Source: Dixon, Exact solution of linear equations using p-adic expansions, Numerische Mathematik 40, 1982.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt, prod
from operator import mul
from typing import Any

import numpy as np

from tendays.linalg.fraction_free import cleared, exact_matrix
from tendays.linalg.matrices import is_exact, vector
from tendays.linalg.solving import SingularError

EXACT = 2**53  # float64 holds every integer up to here
BLOCK = 16  # columns that are eliminated before the rest of the matrix follows, in one product


def solve(A: Any, b: Any) -> np.ndarray:
    """Return the solution (n,) of A x = b in Fractions, for a square matrix A that has an inverse.

    The solution is substituted into A x = b, in integers, before it is returned.

    Args:
        A: A matrix (n, n) of integers or Fractions, or what `matrix` reads.
        b: A vector (n,) of integers or Fractions.

    Raises:
        ValueError: A is not square, b has not n entries, one of them holds floats, or `matrix` or `vector` refuses it.
        SingularError: A has no inverse. Found by enough primes that divide det A, which takes longer than a solution.
        ArithmeticError: The solution failed the substitution: floats on this machine do not hold integers up to 2⁵³.
    """
    A, b = _integers(A, b)
    n = len(A)
    if not n:
        return np.empty(0, dtype=object)
    p, C = _inverse_modulo_a_prime(A)
    N, D = _bounds(A, b)
    digits = _digits(A, b, C, p, _count(p, 2 * N * D))
    numerators, denominator = _fractions(_joined(digits, p), p ** len(digits), N)
    if any(sum(map(mul, row, numerators)) != denominator * right for row, right in zip(A.tolist(), b, strict=True)):
        raise ArithmeticError("A x is not b: the floats on this machine do not hold integers up to 2**53")
    return np.array([Fraction(numerator, denominator) for numerator in numerators], dtype=object)


def _integers(A: Any, b: Any) -> tuple[np.ndarray, list[int]]:
    """The system with its rows cleared of denominators: A of int64, or of Python's integers where one is longer."""
    A = exact_matrix(A)
    n = len(A)
    if A.shape != (n, n):
        raise ValueError(f"A has the shape {A.shape}; expected a square matrix")
    b = vector(b, "b", n, f"one for each row of A, of shape {A.shape}")
    if not is_exact(b):
        raise ValueError(f"b, of shape {b.shape}, holds floats; expected integers or Fractions")
    rows = [cleared([*row, right]) for row, right in zip(A.tolist(), b, strict=True)]
    lefts = [row[:-1] for row in rows]
    longest = max((abs(entry) for row in lefts for entry in row), default=0)
    # int64 where it holds the sums of squares in `_norms`, too.
    kind = np.int64 if n * longest**2 < EXACT else object
    return np.array(lefts, dtype=kind).reshape(n, n), [row[-1] for row in rows]


# ---- modulo a prime -------------------------------------------------------------------------------------------------


def _inverse_modulo_a_prime(A: np.ndarray) -> tuple[int, np.ndarray]:
    """A prime p that does not divide det A, with n · p² ≤ 2⁵³, and the inverse of A modulo p (n, n).

    If det A is not 0, only primes whose product is at most Hadamard's bound can all divide it.
    """
    bound, divisor = isqrt(prod(_norms(A, 1))), 1
    for p in _primes(isqrt(EXACT // len(A))):
        inverse = inverse_modulo(A, p)
        if inverse is not None:
            return p, inverse
        divisor *= p
        if divisor > bound:
            raise SingularError(f"A, of shape {A.shape}, has the determinant 0; it has no inverse")
    raise ValueError(f"A, of shape {A.shape}, is too large: no prime is left with n · p² ≤ 2⁵³")


def _primes(largest: int) -> Iterator[int]:
    """The odd primes from the largest at most so large, downwards."""
    for candidate in range(largest - 1 + largest % 2, 2, -2):
        if all(candidate % factor for factor in range(3, isqrt(candidate) + 1, 2)):
            yield candidate


def inverse_modulo(A: np.ndarray, p: int) -> np.ndarray | None:
    """Return the inverse of a matrix of integers modulo a prime, or None where it has none.

    Gauss-Jordan elimination in place, BLOCK columns at a time. The steps of a block together are one matrix T, the
    identity but for the columns of the block, so that the other columns follow by one product::

        [ ·  |  ·   ]        steps in the block      [ T₁ |  ·   ]
        [ ·  | rows ]   →    make P = (T₁, T₂)  →    [ T₂ |  0   ]  + P · rows

    Which is 5 times as fast as a step at a time for n = 200.

    Args:
        A: (n, n), of int64 or Python's integers.
        p: With n · p² ≤ 2⁵³, so that float64 holds every sum of n products.

    Returns:
        (n, n), of float64 that hold integers from 0 to p - 1.
    """
    n = len(A)
    W, order = (A % p).astype(np.float64), np.arange(n)
    for start in range(0, n, BLOCK):
        columns = slice(start, min(start + BLOCK, n))
        P = W[:, columns].copy()  # (n, BLOCK)
        for c in range(P.shape[1]):
            row = start + c
            pivot = row + int(np.argmax(P[row:, c] != 0))
            if not P[pivot, c]:
                return None
            for rows in (P, W, order):
                rows[[row, pivot]] = rows[[pivot, row]]
            _step(P, row, c, p)
        block_rows = W[columns].copy()  # (BLOCK, n)
        W[columns] = 0
        W += P @ block_rows
        W %= p
        W[:, columns] = P
    inverse = np.empty_like(W)
    inverse[:, order] = W  # rows that changed places in A are columns of the inverse
    return inverse


def _step(P: np.ndarray, row: int, column: int, p: int) -> None:
    """Clear a column but for its pivot, and put what the step multiplies by in its place."""
    scale = float(pow(int(P[row, column]), -1, p))
    pivot_row = P[row] * scale % p
    pivot_row[column] = scale
    multipliers = P[:, column].copy()
    P[:, column] = 0
    P -= np.multiply.outer(multipliers, pivot_row)
    P %= p
    P[row] = pivot_row


# ---- digits ---------------------------------------------------------------------------------------------------------


def _digits(A: np.ndarray, b: list[int], C: np.ndarray, p: int, count: int) -> np.ndarray:
    """The first digits (count, n) of the solution in base p, the lowest first.

    The residual r starts as b. Each digit is x = C r mod p, and then r ← (r - A x) / p, without a remainder. No
    entry of r is ever larger than the larger of max |b| and n · max |A|.
    """
    n = len(A)
    largest = max(max(map(abs, row)) for row in A.tolist())
    floats = n * largest * p + max(map(abs, b)) < EXACT
    kind = np.float64 if floats else object
    A, r = A.astype(kind), np.array(b, dtype=kind)
    digits = np.empty((count, n), dtype=np.int64)
    for i in range(count):
        digits[i] = C @ (r % p).astype(np.float64) % p
        r = (r - A @ digits[i].astype(kind)) // p
    return digits


def _bounds(A: np.ndarray, b: list[int]) -> tuple[int, int]:
    """Bounds N of the numerators and D of the denominators of the solution over their common denominator, det A.

    Hadamard: a determinant is at most the product of its rows' lengths, and of its columns'. Cramer: a numerator is
    the determinant of A with b for one of its columns.
    """
    rows, columns = _norms(A, 1), _norms(A, 0)
    D = min(prod(rows), prod(columns))
    by_rows = prod(norm + right**2 for norm, right in zip(rows, b, strict=True))
    by_columns = sum(right**2 for right in b) * prod(columns)
    return isqrt(min(by_rows, by_columns)) + 1, isqrt(D) + 1


def _norms(A: np.ndarray, axis: int) -> list[int]:
    """The squared lengths of the columns (axis 0) or rows (axis 1)."""
    return (A * A).sum(axis).tolist()


def _count(p: int, bound: int) -> int:
    """How many digits in base p a number above a bound needs."""
    count, power = 0, 1
    while power <= bound:
        count, power = count + 1, power * p
    return count


def _joined(digits: np.ndarray, base: int) -> list[int]:
    """The numbers (n,) of which digits (k, n) are given, the lowest first: two halves of the digits become one."""
    while len(digits) > 1:
        if len(digits) % 2:
            digits = np.vstack([digits, np.zeros_like(digits[:1])])
        digits = digits[::2] + base * digits[1::2].astype(object)
        base *= base
    return digits[0].tolist()


# ---- fractions ------------------------------------------------------------------------------------------------------


def _fractions(residues: list[int], modulus: int, N: int) -> tuple[list[int], int]:
    """Numerators (n,) and the common denominator of fractions of which residues are known.

    A residue times the denominator so far is, as a rule, a numerator at once. Where it is longer than N, the
    denominator lacks a factor, and the fraction is reconstructed.
    """
    numerators, denominator = [], 1
    for residue in residues:
        numerator = _symmetric(residue * denominator, modulus)
        if abs(numerator) > N:
            numerator, factor = reconstruct(residue * denominator, modulus, N)
            numerators = [factor * earlier for earlier in numerators]
            denominator *= factor
        numerators.append(numerator)
    return numerators, denominator


def _symmetric(residue: int, modulus: int) -> int:
    """The residue of the smallest absolute value."""
    residue %= modulus
    return residue - modulus if 2 * residue > modulus else residue


def reconstruct(residue: int, modulus: int, N: int) -> tuple[int, int]:
    """Return the fraction that has a given residue, as numerator and positive denominator.

    Euclid's algorithm on modulus and residue, ended half-way: every remainder is ``u · modulus + v · residue``, hence
    remainder / v has the residue. The first remainder that is at most N is the numerator, if there is a fraction with
    ``|numerator| ≤ N``, ``denominator ≤ D`` and ``2 N D < modulus``; there is no second (Wang 1981).
    """
    before, remainder, v_before, v = modulus, residue % modulus, 0, 1
    while remainder > N:
        quotient, rest = divmod(before, remainder)
        before, remainder = remainder, rest
        v_before, v = v, v_before - quotient * v
    return (remainder, v) if v > 0 else (-remainder, -v)
