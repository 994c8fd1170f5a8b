"""The command ``python -m tendays.pronunciation``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from accelerate import PartialState

from tendays import machine
from tendays.files import runs_folder, write_atomically
from tendays.pronunciation.compare import compare
from tendays.pronunciation.train import COMMAND, plan_of, run


def main(
    kind: str | None = None,
    long: bool = False,
    compare_all: Annotated[bool, typer.Option("--compare")] = False,
    folder: Path | None = None,
    resume: bool = False,
    seed: int = 0,
) -> None:
    """Train a model of pronunciations, on one process or, through `accelerate launch`, on many.

    Besides the model, the folder gets `report.json`: the scores, the time, and what it ran on.

    Args:
        kind: additive, tanh, ctc or attention; without it, that of the plan.
        long: the longer run, of at most 45 minutes on two cores.
        compare_all: every kind from three seeds, for about the same time each.
        folder: where the model goes; without it, where the notebook's goes.
        resume: go on from the folder's checkpoint.
        seed: of everything random.
    """
    folder = folder or runs_folder("transducer-comparison" if compare_all else "transducer")
    if compare_all:
        write_atomically(folder / "report.json", json.dumps(compare(folder), indent=1) + "\n")
        return
    plan = plan_of(kind, long)
    words = [
        COMMAND,
        *([f"--kind {kind}"] if kind else []),
        *(["--long"] if long else []),
        *([f"--seed {seed}"] if seed else []),
    ]
    PartialState(cpu=machine.device() == "cpu")
    plan = replace(plan, recipe=replace(plan.recipe, seed=seed))
    run(plan, folder, command=" ".join(words), resume=resume)


if __name__ == "__main__":
    typer.run(main)
