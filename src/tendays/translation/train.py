"""What a translator is trained with, its training, and the files of a trained model."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from accelerate import PartialState
from torch import nn

from tendays import corpora
from tendays.pieces import PairBatches, Pieces
from tendays.scale import pick
from tendays.training import Mismatch, Recipe, fit, load_model, precision, save_tensors
from tendays.translation.model import Size, Translator
from tendays.translation.scores import bleu
from tendays.translation.search import translate


@dataclass(frozen=True)
class Plan:
    """Everything that the model of `train` depends on, besides the corpus.

    recipe: epochs, learning rate, seed and so on.
    pieces: V, the size of the vocabulary.
    tokens: target pieces in a batch.
    max_words: the longest German sentence to learn from, in words; None for no limit.
    count: the number of pairs to learn from, the first ones; None for all.
    size: arguments of `Size`, besides the vocabulary.
    """

    recipe: Recipe
    pieces: int = 4000
    tokens: int = 2000
    max_words: int | None = 19
    count: int | None = None
    size: Mapping[str, float | bool] = field(default_factory=dict)


FULL = Plan(Recipe(epochs=5, learning_rate=3e-3))
"""The notebook's plan at full scale."""

FULL_FLOAT32 = replace(FULL, recipe=replace(FULL.recipe, epochs=4))
"""The same for hardware without bfloat16: fewer epochs, because each takes more than twice as long."""

SMOKE = Plan(
    Recipe(epochs=2, learning_rate=3e-3), pieces=400, tokens=1000, count=600, size={"encoder": 64, "decoder": 96}
)
"""The notebook's plan at smoke scale: the same code in a few seconds."""

LONG = Plan(
    Recipe(epochs=24, learning_rate=3e-3),
    max_words=None,
    size={"encoder": 320, "decoder": 512, "dropout": 0.4, "embedding_dropout": 0.25},
)
"""The plan of the command line's --long."""


def plan_of(long: bool = False) -> Plan:
    """The plan for the scale and the hardware of this run."""
    full = FULL if precision() == "bf16" else FULL_FLOAT32
    return pick(full=LONG if long else full, smoke=SMOKE)


def train(
    corpus: str, plan: Plan, folder: Path, *, resume: bool = False
) -> tuple[Translator, Pieces, list[dict[str, float]]]:
    """Trains pieces and a translator on a corpus, and keeps the epoch of the best validation BLEU in `folder`.

    Args:
        corpus: the name of a corpus of sentence pairs, see `corpora.load`.
        plan: sizes and hyperparameters.
        folder: gets `pieces.model`, `model.safetensors`, and a checkpoint after every epoch.
        resume: continue from the folder's checkpoint, if there is one.

    Returns:
        The model, its pieces, and the rows of `training.fit`.

    Raises:
        Mismatch: the checkpoint to resume from belongs to another model or run.
    """
    pairs = corpora.load(corpus, "train", plan.max_words)
    held_out = corpora.load(pairs.name, "validation")
    german, english = pairs.german[: plan.count], pairs.english[: plan.count]
    pieces = Pieces.learn([*german, *english], plan.pieces, folder / "pieces.model")
    batches = PairBatches(pieces, german, english, plan.tokens)
    torch.manual_seed(plan.recipe.seed)
    model = Translator(Size(len(pieces), **plan.size))

    def evaluate(model: nn.Module) -> dict[str, float]:
        output = translate(model, pieces, held_out.german[: plan.count], beam=1)
        return {"BLEU": bleu(output, held_out.english[: plan.count]).score}

    history = fit(
        model,
        lambda epoch: batches.epoch(plan.recipe.seed + epoch),
        plan.recipe,
        folder,
        evaluate=evaluate,
        keep="BLEU",
        about={"corpus": pairs.name, "plan": asdict(plan)},
        resume=resume,
    )
    if PartialState().is_main_process:  # the others have the weights of the last epoch, not of the best one
        save(model, folder)
    return model, pieces, history


def save(model: Translator, folder: Path) -> None:
    """Writes a model's weights and size, and the hash of the folder's pieces, to `model.safetensors`."""
    about = {"size": asdict(model.size), "pieces": _hash(folder / "pieces.model")}
    save_tensors(folder / "model.safetensors", model.state_dict(), about)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(folder: Path) -> tuple[Translator, Pieces]:
    """The model and the pieces that `train` left in a folder. Loading runs no code from it.

    Raises:
        FileNotFoundError: there is no model; the message says how to make one.
        ValueError: the files do not belong together, or are no model of this version's code.
    """
    model, about = load_model(folder, lambda about: Translator(Size(**about["size"])), "make run UNIT=translation")
    path = Path(folder, "pieces.model")
    pieces = Pieces(path)
    if about.get("pieces") != _hash(path):
        raise Mismatch(f"folder is {str(folder)!r}; expected a translator and the pieces it was trained with")
    return model, pieces
