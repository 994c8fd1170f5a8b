"""The reduced echelon form without fractions on the way: by hand, and against SymPy on random matrices."""

# ruff: noqa: N803, N806 - matrices have the names of the field
from fractions import Fraction

import numpy as np
import pytest
import sympy
from exact_matrices import entries, fractions_of, over_the_rationals
from hypothesis import given, settings
from hypothesis import strategies as st

from tendays import linalg
from tendays.linalg import fraction_free

RANDOM = settings(max_examples=500, deadline=None, derandomize=True)


def test_a_form_by_hand():
    R, pivots = fraction_free.rref([[0, 2, 4], [1, 3, 5], [1, 5, 9]])
    assert R.tolist() == [[1, 0, -1], [0, 1, 2], [0, 0, 0]]
    assert pivots == (0, 1)
    assert {type(x) for x in R.flat} == {Fraction}


def test_a_later_row_may_have_an_earlier_pivot():
    R, pivots = fraction_free.rref([[0, 0, 3, 6], [0, 5, 0, 10], [2, 0, 0, 1]])
    assert R.tolist() == [[1, 0, 0, Fraction(1, 2)], [0, 1, 0, 2], [0, 0, 1, 2]]
    assert pivots == (0, 1, 2)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_an_empty_matrix_keeps_its_shape(shape):
    R, pivots = fraction_free.rref(np.empty(shape))
    assert R.shape == shape
    assert pivots == ()


@pytest.mark.parametrize("A", [[[0, 0], [0, 0]], np.zeros((2, 2), dtype=int)])
def test_zeros_have_no_pivots(A):
    R, pivots = fraction_free.rref(A)
    assert R.tolist() == [[0, 0], [0, 0]]
    assert pivots == ()


@pytest.mark.parametrize("kind", [np.int8, np.uint64, object])
def test_the_type_of_integers_does_not_matter(kind):
    A = np.array([[100, 127], [127, 100]], dtype=kind)  # the squares do not fit into 8 bits
    assert fraction_free.rref(A)[0].tolist() == [[1, 0], [0, 1]]


def test_the_matrix_given_stays_as_it_is():
    A = np.array([[1, 2], [3, 4]])
    fraction_free.rref(A)
    assert A.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("A", "message"),
    [
        ([[1, 2.0]], r"A, of shape \(1, 2\), holds floats; expected integers or Fractions"),
        (np.eye(2), r"A, of shape \(2, 2\), holds floats"),
        ([[1, 2], [3]], "A is ragged"),
        (np.arange(3), r"A has the shape \(3,\)"),
        ([[1, "x"]], r"A\[0, 1\] is a str"),
    ],
)
def test_what_is_no_exact_matrix_is_refused(A, message):
    with pytest.raises(ValueError, match=message):
        fraction_free.rref(A)


@pytest.mark.parametrize(
    ("row", "integers"),
    [
        ([Fraction(1, 2), Fraction(-1, 3)], [3, -2]),
        ([6, -4], [3, -2]),
        ([Fraction(-6), Fraction(0)], [-1, 0]),
        ([0, 0], [0, 0]),
        ([], []),
    ],
)
def test_rows_are_cleared_of_denominators_and_common_divisors(row, integers):
    assert fraction_free.cleared(row) == integers


# Random matrices


@st.composite
def matrices(draw):
    """Matrices of every shape up to 6 × 6; half of them are products of thin factors, so of low rank."""
    m, n = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    if draw(st.booleans()) and m and n:
        r = draw(st.integers(1, 3))
        return entries(draw, m, r) @ entries(draw, r, n)
    return entries(draw, m, n)


def by_sympy(A):
    """Rows and pivots of the form, by SymPy, which eliminates over the rationals here."""
    R, pivots = over_the_rationals(A).rref(method="GJ")
    return fractions_of(R).tolist(), pivots


@RANDOM
@given(matrices())
def test_random_forms_are_those_of_sympy(A):
    R, pivots = fraction_free.rref(A)
    assert (R.tolist(), pivots) == by_sympy(A)


@settings(RANDOM, max_examples=100)
@given(matrices())
def test_random_forms_are_those_of_elimination_with_fractions(A):
    form = linalg.reduced(A)
    R, pivots = fraction_free.rref(A)
    assert (R.tolist(), pivots) == (form.end.tolist(), form.pivots)


@pytest.mark.parametrize("shape", [(30, 30), (30, 31), (20, 35), (35, 20)])
def test_larger_forms_are_those_of_sympy(shape):
    A = np.random.default_rng(0).integers(-9, 10, shape)
    A[7] = A[3] - 2 * A[5]
    R, pivots = fraction_free.rref(A)
    expected, columns = sympy.Matrix(A.tolist()).rref()
    assert pivots == columns
    assert sympy.Matrix(*shape, [sympy.Rational(x.numerator, x.denominator) for x in R.flat]) == expected
