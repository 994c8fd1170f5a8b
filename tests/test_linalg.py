"""Linear algebra by hand: forms, solutions, subspaces, maps, groups, LaTeX and frames."""

# ruff: noqa: N803, N806 - matrices have the names of the field
import itertools
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sympy
import torch

from tendays import linalg, plots
from tendays.linalg import Add, Scale, Swap

HALF = Fraction(1, 2)


def rows(A):
    return A.tolist()


# Matrices


@pytest.mark.parametrize(
    "A",
    [
        [[1, 2], [3, 4]],
        ((1, 2), (3, 4)),
        np.array([[1, 2], [3, 4]]),
        torch.tensor([[1, 2], [3, 4]]),
        sympy.Matrix([[1, 2], [3, 4]]),
        [np.array([1, 2]), (3, Fraction(4))],
    ],
)
def test_whole_numbers_become_fractions(A):
    read = linalg.matrix(A)
    assert rows(read) == [[1, 2], [3, 4]]
    assert {type(x) for x in read.flat} == {Fraction}


def test_one_float_makes_floats():
    assert linalg.matrix([[1, HALF], [0.25, 2]]).dtype == np.float64
    assert linalg.matrix(torch.ones(2, 2)).dtype == np.float64


def test_a_matrix_is_a_copy():
    given = np.eye(2)
    linalg.matrix(given)[0, 0] = 7
    assert given[0, 0] == 1


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_an_empty_array_keeps_its_shape(shape):
    assert linalg.matrix(np.empty(shape)).shape == shape


@pytest.mark.parametrize("b", [[1, 2], np.array([[1], [2]]), sympy.Matrix([1, 2]), torch.tensor([[1, 2]])])
def test_a_row_or_column_is_a_vector(b):
    assert linalg.vector(b).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("A", "message"),
    [
        ([[1, 2], [3]], "A is ragged: its rows have 2, 1 entries"),
        ([], "A has no rows"),
        ([[]], r"A has the shape \(1, 0\)"),
        ([1, 2], r"A is a list: \(1, 2\); expected a matrix"),
        ("ab", "A is a str: 'ab'; expected a matrix"),
        (None, "A is None; expected a matrix"),
        (np.ones(3), r"A has the shape \(3,\); expected a matrix"),
        ([[1, "x"]], r"A\[0, 1\] is a str: 'x'; expected a finite real number"),
        ([[1], [sympy.Symbol("t")]], r"A\[1, 0\] is a Symbol: t"),
        ([[1, float("inf")]], r"A\[0, 1\] is inf; expected a finite real number"),
        (np.array([[np.nan, 1]]), r"A\[0, 0\] is nan"),
        ([[1j, 2]], "expected real numbers"),
        ([[True, False]], "expected real numbers"),
        ([[1, [2]]], "A is no array of numbers: it is ragged"),
    ],
)
def test_what_is_no_matrix_is_rejected_by_name(A, message):
    with pytest.raises(ValueError, match=message):
        linalg.reduced(A)


@pytest.mark.parametrize(
    ("b", "message"),
    [
        ([1, 2, 3], r"b has 3 entries; expected 2, one for each row of A, of shape \(2, 2\)"),
        ([[1, 2], [3, 4]], r"b has the shape \(2, 2\); expected a vector"),
        ([1, np.nan], r"b\[1\] is nan"),
        (5, r"b has the shape \(\); expected a vector"),
    ],
)
def test_a_wrong_right_hand_side_is_rejected_by_name(b, message):
    with pytest.raises(ValueError, match=message):
        linalg.solve([[1, 2], [3, 4]], b)


# Elimination


def test_each_operation_is_its_elementary_matrix():
    A = linalg.matrix([[1, 2], [3, 4], [5, 6]])
    for step, end in (
        (Swap(0, 2), [[5, 6], [3, 4], [1, 2]]),
        (Scale(1, HALF), [[1, 2], [Fraction(3, 2), 2], [5, 6]]),
        (Add(2, 0, -5), [[1, 2], [3, 4], [0, -4]]),
    ):
        assert rows(step.apply(A)) == end
        assert rows(step.elementary(3) @ A) == end
    assert rows(A) == [[1, 2], [3, 4], [5, 6]]


def test_an_operation_that_cannot_be_undone_is_rejected():
    with pytest.raises(ValueError, match="factor is 0"):
        Scale(0, 0)
    with pytest.raises(ValueError, match="i and j are both 1"):
        Add(1, 1, 2)


