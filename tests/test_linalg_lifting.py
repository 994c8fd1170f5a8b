"""Exact solutions by p-adic lifting: by hand, against SymPy on random systems, and where primes or floats fail."""

# ruff: noqa: N803, N806 - matrices have the names of the field
from fractions import Fraction
from itertools import islice
from math import isqrt

import numpy as np
import pytest
import sympy
from exact_matrices import entries, fractions_of, over_the_rationals
from hypothesis import given, settings
from hypothesis import strategies as st

from tendays import linalg
from tendays.linalg import lifting

RANDOM = settings(max_examples=500, deadline=None, derandomize=True)


def test_a_solution_by_hand():
    x = lifting.solve([[2, 1], [1, 3]], [1, 2])
    assert x.tolist() == [Fraction(1, 5), Fraction(3, 5)]
    assert {type(entry) for entry in x} == {Fraction}


def test_a_system_of_size_0_has_the_empty_solution():
    assert lifting.solve(np.empty((0, 0)), np.empty(0, dtype=int)).shape == (0,)


def test_zeros_on_the_right_give_zeros():
    assert lifting.solve([[2, 1], [1, 3]], [0, 0]).tolist() == [0, 0]


@pytest.mark.parametrize("b", [[1, 2], np.array([[1], [2]]), sympy.Matrix([1, 2]), (Fraction(1), Fraction(2))])
def test_a_right_hand_side_may_be_a_row_or_column(b):
    assert lifting.solve(np.array([[2, 1], [1, 3]]), b).tolist() == [Fraction(1, 5), Fraction(3, 5)]


@pytest.mark.parametrize(
    ("A", "b", "message"),
    [
        ([[1, 2.0], [3, 4]], [1, 2], r"A, of shape \(2, 2\), holds floats; expected integers or Fractions"),
        ([[1, 2], [3, 4]], [1, 0.5], r"b, of shape \(2,\), holds floats; expected integers or Fractions"),
        ([[1, 2, 3], [3, 4, 5]], [1, 2], r"A has the shape \(2, 3\); expected a square matrix"),
        ([[1, 2], [3, 4]], [1, 2, 3], r"b has 3 entries; expected 2, one for each row of A, of shape \(2, 2\)"),
        ([[1, 2], [3]], [1, 2], "A is ragged"),
    ],
)
def test_what_is_no_exact_square_system_is_refused(A, b, message):
    with pytest.raises(ValueError, match=message):
        lifting.solve(A, b)


# Primes


@pytest.mark.parametrize("largest", [3, 4, 30, 31, 2**22])
def test_primes_come_downwards(largest):
    below = [sympy.prevprime(largest + 1)]
    while len(below) < 4 and below[-1] > 3:
        below.append(sympy.prevprime(below[-1]))
    assert list(islice(lifting._primes(largest), 4)) == below


def test_sums_of_products_modulo_the_first_prime_are_held_by_floats():
    for n in (1, 2, 200, 1000):
        p, _ = lifting._inverse_modulo_a_prime(np.eye(n, dtype=np.int64))
        assert n * p**2 <= 2**53 < 4 * n * p**2


