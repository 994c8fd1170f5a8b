"""A checkout with one notebook, for tests of what is made from notebooks and their ledgers."""

import base64

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

CLAIMS = [
    {"name": "gap", "value": 1e-9, "at_most": 1e-6, "unit": ""},
    {"name": "notebooks written", "value": 8.0, "about": 8.0, "within": 1.0, "unit": "notebooks", "headline": True},
]


def notebook_in(root):
    """A notebook of three cells in an empty checkout; the last one shows a figure, and is tagged as the picture."""
    path = root / "notebooks" / "01_units.ipynb"
    path.parent.mkdir()
    first = "# Units\n\n**Question.** How many | are there?\n\nTakes a minute."
    figure = new_output("display_data", {"image/png": base64.b64encode(b"PNG").decode(), "text/plain": "A line."})
    figure.metadata["image/png"] = {"alt": "A line."}
    shown = new_code_cell("x = 1", metadata={"tags": ["picture"]}, outputs=[figure])
    nbformat.write(new_notebook(cells=[new_markdown_cell(first), new_code_cell("import this"), shown]), path)
    return path


def change(notebook, cell, source):
    """Give one cell of a notebook another source."""
    nb = nbformat.read(notebook, 4)
    nb.cells[cell].source = source
    nbformat.write(nb, notebook)
