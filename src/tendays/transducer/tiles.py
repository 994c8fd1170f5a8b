"""Tiles: parts of (B, T) whose scores are built, used and dropped before those of the next.

The scores of a tile stay in a CPU's cache. So a second computation in the backward pass costs little, and memory for
the scores of all nodes is not needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tendays.transducer.arguments import expect

Tile = tuple[slice, slice]  # of the axes B and T

_elements = {"cpu": 1 << 18, "cuda": 1 << 26}  # on a CPU, the float32 scores of a tile take 1 MB of its cache


@contextmanager
def tile_elements(elements: int) -> Iterator[None]:
    """Sets how many elements a tile of the losses has at most, on every device, inside a ``with`` block.

    A tile has at least one input of one sequence, however many elements that takes. The results stay the same up to
    rounding. The setting is that of the process, for all of its threads.

    Args:
        elements: at least 1; without this context it is 2^18 on a CPU and 2^26 on a GPU.

    Raises:
        TypeError: `elements` is no int.
        ValueError: `elements` is below 1.
    """
    is_int = isinstance(elements, int) and not isinstance(elements, bool)
    expect(is_int, TypeError, f"elements is {elements!r}", "an int")
    expect(elements >= 1, ValueError, f"elements is {elements}", "at least 1")
    before = dict(_elements)
    _elements.update(dict.fromkeys(_elements, elements))
    try:
        yield
    finally:
        _elements.update(before)


def per_tile(elements: int, device: torch.device) -> int:
    """How many things of so many elements each fit into a tile; at least one."""
    return max(_elements.get(device.type, _elements["cuda"]) // elements, 1)


def tiles(B: int, T: int, elements: int, device: torch.device) -> Iterator[Tile]:
    """Tiles that cover (B, T), where one input of one sequence has so many elements.

    A tile holds whole sequences, or some inputs of one sequence.
    """
    inputs = per_tile(elements, device)
    height, length = max(inputs // T, 1), min(inputs, T)
    for row in range(0, B, height):
        for start in range(0, T, length):
            yield slice(row, row + height), slice(start, start + length)
