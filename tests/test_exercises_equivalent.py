"""Answers with many forms: for each kind, equivalent answers that are right and near misses that are not."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tendays.exercises import affine_set, basis_of, check, set_of, span_of, yes_no

PLANE = [(1, 0, 2), (0, 1, 0)]
# Exercise 2.5 (b) of Mathematics for Machine Learning: a solution and a basis of the null space
SOLUTION, NULL_SPACE = (3, 0, 0, -1, 0), [(1, 2, 0, 1, 1), (0, 0, 1, 0, 0)]
KERNEL_MATRIX = np.array([[1.0, 0, 1], [1, -2, -1], [2, 1, 3], [1, 0, 1]])  # kernel: the line of (1, 1, -1)
WORDS = ["Hund", "Katze"]


def negative(x):
    return x < 0


RIGHT = {
    # a set, in any order and container
    "list": ([-3, 1], set_of([1, -3])),
    "set of floats": ({1.0, -3.0}, set_of([1, -3])),
    "tuple of Fractions": ((Fraction(-3), Fraction(1)), set_of([1, -3])),
    "tensor": (torch.tensor([-3.0, 1.0]), set_of([1, -3])),
    "keys": ({"Katze": 1, "Hund": 2}.keys(), set_of(WORDS)),
    "rounded": ([0.3333, 0.6667], set_of({2 / 3, 1 / 3})),
    "rows": (np.array([[0, 1], [1, 0]]), set_of([(1, 0), (0, 1)])),
    "subspaces": ([[(0, 2)], [(3, 0)]], set_of([span_of([(1, 0)]), span_of([(0, 1)])])),
    "nothing": ([], set_of([])),
    "a list of one empty vector": ([[]], basis_of([(0, 0)])),
    "roots of SymPy": (sympy.FiniteSet(1, -3), set_of([1, -3])),
    # a span
    "the same vectors": (PLANE, span_of(PLANE)),
    "other vectors": ([(1, 1, 2), (1, -1, 2)], span_of(PLANE)),
    "too many": ([(1, 1, 2), (1, -1, 2), (2, 0, 4), (0, 0, 0)], span_of(PLANE)),
    "a matrix of rows": (torch.tensor([[1.0, 1, 2], [1, -1, 2]]), span_of(PLANE)),
    "columns transposed": (np.array([[1, 1], [1, -1], [2, 2]]).T, span_of(PLANE)),
    "columns": (np.array([[1, 1], [1, -1], [2, 2]]), span_of(PLANE)),
    "columns as lists": ([[1, 1], [1, -1], [2, 2]], basis_of(PLANE)),
    "columns of a square matrix": (sympy.Matrix([[1, 0, 1], [0, 1, 0], [2, 0, 2]]), span_of(PLANE)),
    "rows of a square matrix": (np.array([[1, 0, 2], [0, 1, 0], [1, 1, 2]]), span_of(PLANE)),
    "thirds": ([(Fraction(1, 3), 0, Fraction(2, 3)), (0, Fraction(1, 7), 0)], span_of(PLANE)),
    "integers in floats": ([(1.0, 1.0, 2.0), (1.0, -1.0, 2.0)], span_of(PLANE)),
    "bfloat16": (torch.tensor([[0.3, 1, 0.6], [1, -1, 2]], dtype=torch.bfloat16), span_of(PLANE)),
    "a set of vectors": ({(0, 5, 0), (2, 0, 4)}, span_of(PLANE)),
    "singular vector": (np.linalg.svd(KERNEL_MATRIX)[2][-1:], span_of([(1, 1, -1)])),
    "in single precision": (torch.linalg.svd(torch.tensor(KERNEL_MATRIX).float())[2][-1:], span_of([(1, 1, -1)])),
    "one vector": ((-2, -2, 2), span_of([(1, 1, -1)])),
    "one column": (torch.tensor([[-2], [-2], [2]]), span_of([(1, 1, -1)])),
    "typed": ([(0.5774, 0.5774, -0.5774)], span_of([(1, 1, -1)])),
    "tiny": ([(1e-300, 1e-300, -1e-300)], span_of([(1, 1, -1)])),
    "expected as floats": ([(1, 1, -1)], span_of(np.array([[3**-0.5, 3**-0.5, -(3**-0.5)]]))),
    "complex": ([(1j, -1)], span_of([(1, 1j)])),
    "the whole space": ([(1, 1), (1, 2)], span_of([(1, 0), (0, 1)])),
    "zero subspace": ([], span_of([])),
    "zero vectors": ([(0, 0)], span_of([])),
    "zero expected": ([], span_of([(0, 0, 0)])),
    "no rows": (np.zeros((0, 3)), span_of([(0, 0, 0)])),
    "nullspace of SymPy": (sympy.Matrix(KERNEL_MATRIX.astype(int)).nullspace(), basis_of([(1, 1, -1)])),
    # a basis
    "another basis": ([(1, 1, 2), (1, -1, 2)], basis_of([*PLANE, (1, 1, 2)])),
    "a float basis": ([(0.1, 0.1, 0.2), (0.3, -0.3, 0.6)], basis_of(PLANE)),
    "of nothing": ([], basis_of([(0, 0)])),
    "ill-conditioned": ([(1.0, 0, 2), (1, 1e-6, 2)], basis_of(PLANE)),
    # an affine set
    "the same": ((SOLUTION, NULL_SPACE), affine_set(SOLUTION, NULL_SPACE)),
    "another point, another basis": (
        ((4, 2, 7, 0, 1), [(1, 2, 1, 1, 1), (0, 0, 5, 0, 0)]),
        affine_set(SOLUTION, NULL_SPACE),
    ),
    "floats": (
        (torch.tensor([3.5, 1, 0, -0.5, 0.5]), np.array([[0.1, 0.2, 1, 0.1, 0.1], [0.1, 0.2, -1, 0.1, 0.1]])),
        affine_set(SOLUTION, NULL_SPACE),
    ),
    "directions as columns": ((SOLUTION, np.array(NULL_SPACE).T), affine_set(SOLUTION, NULL_SPACE)),
    "point and directions as columns": (np.array([SOLUTION, *NULL_SPACE]).T, affine_set(SOLUTION, NULL_SPACE)),
    "columns of SymPy": (
        (sympy.Matrix(SOLUTION), [sympy.Matrix(v) for v in NULL_SPACE]),
        affine_set(SOLUTION, NULL_SPACE),
    ),
    "one matrix": (np.array([(4, 2, 7, 0, 1), *NULL_SPACE]), affine_set(SOLUTION, NULL_SPACE)),
    "one direction": (((4, 2), (3, 6)), affine_set((3, 0), [(1, 2)])),
    "typed line": (((3.333, 6.667), (0.5, 1)), affine_set((0, 0), [(1, 2)])),
    "a point": ((0.375, 0.375, 0.25), affine_set((Fraction(3, 8), Fraction(3, 8), Fraction(1, 4)), [])),
    "a point of two numbers": ([1, 2], affine_set((1, 2), [])),
    "a point without directions": (((1, 2), []), affine_set((1, 2), [])),
    "origin but for rounding": (((1e-17, 0), [(1, 0)]), affine_set((0, 0), [(1, 0)])),
    # yes or no
    "True": (True, yes_no(True)),
    "yes": ("Yes", yes_no(True)),
    "a tensor": (torch.tensor(False), yes_no(False)),
    "no": (np.False_, yes_no(False)),
    "a reason that nobody asked for": (("no", 5), yes_no(False)),
    "counterexample": (("no", -1), yes_no(False, negative)),
    "counterexample in a list": ([False, -2.5], yes_no(False, negative)),
    "a pair": (("no", (1, 2)), yes_no(False, lambda pair: pair[0] < pair[1])),
    "a predicate's tensor": (("no", -1), yes_no(False, lambda x: torch.tensor(x) < 0)),
}


@pytest.mark.parametrize(("answer", "expected"), RIGHT.values(), ids=RIGHT)
def test_an_equivalent_answer_is_right(answer, expected, capsys):
    assert check(answer, expected, hint="unseen")
    assert capsys.readouterr().out == "✓ right\n"


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        ([1], set_of([1, -3]), "one item is missing"),
        ([1, -3, 5], set_of([1, -3]), "5 is too much"),
        ([1, -3, 1.0], set_of([1, -3]), "1 stands there twice"),
        ([5, 1, 1], set_of([1, -3]), "one item is missing; 5 is too much; 1 stands there twice"),
        ([1, 3], set_of([1, -3]), "one item is missing; 3 is too much"),
        ([0.333, 0.6667], set_of([1 / 3, 2 / 3]), "0.333 is right to three digits, asked for four"),
        ([True, 2], set_of([1, 2]), "one item is missing; True is too much"),
        (["Hund", None], set_of(WORDS), "one item is missing; None is too much"),
        ("Hund", set_of(WORDS), "a set of items was asked for; this is a str: 'Hund'"),
        ({"Hund": 1}, set_of(WORDS), "a set of items was asked for; this is a dict"),
        (1, set_of([1]), "a set of items was asked for; this is an int: 1"),
        (torch.tensor(1), set_of([1]), "a set of items was asked for; this is a Tensor of shape ()"),
        ([(1, 0), (1, 1)], set_of([(1, 0), (0, 1)]), "one item is missing; (1, 1) is too much"),
        (
            [(1, 0, 0), (0, 1, 0)],
            span_of(PLANE),
            "your vectors are independent, and span a different plane: (1, 0, 2) is missing",
        ),
        (
            [(1.0, 0, 0), (0, 1, 0)],
            span_of(PLANE),
            "your vectors are independent, and span a different plane: (1, 0, 2) is missing",
        ),
        (
            [(1, 0, 0), (2, 0, 0)],
            span_of([(0, 1, 0)]),
            "your vectors are dependent, and span a different line: (1, 0, 0) does not belong to it",
        ),
        ([(1, 0, 2)], span_of(PLANE), "your vectors span a line; a plane was asked for: (0, 1, 0) is missing"),
        ([(1, 0, 2), (0.5, 0, 1)], span_of(PLANE), "your vectors span a line; a plane was asked for: (0, 1, 0)"),
        (
            [*PLANE, (0, 0, 1)],
            span_of(PLANE),
            "a subspace of dimension 3; a plane was asked for: (0, 0, 1) does not belong to it",
        ),
        ([], span_of(PLANE), "your vectors span the zero subspace; a plane was asked for"),
        ([(1, 0)], span_of([]), "your vectors span a line; the zero subspace was asked for: (1, 0) does not belong"),
        (
            [(1, 0, 0), (0, 1, 8e-4)],
            span_of([(1, 0, 0), (1, 0.1, 0)]),  # each is within 5e-4 of the answer's span, and not the reverse
            "span a different plane: (0, 1, 0.0008) does not belong to it",
        ),
        ([(1000, 1001, -1000)], span_of([(1, 1, -1)]), "span a different line"),
        ([(0.577, 0.58, -0.577)], span_of([(1, 1, -1)]), "span a different line"),
        ([(1, 0), (0, 1)], span_of(PLANE), "its vectors have 2 entries; they should have 3 (a row for each vector)"),
        (np.array([[1, 0], [0, 1]]), span_of(PLANE), "its vectors have 2 entries; they should have 3"),
        (np.array([[1, 0], [0, 1], [3, 0]]), span_of(PLANE), "different plane: (1, 0, 2) is missing"),
        ([(1, 0, 1), (0, 1, 0), (2, 0, 2)], span_of(PLANE), "different plane: (1, 0, 2) is missing"),
        ([(1, 0, 2), (0, 1)], span_of(PLANE), "it is ragged"),
        ([(1, 0, 2), (0, 1, math.nan)], span_of(PLANE), "its entries are not all finite"),
        ([(1, 0, 2), (0, 1, math.inf)], span_of(PLANE), "its entries are not all finite"),
        ([(1, 0, 2), (0, 1, "0")], span_of(PLANE), "a list of vectors was asked for; at [1, 2] there is a str: '0'"),
        ([(True, False, True)], span_of(PLANE), "a list of vectors was asked for"),
        (7, span_of(PLANE), "a list of vectors was asked for; this is an int: 7"),
        ("plane", span_of(PLANE), "a list of vectors was asked for; this is a str"),
        (None, span_of(PLANE), "is a `return` missing?"),
        (np.zeros((2, 2, 3)), span_of(PLANE), "a list of vectors was asked for; this has the shape (2, 2, 3)"),
        (
            [(1, 0, 2), (2, 0, 4), (0, 1, 0)],
            basis_of(PLANE),
            "they span the right plane, but are dependent: (2, 0, 4) depends on those before it",
        ),
        (
            [(0.1, 0, 0.2), (0.3, 0, 0.6), (0, 1, 0)],
            basis_of(PLANE),
            "they span the right plane, but are dependent: (0.3, 0, 0.6) depends on those before it",
        ),
        ([(0, 0)], basis_of([]), "they span the right zero subspace, but are dependent: (0, 0) depends"),
        ([(1, 0, 2), (2, 0, 4)], basis_of(PLANE), "your vectors span a line; a plane was asked for"),
        (
            (SOLUTION, [SOLUTION, NULL_SPACE[1]]),  # an error of published solutions
            affine_set(SOLUTION, NULL_SPACE),
            "the directions: your vectors are independent, and span a different plane: (1, 2, 0, 1, 1) is missing",
        ),
        (
            ((3, 1, 0, -1, 0), NULL_SPACE),
            affine_set(SOLUTION, NULL_SPACE),
            "the directions are right, but the point (3, 1, 0, -1, 0) is not in the set",
        ),
        (((3.01, 0, 0, -1, 0), NULL_SPACE), affine_set(SOLUTION, NULL_SPACE), "the point (3.01, 0, 0, -1, 0) is not"),
        (SOLUTION, affine_set(SOLUTION, NULL_SPACE), "the directions: your vectors span the zero subspace; a plane"),
        (((1, 2), [(1, 0)]), affine_set((1, 2), []), "the directions: your vectors span a line; the zero subspace was"),
        ((3, 3, 2), affine_set((Fraction(3, 8), Fraction(3, 8), Fraction(1, 4)), []), "the point (3, 3, 2) is not in"),
        (((1e-3, 1e-3), [(1, 0)]), affine_set((0, 0), [(1, 0)]), "the point (0.001, 0.001) is not in the set"),
        (((1, 2, 3), [(1, 0)]), affine_set((1, 2), [(1, 0)]), "the point has 3 entries; it should have 2"),
        (((1, 2), [(1, 0, 0)]), affine_set((1, 2), [(1, 0)]), "the directions: its vectors have 3 entries"),
        ("ab", affine_set((1, 2), []), "a point and a list of directions was asked for; this is a str: 'ab'"),
        (3, affine_set((1, 2), []), "a point and a list of directions was asked for; this is an int: 3"),
        ([], affine_set((1, 2), []), "a point and a list of directions was asked for; this is a list"),
        (([(1, 2), (3, 4)], []), affine_set((1, 2), []), "a point and a list of directions was asked for"),
        (((1, 2), "x"), affine_set((1, 2), []), "a point and a list of directions was asked for; this is a str: 'x'"),
        (False, yes_no(True), "it is not no"),
        (("yes", -1), yes_no(False, negative), "it is not yes"),
        ("no", yes_no(False, negative), 'a counterexample is missing: answer ("no", counterexample)'),
        (("no", None), yes_no(False, negative), "a counterexample is missing"),
        (("no", 1), yes_no(False, negative), "no is right, but 1 is not a counterexample"),
        (("no", "x"), yes_no(False, negative), "'x' does not have the form of a counterexample (TypeError"),
        (0, yes_no(False), "yes or no was asked for; this is an int: 0"),
        (("no", -1, 2), yes_no(False, negative), 'a pair was asked for: ("no", counterexample), the counterexample in'),
        ("maybe", yes_no(False), "yes or no was asked for; this is a str: 'maybe'"),
        (torch.tensor([True, True]), yes_no(True), "yes or no was asked for; this is a Tensor"),
    ],
)
def test_a_near_miss_says_what_is_wrong(answer, expected, message, capsys):
    assert not check(answer, expected, hint="Look again.")
    out = capsys.readouterr().out
    assert out.startswith("✗ ")
    assert message in out
    assert out.endswith("\n  Hint: Look again.\n")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (..., set_of([1])),
        ([1, ...], set_of([1, 2])),
        (..., span_of(PLANE)),
        ([(1, 0, 2), ...], basis_of(PLANE)),
        (..., affine_set((1, 2), [])),
        ((..., [...]), affine_set((1, 2), [])),
        (((1, 2), ...), affine_set((1, 2), [])),
        (..., yes_no(True)),
        (("no", ...), yes_no(False, negative)),
    ],
)
def test_unanswered_in_part_is_unanswered(answer, expected, capsys):
    assert not check(answer, expected, hint="unseen")
    assert capsys.readouterr().out == "· not answered yet\n"


def test_digits_hold_in_every_kind():
    assert check([0.33], set_of([1 / 3]), digits=2)
    assert not check([0.33], set_of([1 / 3]), digits=3)
    assert check([(0.33, 0.67)], span_of([(1, 2)]), digits=2)
    assert not check([(0.33, 0.67)], span_of([(1, 2)]), digits=4)
    assert check(((0.33, 0.67), [(0, 0)]), affine_set((1 / 3, 2 / 3), []), digits=2)
    assert not check(((0.33, 0.67), [(0, 0)]), affine_set((1 / 3, 2 / 3), []), digits=4)


def test_a_reference_may_return_a_kind(capsys):
    cases = [(4,), (9,)]
    assert check(lambda x: (-(x**0.5), x**0.5), lambda x: set_of([x**0.5, -(x**0.5)]), cases=cases)
    assert not check(lambda x: [2, -2], lambda x: set_of([x**0.5, -(x**0.5)]), cases=cases)
    assert "✗ case 2: 2 items are missing; 2 is too much; -2 is too much" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: set_of(3), "items is an int: 3; expected a collection"),
        (lambda: set_of("ab"), "items is a str: 'ab'; expected a collection"),
        (lambda: set_of([1, 2, 1.0]), "items names 1 twice"),
        (lambda: span_of([(1, 2), (3,)]), "vectors: it is ragged"),
        (lambda: span_of([(1, math.nan)]), "vectors: its entries are not all finite"),
        (lambda: basis_of("ab"), "vectors: a list of vectors was asked for; this is a str: 'ab'"),
        (lambda: affine_set([(1, 2), (3, 4)], []), "point is a list: .*; expected one vector"),
        (lambda: affine_set(3, []), "point: a list of vectors was asked for; this is an int: 3"),
        (lambda: affine_set((1, 2), [(1, 2, 3)]), "directions have 3 entries; expected 2 as in point"),
        (lambda: affine_set((1, 2), [(1, 2), (3,)]), "directions: it is ragged"),
        (lambda: yes_no("yes"), "expected is 'yes'; expected True or False"),
        (lambda: yes_no(True, negative), "counterexample is a function that goes with expected=False"),
        (lambda: yes_no(False, 3), "counterexample is a function that goes with expected=False"),
    ],
)
def test_an_expected_answer_that_makes_no_sense_is_rejected(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


SMALL = st.integers(-3, 3)


@st.composite
def subspaces(draw):
    """A basis (r, n) of a subspace, a vector orthogonal to it, and an invertible r × r matrix of integers."""
    r = draw(st.integers(1, 3))
    n = draw(st.integers(r + 1, 5))
    rest = np.array(draw(st.lists(SMALL, min_size=r * (n - r), max_size=r * (n - r)))).reshape(r, n - r)
    order = draw(st.permutations(range(n)))
    basis = np.hstack([np.eye(r, dtype=int), rest])[:, order]
    normal = np.hstack([-rest.T, np.eye(n - r, dtype=int)])[0, order]
    entries = np.array(draw(st.lists(SMALL, min_size=r * r, max_size=r * r))).reshape(r, r)
    signs = np.diag(draw(st.lists(st.sampled_from([-2, -1, 1, 3]), min_size=r, max_size=r)))
    lower, upper = (np.tril(entries, -1) + np.eye(r, dtype=int)), (np.triu(entries, 1) + signs)
    return basis, normal, lower @ upper


@settings(deadline=None)
@given(subspaces(), st.sampled_from([int, np.float32, np.float64]))
def test_any_recombination_of_a_basis_is_right_and_a_vector_outside_is_not(drawn, dtype):
    basis, normal, mix = drawn
    assert not (basis @ normal).any()
    answer = (mix @ basis).astype(dtype)
    assert check(answer, basis_of(basis))
    assert check(basis, basis_of(answer))
    assert check((mix.sum(0) @ basis, answer), affine_set(np.zeros_like(normal), basis))
    for i in range(len(answer)):
        outside = answer.copy()
        outside[i] += normal.astype(dtype)
        assert not check(outside, span_of(basis))
        assert not check(np.delete(answer, i, axis=0), span_of(basis))
    assert not check((normal, answer), affine_set(np.zeros_like(normal), basis))
    assert not check(np.vstack([answer, answer[:1]]), basis_of(basis))
