"""Runs the notebooks as they are published: ``python -m tendays.publish.run [UNIT]``, from the root of a checkout.

At full scale a notebook that ran to its end is written back with its outputs, and its ledger to ``results/``. One
that failed is left as it was. At smoke scale nothing is written.
"""

import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import typer
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode

from tendays.files import write_atomically
from tendays.publish.ledger import ledger_path, write_ledger
from tendays.results import read_claims

CELL_TIMEOUT = 3600  # seconds: far more than any cell needs, so that a cell that hangs ends all the same
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
COLOUR_CODE = re.compile(r"\x1b\[[\d;]*m")  # in tracebacks; a log is no place for them
ASK_FACTS = "import json as _json, tendays.machine as _machine; print(_json.dumps(_machine.facts()))"


class OwnKernelSpecManager(KernelSpecManager):
    """Knows one kernel: the interpreter that this process runs under.

    A kernel called python3 may be another environment's; a notebook must run in this one.
    """

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel of this interpreter, whatever name is asked for."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class NotebookFailed(Exception):  # noqa: N818 - it reads as what happened
    """A notebook did not run to its end; says where, and why."""


def find(folder: Path, unit: str | None) -> list[Path]:
    """The notebooks to run: all of them, or those whose file name contains ``unit``.

    Raises:
        ValueError: There is none.
    """
    notebooks = sorted(folder.glob("*.ipynb"))
    chosen = [path for path in notebooks if unit is None or unit in path.stem]
    if not chosen:
        units = "".join(f"\n  {path.stem}" for path in notebooks)
        raise ValueError(f"no notebook is called {unit!r}; there are:{units}" if units else f"no notebooks in {folder}")
    return chosen


def run_notebook(path: Path) -> float:
    """Run one notebook; write it back, and its ledger, when it ran at full scale.

    Returns:
        The seconds it took.

    Raises:
        NotebookFailed: A cell failed, the kernel died, or a cell took longer than an hour.
    """
    notebook = nbformat.read(path, as_version=4)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, _progress(path, notebook) as progress:
        claims_file = Path(scratch, "claims.jsonl")
        facts = _execute(notebook, path.parent, claims_file, progress)
        claims = read_claims(claims_file)
    seconds = time.monotonic() - start
    if facts["scale"] == "full":
        tidy(notebook)
        write_atomically(path, nbformat.writes(notebook).rstrip("\n") + "\n")
        write_ledger(path, claims, seconds=seconds, facts=facts)
    return seconds


def _execute(notebook: NotebookNode, folder: Path, claims: Path, progress: "Progress") -> dict[str, Any]:
    """Run the cells in a kernel of this interpreter, and return what `tendays.machine.facts` says there."""
    manager = AsyncKernelManager(transport_encryption="auto", kernel_spec_manager=OwnKernelSpecManager())
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=CELL_TIMEOUT,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    # What a progress bar leaves in a saved output is a page of its states; the lines after each epoch stay.
    env = {**os.environ, "TENDAYS_LEDGER": str(claims), "TQDM_DISABLE": "1"}
    with client.setup_kernel(cleanup_kc=True, env=env):
        for index, cell in enumerate(notebook.cells):
            progress.reached(index)
            _run_cell(client, cell, index)
        # Asked of the kernel, not of this process: its device, its threads and its memory are what counts.
        notebook.cells.append(nbformat.v4.new_code_cell(ASK_FACTS))
        _run_cell(client, notebook.cells[-1], len(notebook.cells) - 1)
        # By name and last line: a warning of the kernel may stand beside it.
        said = [output.text for output in notebook.cells.pop().outputs if output.get("name") == "stdout"]
        return json.loads(said[-1].splitlines()[-1])


def _run_cell(client: NotebookClient, cell: NotebookNode, index: int) -> None:
    """Run one cell; NotebookFailed, with the cell's first lines and the traceback's last, when it fails."""
    try:
        client.execute_cell(cell, index)
    except (CellControlSignal, DeadKernelError) as error:
        source = "\n".join(f"    {line}" for line in cell.source.splitlines()[:5])
        reason = "\n".join(COLOUR_CODE.sub("", str(error)).strip().splitlines()[-12:])
        raise NotebookFailed(f"cell {index + 1} failed:\n\n{source}\n\n{reason}") from error


def tidy(notebook: NotebookNode) -> None:
    """Take out of a notebook what depends on when and where it ran and says nothing to a reader."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.update(kernelspec=KERNELSPEC, language_info={"name": "python"})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


class Progress:
    """One line about a running notebook, kept up to date where it is shown on a terminal."""

    def __init__(self, path: Path, cells: int) -> None:
        self.name, self.cells, self.cell = path.stem, cells, 0
        self.start = time.monotonic()
        ledger = ledger_path(path)
        seconds = json.loads(ledger.read_text("utf-8"))["seconds"] if ledger.exists() else None
        self.expected = "first run" if seconds is None else f"expected {clock(seconds)}"

    def reached(self, index: int) -> None:
        """Note that a cell is about to run."""
        self.cell = index + 1

    def line(self, state: str) -> str:
        """The line as it stands."""
        return f"{self.name:<24} {clock(time.monotonic() - self.start)}  ({self.expected})  {state}"

    def tick_until(self, done: threading.Event) -> None:
        """Rewrite the line once a second."""
        while not done.wait(1):
            print(f"\r{self.line(f'cell {self.cell}/{self.cells}')}\x1b[K", end="", flush=True)


@contextmanager
def _progress(path: Path, notebook: NotebookNode) -> Iterator[Progress]:
    """Show the progress of a notebook while the block runs, and how it ended."""
    progress = Progress(path, len(notebook.cells))
    done = threading.Event()
    ticker = threading.Thread(target=progress.tick_until, args=(done,), daemon=True)
    terminal = sys.stdout.isatty()
    if terminal:
        ticker.start()
    state = "failed"
    try:
        yield progress
        state = "done"
    finally:
        done.set()
        if terminal:
            ticker.join()
        print(f"{chr(13) if terminal else ''}{progress.line(state)}" + ("\x1b[K" if terminal else ""), flush=True)


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def main(unit: str = typer.Argument("", help="Part of a notebook's file name; all notebooks without.")) -> None:
    """Run the notebooks at full scale, and write their outputs and ledgers."""
    try:
        notebooks = find(Path("notebooks"), unit or None)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    failures = 0
    for path in notebooks:
        try:
            run_notebook(path)
        except NotebookFailed as error:
            failures += 1
            print(f"{path}: {error}\n", file=sys.stderr)
    if failures:
        raise SystemExit(f"{failures} of {len(notebooks)} notebooks failed; they are left as they were")


if __name__ == "__main__":
    typer.run(main)
