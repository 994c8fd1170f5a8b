import json
import os
import signal
import subprocess
import sys
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tendays import machine
from tendays.training import (
    Diverged,
    Mismatch,
    Recipe,
    evaluation_mode,
    fit,
    load_model,
    load_tensors,
    load_weights,
    precision,
    save_tensors,
    write_report,
)


class Points(NamedTuple):
    """Points x with their values y: a batch for a linear model."""

    x: Tensor
    y: Tensor

    @property
    def predictions(self):
        return len(self.x)

    def shard(self, rank, processes):
        return Points(self.x[rank::processes], self.y[rank::processes])

    def to(self, device):
        return Points(self.x.to(device), self.y.to(device))


class Line(nn.Module):
    """A linear model with noise, so that a run depends on the state of the generators."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.line = nn.Linear(2, 1)
        self.drop = nn.Dropout(0.2)

    def forward(self, batch):
        return (self.line(self.drop(batch.x))[:, 0] - batch.y).square().sum()


def epoch_batches(epoch):
    generator = torch.Generator().manual_seed(epoch)
    for _ in range(4):
        x = torch.randn(8, 2, generator=generator)
        yield Points(x, x @ torch.tensor([2.0, -1.0]) + 0.5)


RECIPE = Recipe(epochs=6, learning_rate=0.1, seed=1)


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")


def test_it_learns_and_says_how(tmp_path, capsys):
    model = Line()
    model.drop.p = 0.0
    history = fit(model, epoch_batches, Recipe(epochs=40, learning_rate=0.2), tmp_path)
    assert model.line.weight.tolist()[0] == pytest.approx([2, -1], abs=0.05)
    assert history[-1]["loss"] < 0.01 < history[0]["loss"]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 40
    assert lines[0].startswith(f"epoch  1/40  loss {history[0]['loss']:.3f}")


def test_the_loss_of_an_epoch_is_the_mean_of_a_prediction(tmp_path):
    model = Line()
    model.drop.p = 0.0
    with torch.no_grad():
        expected = sum(float(model(batch)) for batch in epoch_batches(0)) / 32
    history = fit(model, epoch_batches, Recipe(epochs=1, learning_rate=1e-12), tmp_path)
    assert history[0]["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_resumed_run_makes_the_same_bits(tmp_path):
    whole, half = Line(), Line()
    fit(whole, epoch_batches, RECIPE, tmp_path / "whole")

    def interrupted(epoch):
        if epoch == 3:
            raise KeyboardInterrupt
        return epoch_batches(epoch)

    with pytest.raises(KeyboardInterrupt):
        fit(half, interrupted, RECIPE, tmp_path / "half")
    resumed = Line()
    torch.manual_seed(99)  # the state of the generators outside must not matter
    history = fit(resumed, epoch_batches, RECIPE, tmp_path / "half", resume=True)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert not torch.equal(whole.line.weight, half.line.weight)


def test_a_finished_run_is_not_run_again(tmp_path):
    model = Line()
    first = fit(model, epoch_batches, RECIPE, tmp_path)
    assert fit(Line(), lambda epoch: pytest.fail("asked for data"), RECIPE, tmp_path, resume=True) == first


def test_without_resume_a_run_begins_anew(tmp_path):
    fit(Line(), epoch_batches, RECIPE, tmp_path)
    assert len(fit(Line(), epoch_batches, RECIPE, tmp_path)) == 6
    with pytest.raises(KeyboardInterrupt):
        fit(Line(), lambda epoch: (_ for _ in ()).throw(KeyboardInterrupt), RECIPE, tmp_path)
    assert not list(tmp_path.iterdir()), "the checkpoint of the run before would be taken for this one's"


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    fit(Line(), epoch_batches, RECIPE, tmp_path)
    with pytest.raises(Mismatch, match=r"recipe is .*'epochs': 7"):
        fit(Line(), epoch_batches, Recipe(epochs=7, learning_rate=0.1, seed=1), tmp_path, resume=True)
    with pytest.raises(Mismatch, match=r"about is \{'data': 'other'\}, but the checkpoint"):
        fit(Line(), epoch_batches, RECIPE, tmp_path, about={"data": "other"}, resume=True)
    other = Line()
    other.line = nn.Linear(3, 1)
    with pytest.raises(Mismatch, match=r"its weight line\.weight has the shape \(1, 2\) in place of \(1, 3\)"):
        fit(other, epoch_batches, RECIPE, tmp_path, resume=True)


def test_a_checkpoint_of_other_weight_names_is_refused_in_one_sentence_and_changes_nothing(tmp_path):
    class Renamed(Line):
        def __init__(self):
            super().__init__()
            self.straight, self.line = self.line, None

        def forward(self, batch):
            return (self.straight(batch.x)[:, 0] - batch.y).square().sum()

    fit(Line(), epoch_batches, RECIPE, tmp_path)
    model = Renamed()
    before = model.straight.weight.detach().clone()
    with pytest.raises(Mismatch) as error:
        fit(model, epoch_batches, RECIPE, tmp_path, resume=True)
    path = str(tmp_path / "checkpoint.safetensors")
    assert str(error.value) == (
        f"the checkpoint is {path!r}; expected a model of this version's code, and its weights are named otherwise:"
        " train it anew, without resuming"
    )
    assert torch.equal(model.straight.weight, before)


WEIGHTS = {"weight": torch.ones(1, 2), "bias": torch.ones(1)}
MISFITS = {
    "a name more": (WEIGHTS | {"scale": torch.ones(1)}, "its weights are named otherwise"),
    "a name less": ({"weight": torch.ones(1, 2)}, "its weights are named otherwise"),
    "the last of another shape": (
        WEIGHTS | {"bias": torch.ones(3)},
        r"its weight bias has the shape \(3,\) in place of \(1,\)",
    ),
}


@pytest.mark.parametrize(("weights", "words"), MISFITS.values(), ids=MISFITS)
def test_weights_that_do_not_fit_are_refused_whole(weights, words):
    layer = nn.Linear(2, 1)
    before = {name: weight.clone() for name, weight in layer.state_dict().items()}
    with pytest.raises(
        Mismatch, match=f"^the file is x; expected a model of this version's code, and {words}: make it"
    ):
        load_weights(layer, weights, "the file is x", "make it anew")
    for name, weight in layer.state_dict().items():
        assert torch.equal(weight, before[name])


def test_weights_that_fit_are_loaded():
    layer = nn.Linear(2, 1)
    load_weights(layer, WEIGHTS, "the file is x", "make it anew")
    assert layer(torch.tensor([2.0, 3.0])).item() == 6


def test_a_model_is_loaded_from_its_description_in_evaluation_mode(tmp_path, monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")
    save_tensors(tmp_path / "model.safetensors", WEIGHTS, {"inputs": 2})
    layer, about = load_model(tmp_path, lambda about: nn.Linear(about["inputs"], 1), "make it")
    assert about == {"inputs": 2}
    assert not layer.training
    assert layer(torch.tensor([2.0, 3.0])).item() == 6


def test_a_folder_without_a_model_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        load_model(tmp_path, lambda about: nn.Linear(2, 1), "make it")
    assert str(error.value) == (
        f"folder is {str(tmp_path)!r}; expected a model in it, and there is none: make one with: make it"
    )


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({}, "its description fits none"),
        ([], "its description fits none"),
        ({"inputs": "two"}, "its description fits none"),
        ({"inputs": -2}, "its description fits none"),
        ({"inputs": 3}, r"its weight weight has the shape \(1, 2\) in place of \(1, 3\)"),
    ],
    ids=["no size", "a list", "a size in words", "a negative size", "another size"],
)
def test_a_model_that_does_not_fit_its_description_is_refused_with_the_remedy(tmp_path, about, words):
    save_tensors(tmp_path / "model.safetensors", WEIGHTS, about)
    expected = f"^folder is .*; expected a model of this version's code, and {words}: train it anew with: make it$"
    with pytest.raises(Mismatch, match=expected):
        load_model(tmp_path, lambda about: nn.Linear(about["inputs"], 1), "make it")


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_mode_ends_with_its_block_even_after_an_error(training):
    model = Line().train(training)
    with evaluation_mode(model):
        assert not model.training
        assert not model.drop.training
    assert model.training is model.drop.training is training
    with pytest.raises(ZeroDivisionError), evaluation_mode(model):
        raise ZeroDivisionError
    assert model.training is training


def test_history_counts_optimizer_steps_from_the_start_of_the_run_also_when_resumed(tmp_path):
    def batches(epoch):
        if epoch == 2 and not resumed:
            raise KeyboardInterrupt
        return list(epoch_batches(epoch))[epoch:]  # 4, 3, 2 and 1 of them

    recipe, resumed = Recipe(epochs=4, learning_rate=0.1), False
    with pytest.raises(KeyboardInterrupt):
        fit(Line(), batches, recipe, tmp_path)
    resumed = True
    history = fit(Line(), batches, recipe, tmp_path, resume=True)
    assert [row["steps"] for row in history] == [4, 7, 9, 10]


def test_a_report_has_these_fields(tmp_path):
    model, history = Line(), [{"epoch": 1, "steps": 4, "seconds": 1.5}, {"epoch": 2, "steps": 8, "seconds": 2.5}]
    claims = [{"name": "slope", "value": 2.0, "unit": "m"}]
    about = {"title": "A line", "command": "python -m line", "history": history, "claims": claims, "kind": "straight"}
    write_report(tmp_path / "run", recipe=RECIPE, model=model, **about)
    report = json.loads((tmp_path / "run" / "report.json").read_text("utf-8"))
    counted = {"seed": 1, "processes": 1, "learning_rate": 0.1, "layers": 0, "parameters": 3, "steps": 8, "seconds": 4}
    assert {key: report[key] for key in (*about, *counted)} == about | counted
    assert set(report) == {*machine.facts(), *about, *counted}
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["report.json"]


def test_the_best_epoch_is_kept(tmp_path):
    model, seen, scores = Line(), [], iter([1.0, 5.0, 2.0, 3.0, 4.0, 0.0])

    def evaluate(model):
        assert not model.training
        seen.append(model.line.weight.detach().clone())
        return {"score": next(scores)}

    history = fit(model, epoch_batches, RECIPE, tmp_path, evaluate=evaluate, keep="score")
    assert [row["score"] for row in history] == [1, 5, 2, 3, 4, 0]
    assert torch.equal(model.line.weight, seen[1])
    assert not torch.equal(seen[1], seen[-1])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_at_its_step(tmp_path, value):
    def poisoned(epoch):
        for step, batch in enumerate(epoch_batches(epoch)):
            yield Points(batch.x, batch.y * value) if (epoch, step) == (1, 2) else batch

    model = Line()
    with pytest.raises(Diverged, match=r"at step 3 of epoch 2"):
        fit(model, poisoned, RECIPE, tmp_path)
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())
    assert len(load_tensors(tmp_path / "checkpoint.safetensors")[1]["history"]) == 1


def test_the_rate_rises_and_falls():
    recipe = Recipe(epochs=10, learning_rate=0.4, warmup=0.2)
    assert [recipe.rate(done) for done in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.2, 0.4, 0.2, 0])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"warmup": 1.0}, r"warmup is 1\.0"),
    ],
)
def test_bad_recipes_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Recipe(**{"epochs": 1, "learning_rate": 0.1} | wrong)


def test_files_are_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "sub" / "weights.safetensors"
    save_tensors(path, {"a": torch.arange(6.0).view(2, 3).T}, {"note": "first"})
    tensors, about = load_tensors(path)
    assert torch.equal(tensors["a"], torch.arange(6.0).view(2, 3).T)
    assert about == {"note": "first"}
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_tensors(path, {"a": torch.zeros(1)}, {"note": "second"})
    assert load_tensors(path)[1] == {"note": "first"}
    assert [file.name for file in path.parent.iterdir()] == ["weights.safetensors"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_may_be_read_by_those_whom_the_umask_lets(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        save_tensors(tmp_path / "weights.safetensors", {"a": torch.zeros(1)}, {})
    finally:
        os.umask(before)
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == mode


def test_a_checkpoint_is_json_and_numbers(tmp_path):
    fit(Line(), epoch_batches, RECIPE, tmp_path)
    data = (tmp_path / "checkpoint.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert json.loads(header["__metadata__"]["about"])["recipe"]["learning_rate"] == 0.1


def test_damaged_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.safetensors"):
        load_tensors(tmp_path / "absent.safetensors")
    save_tensors(tmp_path / "cut.safetensors", {"a": torch.zeros(99)}, {})
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-7])
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    for name in ("cut", "other"):
        with pytest.raises(ValueError, match=rf"{name}\.safetensors.*expected a whole checkpoint"):
            load_tensors(tmp_path / f"{name}.safetensors")


def test_precision_can_be_asked_for(monkeypatch):
    assert precision() == "no"
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    with pytest.raises(ValueError, match="ACCELERATE_MIXED_PRECISION is 'fp16'"):
        precision()
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert precision() == "bf16"
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    assert precision() == "no"


INTERRUPTED = """
import signal, sys, time
from pathlib import Path
# Where a shell started the tests in the background, SIGINT is ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {tests!r})
from test_training import RECIPE, Line, epoch_batches, fit

def slow(epoch):
    for batch in epoch_batches(epoch):
        if epoch >= 2:
            print("waiting", flush=True)
            time.sleep(60)
        yield batch

fit(Line(), slow, RECIPE, Path({folder!r}))
"""


def test_ctrl_c_keeps_the_last_checkpoint(tmp_path):
    script = INTERRUPTED.format(tests=os.path.dirname(__file__), folder=str(tmp_path / "run"))
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while "waiting" not in process.stdout.readline():
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["checkpoint.safetensors"]
    resumed, whole = Line(), Line()
    assert len(fit(resumed, epoch_batches, RECIPE, tmp_path / "run", resume=True)) == 6
    fit(whole, epoch_batches, RECIPE, tmp_path / "whole")
    assert torch.equal(resumed.line.weight, whole.line.weight)
