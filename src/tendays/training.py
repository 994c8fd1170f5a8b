"""The training loop of all subjects, on Accelerate: device, precision, processes, checkpoints, reports of runs.

A run is a function of its seed: the generators are seeded anew for every epoch, so that a run resumed from a checkpoint
ends with the weights of an uninterrupted one, on a CPU bit for bit. Several processes divide each batch between them.
Apart from dropout, any number of them takes the optimizer steps that one process would take. They must share a folder.
"""

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from accelerate import Accelerator, PartialState
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from tqdm import tqdm

from tendays import machine
from tendays.files import write_atomically
from tendays.recurrent import parameters, recurrent_layers


class Diverged(ArithmeticError):  # noqa: N818 - it reads as what happened
    """The loss or its gradient stopped being a finite number."""


class Mismatch(ValueError):  # noqa: N818 - it reads as what happened
    """A file of weights, or a checkpoint, belongs to another model or another run."""


class TrainingBatch(Protocol):
    """The interface of a batch that `fit` trains on."""

    @property
    def predictions(self) -> int:
        """The number of predictions that the loss of the whole batch sums over."""

    def shard(self, rank: int, processes: int) -> "TrainingBatch":
        """The rows of one of several processes: at least one, which may have no predictions."""

    def to(self, device: torch.device) -> "TrainingBatch":
        """The same batch on another device."""


B = TypeVar("B", bound=TrainingBatch)
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters of a run that no model knows of.

    epochs: passes over the data.
    learning_rate: the highest; the rate rises linearly during the first part `warmup` of the run, and falls to 0 along
        half a cosine (Loshchilov and Hutter 2017).
    weight_decay: of AdamW (Loshchilov and Hutter 2019).
    clip: the largest norm of the gradient (Pascanu, Mikolov and Bengio 2013).
    seed: of initial weights, the order of the data, and dropout.
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
        """The learning rate after the part `done` of the run, from 0 to 1."""
        if done < self.warmup:
            return self.learning_rate * done / self.warmup
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (done - self.warmup) / (1 - self.warmup)))


def precision() -> str:
    """The mixed precision of training: `bf16` where the hardware has units for it, otherwise `no`, which is float32.

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
    # Without units for bf16, torch converts to float32 and back, which is slower than float32 alone.
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return "bf16" if capabilities.get("amx_bf16") or capabilities.get("avx512_bf16") else "no"


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

    The optimizer is AdamW. The gradient of a step is that of the batch's mean loss of a prediction.

    Args:
        model: called with a batch, it returns the loss summed over the batch's predictions, a tensor of no dimension.
        epoch_batches: maps the index of an epoch, from 0, to its batches; a function of that index alone.
        recipe: epochs, learning rate, seed and so on.
        folder: gets `checkpoint.safetensors`, and with `keep` also `best.safetensors`.
        evaluate: scores of the model after an epoch, measured on the main process.
        keep: the name of a score; the main process ends with the weights of the epoch where it was highest.
        about: what else the run depends on, JSON-ready; a checkpoint is resumed only if its own is equal.
        resume: continue from the folder's checkpoint, if there is one. Without it an old checkpoint is removed.

    Returns:
        One row for each epoch: epoch (from 1), loss (mean of a prediction), steps (of the optimizer, since the start of
        the run), seconds (of training, without evaluation), and the scores.

    Raises:
        Diverged: the loss or its gradient is infinite or NaN. The message says at which step.
        Mismatch: the checkpoint to resume from belongs to another model, recipe, precision, or `about`.
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
        # A seed for each epoch, so that a resumed run draws the same numbers as an uninterrupted one.
        torch.manual_seed(recipe.seed + 1_000_003 * (epoch + 1) + accelerator.process_index)
        loss, steps = _epoch(accelerator, wrapped, wrapped_optimizer, epoch_batches, recipe, epoch)
        steps += history[-1]["steps"] if history else 0
        row = {"epoch": epoch + 1, "loss": loss, "steps": steps, "seconds": time.perf_counter() - begun}
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
) -> tuple[float, int]:
    """One pass over the data. Returns the mean loss of a prediction, and the number of optimizer steps."""
    model.train()
    batches = list(epoch_batches(epoch))
    total = predictions = 0.0
    # A bar in plain text, because saved notebooks keep no widgets; tqdm's variable TQDM_DISABLE turns it off.
    title = f"epoch {epoch + 1}/{recipe.epochs}"
    for index, batch in enumerate(tqdm(batches, title, leave=False) if accelerator.is_main_process else batches):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate((epoch + (index + 1) / len(batches)) / recipe.epochs)
        shard = batch.shard(accelerator.process_index, accelerator.num_processes).to(accelerator.device)
        # Each process computes its part of the sum. Averaging the gradients divides by the number of processes.
        loss = model(shard) * (accelerator.num_processes / batch.predictions)
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
    return total / predictions, len(batches)


def _scores(model: nn.Module, evaluate: Callable[[nn.Module], dict[str, float]] | None) -> dict[str, float]:
    """The scores of the model in evaluation mode; none without `evaluate`."""
    if evaluate is None:
        return {}
    model.eval()
    return evaluate(model)


def _line(row: dict[str, float], epochs: int) -> str:
    """What is printed after an epoch."""
    scores = "".join(
        f"  {name} {value:.2f}" for name, value in row.items() if name not in ("epoch", "loss", "steps", "seconds")
    )
    return f"epoch {row['epoch']:2d}/{epochs}  loss {row['loss']:.3f}{scores}  {row['seconds']:.1f} s"


def save_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Writes tensors and a JSON description into one safetensors file, whole or not at all."""
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    # Not save_file, whose files nobody but their owner may read, whatever the umask.
    write_atomically(path, save(whole, {"about": json.dumps(about)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors, on the CPU, and the description that `save_tensors` wrote. Nothing in the file is executed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, or `save_tensors` did not write it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"path is {str(path)!r}, where there is no checkpoint")
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except (KeyError, ValueError, SafetensorError) as error:
        raise ValueError(f"path is {str(path)!r}; expected a whole checkpoint, but: {error}") from error


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], what: str, remedy: str) -> None:
    """Copies weights into a model: all of them, or none.

    Args:
        model: whose weights are overwritten.
        weights: by name, as in `model.state_dict()`.
        what: the beginning of the error's message: which file the weights are from.
        remedy: its end: what to do.

    Raises:
        Mismatch: names or shapes differ from the model's. The model is as it was.
    """
    expected = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    found = {name: tuple(weight.shape) for name, weight in weights.items()}
    difference = None
    if found.keys() != expected.keys():
        difference = "its weights are named otherwise"
    elif wrong := next((name for name in expected if found[name] != expected[name]), None):
        difference = f"its weight {wrong} has the shape {found[wrong]} in place of {expected[wrong]}"
    if difference:
        raise Mismatch(f"{what}; expected a model of this version's code, and {difference}: {remedy}")
    model.load_state_dict(weights)


