"""Subspaces and affine sets, in whichever basis an answer describes them.

Vectors are given as a list of vectors, or as the rows of a matrix. In an answer they may be the columns as well: where
only those have the right number of entries, or where a square array, tensor or SymPy matrix is right by its columns.
Vectors of shape (n, 1), as SymPy's, count as vectors; a single vector stands for a list of one. The empty list spans
the zero subspace.

Where all entries are ints or Fractions, elimination decides exactly. Otherwise the singular value decomposition does,
with vectors scaled to length 1, E the expected subspace and Q an orthonormal basis of it:

- a vector v is in E when |v − Q Qᵀ v| ≤ 5 · 10^(−digits) |v|, or within the machine epsilon of its dtype;
- the rank is that of the vectors' projections on E: the number of singular values above the rounding of the dtype (see
  `numeric.rounding`) or above the largest distance from E found in the first step, whichever is larger.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from tendays.exercises.numeric import Numbers, UnreadableError, named, read, read_answer, rounding, show
from tendays.exercises.values import Equivalence


def span_of(vectors: Any) -> Equivalence:
    """Return the expected answer "vectors that span the same subspace as these".

    Raises:
        ValueError: ``vectors`` are not finite numbers in vectors of one length.
    """
    return _Span(_expected_vectors("vectors", vectors))


def basis_of(vectors: Any) -> Equivalence:
    """Return the expected answer "a basis of the subspace that these vectors span".

    Raises:
        ValueError: ``vectors`` are not finite numbers in vectors of one length.
    """
    return _Span(_expected_vectors("vectors", vectors), independent=True)


def affine_set(point: Any, directions: Any) -> Equivalence:
    """Return the expected answer "this point plus the span of these directions".

    The answer is a pair of a point and directions, or one list or matrix with the point as its first row and the
    directions below. A point alone is the set of that point.

    Raises:
        ValueError: ``point`` is not one vector of finite numbers, or ``directions`` are not vectors of its length.
    """
    origin = _expected_vectors("point", point)
    if len(origin.values) != 1:
        raise ValueError(f"point is {named(point)}; expected one vector")
    along = _expected_vectors("directions", directions)
    if not _fits(along, origin):
        raise ValueError(f"directions have {along.shape[1]} entries; expected {origin.shape[1]} as in point")
    return _Affine(origin, along)


@dataclass(frozen=True)
class _Span(Equivalence):
    vectors: Numbers
    independent: bool = False

    def problem(self, answer: Any, digits: int) -> str | None:
        try:
            mine = _answered_vectors(answer)
        except UnreadableError as error:
            return error.explained("a list of vectors")
        return _answer_problem(answer, mine, self.vectors, digits, self.independent)


@dataclass(frozen=True)
class _Affine(Equivalence):
    point: Numbers
    directions: Numbers

    def problem(self, answer: Any, digits: int) -> str | None:
        try:
            point, directions = _answered_affine(answer, self.point.shape[1])
        except UnreadableError as error:
            return error.explained("a point and a list of directions")
        if not _fits(point, self.point):
            return f"the point has {point.shape[1]} entries; it should have {self.point.shape[1]}"
        right = self.directions if len(self.directions.values) else Numbers(np.zeros_like(self.point.values))
        given = answer[1] if _is_pair(answer) else None
        if problem := _answer_problem(given, directions, right, digits, independent=False):
            return f"the directions: {problem}"
        if _on_affine(point, self.point, right, digits):
            return None
        return f"the directions are right, but the point {show(point.values[0])} is not in the set"


def _expected_vectors(name: str, vectors: Any) -> Numbers:
    try:
        return _vectors(read(vectors))
    except UnreadableError as error:
        raise ValueError(f"{name}: {error.explained('a list of vectors')}") from None


def _answered_vectors(answer: Any) -> Numbers:
    return _vectors(read_answer(list(answer) if isinstance(answer, (set, frozenset)) else answer))


def _answered_affine(answer: Any, size: int) -> tuple[Numbers, Numbers]:
    """The point (1, n) and directions (k, n) of an answer, where n should be ``size``."""
    if _is_pair(answer):
        return _point(answer[0]), _answered_vectors(answer[1])
    rows = _answered_vectors(answer)
    if not len(rows.values):
        raise UnreadableError("", answer)
    if rows.shape[1] != size and rows.shape[0] == size:
        rows = _transposed(rows)
    return Numbers(rows.values[:1], rows.eps), Numbers(rows.values[1:], rows.eps)


def _is_pair(answer: Any) -> bool:
    """Whether an answer is a pair of a point and directions, and no list of vectors."""
    return isinstance(answer, (list, tuple)) and len(answer) == 2 and bool(read_answer(answer[0]).shape)


def _point(value: Any) -> Numbers:
    point = _answered_vectors(value)
    if len(point.values) != 1:
        raise UnreadableError("", value)
    return point


def _vectors(numbers: Numbers) -> Numbers:
    """The vectors as rows of a matrix (k, n); the empty list as (0, 0)."""
    values = numbers.values
    if numbers.boolean or values.ndim == 0:
        raise UnreadableError("", values.item() if values.ndim == 0 else values)
    if values.size == 0:  # no vectors, or vectors without entries
        values = values.reshape(0, 0)
    if values.ndim == 3 and 1 in values.shape[1:]:  # columns or rows that are matrices
        values = values.reshape(len(values), -1)
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1 and len(values) > 1):
        values = values.reshape(1, -1)
    if values.ndim != 2:
        raise UnreadableError(f"a list of vectors was asked for; this has the shape {values.shape}")
    if not numbers.exact and not np.isfinite(values).all():
        raise UnreadableError("its entries are not all finite")
    return Numbers(values, numbers.eps)


def _fits(mine: Numbers, right: Numbers) -> bool:
    """Whether two lists of vectors are in the same space; an empty one is in any."""
    return 0 in (len(mine.values), len(right.values)) or mine.shape[1] == right.shape[1]


def _transposed(numbers: Numbers) -> Numbers:
    return Numbers(numbers.values.T, numbers.eps)


def _answer_problem(answer: Any, mine: Numbers, right: Numbers, digits: int, independent: bool) -> str | None:
    """What is wrong with an answer's vectors, read from its rows or, where they may be meant, from its columns."""
    problem = _span_problem(mine, right, digits, independent)
    size = right.shape[1]
    if problem is None or mine.shape[0] != size:
        return problem
    by_columns = _span_problem(_transposed(mine), right, digits, independent)
    if mine.shape[1] != size:
        return by_columns
    return None if hasattr(answer, "__array__") and by_columns is None else problem


