"""The command ``python -m tendays.translation``, also through ``accelerate launch -m tendays.translation``."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

from tendays import corpora, machine
from tendays.commands import explained
from tendays.files import runs_folder
from tendays.pieces import Pieces
from tendays.training import Mismatch, write_report
from tendays.translation.model import Translator
from tendays.translation.scores import bleu, bleu_signature
from tendays.translation.search import translate
from tendays.translation.train import plan_of, train

CORPORA = {"multi30k": "Multi30k", "ding": "the Ding dictionary", "grammar": "the generated grammar"}
"""The corpora of sentence pairs, with their names in titles and claims."""


def main(
    corpus: str = "de-en",
    long: bool = False,
    folder: Path | None = None,
    resume: bool = False,
    seed: int = 0,
) -> None:
    """Train a translator, on one process or, through `accelerate launch`, on many.

    Besides the model, the folder gets `report.json`: the scores, the time, and the machine.

    Args:
        corpus: multi30k, ding, grammar, or de-en for the first of these that can be had.
        long: the longer run, at most 40 minutes on two cores.
        folder: where the model goes; by default the notebook's folder.
        resume: continue from the folder's checkpoint.
        seed: of everything random.
    """
    with explained("translation", (OSError, RuntimeError, ValueError)):
        if corpus not in (*CORPORA, "de-en"):
            raise ValueError(f"corpus is {corpus!r}; expected one of {', '.join(CORPORA)}, de-en")
        folder = folder or runs_folder("translation")
        plan = plan_of(long)
        plan = replace(plan, recipe=replace(plan.recipe, seed=seed))
        state = PartialState(cpu=machine.device() == "cpu")
        # One process finds the data, so that all learn from the same corpus.
        names = [corpora.load(corpus, "validation").name if state.is_main_process else None]
    broadcast_object_list(names)
    with explained("translation", (OSError, Mismatch)):
        model, pieces, history = train(names[0], plan, folder, resume=resume)
    if state.is_main_process:
        options = f" --corpus {names[0]}{' --long' if long else ''}{f' --seed {seed}' if seed else ''}"
        write_report(
            folder,
            title=f"Translation on {CORPORA[names[0]]}{', the longer run' if long else ''}",
            command=f"python -m tendays.translation{options}",
            recipe=plan.recipe,
            model=model,
            history=history,
            claims=score(model, pieces, names[0]),
        )


def score(model: Translator, pieces: Pieces, corpus: str) -> list[dict[str, Any]]:
    """BLEU on a corpus' test set, greedy and with a beam of 5, as claims, with the seconds that either took."""
    test, claims = corpora.load(corpus, "test"), []
    for width, search in ((1, "greedy"), (5, "beam 5")):
        begun = time.perf_counter()
        value = bleu(translate(model, pieces, test.german, beam=width), test.english).score
        seconds = time.perf_counter() - begun
        name = f"BLEU on {CORPORA[corpus]}'s test set, {search}"
        print(f"{name}: {value:.2f} in {seconds:.1f} s")
        claims.append({"name": name, "value": value, "unit": "BLEU", "seconds": seconds})
    claims[-1]["headline"] = True
    print(bleu_signature())
    return claims


if __name__ == "__main__":
    typer.run(main)