def test_an_elimination_by_hand():
    done = linalg.reduced([[0, 2, 4], [1, 1, 1]])
    assert done.steps == (Swap(0, 1), Scale(1, HALF), Add(0, 1, -1))
    assert [rows(A) for A in done.states()] == [
        [[0, 2, 4], [1, 1, 1]],
        [[1, 1, 1], [0, 2, 4]],
        [[1, 1, 1], [0, 1, 2]],
        [[1, 0, -1], [0, 1, 2]],
    ]
    assert (done.pivots, done.rank) == ((0, 1), 2)
    assert linalg.echelon([[0, 2, 4], [1, 1, 1]]).steps == (Swap(0, 1),)


def test_floats_take_the_largest_pivot_and_fractions_the_first():
    assert linalg.echelon([[1.0, 0], [2, 1]]).steps == (Swap(0, 1), Add(1, 0, -0.5))
    assert linalg.echelon([[1, 0], [2, 1]]).steps == (Add(1, 0, -2),)
    assert linalg.echelon([[1.0, 0], [2, 1]], pivoting=False).steps == (Add(1, 0, -2.0),)


def test_a_tiny_first_pivot_ruins_floats_without_pivoting():
    A, b = np.array([[1e-20, 1], [1, 1]]), np.array([1.0, 2])
    naive = linalg.reduced(np.column_stack([A, b]), pivoting=False).end[:, 2]
    assert naive.tolist() == [0, 1]  # the solution is (1, 1), but for 1e-20
    assert linalg.solve(A, b).point.tolist() == [1, 1]


def test_floats_of_rank_two_have_rank_two():
    A = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
    assert linalg.rank(A) == np.linalg.matrix_rank(A) == 2
    assert linalg.reduced(A).end[2].tolist() == [0, 0, 0]
    assert linalg.reduced(A).end[:, :2].tolist() == [[1, 0], [0, 1], [0, 0]]


def test_the_last_state_of_floats_is_the_end():
    done = linalg.reduced(np.array([[0.1, 0.7], [0.3, 0.2]]))
    assert done.states()[-1].tolist() == done.end.tolist() == [[1, 0], [0, 1]]


def test_floats_solve_as_numpy_does():
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(20, 20)), rng.normal(size=20)
    assert np.allclose(linalg.solve(A, b).point, np.linalg.solve(A, b), rtol=1e-10)
    assert np.allclose(linalg.inverse(A), np.linalg.inv(A), rtol=1e-10)


def test_floats_that_leave_their_range_are_an_error():
    for A in ([[1e-310, 0.0]], [[1e308, 1e308], [1e308, -1e308]]):
        with pytest.raises(OverflowError, match=r"leaves the range of floats in step \d; scale it"):
            linalg.reduced(A)


def test_a_result_that_leaves_the_range_of_floats_is_an_error():
    for call in (lambda: linalg.inverse([[1e-310]]), lambda: linalg.solve([[1e-310]], [1.0])):
        with pytest.raises(OverflowError, match="leaves the range of floats"):
            call()
    assert linalg.solve([[1e-310]], [1e-310]).point.tolist() == [1]


# Solutions


@pytest.mark.parametrize("size", [1e-310, 1e-16, 1.0, 1e16, 1e300])
def test_the_size_of_the_right_side_does_not_decide_whether_it_is_reached(size):
    assert linalg.solve([[1.0, 2], [3, 4]], [size, 0]).point == pytest.approx([-2 * size, 1.5 * size])
    assert linalg.solve([[1.0, 2], [2, 4]], [size, 2 * size]).dimension == 1
    assert linalg.solve([[1.0, 2], [2, 4]], [size, 3 * size]) is None


@pytest.mark.parametrize("size", [1e-300, 1e-16, 1e16, 1e300])
def test_a_small_or_large_matrix_has_its_inverse(size):
    A = size * np.array([[2.0, 1], [1, 3]])
    assert linalg.inverse(A) @ A == pytest.approx(np.eye(2))
    with pytest.raises(linalg.SingularError, match="has rank 1"):
        linalg.inverse(size * np.array([[2.0, 1], [4, 2]]))


def test_a_set_of_floats_contains_what_differs_by_rounding():
    rng = np.random.default_rng(0)
    for _ in range(50):
        A, x = rng.normal(size=(3, 3)), rng.normal(size=3)
        found = linalg.solve(A, A @ x)
        assert found.contains(found.point * (1 + 1e-13))
        assert not found.contains(x + 1e-8)
    line = linalg.AffineSet(np.array([1e6, 1e6]), np.array([[1, 1e-3]]))
    assert line.contains(line.at([0.1]))
    assert not line.contains(line.at([0.1]) + np.array([0, 1e-3]))


def test_the_minus_one_trick_of_the_book():
    R = [[1, 3, 0, 0, 3], [0, 0, 1, 0, 9], [0, 0, 0, 1, -4]]
    assert rows(linalg.minus_one_trick(R)) == [
        [1, 3, 0, 0, 3],
        [0, -1, 0, 0, 0],
        [0, 0, 1, 0, 9],
        [0, 0, 0, 1, -4],
        [0, 0, 0, 0, -1],
    ]
    assert rows(linalg.null_space(R)) == [[3, -1, 0, 0, 0], [3, 0, 9, -4, -1]]


