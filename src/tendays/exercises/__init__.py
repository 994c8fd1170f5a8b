"""Exercises that answer back: ``check(answer, expected)`` says whether an answer is right, or how far off it is.

A stub is written with ``...``, so that a notebook runs from end to end before anyone has solved anything::

    energy = ...  # your answer
    check(energy, expected, hint="Sum over the last dimension.")

    def attention(q, k, v):
        return ...  # your code

    check(attention, reference, cases=[(q, k, v)])

A solution cell asserts the same call: ``assert check(solution, expected)``.

An answer that has many equivalent forms is described by what it must be equivalent to::

    check(roots, set_of([1, -3]))                                # in any order
    check(kernel, span_of([(1, 1, -1)]))                         # any vectors that span the same subspace
    check(kernel, basis_of([(1, 1, -1)]))                        # the same, and independent
    check(solutions, affine_set((3, 0), [(1, 2)]))               # any point of the set, any directions
    check(commutative, yes_no(False, lambda pair: star(*pair) != star(*pair[::-1])))

`numeric` says when two numbers count as the same.
"""

from tendays.exercises.checking import Result, check
from tendays.exercises.kinds import set_of, yes_no
from tendays.exercises.subspaces import affine_set, basis_of, span_of

__all__ = ["Result", "affine_set", "basis_of", "check", "set_of", "span_of", "yes_no"]
