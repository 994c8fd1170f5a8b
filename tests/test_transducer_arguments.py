"""Bad arguments of the losses are rejected, each by its name."""

import math

import pytest
import torch
from torch import Tensor
from transducer_forms import FORMS, forms

from tendays.transducer import transducer_loss

GOOD = {
    "targets": torch.tensor([[1, 2, 3], [4, 1, 0]]),
    "logit_lengths": torch.tensor([4, 2]),
    "target_lengths": torch.tensor([3, 2]),
}


def good(name: str) -> dict[str, Tensor]:
    torch.manual_seed(0)
    scores = FORMS[name].draw(inputs=4, labels=3, symbols=5, rows=2, dtype=torch.float32)
    return dict(zip(FORMS[name].names.split(), scores, strict=True)) | GOOD


def replaced(tensor: Tensor, place: tuple[int, ...], value: float) -> Tensor:
    tensor = tensor.clone()
    tensor[place] = value
    return tensor


@pytest.mark.parametrize("name", FORMS)
def test_the_arguments_that_the_bad_ones_are_made_from_are_accepted(name):
    assert FORMS[name].loss(**good(name)).isfinite()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("targets", torch.tensor([[1, 2], [4, 1]]), ValueError),
        ("targets", torch.tensor([[1, 2, 3]]), ValueError),
        ("targets", torch.tensor([1, 2, 3, 4, 1]), ValueError),
        ("targets", torch.tensor([[1, 5, 3], [4, 1, 0]]), ValueError),
        ("targets", torch.tensor([[1, -1, 3], [4, 1, 0]]), ValueError),
        ("targets", torch.tensor([[1, 0, 3], [4, 1, 0]]), ValueError),
        ("targets", GOOD["targets"].float(), TypeError),
        ("targets", GOOD["targets"].to("meta"), ValueError),
        ("logit_lengths", torch.tensor([4, 0]), ValueError),
        ("logit_lengths", torch.tensor([5, 2]), ValueError),
        ("logit_lengths", torch.tensor([4, 2, 1]), ValueError),
        ("logit_lengths", torch.tensor([[4, 2]]), ValueError),
        ("logit_lengths", torch.tensor([4.0, 2.0]), TypeError),
        ("logit_lengths", GOOD["logit_lengths"].to("meta"), ValueError),
        ("target_lengths", torch.tensor([3, -1]), ValueError),
        ("target_lengths", torch.tensor([4, 2]), ValueError),
        ("target_lengths", torch.tensor(3), ValueError),
        ("target_lengths", torch.tensor([3.0, 2.0]), TypeError),
        ("target_lengths", GOOD["target_lengths"].to("meta"), ValueError),
        ("blank", 5, ValueError),
        ("blank", -6, ValueError),
        ("reduction", "average", ValueError),
    ],
)
def test_bad_targets_and_options_are_rejected_by_name(name, argument, value, error):
    with pytest.raises(error, match=rf"^{argument} .*; expected "):
        FORMS[name].loss(**good(name) | {argument: value})


@pytest.mark.parametrize(
    ("name", "argument", "change", "error"),
    [
        ("logits", "logits", lambda x: x[0], ValueError),
        ("logits", "logits", lambda x: x.long(), TypeError),
        ("additive", "encoder", lambda x: x[0], ValueError),
        ("additive", "encoder", lambda x: x.long(), TypeError),
        ("additive", "predictor", lambda x: x[:, None], ValueError),
        ("additive", "predictor", lambda x: x[:1], ValueError),
        ("additive", "predictor", lambda x: x[..., :4], ValueError),
        ("additive", "predictor", lambda x: x.double(), TypeError),
        ("additive", "predictor", lambda x: x.to("meta"), TypeError),
        ("joint", "encoder", lambda x: x[0], ValueError),
        ("joint", "predictor", lambda x: x[0], ValueError),
        ("joint", "predictor", lambda x: x[..., :2], ValueError),
        ("joint", "predictor", lambda x: x.half(), TypeError),
        ("joint", "weight", lambda x: x[:, :2], ValueError),
        ("joint", "weight", lambda x: x[0], ValueError),
        ("joint", "weight", lambda x: x.double(), TypeError),
        ("joint", "weight", lambda x: x.to("meta"), TypeError),
        ("joint", "bias", lambda x: x[:4], ValueError),
        ("joint", "bias", lambda x: x[:, None], ValueError),
        ("joint", "bias", lambda x: x.bfloat16(), TypeError),
    ],
)
def test_scores_that_do_not_fit_are_rejected_by_name(name, argument, change, error):
    arguments = good(name)
    with pytest.raises(error, match=rf"^{argument} .*; expected "):
        FORMS[name].loss(**arguments | {argument: change(arguments[argument])})


@forms
@pytest.mark.parametrize("shape", [(4, 3, 5, 0), (0, 3, 5, 2), (4, -1, 5, 2), (4, 3, 0, 2)])
def test_scores_with_an_axis_of_length_0_are_rejected(form, shape):
    with pytest.raises(ValueError, match=r"B, T, U \+ 1, V = \(.*\b0\b.*\); expected none of them 0"):
        form.loss(*form.draw(*shape), **GOOD)


@pytest.mark.parametrize(
    ("name", "argument", "place", "value", "names"),
    [
        ("logits", "logits", (0, 1, 1, 4), math.nan, "logits"),
        ("logits", "logits", (0, 1, 1, 4), math.inf, "logits"),
        ("logits", "logits", (0, 1, 1, 0), -math.inf, "logits"),
        ("logits", "logits", (0, 1, 1, 2), -math.inf, "logits"),
        ("additive", "encoder", (0, 1, 4), math.nan, "encoder or predictor"),
        ("additive", "encoder", (0, 1, 4), math.inf, "encoder or predictor"),
        ("additive", "encoder", (0, 1, 0), -math.inf, "encoder or predictor"),
        ("additive", "predictor", (0, 1, 4), math.nan, "encoder or predictor"),
        ("additive", "predictor", (0, 1, 4), math.inf, "encoder or predictor"),
        ("additive", "predictor", (0, 1, 2), -math.inf, "encoder or predictor"),
        ("joint", "encoder", (0, 1, 2), math.nan, "encoder, predictor, weight or bias"),
        ("joint", "predictor", (0, 1, 2), math.nan, "encoder, predictor, weight or bias"),
        ("joint", "weight", (4, 2), math.nan, "encoder, predictor, weight or bias"),
        ("joint", "weight", (0, 2), math.inf, "encoder, predictor, weight or bias"),
        ("joint", "bias", (4,), math.inf, "encoder, predictor, weight or bias"),
        ("joint", "bias", (2,), -math.inf, "encoder, predictor, weight or bias"),
    ],
)
def test_infinite_scores_and_nan_are_rejected_by_name(name, argument, place, value, names):
    arguments = good(name)
    with pytest.raises(ValueError, match=rf"^{names} at sequence, input, label .*; expected finite"):
        FORMS[name].loss(**arguments | {argument: replaced(arguments[argument], place, value)})


def test_the_message_names_sequence_input_and_label_of_the_first_nan():
    arguments = good("logits")
    arguments["logits"][1, 1, 2, 3] = math.nan
    with pytest.raises(ValueError, match=r"\[1, 1, 2\]"):
        transducer_loss(**arguments)
