"""Greedy and beam search, against all outputs of tiny models and against paths followed by hand."""

import itertools
import warnings

import pytest
import torch
from tiny_transducer import LENGTHS, SOURCE, joints, tiny

from tendays.pieces import Batch
from tendays.transducer import BLANK, State, beam_search, greedy, search

LIMIT = 4
OUTPUTS = [list(labels) for n in range(LIMIT + 1) for labels in itertools.product((1, 2), repeat=n)]


def log_probabilities(model, row):
    """The log-probability of every output, by the loss."""
    length = LENGTHS[row : row + 1]
    found = {}
    for labels in OUTPUTS:
        target = torch.tensor([labels or [1]])
        batch = Batch(SOURCE[row : row + 1, : int(length)], length, target, torch.tensor([len(labels)]))
        found[tuple(labels)] = -model.losses(batch).item()
    return found


@joints
def test_a_beam_of_all_prefixes_ranks_all_outputs_as_the_loss_does(joint):
    model = tiny(joint)
    for row, found in enumerate(beam_search(model, SOURCE, LENGTHS, len(OUTPUTS), LIMIT)):
        expected = sorted(log_probabilities(model, row).items(), key=lambda item: -item[1])
        assert [tuple(one.labels) for one in found] == [labels for labels, _ in expected]
        assert [one.log_probability for one in found] == pytest.approx([p for _, p in expected], abs=1e-10)


@joints
@pytest.mark.parametrize("width", [1, 2, 3])
def test_log_probabilities_equal_those_of_the_loss_at_every_width(joint, width):
    model = tiny(joint, seed=width)
    for row, found in enumerate(beam_search(model, SOURCE, LENGTHS, width, LIMIT)):
        exact = log_probabilities(model, row)
        assert len({tuple(one.labels) for one in found}) == len(found) <= width
        assert [one.log_probability for one in found] == pytest.approx([exact[tuple(one.labels)] for one in found])
        assert found == sorted(found, key=lambda one: -one.log_probability)


def test_a_higher_limit_finds_no_better_outputs():
    model = tiny(seed=5)
    short, long = (beam_search(model, SOURCE, LENGTHS, 6, limit) for limit in (8, 18))
    assert [[one.labels for one in row] for row in short] == [[one.labels for one in row] for row in long]


@joints
@pytest.mark.filterwarnings("ignore:the cap of")
def test_other_rows_and_padding_do_not_change_the_outputs(joint):
    model = tiny(joint)
    together = beam_search(model, SOURCE, LENGTHS, 3, LIMIT)
    paths = greedy(model, SOURCE, LENGTHS)
    for row in range(2):
        length = LENGTHS[row : row + 1]
        alone = beam_search(model, SOURCE[row : row + 1, : int(length)], length, 3, LIMIT)[0]
        assert [one.labels for one in alone] == [one.labels for one in together[row]]
        assert greedy(model, SOURCE[row : row + 1, : int(length)], length)[0] == paths[row]
        assert [a.log_probability for a in alone] == pytest.approx([b.log_probability for b in together[row]])


class ByHand:
    """A model that says at (t, u) what a table says for its row: the symbol, or the blank where the table has none."""

    training = False
    TABLE = (
        {(0, 0): 1, (0, 1): 2, (2, 1): 2, (2, 2): 1},
        {(1, 0): 2, (1, 1): 2, (2, 0): 1, (2, 2): 1},
    )

    def encode(self, source, lengths):
        row, t = torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
        return torch.stack([row, t], 2)  # (B, T, 2)

    def start(self, rows):
        u = torch.zeros(rows, 1)
        return u, State(u, u)

    def advance(self, labels, state):
        u = state.hidden + 1
        return u, State(u, u)

    def joint(self, encoded, predicted):
        nodes = zip(encoded.tolist(), predicted[:, 0].int().tolist(), strict=True)
        symbols = [self.TABLE[row].get((t, u), BLANK) for (row, t), u in nodes]
        return torch.nn.functional.one_hot(torch.tensor(symbols), 3)


def test_greedy_follows_the_best_symbols_to_the_end_of_each_source():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Row 0 writes 1, 2 at its first input and 1 at its last. Row 1 writes 2, 2 at its second and last.
        assert greedy(ByHand(), SOURCE, LENGTHS, max_labels=2) == [[1, 2, 1], [2, 2]]


def test_greedy_goes_on_to_the_next_input_at_the_cap():
    # Row 0: 1 at its first input, where 2 is too many, then 2 at its last, where 1 is; row 1: 2, where another is.
    with pytest.warns(UserWarning, match="the cap of 1 labels was hit at 3 inputs"):
        assert greedy(ByHand(), SOURCE, LENGTHS, max_labels=1) == [[1, 2], [2]]


@joints
@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.filterwarnings("ignore:the cap of")
def test_the_output_of_greedy_takes_the_best_symbol_at_every_node_of_its_own_lattice(joint, most):
    for seed in range(6):
        model = tiny(joint, seed)
        for row, output in enumerate(greedy(model, SOURCE, LENGTHS, most)):
            encoded = model.encode(SOURCE, LENGTHS)[row, : LENGTHS[row], None]
            best = model.joint(encoded, model.predict(torch.tensor([output], dtype=torch.long))).argmax(2)
            u = 0
            for symbols in best.tolist():
                first = u
                while symbols[u] != BLANK and u - first < most:
                    assert symbols[u] == output[u]
                    u += 1
            assert u == len(output)


def test_a_path_without_blanks_is_cut_off_with_a_warning():
    model = tiny()
    with torch.no_grad():
        model.from_encoder.bias[1] += 100
    with pytest.warns(UserWarning, match="the cap of 2 labels was hit at 5 inputs"):
        assert greedy(model, SOURCE, LENGTHS, max_labels=2) == [[1] * 6, [1] * 4]


def test_a_path_within_the_cap_gives_no_warning():
    model = tiny()
    with torch.no_grad():
        model.from_encoder.bias[BLANK] += 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert greedy(model, SOURCE, LENGTHS, max_labels=1) == [[], []]


@pytest.mark.parametrize(("search", "argument"), [(greedy, "max_labels"), (beam_search, "width")])
def test_a_cap_or_width_of_0_is_rejected(search, argument):
    with pytest.raises(ValueError, match=f"{argument} is 0; expected at least 1"):
        search(tiny(), SOURCE, LENGTHS, 0)


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_a_model_in_training_mode_is_rejected(search):
    with pytest.raises(ValueError, match=r"model is in training mode, with its dropout; expected model.eval\(\)"):
        search(tiny().train(), SOURCE, LENGTHS)


@joints
def test_a_beam_that_has_memory_for_one_source_finds_the_same(joint, monkeypatch):
    model = tiny(joint)
    whole = beam_search(model, SOURCE, LENGTHS, 3, LIMIT)
    rows = []
    plain = model.joint
    monkeypatch.setattr(
        model, "joint", lambda encoded, predicted: rows.append(len(encoded)) or plain(encoded, predicted)
    )
    monkeypatch.setattr(search, "MEMORY", 1)
    apart = beam_search(model, SOURCE, LENGTHS, 3, LIMIT)
    assert set(rows) == {1}
    assert [[one.labels for one in row] for row in apart] == [[one.labels for one in row] for row in whole]