def test_the_minus_one_trick_needs_a_reduced_form():
    with pytest.raises(ValueError, match=r"R, of shape \(1, 2\), is not in reduced row echelon form"):
        linalg.minus_one_trick([[2, 4]])


def test_a_plane_of_solutions():
    plane = linalg.solve([[1, 1, 1]], [6])
    assert plane.dimension == 2
    assert plane.at([1, 1]).tolist() == (plane.point + plane.directions.sum(axis=0)).tolist()
    assert plane.contains([1, 2, 3])
    assert plane.contains(np.array([1.5, 2, 2.5]))
    assert not plane.contains([1, 2, 4])
    assert linalg.solve([[1, 1, 1], [2, 2, 2]], [6, 13]) is None


def test_coefficients_and_points_of_another_size_are_rejected():
    plane = linalg.solve([[1, 1, 1]], [6])
    with pytest.raises(ValueError, match="coefficients has 1 entries; expected 2"):
        plane.at([1])
    with pytest.raises(ValueError, match="x has 2 entries; expected 3"):
        plane.contains([1, 2])


def test_no_equations_leave_everything_and_no_unknowns_a_point():
    assert linalg.solve(np.empty((0, 2)), []).dimension == 2
    assert linalg.solve(np.empty((2, 0)), [0, 0]).dimension == 0
    assert linalg.solve(np.empty((2, 0)), [0, 1]) is None
    assert linalg.inverse(np.empty((0, 0))).shape == (0, 0)


def test_an_inverse_needs_a_square_matrix_of_full_rank():
    assert rows(linalg.inverse([[1, 2], [3, 4]])) == [[-2, 1], [Fraction(3, 2), -HALF]]
    with pytest.raises(ValueError, match=r"A has the shape \(1, 2\); expected a square matrix"):
        linalg.inverse([[1, 2]])
    with pytest.raises(linalg.SingularError, match=r"A, of shape \(2, 2\), has rank 1"):
        linalg.inverse([[1, 2], [2, 4]])


# Subspaces


def test_coordinates_in_a_basis_of_a_plane():
    basis = [(1, 0, 1), (0, 1, 1)]
    assert linalg.coordinates(basis, (2, 3, 5)).tolist() == [2, 3]
    assert linalg.coordinates(basis, (2, 3, 6)) is None
    assert linalg.contains(basis, (2, 3, 5))
    assert not linalg.contains(basis, (2, 3, 6))
    thirds = np.array([[0.1, 0.2, 0.3], [0.7, 0.1, 0.4]])
    assert linalg.coordinates(thirds, 3 * thirds[0] - 7 * thirds[1]) == pytest.approx([3, -7])
    assert linalg.coordinates(thirds, [0.1, 0.2, 0.3001]) is None


def test_coordinates_need_independent_vectors_of_one_size():
    with pytest.raises(ValueError, match="basis has 2 vectors of rank 1"):
        linalg.coordinates([(1, 2), (2, 4)], (1, 2))
    with pytest.raises(ValueError, match="v has 3 entries; expected 2"):
        linalg.coordinates([(1, 2)], (1, 2, 3))


def test_two_planes_meet_in_a_line_and_span_space():
    U, V = [(1, 0, 0), (0, 1, 0)], [(0, 1, 0), (0, 0, 1)]
    assert rows(linalg.intersection(U, V)) == [[0, 1, 0]]
    assert rows(linalg.subspace_sum(U, V)) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    with pytest.raises(ValueError, match=r"V has the shape \(1, 2\); expected 3 columns"):
        linalg.intersection(U, [(1, 2)])


def test_dependence_is_seen():
    assert linalg.is_independent([(1, 2), (3, 4)])
    assert not linalg.is_independent([(1, 2), (2, 4)])
    assert linalg.is_independent(np.empty((0, 3)))


# Maps


def test_the_matrix_of_a_map_has_the_images_as_columns():
    A = linalg.matrix_of(lambda x: (x[0] + 2 * x[1], 3 * x[1], -x[0]), 2)
    assert rows(A) == [[1, 2], [0, 3], [-1, 0]]
    assert rows(linalg.image(A)) == [[1, 0, -1], [2, 3, 0]]
    assert rows(linalg.kernel([[1, 1]])) == [[1, -1]]
    with pytest.raises(ValueError, match="n is 0"):
        linalg.matrix_of(lambda x: x, 0)


def test_a_reflection_is_diagonal_in_its_own_basis():
    own = [(1, 1), (1, -1)]
    assert rows(linalg.change_of_basis([[0, 1], [1, 0]], own, own)) == [[1, 0], [0, -1]]
    assert rows(linalg.change_of_basis([[0, 1], [1, 0]], own, np.eye(2, dtype=int))) == [[1, -1], [1, 1]]


