"""Transducers so small that every output of theirs can be listed, and two sources for them."""

import pytest
import torch

from tendays.transducer import Size, Transducer

SOURCE, LENGTHS = torch.tensor([[1, 2, 3], [4, 1, 0]]), torch.tensor([3, 2])
joints = pytest.mark.parametrize("joint", [None, 7], ids=["additive", "tanh"])


def tiny(joint=None, seed=0):
    torch.manual_seed(seed)
    model = Transducer(Size(5, 3, embedding=6, encoder=5, predictor=6, joint=joint, layers=2)).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # sharper than a new network is
    return model
