"""CTC: losses worked by hand, and against the listing of all paths; greedy decoding."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tendays.ctc import BLANK, CTC, collapse, greedy
from tendays.pieces import Batch, pad

SYMBOLS = 10


class Table(nn.Module):
    """An encoder whose state at each input is a row of a table."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(8, 6)

    def forward(self, source, lengths):
        return self.table(source)


@pytest.fixture(scope="module")
def model():
    """Three frames for each input, and scores that are far from uniform."""
    torch.manual_seed(0)
    model = CTC(Table(), 6, SYMBOLS, frames=3).eval()
    with torch.no_grad():
        model.output.weight.mul_(8)
    return model


def batch_of(*pairs):
    """A batch of sources with their targets."""
    return Batch(*pad([source for source, _ in pairs]), *pad([target for _, target in pairs]))


def gradients(model, loss):
    return torch.autograd.grad(loss, list(model.parameters()))


@pytest.mark.parametrize(
    ("path", "labels"),
    [([], []), ([0, 0], []), ([1, 1, 2], [1, 2]), ([1, 0, 1], [1, 1]), ([0, 3, 3, 0, 0, 3, 4], [3, 3, 4])],
)
def test_a_path_collapses_to_its_labels(path, labels):
    assert collapse(path) == labels


@pytest.mark.parametrize(
    ("inputs", "target", "probability"),
    [
        (1, [1], 1 / 3),
        (2, [1], 3 / 9),  # 1 1, 0 1, 1 0
        (2, [1, 2], 1 / 9),
        (3, [1, 1], 1 / 27),  # 1 0 1
        (3, [1, 2], 5 / 27),  # 1 1 2, 1 2 2, 0 1 2, 1 0 2, 1 2 0
    ],
)
def test_the_loss_of_uniform_symbols_counts_paths(inputs, target, probability):
    uniform = CTC(Table(), 6, 3)
    nn.init.zeros_(uniform.output.weight)
    nn.init.zeros_(uniform.output.bias)
    loss = uniform(batch_of(([5] * inputs, target)))
    assert loss.item() == pytest.approx(-math.log(probability), rel=1e-6)


def probability_by_listing(frames, target):
    """The summed probability of all sequences of symbols that are the target once merged and freed of blanks."""
    total = 0.0
    for path in itertools.product([BLANK, *set(target)], repeat=len(frames)):
        if [symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK] == target:
            total += math.exp(sum(frame[symbol] for frame, symbol in zip(frames, path, strict=True)))
    return total


@pytest.mark.parametrize("target", [[5], [5, 7], [5, 5], [9, 1, 9]])
def test_the_loss_of_one_input_sums_over_all_its_paths(model, target):
    batch = batch_of(([3], target))
    frames = model.log_probabilities(batch.source, batch.source_lengths)[0].tolist()
    assert model(batch).item() == pytest.approx(-math.log(probability_by_listing(frames, target)), rel=1e-5)


def test_the_loss_of_a_batch_is_the_sum_over_its_rows(model):
    batch = batch_of(([1, 2], [5, 5, 9, 5]), ([3], [7]), ([4, 5], [1, 2]))
    frames = model.log_probabilities(batch.source, batch.source_lengths)
    expected = sum(
        -math.log(probability_by_listing(frames[row, : 3 * inputs].tolist(), target))
        for row, (inputs, target) in enumerate([(2, [5, 5, 9, 5]), (1, [7]), (2, [1, 2])])
    )
    assert model(batch).item() == pytest.approx(expected, rel=1e-5)


def test_every_input_makes_three_frames_of_probabilities_that_padding_does_not_change(model):
    source, lengths = pad([[1, 2], [1]])
    logp = model.log_probabilities(source, lengths)
    assert logp.shape == (2, 6, SYMBOLS)
    torch.testing.assert_close(logp.exp().sum(2), torch.ones(2, 6))
    torch.testing.assert_close(logp[1:, :3], model.log_probabilities(source[1:, :1], lengths[1:]))


def test_under_autocast_the_scores_are_float32(model):
    with torch.autocast("cpu", torch.bfloat16):
        logp = model.log_probabilities(*pad([[1, 2]]))
    torch.testing.assert_close(logp, model.log_probabilities(*pad([[1, 2]])), rtol=0, atol=0)


@pytest.mark.parametrize("impossible", [[1, 2, 3, 4], [6, 6, 6]], ids=["labels", "labels and blanks between"])
def test_a_target_too_long_for_its_frames_adds_nothing(model, impossible):
    alone = model(batch_of(([3], impossible)))
    assert alone.item() == 0
    assert all(gradient.eq(0).all() for gradient in gradients(model, alone))
    both = [model(batch_of(([1, 2], [5, 7]), ([3], impossible))), model(batch_of(([1, 2], [5, 7])))]
    assert both[0].item() == pytest.approx(both[1].item(), rel=1e-6)
    for with_it, without in zip(*(gradients(model, loss) for loss in both), strict=True):
        torch.testing.assert_close(with_it, without, rtol=1e-4, atol=1e-5)


def test_a_row_without_a_target_adds_nothing(model):
    batch = batch_of(([1, 2], [5, 7]), ([4, 5], [1, 2]))
    idle = batch._replace(target_lengths=torch.tensor([2, 0]))
    assert model(idle).item() == pytest.approx(model(batch_of(([1, 2], [5, 7]))).item(), rel=1e-6)
    nothing = model(batch.shard(2, 3))
    assert nothing.item() == 0
    assert all(gradient.eq(0).all() for gradient in gradients(model, nothing))


def test_greedy_merges_repetitions_removes_blanks_and_stops_with_the_source(model, monkeypatch):
    best = torch.tensor([[1, 1, 0, 1, 2, 2], [3, 0, 3, 5, 5, 5], [0, 0, 0, 0, 0, 0], [4, 4, 4, 4, 7, 4]])
    monkeypatch.setattr(CTC, "log_probabilities", lambda model, source, lengths: F.one_hot(best, SYMBOLS))
    source, lengths = pad([[1, 2], [1], [1, 2], [1, 2]])
    assert greedy(model, source, lengths) == [[1, 1, 2], [3, 3], [], [4, 7, 4]]
