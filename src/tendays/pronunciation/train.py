"""Plans, training, and the files of a model."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

import torch
from accelerate import PartialState
from torch import nn

from tendays import corpora, machine
from tendays.files import write_atomically
from tendays.pronunciation.alphabet import ALIGNED, JOINED, WordBatches
from tendays.pronunciation.models import Kind, Plan, make
from tendays.pronunciation.scores import evaluate, scores_of
from tendays.scale import pick
from tendays.training import Recipe, fit, load_tensors, save_tensors

COMMAND = "python -m tendays.pronunciation"

FULL = Plan(Recipe(epochs=7, learning_rate=4e-3))
"""What the notebook trains at full scale."""

SMOKE = Plan(Recipe(epochs=2, learning_rate=4e-3), width=32, embedding=32, layers=1, rows=64, count=1500)
"""What it trains at smoke scale: the same code in a few seconds."""

LONG = Plan(Recipe(epochs=20, learning_rate=3e-3), kind="tanh", width=256, dropout=0.3)
"""What the command line trains with --long."""


def train(plan: Plan, folder: Path, *, resume: bool = False) -> tuple[nn.Module, list[dict[str, float]]]:
    """Trains a model of pronunciations, and keeps it in `folder` as `model.safetensors`.

    Args:
        plan: what to train.
        folder: gets the model, and the checkpoint that `resume` goes on from.
        resume: go on from the folder's checkpoint where there is one.

    Returns:
        The model, and a row of figures for each epoch; see `training.fit`.
    """
    alphabet = JOINED if plan.kind == "attention" else ALIGNED
    batches = WordBatches(corpora.load("cmudict", "train"), plan.rows, alphabet, plan.count)
    held_out = corpora.load("cmudict", "validation")
    held_out = replace(held_out, words=held_out.words[::5], pronunciations=held_out.pronunciations[::5])
    torch.manual_seed(plan.recipe.seed)
    model = make(plan)

    def score(model: nn.Module) -> dict[str, float]:
        with warnings.catch_warnings():
            # While it is learning, that it babbles is no news.
            warnings.filterwarnings("ignore", "the cap of .* labels was hit")
            return {"PER": evaluate(model, held_out).phonemes}

    history = fit(
        model,
        lambda epoch: batches.epoch(plan.recipe.seed + epoch),
        plan.recipe,
        folder,
        evaluate=score,
        about={"plan": asdict(plan)},
        resume=resume,
    )
    if PartialState().is_main_process:
        save_tensors(folder / "model.safetensors", model.state_dict(), {"plan": asdict(plan)})
    return model.eval(), history


def load(folder: Path) -> nn.Module:
    """The model that `train` left in a folder, in evaluation mode. Loading runs no code from it.

    Raises:
        FileNotFoundError: there is no model; the message says how to make one.
        ValueError: the file is no model of this kind.
    """
    path = Path(folder, "model.safetensors")
    if not path.is_file():
        raise FileNotFoundError(f"there is no model in {str(folder)!r}; make one with: make run UNIT=transducer")
    weights, about = load_tensors(path)
    try:
        plan = about["plan"]
        model = make(Plan(**plan | {"recipe": Recipe(**plan["recipe"])}))
        model.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"folder is {str(folder)!r}; expected a model of pronunciations, but: {error}") from error
    return model.eval().to(machine.device())


def plan_of(kind: str | None = None, long: bool = False) -> Plan:
    """The plan for the scale of this run; of another kind than its own, where one is given.

    Raises:
        ValueError: there is no such kind.
    """
    if kind is not None and kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(get_args(Kind))}")
    plan = pick(full=LONG if long else FULL, smoke=SMOKE)
    return replace(plan, kind=kind or plan.kind)


def run(plan: Plan, folder: Path, *, command: str = COMMAND, resume: bool = False) -> None:
    """Trains a model, and writes `report.json` beside it: its scores on the test words, the time, what it ran on."""
    model, history = train(plan, folder, resume=resume)
    if not PartialState().is_main_process:
        return
    scores = scores_of(model, corpora.load("cmudict", "test"))
    claims = [
        {"name": f"test, {way}, {rate}", "value": scores[way][rate], "unit": "%"}
        for way in scores
        for rate in ("PER", "WER")
    ]
    for entry in claims:
        print(f"{plan.kind}, {entry['name']}: {entry['value']:.2f} %")
    facts = machine.facts() | {"command": command, "kind": plan.kind, "seed": plan.recipe.seed}
    facts |= {"processes": PartialState().num_processes, "parameters": sum(p.numel() for p in model.parameters())}
    facts |= {"seconds": sum(row["seconds"] for row in history), "history": history, "scores": scores}
    write_atomically(folder / "report.json", json.dumps(facts | {"claims": claims}, indent=1) + "\n")
