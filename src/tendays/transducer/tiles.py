"""Parts of the scores that are worked on at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch

PIECE = {"cpu": 1 << 18, "cuda": 1 << 26}  # elements that are worked on at once: on a CPU, what its caches hold


def _at_once(elements: int, device: torch.device) -> int:
    """How many things of so many elements are worked on at once."""
    return max(PIECE.get(device.type, PIECE["cuda"]) // elements, 1)


def _pieces(rows: int, T: int, elements: int, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Parts of (B, T), each of about as many elements as are worked on at once when every input has `elements`."""
    most = _at_once(elements, device)
    height, length = max(most // T, 1), min(most, T)
    for row in range(0, rows, height):
        for start in range(0, T, length):
            yield slice(row, row + height), slice(start, start + length)
