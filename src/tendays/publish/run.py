"""Runs the notebooks as they are published: ``python -m tendays.publish.run [UNIT]``, from the root of a checkout.

At full scale a notebook that ran to its end is written back with its outputs, and its ledger to ``results/``. One
that failed is left as it was. At smoke scale nothing is written.
"""

import json
import os
import re
import shutil
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

from tendays import threads
from tendays.files import write_atomically
from tendays.publish.ledger import last_run, write_ledger
from tendays.publish.plan import clock, find
from tendays.results import read_claims

CELL_TIMEOUT = 3600  # seconds: far more than any cell needs, so that a cell that hangs ends all the same
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
COLOUR_CODE = re.compile(r"\x1b\[[\d;]*m")  # in tracebacks; a log is no place for them
HEADING = re.compile(r"^#{2,3} +(.+?) *$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
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


def kernel_environment(claims: Path) -> dict[str, str]:
    """The environment of a notebook's kernel; ``claims`` is the file that `tendays.results.claim` appends to."""
    # A kernel chooses for itself how its threads wait, by the load when it starts.
    inherited = {name: value for name, value in os.environ.items() if name not in threads.chosen}
    # What a progress bar leaves in a saved output is a page of its states; the lines after each epoch stay.
    return {**inherited, "TENDAYS_LEDGER": str(claims), "TQDM_DISABLE": "1"}


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
    with client.setup_kernel(cleanup_kc=True, env=kernel_environment(claims)):
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
    """What is said about a running notebook.

    On a terminal it is one line, rewritten once a second; elsewhere, as in a log, a line at the start, at each heading,
    and at the end.
    """

    def __init__(self, path: Path, notebook: NotebookNode, *, terminal: bool) -> None:
        self.name, self.cells, self.terminal = path.stem, notebook.cells, terminal
        self.cell, self.count, self.heading = 0, len(notebook.cells), ""
        self.start = time.monotonic()
        ledger = last_run(path)
        self.expected = f"expected {clock(ledger['seconds'])}" if ledger else "first run"

    def reached(self, index: int) -> None:
        """Note that a cell is about to run, and the headings in it."""
        self.cell = index + 1
        for heading in headings(self.cells[index]):
            self.heading = heading
            if not self.terminal:
                self.say(heading)

    def where(self) -> str:
        """The cell that runs, and the heading that it stands under."""
        return f"cell {self.cell}/{self.count}" + (f": {self.heading}" if self.heading else "")

    def say(self, what: str) -> None:
        """Print a line of the log, with the time since the notebook's start."""
        print(f"[{clock(time.monotonic() - self.start):>5}] {self.name}: {what}", flush=True)

    def line(self, state: str) -> str:
        """The line on a terminal."""
        return f"{self.name:<24} {clock(time.monotonic() - self.start)}  ({self.expected})  {state}"

    def rewrite(self, state: str, end: str = "") -> None:
        """Put another line in place of the one on the terminal, cut off where it would take two."""
        columns = shutil.get_terminal_size().columns
        print(f"\r{self.line(state)[: columns - 1]}\x1b[K", end=end, flush=True)

    def tick_until(self, done: threading.Event) -> None:
        """Rewrite the line once a second."""
        while not done.wait(1):
            self.rewrite(self.where())


def headings(cell: NotebookNode) -> list[str]:
    """The headings of levels two and three in a cell; none in code cells and in blocks of code."""
    if cell.cell_type != "markdown":
        return []
    return HEADING.findall(CODE_BLOCK.sub("", cell.source))


@contextmanager
def _progress(path: Path, notebook: NotebookNode) -> Iterator[Progress]:
    """Show the progress of a notebook while the block runs, and how it ended."""
    progress = Progress(path, notebook, terminal=sys.stdout.isatty())
    done = threading.Event()
    ticker = threading.Thread(target=progress.tick_until, args=(done,), daemon=True)
    if progress.terminal:
        ticker.start()
    else:
        progress.say(f"starts, {progress.expected}")
    state = "failed"
    try:
        yield progress
        state = "done"
    finally:
        done.set()
        if progress.terminal:
            ticker.join()
            progress.rewrite(state, end="\n")
        else:
            progress.say(state)


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
