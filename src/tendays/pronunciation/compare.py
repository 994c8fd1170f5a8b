"""The comparison of all kinds of model, each from several seeds, for about the same time of training."""

import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from tendays import machine
from tendays.files import packaged
from tendays.pronunciation.models import KINDS, Kind
from tendays.pronunciation.scores import RATES
from tendays.pronunciation.train import COMMAND, plan_of, run
from tendays.scale import pick

EPOCHS: dict[Kind, int] = {"additive": 4, "tanh": 3, "ctc": 5, "attention": 2}
"""Epochs of each kind: about two minutes of training on one core with bfloat16."""

SEEDS = 3
KEPT = ("kind", "seed", "layers", "parameters", "learning_rate", "steps", "seconds", "history", "scores")
"""The fields of each run's report that the comparison's report keeps."""

RECORD = "results/longer/pronunciation_comparison.json"


def compare(folder: Path) -> dict[str, Any]:
    """Trains every kind from several seeds, and returns one report of all.

    A run whose own report is in the folder already is not run again.

    Returns:
        The facts of the first run's machine, title, command, seconds (of training, in all runs together), runs (the
        `KEPT` fields of each), and claims: for each kind the mean of each error rate over the seeds, with spread (their
        standard deviation).
    """
    command, reports = f"{COMMAND} --compare", []
    for kind, epochs in EPOCHS.items():
        for seed in range(SEEDS):
            plan, place = plan_of(kind), folder / f"{kind}-{seed}"
            recipe = replace(plan.recipe, epochs=pick(full=epochs, smoke=1), seed=seed)
            if not (place / "report.json").is_file():
                title = f"English pronunciation, {KINDS[kind]}, seed {seed}"
                run(replace(plan, recipe=recipe), place, title=title, command=command)
            reports.append(json.loads((place / "report.json").read_text("utf-8")))
    runs = [{key: report[key] for key in KEPT} for report in reports]
    facts = {key: reports[0][key] for key in machine.facts()}
    title = f"English pronunciation, {len(EPOCHS)} kinds of model from {SEEDS} seeds each"
    seconds = sum(entry["seconds"] for entry in runs)
    return facts | {"title": title, "command": command, "seconds": seconds, "runs": runs, "claims": claims_over(runs)}


def claims_over(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The mean and standard deviation of each kind's error rates, as claims; the lowest of each rate is a headline."""
    claims = []
    for kind in dict.fromkeys(entry["kind"] for entry in runs):
        # The last search of a kind is its best: a beam of 5, or greedy for CTC.
        scores = [list(entry["scores"].values())[-1] for entry in runs if entry["kind"] == kind]
        for rate, name in RATES.items():
            values = [score[rate] for score in scores]
            entry = {"name": f"{name}, {KINDS[kind]}, mean of {len(values)} seeds", "value": statistics.mean(values)}
            claims.append(entry | {"spread": statistics.stdev(values), "unit": "%"})
    for index in range(len(RATES)):
        min(claims[index :: len(RATES)], key=lambda claim: claim["value"])["headline"] = True
    return claims


def comparison() -> dict[str, Any]:
    """The report of `compare` that the project keeps.

    Raises:
        FileNotFoundError: there is no record.
    """
    return json.loads(packaged(RECORD).read_text("utf-8"))
