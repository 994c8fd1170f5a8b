"""The command ``python -m tendays.pronunciation``, also through ``accelerate launch -m tendays.pronunciation``."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from accelerate import PartialState

from tendays import machine
from tendays.commands import explained
from tendays.files import runs_folder, write_atomically
from tendays.pronunciation.compare import compare
from tendays.pronunciation.models import KINDS
from tendays.pronunciation.train import COMMAND, plan_of, run
from tendays.training import Mismatch, precision


def main(
    kind: str | None = None,
    long: bool = False,
    compare_all: Annotated[bool, typer.Option("--compare")] = False,
    folder: Path | None = None,
    resume: bool = False,
    seed: int = 0,
) -> None:
    """Train a model of pronunciations, on one process or, through `accelerate launch`, on many.

    Besides the model, the folder gets `report.json`: the scores, the time, and the machine.

    Args:
        kind: additive, tanh, ctc or attention; by default that of the plan.
        long: the longer run, of at most 45 minutes on two cores.
        compare_all: every kind from three seeds, for about the same time each.
        folder: where the model goes; by default the notebook's folder.
        resume: continue from the folder's checkpoint.
        seed: of everything random.
    """
    with explained("pronunciation", (OSError, RuntimeError, ValueError)):
        folder = folder or runs_folder("transducer-comparison" if compare_all else "transducer")
        plan = plan_of(kind, long)
        plan = replace(plan, recipe=replace(plan.recipe, seed=seed))
        precision()  # raises ValueError where the environment asks for one that there is not
        PartialState(cpu=machine.device() == "cpu")
    with explained("pronunciation", (OSError, Mismatch)):
        if compare_all:
            write_atomically(folder / "report.json", json.dumps(compare(folder), indent=1) + "\n")
            return
        options = [f" --kind {kind}" if kind else "", " --long" if long else "", f" --seed {seed}" if seed else ""]
        title = f"English pronunciation, {KINDS[plan.kind]}{', the longer run' if long else ''}"
        run(plan, folder, title=title, command=COMMAND + "".join(options), resume=resume)


if __name__ == "__main__":
    typer.run(main)
