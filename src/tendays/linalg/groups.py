"""Finite groups: an operation's table, and the axioms checked on every element, pair and triple."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

Operation = Callable[[Any, Any], Any]
OUTSIDE = -1


class Axioms(NamedTuple):
    """What an exhaustive check of the group axioms found; None where an axiom holds.

    Attributes:
        closed: A pair (a, b) whose product is not among the elements.
        associative: A triple (a, b, c) with (a b) c ≠ a (b c).
        identity: Whether an element e has e a = a e = a for all a.
        neutral: That element; None where there is none.
        inverses: An element that has no inverse; without a neutral element, the first.
        commutative: A pair (a, b) with a b ≠ b a.
    """

    closed: tuple | None
    associative: tuple | None
    identity: bool
    neutral: Any
    inverses: Any
    commutative: tuple | None

    @property
    def is_group(self) -> bool:
        """Whether the four axioms of a group hold."""
        return self.identity and self.closed is self.associative is self.inverses is None

    @property
    def is_abelian(self) -> bool:
        """Whether it is a group and commutative."""
        return self.is_group and self.commutative is None


def cayley_table(elements: Sequence[Hashable], operation: Operation) -> np.ndarray:
    """Return the table of an operation: for each pair, the place of its product among the elements.

    Args:
        elements: ``n`` different elements, hashable, such as ints or tuples.
        operation: Takes two elements to their product.

    Returns:
        Integers of shape (n, n); row i and column j hold the place of ``operation(elements[i], elements[j])``, or -1
        where that is not among the elements.

    Raises:
        ValueError: There are no elements, or two are equal.
    """
    place = {element: i for i, element in enumerate(elements)}
    if not place or len(place) < len(elements):
        raise ValueError(f"elements has {len(elements)}, of which {len(place)} differ; expected different elements")
    return np.array([[place.get(operation(a, b), OUTSIDE) for b in elements] for a in elements])


def group_axioms(elements: Sequence[Hashable], operation: Operation) -> Axioms:
    """Check closure, associativity, the neutral element, inverses and commutativity on all elements.

    Products that are not among the elements are not compared with one another.

    Args:
        elements: As for `cayley_table`.
        operation: As for `cayley_table`.

    Raises:
        ValueError: There are no elements, or two are equal.
    """
    table = cayley_table(elements, operation)
    e = _neutral(table)
    return Axioms(
        closed=_first(table == OUTSIDE, elements),
        associative=_first(_not_associative(table), elements),
        identity=e is not None,
        neutral=None if e is None else elements[e],
        inverses=_without_inverse(table, e, elements),
        commutative=_first(table != table.T, elements),
    )


def _first(wrong: np.ndarray, elements: Sequence) -> tuple | None:
    """The elements at the first place where something is wrong."""
    places = np.argwhere(wrong)
    return tuple(elements[i] for i in places[0]) if len(places) else None


def _neutral(table: np.ndarray) -> int | None:
    same = np.arange(len(table))
    neutral = (table == same).all(axis=1) & (table == same[:, None]).all(axis=0)
    return int(neutral.argmax()) if neutral.any() else None


def _not_associative(table: np.ndarray) -> np.ndarray:
    """Where (a b) c ≠ a (b c), of shape (n, n, n)."""
    left = np.where((table == OUTSIDE)[:, :, None], OUTSIDE, table[table])  # [a, b, c] = table[table[a, b], c]
    right = np.where((table == OUTSIDE)[None], OUTSIDE, table[:, table])  # [a, b, c] = table[a, table[b, c]]
    return (left != right) & (left != OUTSIDE) & (right != OUTSIDE)


def _without_inverse(table: np.ndarray, e: int | None, elements: Sequence) -> Any:
    if e is None:
        return elements[0]
    units = table == e
    found = (units & units.T).any(axis=1)
    return None if found.all() else elements[int(found.argmin())]