def _span_problem(mine: Numbers, right: Numbers, digits: int, independent: bool) -> str | None:
    """What is wrong with the span of some vectors, or with them as a basis; None when nothing is."""
    if not _fits(mine, right):
        return f"its vectors have {mine.shape[1]} entries; they should have {right.shape[1]} (a row for each vector)"
    if mine.shape[1] != right.shape[1]:  # one of them is empty
        width = max(mine.shape[1], right.shape[1])
        mine, right = (x if len(x.values) else Numbers(np.empty((0, width), dtype=object)) for x in (mine, right))
    spaces = (_Exact if mine.exact and right.exact else _Floating)(mine, right, digits)
    dependent = spaces.dependent()
    if spaces.outside or spaces.missing or spaces.rank != spaces.right_rank:
        return _different(mine, right, spaces, dependent)
    if independent and dependent is not None:
        culprit = show(mine.values[dependent])
        return f"they span the right {_space(spaces.rank)}, but are dependent: {culprit} depends on those before it"
    return None


def _different(mine: Numbers, right: Numbers, spaces: "_Exact | _Floating", dependent: int | None) -> str:
    """How the span of some vectors differs from the right one, without giving the whole of it away."""
    tells_all = spaces.right_rank == 1 or not spaces.rank
    examples = [] if tells_all else [f"{show(right.values[i])} is missing" for i in spaces.missing[:1]]
    examples += [f"{show(mine.values[i])} does not belong to it" for i in spaces.outside[:1]]
    if spaces.rank == spaces.right_rank:
        kind = "independent" if dependent is None else "dependent"
        return f"your vectors are {kind}, and span a different {_space(spaces.rank)}: {examples[0]}"
    spans = f"your vectors span {_a_space(spaces.rank)}; {_a_space(spaces.right_rank)} was asked for"
    return ": ".join([spans, "; ".join(examples)]) if examples else spans


def _space(dimension: int) -> str:
    return ("zero subspace", "line", "plane")[dimension] if dimension < 3 else f"subspace of dimension {dimension}"


def _a_space(dimension: int) -> str:
    return f"{'a' if dimension else 'the'} {_space(dimension)}"


