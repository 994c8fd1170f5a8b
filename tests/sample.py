"""A checkout with one more notebook, which has one of each thing that pages treat in a way of its own."""

import shutil
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from places import ROOT

from tendays import plots

STEM = "99_sample"
LABELS = ["step 0", "step 10", "step 30", "step 100", "step 1,000"]
TITLE = "A square changes its colour"
COLOURS = [(230, 0, 0), (0, 200, 0), (0, 0, 255), (255, 160, 0), (160, 0, 200)]  # of the frames


def copy(folder: Path) -> None:
    """Copy what the pages are made from into a folder."""
    for name in ("site", "journal", "notebooks", "results", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)


def add(folder: Path) -> None:
    """Add the notebook to a checkout."""
    nbformat.write(notebook(), folder / "notebooks" / f"{STEM}.ipynb")


def notebook() -> nbformat.NotebookNode:
    """Frames, a folded drawing and solution, and a line of code as long as lines may be."""
    drawing, solution = {"tags": ["hide-input"]}, {"tags": ["solution", "hide-input"]}
    output = frames()
    cells = [
        new_markdown_cell("# A sample\n\n**Question.** Does each of these things look as it should?"),
        new_code_cell("import tendays"),
        new_markdown_cell("## Frames"),
        new_code_cell("plots.frames(...)", metadata=drawing, outputs=[output]),
        new_markdown_cell("## Code"),
        new_code_cell("x = 1  # ".ljust(88, "x")),
        new_code_cell("1 + 1", metadata=solution),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    info = {"name": "python", "pygments_lexer": "ipython3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": info})


def frames() -> nbformat.NotebookNode:
    """What `plots.frames` shows in a notebook: five frames, each of one colour."""
    shell = InteractiveShell.instance()
    with mpl.rc_context({"backend": "agg"}), capture_output() as captured:
        plots.use()
        figures = [_figure(colour) for colour in COLOURS]
        plots.frames(figures, LABELS, title=TITLE, alt="A square takes five colours, one after the other.")
    shell.clear_instance()
    (shown,) = captured.outputs
    return new_output("display_data", dict(shown.data), metadata=shown.metadata)


def _figure(colour: tuple[int, int, int]) -> plt.Figure:
    fig, ax = plt.subplots(figsize=(3.5, 2.8))
    ax.imshow([[colour]], aspect="auto")
    ax.set(xlabel="column", ylabel="row")
    return fig
