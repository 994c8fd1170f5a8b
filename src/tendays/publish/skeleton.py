"""Starts a notebook: ``tendays new-notebook "Title"`` writes one with every part that a notebook has.

It runs as it is, on a toy, so that there is never a notebook that doesn't; what is to be written is marked TODO.
"""

import re
import unicodedata
from pathlib import Path

import jupytext
import nbformat
from filelock import FileLock

from tendays.files import write_atomically
from tendays.publish import address, readme
from tendays.publish.run import KERNELSPEC

LOCK = ".lock"  # in notebooks/, so that of two at once each gets a number of its own
LONGEST = 60  # characters of a file's name without its number


def stem_of(title: str) -> str:
    """A title as part of a file's name: ASCII, lower case, underscores.

    Raises:
        ValueError: The title has no letter that a file's name can have, or more than one line.
    """
    spelt = title.translate(
        str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
    )
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "_", plain.replace("'", ""))[:LONGEST].strip("_")
    if not re.search("[a-z]", stem) or len(title.strip().splitlines()) != 1:
        raise ValueError(f"title is {title!r}; expected one line with letters from a to z")
    return stem


def new_notebook(root: Path, title: str) -> Path:
    """Write the skeleton of the next notebook, and its row in the README's table.

    Args:
        root: The checkout.
        title: The notebook's title.

    Returns:
        The notebook's path.

    Raises:
        ValueError: The title has no letters, or there is a notebook of this name.
    """
    title, stem, folder = title.strip(), stem_of(title), root / "notebooks"
    with FileLock(folder / LOCK, timeout=60):
        there = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
        if taken := [path.name for path in there if path.stem[3:] == stem]:
            raise ValueError(f"title is {title!r}; expected one that is new, and there is {taken[0]}")
        number = int(there[-1].name[:2]) + 1 if there else 1
        path = folder / f"{number:02}_{stem}.ipynb"
        write_atomically(path, content(root, path.name, title))
        page = root / "README.md"
        write_atomically(page, readme.refreshed(page.read_text("utf-8"), root))
    return path


def content(root: Path, name: str, title: str) -> str:
    """The skeleton as the content of a notebook's file."""
    notebook = jupytext.reads((root / "notebooks" / "skeleton.py").read_text("utf-8"), "py:percent")
    first, set_up = notebook.cells[:2]
    badge = f"[![Open in Colab]({address.COLAB}/assets/colab-badge.svg)]({address.colab(root, name)})"
    first.source = first.source.replace("@TITLE@", title).replace("@BADGE@", badge)
    set_up.source = (root / "notebooks" / "setup_cell.py").read_text("utf-8").strip()
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
