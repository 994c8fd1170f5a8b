"""Matrices and eliminations as LaTeX, and an elimination as the frames of one picture."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tendays import plots
from tendays.linalg.elimination import Add, Elimination, Scale, Step, Swap, number_latex

CELL = 0.42  # inches, the height of a row in a frame
PIVOT, CHANGED, GROUND = plots.COLOURS[5], plots.COLOURS[4], "#f2f2f2"


def latex(A: np.ndarray, augmented: int | None = None) -> str:
    """Return a matrix (m, n) as LaTeX, for displayed mathematics.

    Args:
        A: The matrix; a vector (n,) is written as a column.
        augmented: The number of columns before a vertical line, as in [A | b].

    Raises:
        ValueError: ``augmented`` is not between 0 and n.
    """
    A = A.reshape(-1, 1) if A.ndim == 1 else A
    n = A.shape[1]
    if augmented is not None and not 0 <= augmented <= n:
        raise ValueError(f"augmented is {augmented}; expected 0 to {n} columns of A, of shape {A.shape}")
    columns = "r" * n if augmented is None else f"{'r' * augmented}|{'r' * (n - augmented)}"
    rows = [" & ".join(number_latex(x) for x in row) for row in A.tolist()]
    return rf"\left[\begin{{array}}{{{columns}}} " + r" \\ ".join(rows) + r" \end{array}\right]"


def latex_steps(elimination: Elimination, augmented: int | None = None) -> str:
    """Return an elimination as LaTeX, for displayed mathematics: a line for each operation and what it leaves.

    Args:
        elimination: The elimination.
        augmented: As for `latex`.
    """
    start, *states = elimination.states()
    lines = [rf"& {latex(start, augmented)}"]
    for step, state in zip(elimination.steps, states, strict=True):
        lines.append(rf"\xrightarrow{{\;{step.latex()}\;}} \; & {latex(state, augmented)}")
    return r"\begin{aligned} " + r" \\[4pt] ".join(lines) + r" \end{aligned}"


def elimination_figures(elimination: Elimination) -> tuple[list[Figure], list[str]]:
    """Return the frames of an elimination, for `plots.frames`, and their labels.

    Each shows the matrix after a step. The rows that the step changed are framed; cells of pivots that are done, with
    only zeros below them, are blue.
    """
    figures = [_figure(elimination.start, ())]
    labels = ["the matrix"]
    states = elimination.states()[1:]
    for number, (step, state) in enumerate(zip(elimination.steps, states, strict=True), start=1):
        figures.append(_figure(state, _changed(step)))
        labels.append(f"{number}. {_words(step)}")
    return figures, labels


def _figure(A: np.ndarray, changed: tuple[int, ...]) -> Figure:
    m, n = A.shape
    fig, ax = plt.subplots(figsize=(2.4, 0.5 + CELL * m))
    pivots = _leading(A)
    for i in range(m):
        for j in range(n):
            colour = PIVOT if (i, j) in pivots else GROUND
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, edgecolor="white"))
            ax.text(j + 0.5, i + 0.5, _cell(A[i, j]), ha="center", va="center", fontsize=9)
    for i in changed:
        ax.add_patch(Rectangle((0.03, i + 0.03), n - 0.06, 0.94, fill=False, edgecolor=CHANGED, linewidth=2))
    ax.set(xlim=(0, n), ylim=(m, 0))
    ax.axis("off")
    return fig


def _leading(A: np.ndarray) -> set[tuple[int, int]]:
    """The places of pivots, from the top as far as the matrix is in echelon form."""
    places = set()
    for i, row in enumerate(A):
        support = np.flatnonzero(row)
        if not len(support) or A[i + 1 :, : support[0] + 1].any():
            break
        places.add((i, int(support[0])))
    return places


def _changed(step: Step) -> tuple[int, ...]:
    return (step.i, step.j) if isinstance(step, Swap) else (step.i,)


def _words(step: Step) -> str:
    """An operation in words, rows counted from 1."""
    match step:
        case Swap(i, j):
            return f"rows {i + 1} and {j + 1} swapped"
        case Scale(i, factor):
            return f"row {i + 1} times {_cell(factor)}"
        case Add(i, j, factor):
            times = "" if abs(factor) == 1 else f"{_cell(abs(factor))} × "
            return f"row {i + 1} {'−' if factor < 0 else '+'} {times}row {j + 1}"


def _cell(x: object) -> str:
    """A number in short, with a sign of minus."""
    return (f"{x:.3g}" if isinstance(x, float) else str(x)).replace("-", "−")
