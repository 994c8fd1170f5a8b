"""Random systems of every shape: solutions, ranks, bases, inverses and intersections agree with SymPy, exactly."""

# ruff: noqa: N803, N806 - matrices have the names of the field
from fractions import Fraction

import numpy as np
import pytest
import sympy
from exact_matrices import fractions_of, over_the_rationals
from hypothesis import given, settings
from hypothesis import strategies as st

from tendays import linalg

RANDOM = settings(max_examples=1000, deadline=None, derandomize=True)
FEW = settings(RANDOM, max_examples=300)
LARGEST = 5
# Bytes become entries, in one draw for a matrix; simple numbers come first, for hypothesis shrinks to byte 0.
ENTRIES = [Fraction(n, d) for d in (1, 1, 1, 2, 3, 7) for n in (0, 1, -1, 2, -2, 3, -3, 8, -9)]


def fractions(draw, m, n):
    entries = [ENTRIES[byte % len(ENTRIES)] for byte in draw(st.binary(min_size=m * n, max_size=m * n))]
    return np.array(entries, dtype=object).reshape(m, n)


@st.composite
def matrices(draw, n=None, m=None):
    """Matrices of every shape up to LARGEST; half of them are products of thin factors, so of low rank."""
    m, n = (draw(st.integers(0, LARGEST)) if size is None else size for size in (m, n))
    r = draw(st.integers(1, LARGEST))
    if draw(st.booleans()):
        return fractions(draw, m, n)
    return fractions(draw, m, r) @ fractions(draw, r, n) if m and n else fractions(draw, m, n)


@st.composite
def systems(draw):
    """Systems with any right-hand side, or with one that has a solution."""
    A = draw(matrices())
    m, n = A.shape
    if draw(st.booleans()) or not (m and n):
        return A, fractions(draw, 1, m)[0]
    return A, A @ fractions(draw, 1, n)[0]


@st.composite
def squares(draw):
    n = draw(st.integers(0, LARGEST))
    return draw(matrices(n, n))


@st.composite
def two_spaces(draw):
    n = draw(st.integers(0, LARGEST))
    return draw(matrices(n)), draw(matrices(n))


def rank_of(*blocks):
    return over_the_rationals(np.vstack(blocks)).rank()


def same_span(U, V):
    return rank_of(U, V) == rank_of(U) == rank_of(V)


@RANDOM
@given(systems())
def test_solution_sets_are_those_of_sympy(system):
    A, b = system
    m, n = A.shape
    solutions = linalg.solve(A, b)
    try:
        points, parameters = sympy.Matrix(m, n, A.ravel()).gauss_jordan_solve(sympy.Matrix(m, 1, b))
    except ValueError:  # SymPy's word for "no solution"
        assert solutions is None
        return
    point = [Fraction(int(x.p), int(x.q)) for x in points.subs(dict.fromkeys(parameters, 0))]
    assert solutions.dimension == len(parameters) == rank_of(solutions.directions)
    assert (A @ solutions.point == b).all()
    assert not (A @ solutions.directions.T).any()
    assert solutions.contains(point)


@FEW
@given(systems())
def test_a_set_contains_its_points_and_no_others(system):
    A, b = system
    solutions = linalg.solve(A, b)
    if solutions is None or not A.size:
        return
    x = solutions.at(np.arange(1, solutions.dimension + 1))
    assert solutions.contains(x)
    for e in np.eye(len(x), dtype=int):
        assert solutions.contains(x + e) == (not (A @ e).any())


@RANDOM
@given(matrices())
def test_forms_ranks_and_bases_are_those_of_sympy(A):
    form, pivots = over_the_rationals(A).rref()
    mine = linalg.reduced(A)
    assert mine.pivots == pivots == linalg.echelon(A).pivots
    assert (mine.end == fractions_of(form)).all()
    assert linalg.rank(A) == len(pivots)
    assert same_span(linalg.row_space(A), A)
    assert same_span(linalg.column_space(A), A.T)
    assert len(linalg.row_space(A)) == len(linalg.column_space(A)) == len(pivots)
    null = over_the_rationals(A).nullspace()
    assert same_span(linalg.null_space(A), fractions_of(null) if null.shape[0] else A[:0])


@FEW
@given(matrices())
def test_steps_are_products_of_elementary_matrices(A):
    for elimination in (linalg.echelon(A), linalg.reduced(A)):
        product = np.array(np.eye(len(A), dtype=int), dtype=object)
        for step in elimination.steps:
            product = step.elementary(len(A)) @ product
        assert (product @ A == elimination.end).all()
        assert len(elimination.states()) == len(elimination.steps) + 1


@RANDOM
@given(squares())
def test_inverses_are_those_of_sympy(A):
    rank = over_the_rationals(A).rank()
    if rank == len(A):
        assert (linalg.inverse(A) == fractions_of(over_the_rationals(A).inv())).all()
        return
    with pytest.raises(linalg.SingularError, match=f"has rank {rank}"):
        linalg.inverse(A)


@RANDOM
@given(two_spaces())
def test_sums_and_intersections_have_the_dimensions_that_ranks_say(spaces):
    U, V = spaces
    both, either = linalg.intersection(U, V), linalg.subspace_sum(U, V)
    assert same_span(either, np.vstack([U, V]))
    assert len(either) == rank_of(either)
    # A subspace of both, of dimension dim U + dim V - dim (U + V), is the intersection.
    assert rank_of(U, both) == rank_of(U)
    assert rank_of(V, both) == rank_of(V)
    assert len(both) == rank_of(both) == rank_of(U) + rank_of(V) - rank_of(U, V)


@FEW
@given(matrices())
def test_the_minus_one_trick_holds_the_null_space(A):
    square = linalg.minus_one_trick(linalg.reduced(A).end)
    n = A.shape[1]
    assert square.shape == (n, n)
    free = [i for i in range(n) if square[i, i] == -1]
    assert same_span(square[:, free].T, linalg.null_space(A))