def test_new_bases_must_be_bases_of_the_right_size():
    with pytest.raises(ValueError, match=r"B has the shape \(2, 2\); expected \(3, 3\)"):
        linalg.change_of_basis([[1, 2, 3]], [[1, 0], [0, 1]], [[1]])
    with pytest.raises(linalg.SingularError, match="B, of shape"):
        linalg.change_of_basis([[1, 2]], [[1, 2], [2, 4]], [[1]])


# Groups


def brute_force_is_group(elements, operation):
    closed = all(operation(a, b) in elements for a, b in itertools.product(elements, repeat=2))
    if not closed:
        return False
    triples = itertools.product(elements, repeat=3)
    neutral = [e for e in elements if all(operation(e, a) == a == operation(a, e) for a in elements)]
    return bool(
        all(operation(operation(a, b), c) == operation(a, operation(b, c)) for a, b, c in triples)
        and neutral
        and all(any(operation(a, b) == operation(b, a) == neutral[0] for b in elements) for a in elements)
    )


@pytest.mark.parametrize("n", range(2, 13))
def test_residues_are_groups_when_brute_force_says_so(n):
    add, times = (lambda a, b: (a + b) % n), (lambda a, b: a * b % n)
    assert linalg.group_axioms(range(n), add).is_abelian
    units = range(1, n)
    assert linalg.group_axioms(units, times).is_group == brute_force_is_group(units, times) == sympy.isprime(n)


def test_permutations_are_a_group_that_does_not_commute():
    found = linalg.group_axioms(list(itertools.permutations(range(3))), lambda p, q: tuple(p[i] for i in q))
    assert found.is_group
    assert not found.is_abelian
    p, q = found.commutative
    assert tuple(p[i] for i in q) != tuple(q[i] for i in p)


def test_counterexamples_are_given():
    products = linalg.group_axioms(range(1, 8), lambda a, b: a * b % 8)
    assert products.closed == (2, 4)
    assert products.neutral == 1
    assert products.inverses == 2
    differences = linalg.group_axioms(range(5), lambda a, b: (a - b) % 5)
    a, b, c = differences.associative
    assert ((a - b) - c) % 5 != (a - (b - c)) % 5
    assert (differences.identity, differences.neutral, differences.inverses) == (False, None, 0)


def test_a_table_holds_places_of_products():
    table = linalg.cayley_table([1, 3, 2], lambda a, b: a * b)
    assert table.tolist() == [[0, 1, 2], [1, -1, -1], [2, -1, -1]]
    with pytest.raises(ValueError, match="elements has 3, of which 2 differ"):
        linalg.cayley_table([1, 1, 2], lambda a, b: a)


# LaTeX and frames


def test_matrices_as_latex():
    assert linalg.latex(linalg.matrix([[1, -HALF]])) == (
        r"\left[\begin{array}{rr} 1 & -\tfrac{1}{2} \end{array}\right]"
    )
    assert linalg.latex(np.array([[0.5, -0.0]]), augmented=1) == (
        r"\left[\begin{array}{r|r} 0.5 & 0 \end{array}\right]"
    )
    with pytest.raises(ValueError, match="augmented is 3; expected 0 to 2 columns"):
        linalg.latex(np.eye(2), augmented=3)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Swap(0, 1), r"R_{1} \leftrightarrow R_{2}"),
        (Scale(0, Fraction(-1)), r"-R_{1}"),
        (Scale(1, HALF), r"\tfrac{1}{2} R_{2}"),
        (Add(2, 0, Fraction(1)), r"R_{3} + R_{1}"),
        (Add(2, 0, -0.5), r"R_{3} - 0.5 R_{1}"),
    ],
)
def test_operations_as_latex(step, text):
    assert step.latex() == text


def test_an_elimination_has_a_line_of_latex_for_each_step():
    text = linalg.latex_steps(linalg.reduced([[0, 2], [1, 1]]), augmented=1)
    assert text.count(r"\xrightarrow") == 3
    assert text.count(r"{r|r}") == 4


def test_an_elimination_has_a_frame_for_each_state(monkeypatch):
    plots.use()
    figures, labels = linalg.elimination_figures(linalg.reduced([[0, 2, 4], [1, 1, HALF]]))
    assert labels == ["the matrix", "1. rows 1 and 2 swapped", "2. row 2 times 1/2", "3. row 1 − row 2"]
    cells = [text.get_text() for text in figures[-1].axes[0].texts]
    assert cells == ["1", "0", "−3/2", "0", "1", "2"]
    plots.frames(figures, labels, title="three steps", alt="an elimination")
    assert not plt.get_fignums()
