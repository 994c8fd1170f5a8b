"""One training loop, on Accelerate: device, precision, processes, progress, checkpoints, resume.

A run is a function of its seed: every epoch reseeds the generators, so that a run resumed from a checkpoint makes
the weights that an uninterrupted one makes, on a CPU bit for bit. Processes share out each batch between them, so that
any number of them takes the steps that one would take, but for the noise of dropout. They must share the folder.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from accelerate import Accelerator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from tendays import machine
from tendays.files import replacing, runs_folder  # noqa: F401


class Diverged(ArithmeticError):  # noqa: N818 - it reads as what happened
    """The loss or its gradient stopped being a finite number."""


class TrainingBatch(Protocol):
    """What `fit` needs to know of a batch."""

    @property
    def predictions(self) -> int:
        """How many predictions the loss of the batch sums over, in all processes together."""

    def share(self, rank: int, processes: int) -> "TrainingBatch":
        """The rows that one of several processes works on: at least one, which may count for nothing."""

    def to(self, device: torch.device) -> "TrainingBatch":
        """The same batch on another device."""


B = TypeVar("B", bound=TrainingBatch)


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to learn.

    epochs: passes over the data.
    learning_rate: the highest; it rises linearly over the first `warmup` of the run and falls to 0 along half a
        cosine (Loshchilov and Hutter 2017).
    weight_decay: of AdamW (Loshchilov and Hutter 2019).
    clip: the largest norm of a gradient (Pascanu, Mikolov and Bengio 2013).
    seed: of everything random.
    """

    epochs: int
    learning_rate: float
    warmup: float = 0.15
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self):
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}; expected at least 1")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is {self.learning_rate}; expected a positive number")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is {self.warmup}; expected a part of the run, from 0 to below 1")

    def rate(self, done: float) -> float:
        """The learning rate when the part `done` of the run, from 0 to 1, lies behind."""
        if done < self.warmup:
            return self.learning_rate * done / self.warmup
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (done - self.warmup) / (1 - self.warmup)))


def precision() -> str:
    """What the products of a training step are computed in: `bf16` where the hardware has it, otherwise `no` (float32).

    ``ACCELERATE_MIXED_PRECISION`` overrides the choice; `accelerate launch --mixed_precision` sets it.

    Raises:
        ValueError: it is set to something else.
    """
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION")
    if asked:
        if asked not in ("no", "bf16"):
            raise ValueError(f"ACCELERATE_MIXED_PRECISION is {asked!r}; expected 'no' or 'bf16'")
        return asked
    if machine.device() == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
    # Only units made for bf16 pay: elsewhere torch computes it in float32 and converts.
    has = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return "bf16" if has.get("amx_bf16") or has.get("avx512_bf16") else "no"


def fit(
    model: nn.Module,
    epoch_batches: Callable[[int], Iterable[B]],
    recipe: Recipe,
    folder: Path,
    *,
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    keep: str | None = None,
    about: dict[str, Any] | None = None,
    resume: bool = False,
) -> list[dict[str, float]]:
    """Trains a model in place, and writes a checkpoint to `folder` after every epoch.

    Args:
        model: called with a batch, it returns the loss summed over the batch's predictions, a tensor of no dimension.
        epoch_batches: the batches of the epoch of a given number, from 0; the same whenever it is asked.
        recipe: how long and how fast.
        folder: gets `checkpoint.safetensors`, and with `keep` also `best.safetensors`.
        evaluate: scores of the model after an epoch, measured on the main process.
        keep: the score whose best epoch is to be kept: its weights are the ones that the main process ends with.
        about: what else the run depends on, JSON-ready: a checkpoint is gone on from only where it is the same.
        resume: go on from the folder's checkpoint where there is one; otherwise an old one is removed.

    Returns:
        One row for each epoch: epoch (from 1), loss (mean for each prediction), seconds, and the scores.

    Raises:
        Diverged: the loss or its gradient is infinite or no number. The message says at which step.
        ValueError: the checkpoint to resume from belongs to another model, recipe, precision, or `about`.
    """
    accelerator = Accelerator(cpu=machine.device() == "cpu", mixed_precision=precision())
    model.to(accelerator.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True
    )
    checkpoint, best = Path(folder, "checkpoint.safetensors"), Path(folder, "best.safetensors")
    # Through JSON and back, as the checkpoint has it, where tuples are lists.
    run = json.loads(json.dumps({"recipe": asdict(recipe), "precision": precision(), "about": about}))
    history = _restore(checkpoint, model, optimizer, run) if resume and checkpoint.exists() else []
    accelerator.wait_for_everyone()
    if not history and accelerator.is_main_process:
        checkpoint.unlink(missing_ok=True)
        best.unlink(missing_ok=True)
    wrapped, wrapped_optimizer = accelerator.prepare(model, optimizer)
    for epoch in range(len(history), recipe.epochs):
        begun = time.perf_counter()
        # A seed for each epoch makes a resumed run draw what an uninterrupted one draws.
        torch.manual_seed(recipe.seed + 1_000_003 * (epoch + 1) + accelerator.process_index)
        row = {
            "epoch": epoch + 1,
            "loss": _epoch(accelerator, wrapped, wrapped_optimizer, epoch_batches, recipe, epoch),
        }
        row["seconds"] = time.perf_counter() - begun
        if accelerator.is_main_process:
            history.append(row | _scores(model, evaluate))
            if keep and history[-1][keep] == max(past[keep] for past in history):
                save_tensors(best, model.state_dict(), {})
            _checkpoint(checkpoint, model, optimizer, run, history)
            print(_line(history[-1], recipe.epochs), flush=True)
        else:
            history.append(row)
        accelerator.wait_for_everyone()
    accelerator.unwrap_model(wrapped, keep_fp32_wrapper=False)
    if keep and accelerator.is_main_process:
        model.load_state_dict(load_tensors(best)[0])
    return history


