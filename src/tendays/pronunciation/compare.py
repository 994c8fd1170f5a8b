"""The comparison of all kinds."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from tendays import machine
from tendays.files import packaged
from tendays.pronunciation.models import Kind
from tendays.pronunciation.train import COMMAND, plan_of, run
from tendays.scale import pick

EPOCHS: dict[Kind, int] = {"additive": 4, "tanh": 3, "ctc": 5, "attention": 2}
"""How long each kind learns in the comparison: about two minutes on one core with bfloat16."""

SEEDS = 3
KEPT = ("kind", "seed", "parameters", "seconds", "history", "scores")  # what the comparison's report has of each run
RECORD = "results/longer/pronunciation_comparison.json"


def compare(folder: Path) -> dict[str, Any]:
    """Trains every kind from several seeds, and returns one report of all.

    A run that left its own report in the folder already is not run again.
    """
    reports = []
    for kind, epochs in EPOCHS.items():
        for seed in range(SEEDS):
            plan, place = plan_of(kind), folder / f"{kind}-{seed}"
            recipe = replace(plan.recipe, epochs=pick(full=epochs, smoke=1), seed=seed)
            if not (place / "report.json").is_file():
                run(replace(plan, recipe=recipe), place)
            reports.append(json.loads((place / "report.json").read_text("utf-8")))
    runs = [{key: report[key] for key in KEPT} for report in reports]
    claims = []
    for kind in EPOCHS:
        for rate in ("PER", "WER"):
            # What each does best: CTC has no beam here.
            values = [
                entry["scores"].get("beam 5", entry["scores"]["greedy"])[rate]
                for entry in runs
                if entry["kind"] == kind
            ]
            entry = {
                "name": f"{kind}, {rate} of {SEEDS} seeds",
                "value": statistics.mean(values),
                "spread": statistics.stdev(values),
            }
            claims.append(entry | {"unit": "%"})
    facts = {key: reports[0][key] for key in machine.facts()}
    seconds = sum(entry["seconds"] for entry in runs)
    return facts | {"command": f"{COMMAND} --compare", "seconds": seconds, "runs": runs, "claims": claims}


def comparison() -> dict[str, Any]:
    """What `compare` found in the run that the project keeps the record of.

    Raises:
        FileNotFoundError: there is no record.
    """
    return json.loads(packaged(RECORD).read_text("utf-8"))
