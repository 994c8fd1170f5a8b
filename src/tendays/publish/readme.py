"""The tables and pictures of the README, made from ledgers and notebooks: ``python -m tendays.publish.readme``."""

import base64
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tendays.files import write_atomically
from tendays.publish.ledger import ledger_path, read_ledgers

RESULTS_BLOCK = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)
PICTURE = "picture"  # the tag of the cell whose figure stands for a notebook
QUESTION = re.compile(r"^\*\*Question\.\*\* +(\S.*)$", re.MULTILINE)


def question(notebook: Path) -> str:
    """The sentence after ``**Question.**`` in a notebook's first cell.

    Raises:
        ValueError: The first cell has no line that starts so.
    """
    first = "".join(json.loads(notebook.read_text("utf-8"))["cells"][0]["source"])
    if not (found := QUESTION.search(first)):
        raise ValueError(f"{notebook.name}: its first cell has no line that starts with '**Question.** '")
    return found.group(1)


def results_table(root: Path) -> str:
    """Markdown tables of the last full run of each notebook, and of the longer runs, with the notebooks' pictures."""
    rows, pictures = ["| notebook | question | result | minutes |", "|---|---|---|---|"], []
    for notebook in sorted((root / "notebooks").glob("*.ipynb")):
        path = Path("notebooks", notebook.name)
        asked = question(notebook).replace("|", "\\|")
        result, minutes = "not run yet", "–"
        if (ledger_file := ledger_path(notebook)).exists():
            ledger = json.loads(ledger_file.read_text("utf-8"))
            result = "; ".join(_phrase(entry) for entry in ledger["claims"] if entry.get("headline"))
            minutes = f"{ledger['seconds'] / 60:.1f}"
            alt, _ = picture(notebook)
            pictures += ["", f"[![{alt}](results/{path.stem}.png)]({path.as_posix()})"]
        rows.append(f"| [{path.stem}]({path.as_posix()}) | {asked} | {result} | {minutes} |")
    return "\n".join([*rows, *longer_runs(root), *pictures]) + "\n"


def longer_runs(root: Path) -> list[str]:
    """Lines of a Markdown table of the runs outside notebooks, from ``results/longer/``; none without such runs."""
    runs = read_ledgers(root / "results" / "longer")
    if not runs:
        return []
    rows = ["", "| longer run, from the command line | result | minutes |", "|---|---|---|"]
    for run in runs:
        result = "; ".join(_phrase(entry) for entry in run["claims"])
        rows.append(f"| `{run['command']}` | {result} | {run['seconds'] / 60:.1f} |")
    return rows


def picture(notebook: Path) -> tuple[str, bytes]:
    """The text alternative and the PNG of the figure that stands for a notebook: of its cell tagged ``picture``.

    Raises:
        ValueError: There is not one such figure.
    """
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    tagged = [cell for cell in cells if PICTURE in cell["metadata"].get("tags", [])]
    found = [output for cell in tagged for output in cell["outputs"] if "image/png" in output.get("data", {})]
    if len(found) != 1:
        raise ValueError(f"{notebook.name}: {len(found)} figures in cells tagged {PICTURE!r}; expected one")
    image = "".join(found[0]["data"]["image/png"])
    return found[0]["metadata"]["image/png"]["alt"], base64.b64decode(image)


def _phrase(entry: dict[str, Any]) -> str:
    """A claim as a table shows it."""
    return f"{entry['name']} {entry['value']:.4g}{' ' if entry['unit'] else ''}{entry['unit']}".replace("|", "\\|")


def with_results(readme: str, table: str) -> str:
    """The text with the table between ``<!-- results -->`` and ``<!-- /results -->``.

    Raises:
        ValueError: The text has no such block.
    """
    if not RESULTS_BLOCK.search(readme):
        raise ValueError("there is no block from <!-- results --> to <!-- /results --> to write the table to")
    return RESULTS_BLOCK.sub(lambda block: block[1] + table + block[2], readme)


def main(arguments: Iterable[str]) -> None:
    """Bring the README of a checkout, and the pictures it shows, up to date with ledgers and notebooks."""
    root = Path(next(iter(arguments), "."))
    readme = root / "README.md"
    for ledger in read_ledgers(root / "results"):
        _, image = picture(root / "notebooks" / ledger["notebook"])
        write_atomically((root / "results" / ledger["notebook"]).with_suffix(".png"), image)
    write_atomically(readme, with_results(readme.read_text("utf-8"), results_table(root)))


if __name__ == "__main__":
    main(sys.argv[1:])