def _epoch(
    accelerator: Accelerator,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epoch_batches: Callable[[int], Iterable[B]],
    recipe: Recipe,
    epoch: int,
) -> float:
    """One pass over the data; the mean loss of a prediction."""
    model.train()
    batches = list(epoch_batches(epoch))
    total = predictions = 0.0
    # In plain text, because saved outputs keep no widgets; tqdm's own variable TQDM_DISABLE turns it off.
    title = f"epoch {epoch + 1}/{recipe.epochs}"
    for index, batch in enumerate(tqdm(batches, title, leave=False) if accelerator.is_main_process else batches):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate((epoch + (index + 1) / len(batches)) / recipe.epochs)
        share = batch.share(accelerator.process_index, accelerator.num_processes).to(accelerator.device)
        # Each process takes its part of the sum; the average of the gradients that follows divides by their number.
        loss = model(share) * (accelerator.num_processes / batch.predictions)
        accelerator.backward(loss)
        norm = accelerator.clip_grad_norm_(model.parameters(), recipe.clip)
        mean = accelerator.reduce(loss.detach(), "mean")
        if not (torch.isfinite(mean) and torch.isfinite(norm)):
            raise Diverged(
                f"at step {index + 1} of epoch {epoch + 1} the loss is {mean:.4g} and its gradient's norm {norm:.4g};"
                " the last checkpoint, if there is one, is from before this epoch"
            )
        optimizer.step()
        optimizer.zero_grad()
        total += float(mean) * batch.predictions
        predictions += batch.predictions
    return total / predictions


def _scores(model: nn.Module, evaluate: Callable[[nn.Module], dict[str, float]] | None) -> dict[str, float]:
    if evaluate is None:
        return {}
    model.eval()
    return evaluate(model)


def _line(row: dict[str, float], epochs: int) -> str:
    scores = "".join(f"  {name} {value:.2f}" for name, value in row.items() if name not in ("epoch", "loss", "seconds"))
    return f"epoch {row['epoch']:2d}/{epochs}  loss {row['loss']:.3f}{scores}  {row['seconds']:.1f} s"


def save_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Writes tensors and a JSON description into one safetensors file, whole or not at all."""
    with replacing(path) as scratch:
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()}, scratch, {"about": json.dumps(about)}
        )


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors on the CPU and the description, as `save_tensors` wrote them. Nothing in the file is executed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is cut off, or is no file of `save_tensors`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"path is {str(path)!r}, where there is no checkpoint")
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except (KeyError, ValueError, SafetensorError) as error:
        raise ValueError(f"path is {str(path)!r}; expected a whole checkpoint, but: {error}") from error


def _checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, run: dict[str, Any], history: list[dict[str, float]]
) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    save_tensors(path, tensors, run | {"history": history})


def _restore(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, run: dict[str, Any]
) -> list[dict[str, float]]:
    tensors, about = load_tensors(path)
    for name, value in run.items():
        if about[name] != value:
            raise ValueError(f"{name} is {value}, but the checkpoint {str(path)!r} was made with {about[name]}")
    weights = {name[len("model.") :]: tensor for name, tensor in tensors.items() if name.startswith("model.")}
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if shapes != expected:
        raise ValueError(f"model is not the one of the checkpoint {str(path)!r}: {shapes.items() ^ expected.items()}")
    model.load_state_dict(weights)
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return about["history"]
