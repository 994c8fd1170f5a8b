"""Claims, and the ledger of runs that the tables and pages are made from.

A notebook states a result once, as a claim with a bound for each scale::

    claim("BLEU on test 2016", bleu, full=at_least(35.5), smoke=None, headline=True)

The claim prints one line, and fails the run when the number falls short of what the text says. A full run of a
notebook writes its claims to ``results/<stem>.json``. ``python -m tendays.results`` brings the tables and pictures in
the README up to date with these files and the notebooks.
"""

import base64
import hashlib
import json
import math
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from tendays.scale import scale

RESULTS_BLOCK = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)
PICTURE = "picture"  # the tag of the cell whose figure stands for a notebook
QUESTION = re.compile(r"^\*\*Question\.\*\* +(\S.*)$", re.MULTILINE)


class ClaimFailed(AssertionError):  # noqa: N818 - it reads as what happened, and it is an assertion
    """A number is not what the text says it is."""


@dataclass(frozen=True)
class Bound:
    """What a claimed value is held to; made by `at_least`, `at_most` and `about`."""

    kind: Literal["at_least", "at_most", "about"]
    value: float
    within: float = 0.0

    def holds(self, value: float) -> bool:
        """Whether the value keeps the bound."""
        if self.kind == "at_least":
            return value >= self.value
        if self.kind == "at_most":
            return value <= self.value
        return abs(value - self.value) <= self.within

    def record(self) -> dict[str, float]:
        """The bound's fields in the ledger."""
        return {self.kind: self.value} | ({"within": self.within} if self.kind == "about" else {})

    def __str__(self) -> str:
        sign = {"at_least": "≥", "at_most": "≤", "about": "≈"}[self.kind]
        return f"{sign} {self.value:.6g}" + (f" ± {self.within:.6g}" if self.kind == "about" else "")


def at_least(value: float) -> Bound:
    """The claimed value is this or more."""
    return Bound("at_least", _number("at_least", value))


def at_most(value: float) -> Bound:
    """The claimed value is this or less."""
    return Bound("at_most", _number("at_most", value))


def about(value: float, *, within: float) -> Bound:
    """The claimed value is this, give or take ``within``."""
    return Bound("about", _number("about", value), _number("within", within))


def claim(name: str, value: Any, *, full: Bound, smoke: Bound | None, unit: str = "", headline: bool = False) -> None:
    """State a result: print it, hold it to the bound of this run's scale, and record it.

    Where the environment variable ``TENDAYS_LEDGER`` names a file, the claim is appended to it as a line of JSON,
    and a name may be claimed only once. Elsewhere a cell may be run as often as a reader likes.

    Args:
        name: What is claimed, unique in its notebook.
        value: A number, or a tensor or array of no dimensions.
        full: The bound at full scale.
        smoke: The bound at smoke scale; ``None`` when a run of a few seconds proves nothing about this value.
        unit: The value's unit, when it has one.
        headline: Whether this claim stands for the notebook in tables.

    Raises:
        ClaimFailed: The value breaks the bound, or is not finite.
        TypeError: The value is no number, or a bound was not made by `at_least`, `at_most` or `about`.
        ValueError: The name is already claimed in this run.
    """
    number = _number("value", value)
    for argument, bound in (("full", full), ("smoke", smoke)):
        if not (isinstance(bound, Bound) or (bound is None and argument == "smoke")):
            raise TypeError(f"{argument} must be at_least(…), at_most(…) or about(…, within=…), not {bound!r}")
    bound = full if scale() == "full" else smoke
    shown = f"{name} {number:.4g}" + (f" {unit}" if unit else "")
    if not math.isfinite(number) or (bound is not None and not bound.holds(number)):
        raise ClaimFailed(f"✗ {shown}: {number!r} is not {bound or 'finite'}")
    record = {"name": name, "value": number, **(bound.record() if bound else {}), "unit": unit}
    _append(record | ({"headline": True} if headline else {}))
    print(f"✓ {shown} {bound}" if bound else f"· {shown} (not judged at smoke scale)")


def _number(argument: str, value: Any) -> float:
    """The value as a float; TypeError, naming the argument, when it is no number."""
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} must be a number, not {type(value).__name__}: {value!r}")
    return float(value)


def _append(record: dict[str, Any]) -> None:
    """Add a claim to the run's file, if this run has one."""
    if not (path := os.environ.get("TENDAYS_LEDGER")):
        return
    if record["name"] in {earlier["name"] for earlier in read_claims(Path(path))}:
        raise ValueError(f"{record['name']!r} is claimed twice in this run; a claim's name must be its own")
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_claims(path: Path) -> list[dict[str, Any]]:
    """The claims that a run has appended to its file so far."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def cells_hash(notebook: Path) -> str:
    """SHA-256 over the sources of a notebook's code cells, but for the first.

    Code cells only: a run is what its code did, so a corrected sentence does not make it out of date, and a
    changed number in a call does. The first of them is the set-up cell, which tests hold to be the same in every
    notebook: it installs what is missing and computes nothing, and one more package in it is no reason to run them
    all anew.
    """
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(sources[1:]).encode()).hexdigest()


def source_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of the modules in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def ledger_path(notebook: Path) -> Path:
    """Where the ledger of a notebook's last full run is kept."""
    return notebook.resolve().parents[1] / "results" / f"{notebook.stem}.json"


def write_ledger(notebook: Path, claims: list[dict[str, Any]], *, seconds: float, facts: dict[str, Any]) -> Path:
    """Write the ledger of a run, whole or not at all.

    Args:
        notebook: The notebook that ran, in ``notebooks/``.
        claims: Its claims, as `read_claims` gives them.
        seconds: How long the run took.
        facts: What `tendays.machine.facts` said in the process that ran it.
    """
    root = notebook.resolve().parents[1]
    source = {"cells": cells_hash(notebook), "src": source_hash(root / "src" / "tendays")}
    ledger = {"notebook": notebook.name, **facts, "seconds": round(seconds, 1), "source": source, "claims": claims}
    path = ledger_path(notebook)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, json.dumps(ledger, indent=1, ensure_ascii=False) + "\n")
    return path


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file's content in one step, so that a run cut short leaves the old file whole."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def read_ledgers(folder: Path) -> list[dict[str, Any]]:
    """The ledgers in a folder, in the notebooks' order."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


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