@pytest.mark.parametrize("failing", [1, 3])
def test_a_prime_that_divides_the_determinant_is_passed_over(failing):
    primes = [sympy.prevprime(isqrt(2**53 // 2) + 1)]
    for _ in range(2):
        primes.append(sympy.prevprime(primes[-1]))
    product = int(np.prod([int(p) for p in primes[:failing]], dtype=object))
    x = lifting.solve([[product, product], [0, 1]], [1, 1])
    assert x.tolist() == [Fraction(1, product) - 1, 1]


@pytest.mark.parametrize("n", [1, 17, 40])
def test_an_inverse_modulo_a_prime_inverts(n):
    A = np.random.default_rng(0).integers(-9, 10, (n, n))
    A[0, 0] = 0 if n > 1 else 7  # a row has to change its place
    inverse = lifting.inverse_modulo(A, 10007)
    assert ((A @ inverse.astype(np.int64)) % 10007 == np.eye(n)).all()


@pytest.mark.parametrize(
    "A",
    [
        [[0]],
        [[1, 2], [2, 4]],
        [[0, 0], [1, 1]],
        [[Fraction(1, 3), 1], [1, 3]],
        [[10**40, 10**41], [1, 10]],
        np.arange(25).reshape(5, 5),
    ],
)
def test_a_singular_matrix_is_found_to_be_one(A):
    shape = np.shape(A)
    with pytest.raises(linalg.SingularError, match=rf"A, of shape \({shape[0]}, {shape[0]}\), has the determinant 0"):
        lifting.solve(A, [1] * shape[0])


# Fractions


@pytest.mark.parametrize("fraction", [Fraction(3, 7), Fraction(-22, 7), Fraction(5), Fraction(-99, 100), Fraction(0)])
def test_a_fraction_is_reconstructed_from_its_residue(fraction):
    modulus = 20011  # a prime, more than 2 · 100 · 100
    residue = fraction.numerator * pow(fraction.denominator, -1, modulus) % modulus
    assert lifting.reconstruct(residue, modulus, 100) == fraction.as_integer_ratio()


def test_different_denominators_get_a_common_one():
    assert lifting.solve(np.diag([4, 6, 1, 9]), [1, 1, 5, 1]).tolist() == [
        Fraction(1, 4),
        Fraction(1, 6),
        5,
        Fraction(1, 9),
    ]


def test_a_wrong_solution_is_not_returned(monkeypatch):
    monkeypatch.setattr(lifting, "_count", lambda p, bound: 1)  # too few digits
    with pytest.raises(ArithmeticError, match="A x is not b"):
        lifting.solve([[10**9, 1], [1, 10**9]], [1, 2])


# Random systems


@st.composite
def systems(draw):
    """Square systems up to 6 × 6, a third of them of a matrix of low rank."""
    n = draw(st.integers(0, 6))
    r = draw(st.integers(1, 3))
    A = entries(draw, n, r) @ entries(draw, r, n) if n and draw(st.integers(0, 2)) == 0 else entries(draw, n, n)
    return A, entries(draw, 1, n)[0]


@RANDOM
@given(systems())
def test_random_solutions_are_those_of_sympy(system):
    A, b = system
    if over_the_rationals(A).rank() < len(A):
        with pytest.raises(linalg.SingularError):
            lifting.solve(A, b)
        return
    expected = over_the_rationals(A).lu_solve(over_the_rationals(b.reshape(-1, 1)))
    assert lifting.solve(A, b).tolist() == fractions_of(expected)[:, 0].tolist()


@pytest.mark.parametrize("largest", [9, 10**5, 10**7, 10**12, 10**25])
def test_entries_of_any_length_are_right(largest):
    draw = np.random.default_rng(0)
    A, b = (np.array(draw.integers(-9, 10, shape).tolist(), dtype=object) * largest for shape in ((20, 20), 20))
    A, b = A + draw.integers(0, 9, (20, 20)), b + draw.integers(0, 9, 20)
    x = lifting.solve(A, b)
    form = sympy.Matrix(20, 21, np.column_stack([A, b]).ravel().tolist()).rref()[0]
    assert [sympy.Rational(*entry.as_integer_ratio()) for entry in x] == list(form[:, 20])


def test_a_long_right_hand_side_is_right():
    x = lifting.solve([[2, 1], [1, 3]], [10**200, 2 * 10**200])
    assert x.tolist() == [10**200 // 5, 3 * 10**200 // 5]


def test_the_hilbert_matrix_is_solved_exactly():
    A = np.array([[Fraction(1, i + j + 1) for j in range(12)] for i in range(12)])
    assert lifting.solve(A, A.sum(1)).tolist() == [1] * 12


def test_fractions_of_numpys_integers_do_not_overflow():
    big = Fraction(np.int64(2**62), 3)
    A = np.array([[big, Fraction(1)], [Fraction(1), big]], dtype=object)
    x = lifting.solve(A, [1, 0])
    assert [2**62 * x[0] / 3 + x[1], x[0] + 2**62 * x[1] / 3] == [1, 0]
