"""The transducer's model and decoders, on networks so small that every output can be listed."""

import itertools
import warnings

import pytest
import torch

from tendays import transducer
from tendays.pieces import Batch
from tendays.transducer import BLANK, Size, Transducer, beam_search, greedy, transducer_loss

LIMIT = 4
OUTPUTS = [list(labels) for n in range(LIMIT + 1) for labels in itertools.product((1, 2), repeat=n)]
SOURCE, LENGTHS = torch.tensor([[1, 2, 3], [4, 1, 0]]), torch.tensor([3, 2])


def tiny(joint=None, seed=0):
    torch.manual_seed(seed)
    model = Transducer(Size(5, 3, embedding=6, encoder=5, predictor=6, joint=joint, layers=2)).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # sharper than a new network is
    return model


joints = pytest.mark.parametrize("joint", [None, 7], ids=["additive", "tanh"])


def truth(model, row):
    """The log-probability of every output, by the loss."""
    length = LENGTHS[row : row + 1]
    found = {}
    for labels in OUTPUTS:
        target = torch.tensor([labels or [1]])
        batch = Batch(SOURCE[row : row + 1, : int(length)], length, target, torch.tensor([len(labels)]))
        found[tuple(labels)] = -model.losses(batch).item()
    return found


@joints
def test_a_search_of_full_width_ranks_all_outputs_as_the_loss_does(joint):
    model = tiny(joint)
    for row, found in enumerate(beam_search(model, SOURCE, LENGTHS, len(OUTPUTS), LIMIT)):
        expected = sorted(truth(model, row).items(), key=lambda item: -item[1])
        assert [tuple(one.labels) for one in found] == [labels for labels, _ in expected]
        assert [one.log_probability for one in found] == pytest.approx([p for _, p in expected], abs=1e-10)


@joints
@pytest.mark.parametrize("width", [1, 2, 3])
def test_scores_are_exact_at_every_width(joint, width):
    model = tiny(joint, seed=width)
    for row, found in enumerate(beam_search(model, SOURCE, LENGTHS, width, LIMIT)):
        exact = truth(model, row)
        assert len({tuple(one.labels) for one in found}) == len(found) <= width
        assert [one.log_probability for one in found] == pytest.approx([exact[tuple(one.labels)] for one in found])
        assert found == sorted(found, key=lambda one: -one.log_probability)


def test_what_is_left_in_the_beam_cannot_beat_what_is_returned():
    """The search ends early; with room for ten more labels it finds the same."""
    model = tiny(seed=5)
    short, long = (beam_search(model, SOURCE, LENGTHS, 6, limit) for limit in (8, 18))
    assert [[one.labels for one in row] for row in short] == [[one.labels for one in row] for row in long]


@joints
@pytest.mark.filterwarnings("ignore:the cap of")
def test_other_rows_and_padding_change_nothing(joint):
    model = tiny(joint)
    together = beam_search(model, SOURCE, LENGTHS, 3, LIMIT)
    paths = greedy(model, SOURCE, LENGTHS)
    for row in range(2):
        length = LENGTHS[row : row + 1]
        alone = beam_search(model, SOURCE[row : row + 1, : int(length)], length, 3, LIMIT)[0]
        assert [one.labels for one in alone] == [one.labels for one in together[row]]
        assert greedy(model, SOURCE[row : row + 1, : int(length)], length)[0] == paths[row]
        assert [a.log_probability for a in alone] == pytest.approx([b.log_probability for b in together[row]])


def plain_greedy(model, source, most):
    """The same path for one source, without a batch."""
    written = []
    with torch.no_grad():
        for f in model.encode(source[None], torch.tensor([len(source)]))[0]:
            for _ in range(most):
                g = model.predict(torch.tensor([written], dtype=torch.long))[0, -1]
                symbol = int(model.joint(f, g).argmax())
                if symbol == BLANK:
                    break
                written.append(symbol)
    return written


@joints
@pytest.mark.parametrize("most", [1, 3])
def test_greedy_takes_the_best_symbol_at_each_node(joint, most):
    for seed in range(6):
        model = tiny(joint, seed)
        expected = [plain_greedy(model, SOURCE[row, : LENGTHS[row]], most) for row in range(2)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert greedy(model, SOURCE, LENGTHS, most) == expected


def test_a_path_that_takes_no_blank_is_cut_off_with_a_warning():
    model = tiny()
    with torch.no_grad():
        model.from_encoder.bias[1] += 100
    with pytest.warns(UserWarning, match="the cap of 2 labels was hit at 5 inputs"):
        assert greedy(model, SOURCE, LENGTHS, most=2) == [[1] * 6, [1] * 4]


def test_a_path_within_its_cap_is_not_warned_of():
    model = tiny()
    with torch.no_grad():
        model.from_encoder.bias[BLANK] += 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert greedy(model, SOURCE, LENGTHS, most=1) == [[], []]


@joints
def test_a_step_at_a_time_and_all_at_once_predict_the_same(joint):
    model = tiny(joint)
    labels = torch.tensor([[1, 2, 2], [2, 1, 1]])
    together = model.predict(labels)
    predicted, state = model.start(2)
    for place in range(4):
        torch.testing.assert_close(predicted, together[:, place])
        if place < 3:
            predicted, state = model.advance(labels[:, place], state)


@joints
def test_the_loss_of_a_batch_is_that_of_the_scores_which_the_joint_gives(joint):
    model = tiny(joint)
    batch = Batch(SOURCE, LENGTHS, torch.tensor([[1, 2, 1, 2], [2, 0, 0, 0]]), torch.tensor([4, 1]))
    scores = model.joint(model.encode(SOURCE, LENGTHS)[:, :, None], model.predict(batch.target)[:, None])
    expected = transducer_loss(scores, batch.target, LENGTHS, batch.target_lengths, reduction="none")
    torch.testing.assert_close(model.losses(batch), expected)
    torch.testing.assert_close(model(batch), expected.sum())
    idle = batch._replace(target_lengths=torch.tensor([4, 0]))
    torch.testing.assert_close(model(idle), expected[0])


@joints
def test_it_learns_to_write_more_labels_than_there_are_inputs(joint):
    torch.manual_seed(1)
    model = Transducer(Size(5, 3, embedding=16, encoder=16, predictor=16, joint=joint, layers=1, dropout=0))
    batch = Batch(SOURCE, LENGTHS, torch.tensor([[1, 2, 1, 1, 2], [2, 2, 1, 0, 0]]), torch.tensor([5, 3]))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        model(batch).backward()
        optimizer.step()
    model.eval()
    assert greedy(model, SOURCE, LENGTHS) == [[1, 2, 1, 1, 2], [2, 2, 1]]
    best = [found[0] for found in beam_search(model, SOURCE, LENGTHS, 2)]
    assert [one.labels for one in best] == [[1, 2, 1, 1, 2], [2, 2, 1]]
    assert all(one.log_probability > -0.2 for one in best)


@pytest.mark.parametrize(("search", "argument"), [(greedy, "most"), (beam_search, "width")])
def test_a_search_of_nothing_is_refused(search, argument):
    with pytest.raises(ValueError, match=f"{argument} is 0; expected at least 1"):
        search(tiny(), SOURCE, LENGTHS, 0)


def test_the_module_never_builds_the_scores_of_an_additive_joint(monkeypatch):
    monkeypatch.setattr(transducer, "transducer_loss", None)
    monkeypatch.setattr(Transducer, "joint", None)
    model = tiny()
    assert model(Batch(SOURCE, LENGTHS, torch.tensor([[1], [2]]), torch.tensor([1, 1]))).isfinite()
