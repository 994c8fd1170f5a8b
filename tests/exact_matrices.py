"""Exact matrices for tests: SymPy's, whose elimination over the rationals is the oracle, and random ones."""

# ruff: noqa: N803 - matrices have the names of the field
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from sympy.polys.domains import QQ
from sympy.polys.matrices import DomainMatrix

NUMBERS = st.one_of(
    st.integers(-9, 9),
    st.builds(Fraction, st.integers(-9, 9), st.integers(1, 9)),
    st.integers(-(10**30), 10**30),
)


def entries(draw, m, n):
    """A matrix (m, n) of short and long numbers, drawn by hypothesis."""
    numbers = draw(st.lists(NUMBERS, min_size=m * n, max_size=m * n))
    return np.array([Fraction(x) for x in numbers], dtype=object).reshape(m, n)


def over_the_rationals(A):
    """SymPy's matrix of the same Fractions (m, n)."""
    return DomainMatrix([[QQ(x.numerator, x.denominator) for x in row] for row in A.tolist()], A.shape, QQ)


def fractions_of(M):
    """The Fractions (m, n) of a matrix of SymPy."""
    flat = [Fraction(int(x.numerator), int(x.denominator)) for x in M.to_list_flat()]
    return np.array(flat, dtype=object).reshape(M.shape)