def load_model(folder: Path, build: Callable[[Any], M], remedy: str) -> tuple[M, Any]:
    """The model in a folder, in evaluation mode, and the description beside its weights. Loading runs no code from it.

    Args:
        folder: holds `model.safetensors`, which `save_tensors` wrote.
        build: makes a model from the description; its weights are then overwritten. A KeyError, TypeError, ValueError
            or RuntimeError says that the description fits no model.
        remedy: the command that makes such a model; errors name it.

    Raises:
        FileNotFoundError: there is no model.
        ValueError: the file is no model of this version's code.
    """
    path, what = Path(folder, "model.safetensors"), f"folder is {str(folder)!r}"
    if not path.is_file():
        raise FileNotFoundError(f"{what}; expected a model in it, and there is none: make one with: {remedy}")
    weights, about = load_tensors(path)
    anew = f"train it anew with: {remedy}"
    try:
        model = build(about)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise Mismatch(
            f"{what}; expected a model of this version's code, and its description fits none: {anew}"
        ) from error
    load_weights(model, weights, what, anew)
    return model.eval().to(machine.device()), about


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """A block in which a model is in evaluation mode; afterwards it is in the mode that it was in before."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def write_report(
    folder: Path,
    *,
    title: str,
    command: str,
    recipe: Recipe,
    model: nn.Module,
    history: list[dict[str, float]],
    claims: list[dict[str, Any]],
    **more: Any,
) -> None:
    """Writes `report.json`, the record of a run, whole or not at all.

    Besides the arguments and the facts of `machine.facts` (scale, device, cpu, threads, peak_memory_mb, versions), the
    record has: seed and learning_rate (the highest) of the recipe; the number of processes; layers (recurrent ones, see
    `recurrent_layers`) and parameters of the model; steps of the optimizer; seconds of training, without evaluation.

    Args:
        folder: gets the file.
        title: what was run, in words for a reader.
        command: the line that repeats the run.
        recipe: of the run.
        model: what was trained.
        history: the rows of `fit`.
        claims: name, value and unit of each result, and `headline` where it stands for the run in tables.
        more: further fields, JSON-ready.
    """
    report = machine.facts() | {"title": title, "command": command} | more
    report |= {"seed": recipe.seed, "processes": PartialState().num_processes, "learning_rate": recipe.learning_rate}
    report |= {"layers": recurrent_layers(model), "parameters": parameters(model)}
    report |= {"steps": history[-1]["steps"], "seconds": sum(row["seconds"] for row in history), "history": history}
    write_atomically(folder / "report.json", json.dumps(report | {"claims": claims}, indent=1) + "\n")


def _checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, run: dict[str, Any], history: list[dict[str, float]]
) -> None:
    """Writes all that `_restore` reads: the weights, the optimizer's state, what the run depends on, its history."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    save_tensors(path, tensors, run | {"history": history})


def _restore(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, run: dict[str, Any]
) -> list[dict[str, float]]:
    """Gives model and optimizer the state of a checkpoint, and returns the history up to it.

    Raises:
        Mismatch: the checkpoint belongs to another model or run. Model and optimizer are as they were.
    """
    tensors, about = load_tensors(path)
    for name, value in run.items():
        if about.get(name) != value:
            raise Mismatch(f"{name} is {value}, but the checkpoint {str(path)!r} was made with {about.get(name)}")
    weights, state = {}, defaultdict(dict)
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "model":
            weights[rest] = tensor
        else:
            index, key = rest.split(".")
            state[int(index)][key] = tensor
    load_weights(model, weights, f"the checkpoint is {str(path)!r}", "train it anew, without resuming")
    optimizer.load_state_dict({"state": dict(state), "param_groups": optimizer.state_dict()["param_groups"]})
    return about["history"]