class _Exact:
    """Two spans of int and Fraction vectors, compared by elimination."""

    def __init__(self, mine: Numbers, right: Numbers, digits: int):
        self._mine = [list(row) for row in mine.values]
        theirs = [list(row) for row in right.values]
        self.rank, self.right_rank = _rank(self._mine), _rank(theirs)
        together = _rank([*self._mine, *theirs])
        self.outside, self.missing = [], []
        if together > self.right_rank:
            self.outside = [i for i, row in enumerate(self._mine) if _rank([*theirs, row]) > self.right_rank]
        if together > self.rank:
            self.missing = [i for i, row in enumerate(theirs) if _rank([*self._mine, row]) > self.rank]

    def dependent(self) -> int | None:
        """The first vector that depends on those before it."""
        if self.rank == len(self._mine):
            return None
        return _first_dependent([_rank(self._mine[: i + 1]) for i in range(len(self._mine))])


class _Floating:
    """Two spans of float vectors, compared by singular values; a vector counts as in the span within the tolerance."""

    def __init__(self, mine: Numbers, right: Numbers, digits: int):
        eps = max(mine.eps, right.eps)
        self._cut = rounding(eps)
        self._mine, theirs = _unit_rows(mine.floats()), _unit_rows(right.floats())
        nearness = max(5 * 10.0**-digits, eps)
        basis = _row_space(theirs, _rank(right.values) if right.exact else None, self._cut)
        gaps = _distances(self._mine, basis)
        self.outside = np.flatnonzero(gaps > nearness).tolist()
        if not self.outside:  # what is in the subspace is compared inside it
            self._cut = max(self._cut, 2 * np.linalg.norm(gaps))
            self._mine = self._mine @ basis.conj().T @ basis
        self.rank, self.right_rank = _float_rank(self._mine, self._cut), len(basis)
        own = _row_space(self._mine, None, self._cut)
        self.missing = np.flatnonzero(_distances(theirs, own) > nearness).tolist()

    def dependent(self) -> int | None:
        """The first vector that depends on those before it."""
        return _first_dependent([_float_rank(self._mine[: i + 1], self._cut) for i in range(len(self._mine))])


def _first_dependent(ranks: list[int]) -> int | None:
    """The first of a growing list of vectors that did not raise the rank."""
    return next((i for i, rank in enumerate(ranks) if rank <= i), None)


def _rank(rows: Any) -> int:
    """The rank of a matrix of ints and Fractions, exactly, by elimination."""
    rows = [[Fraction(x) for x in row] for row in rows]
    rank = 0
    for column in range(len(rows[0]) if rows else 0):
        place = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if place is None:
            continue
        pivot = rows.pop(place)
        rows.insert(rank, pivot)
        rank += 1
        for row in rows[rank:]:
            factor = row[column] / pivot[column]
            row[:] = [x - factor * p for x, p in zip(row, pivot, strict=True)]
    return rank


def _unit_rows(matrix: np.ndarray) -> np.ndarray:
    """The rows scaled to length 1; zero rows stay."""
    largest = np.abs(matrix).max(axis=1, keepdims=True, initial=0)  # first, so that no square overflows
    matrix = matrix / np.where(largest, largest, 1)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(lengths, lengths, 1)


def _float_rank(matrix: np.ndarray, cut: float) -> int:
    return int((np.linalg.svd(matrix, compute_uv=False) > cut).sum()) if matrix.size else 0


def _row_space(matrix: np.ndarray, rank: int | None, cut: float) -> np.ndarray:
    """An orthonormal basis (r, n) of the rows' span, of the given rank or that of the singular values above ``cut``."""
    if not matrix.size:
        return np.empty((0, matrix.shape[1]))
    _, sizes, basis = np.linalg.svd(matrix, full_matrices=False)
    return basis[: int((sizes > cut).sum()) if rank is None else rank]


def _distances(matrix: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """How far each row is from the span of an orthonormal basis."""
    return np.linalg.norm(matrix - matrix @ basis.conj().T @ basis, axis=1)


def _on_affine(point: Numbers, origin: Numbers, directions: Numbers, digits: int) -> bool:
    """Whether a point differs from a point of the set by a combination of its directions."""
    if point.exact and origin.exact and directions.exact:
        step = [a - b for a, b in zip(point.values[0], origin.values[0], strict=True)]
        return _rank([*directions.values, step]) == _rank(directions.values)
    eps = max(point.eps, origin.eps, directions.eps)
    mine, theirs = point.floats(), origin.floats()
    known = _rank(directions.values) if directions.exact else None
    basis = _row_space(_unit_rows(directions.floats()), known, rounding(eps))
    allowed = max(5 * 10.0**-digits, eps) * max(np.linalg.norm(mine), np.linalg.norm(theirs))
    if not theirs.any():  # the origin has no size that rounding could be compared with
        allowed = max(allowed, eps**0.5)
    return bool(_distances(mine - theirs, basis)[0] <= allowed)
