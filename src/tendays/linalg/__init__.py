"""Linear algebra in exact fractions or floats: elimination with its steps, solutions, subspaces, maps, finite groups.

`matrices` says what a matrix is here; everything else takes what `matrix` reads.
"""

from tendays.linalg import fraction_free, lifting
from tendays.linalg.drawing import elimination_figures, latex, latex_steps
from tendays.linalg.elimination import Add, Elimination, Scale, Swap, echelon, reduced
from tendays.linalg.groups import Axioms, cayley_table, group_axioms
from tendays.linalg.maps import change_of_basis, image, kernel, matrix_of
from tendays.linalg.matrices import matrix, vector
from tendays.linalg.solving import AffineSet, SingularError, inverse, minus_one_trick, null_space, rank, solve
from tendays.linalg.subspaces import (
    column_space,
    contains,
    coordinates,
    intersection,
    is_independent,
    row_space,
    subspace_sum,
)

__all__ = [
    "Add",
    "AffineSet",
    "Axioms",
    "Elimination",
    "Scale",
    "SingularError",
    "Swap",
    "cayley_table",
    "change_of_basis",
    "column_space",
    "contains",
    "coordinates",
    "echelon",
    "elimination_figures",
    "fraction_free",
    "group_axioms",
    "image",
    "intersection",
    "inverse",
    "is_independent",
    "kernel",
    "latex",
    "latex_steps",
    "lifting",
    "matrix",
    "matrix_of",
    "minus_one_trick",
    "null_space",
    "rank",
    "reduced",
    "row_space",
    "solve",
    "subspace_sum",
    "vector",
]
