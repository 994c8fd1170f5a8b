import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tendays.recurrent import BidirectionalLSTM, LockedDropout, recurrent_layers, reverse


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_rows_are_reversed_up_to_their_lengths(lengths):
    states = torch.arange(len(lengths) * 6).view(-1, 6, 1)
    reversed_states = reverse(states, torch.tensor(lengths))
    for row, length, before in zip(reversed_states, lengths, states, strict=True):
        assert torch.equal(row[:length], before[:length].flip(0))
        assert torch.equal(row[length:], before[length:])


def test_a_bidirectional_layer_is_torchs_over_packed_sequences():
    torch.manual_seed(0)
    layer = BidirectionalLSTM(6, 5).double()
    oracle = nn.LSTM(6, 5, batch_first=True, bidirectional=True).double()
    for name, tensor in layer.forward_layers[0].state_dict().items():
        oracle.state_dict()[name].copy_(tensor)
        oracle.state_dict()[f"{name}_reverse"].copy_(layer.backward_layers[0].state_dict()[name])
    inputs, lengths = torch.randn(3, 6, 6, dtype=torch.float64), torch.tensor([6, 2, 1])
    states, summary = layer(inputs, lengths)
    packed, (last, _) = oracle(pack_padded_sequence(inputs, lengths, batch_first=True))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    valid = torch.arange(6) < lengths[:, None]
    torch.testing.assert_close(states[valid], expected[valid])
    torch.testing.assert_close(summary, torch.cat([last[0], last[1]], 1))


def test_locked_dropout_drops_the_same_components_at_every_step():
    torch.manual_seed(0)
    drop, ones = LockedDropout(0.25), torch.ones(200, 4, 50)
    dropped = drop(ones)
    assert torch.equal(dropped[:, 0], dropped[:, 3])
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float(dropped.mean()) == pytest.approx(1, abs=0.05)
    assert torch.equal(drop.eval()(ones), ones)


def test_a_bidirectional_layer_counts_as_one():
    model = nn.ModuleList([BidirectionalLSTM(3, 2, layers=2), nn.LSTM(4, 2, num_layers=3), nn.Linear(2, 2)])
    assert recurrent_layers(model) == 5
