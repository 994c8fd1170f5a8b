"""The command ``python -m tendays.translation``."""

import json
import time
from dataclasses import replace
from pathlib import Path

import typer
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

from tendays import corpora, machine
from tendays.files import runs_folder, write_atomically
from tendays.pieces import Pieces
from tendays.translation.model import Translator
from tendays.translation.scores import bleu, bleu_signature
from tendays.translation.search import translate
from tendays.translation.train import plan_of, train


def report(model: Translator, pieces: Pieces, corpus: str) -> list[dict[str, float | str]]:
    """The score on the test split, greedy and with a beam of 5, and how long either took, as the ledger has it."""
    test, entries = corpora.load(corpus, "test"), []
    for width in (1, 5):
        begun = time.perf_counter()
        score = bleu(translate(model, pieces, test.german, beam=width), test.english).score
        seconds = time.perf_counter() - begun
        print(f"{corpus}, test, beam {width}: BLEU {score:.2f} in {seconds:.1f} s")
        entries.append({"name": f"{corpus} test, beam {width}", "value": score, "unit": "BLEU", "seconds": seconds})
    print(bleu_signature())
    return entries


def main(
    corpus: str = "de-en",
    long: bool = False,
    folder: Path | None = None,
    resume: bool = False,
    seed: int = 0,
) -> None:
    """Train a translator, on one process or, through `accelerate launch`, on many.

    Besides the model, the folder gets `report.json`: the scores, the time, and what it ran on.

    Args:
        corpus: multi30k, ding, grammar, or de-en for the first that can be had.
        long: the longer run, at most 40 minutes on two cores.
        folder: where the model goes; without it, where the notebook's goes.
        resume: go on from the folder's checkpoint.
        seed: of everything random.
    """
    folder = folder or runs_folder("translation")
    plan = plan_of(long)
    plan = replace(plan, recipe=replace(plan.recipe, seed=seed))
    state = PartialState(cpu=machine.device() == "cpu")
    # One process asks for the data, so that all learn from the same, wherever it came from.
    names = [_sentence_pairs(corpus) if state.is_main_process else None]
    broadcast_object_list(names)
    model, pieces, history = train(names[0], plan, folder, resume=resume)
    if state.is_main_process:
        command = f"python -m tendays.translation --corpus {names[0]}{' --long' if long else ''}"
        facts = machine.facts() | {"command": command, "seed": seed, "processes": state.num_processes}
        facts |= {"seconds": sum(row["seconds"] for row in history), "history": history}
        facts["claims"] = report(model, pieces, names[0])
        write_atomically(folder / "report.json", json.dumps(facts, indent=1) + "\n")


def _sentence_pairs(corpus: str) -> str:
    """The name of the corpus that is meant; ValueError when it has no sentence pairs."""
    found = corpora.load(corpus, "validation")
    if not isinstance(found, corpora.ParallelCorpus):
        raise ValueError(f"corpus is {corpus!r}; expected one of sentence pairs")
    return found.name


if __name__ == "__main__":
    typer.run(main)
