"""In which dtype the transducer's losses compute."""

import torch
from torch import Tensor


def accumulate_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype that softmax and sums over scores of this dtype run in: the same, but at least float32."""
    return torch.promote_types(dtype, torch.float32)


def without_autocast(tensor: Tensor) -> torch.autocast:
    """A context in which products on the tensor's device keep the dtype of their factors."""
    return torch.autocast(tensor.device.type, enabled=False)
