"""What models of pronunciations are trained with, their training, and the files of a trained model."""

import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from torch import nn

from tendays import corpora
from tendays.pronunciation.alphabet import ALIGNED, JOINED, WordBatches
from tendays.pronunciation.models import KINDS, Plan, make
from tendays.pronunciation.scores import claims_of, evaluate, scores_of
from tendays.scale import pick
from tendays.training import Recipe, fit, load_model, save_tensors, write_report

COMMAND = "python -m tendays.pronunciation"

FULL = Plan(Recipe(epochs=7, learning_rate=4e-3))
"""The notebook's plan at full scale."""

SMOKE = Plan(Recipe(epochs=2, learning_rate=4e-3), width=32, embedding=32, layers=1, rows=64, count=1500)
"""The notebook's plan at smoke scale: the same code in a few seconds."""

LONG = Plan(Recipe(epochs=20, learning_rate=3e-3), kind="tanh", width=256, dropout=0.3)
"""The plan of the command line's --long."""


def plan_of(kind: str | None = None, long: bool = False) -> Plan:
    """The plan for the scale of this run; of the given kind in place of its own.

    Raises:
        ValueError: there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    plan = pick(full=LONG if long else FULL, smoke=SMOKE)
    return replace(plan, kind=kind or plan.kind)


def train(plan: Plan, folder: Path, *, resume: bool = False) -> tuple[nn.Module, list[dict[str, float]]]:
    """Trains a model of pronunciations, and keeps it in `folder` as `model.safetensors`.

    Args:
        plan: kind, sizes and hyperparameters.
        folder: gets the model, and a checkpoint after every epoch.
        resume: continue from the folder's checkpoint, if there is one.

    Returns:
        The model, in evaluation mode, and the rows of `training.fit`.

    Raises:
        Mismatch: the checkpoint to resume from belongs to another model or run.
    """
    alphabet = JOINED if plan.kind == "attention" else ALIGNED
    batches = WordBatches(corpora.load("cmudict", "train"), plan.rows, alphabet, plan.count)
    held_out = corpora.load("cmudict", "validation")
    held_out = replace(held_out, words=held_out.words[::5], pronunciations=held_out.pronunciations[::5])
    torch.manual_seed(plan.recipe.seed)
    model = make(plan)

    def score(model: nn.Module) -> dict[str, float]:
        with warnings.catch_warnings():
            # In its first epochs a transducer may not end by itself; a warning after each would say nothing new.
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


def run(plan: Plan, folder: Path, *, title: str, command: str, resume: bool = False) -> None:
    """Trains a model, scores it on the test words, and writes `report.json` beside it; see `training.write_report`.

    The report's further fields: kind, and scores, see `scores_of`.

    Args:
        plan: see `train`.
        folder: see `train`.
        title: see `training.write_report`.
        command: see `training.write_report`.
        resume: see `train`.
    """
    model, history = train(plan, folder, resume=resume)
    if not PartialState().is_main_process:
        return
    scores = scores_of(model, corpora.load("cmudict", "test"))
    claims = claims_of(scores)
    for claim in claims:
        print(f"{KINDS[plan.kind]}, {claim['name']}: {claim['value']:.2f} %")
    write_report(
        folder,
        title=title,
        command=command,
        recipe=plan.recipe,
        model=model,
        history=history,
        claims=claims,
        kind=plan.kind,
        scores=scores,
    )


def load(folder: Path) -> nn.Module:
    """The model that `train` left in a folder, in evaluation mode. Loading runs no code from it.

    Raises:
        FileNotFoundError: there is no model; the message says how to make one.
        ValueError: the file is no model of this version's code.
    """

    def build(about: dict[str, Any]) -> nn.Module:
        plan = about["plan"]
        return make(Plan(**plan | {"recipe": Recipe(**plan["recipe"])}))

    return load_model(folder, build, "make run UNIT=transducer")[0]
