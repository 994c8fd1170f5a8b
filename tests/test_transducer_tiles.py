"""Tiles cover every input of every sequence once, and their size is set for a block and put back behind it."""

import pytest
import torch

from tendays.transducer import tile_elements
from tendays.transducer.tiles import tiles

CPU = torch.device("cpu")


def shapes(elements: int, rows=4, inputs=6) -> list[tuple[int, int]]:
    """Sequences and inputs of each tile of (B, T), where an input has 10 elements; each input is covered once."""
    count = torch.zeros(rows, inputs, dtype=torch.int64)
    found = []
    with tile_elements(elements):
        for tile in tiles(rows, inputs, 10, CPU):
            count[tile] += 1
            found.append(tuple(count[tile].shape))
    assert (count == 1).all()
    return found


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (1, [(1, 1)] * 24),  # an input at least
        (49, [(1, 4), (1, 2)] * 4),
        (60, [(1, 6)] * 4),
        (179, [(2, 6)] * 2),
        (180, [(3, 6), (1, 6)]),
        (10**9, [(4, 6)]),
    ],
)
def test_a_tile_has_as_many_inputs_as_fit_and_each_input_is_in_one_tile(elements, expected):
    assert shapes(elements) == expected


def size() -> int:
    """The elements of a tile, found by inputs of one element."""
    return next(iter(tiles(1, 1 << 40, 1, CPU)))[1].stop


def test_the_size_of_a_tile_is_put_back_after_nested_blocks_and_errors():
    assert size() == 1 << 18
    with tile_elements(100):
        with tile_elements(7):
            assert size() == 7
        assert size() == 100
        with pytest.raises(KeyboardInterrupt), tile_elements(7):
            raise KeyboardInterrupt
        assert size() == 100
    assert size() == 1 << 18


@pytest.mark.parametrize("device", ["cpu", "cuda", "meta"])
def test_the_size_of_a_tile_holds_on_every_device(device):
    with tile_elements(12):
        assert next(iter(tiles(1, 50, 4, torch.device(device)))) == (slice(0, 1), slice(0, 3))


@pytest.mark.parametrize(
    ("elements", "error", "message"),
    [
        (0, ValueError, "elements is 0; expected at least 1"),
        (-5, ValueError, "elements is -5; expected at least 1"),
        (2.0**10, TypeError, r"elements is 1024\.0; expected an int"),
        (True, TypeError, "elements is True; expected an int"),
        ("many", TypeError, "elements is 'many'; expected an int"),
    ],
)
def test_a_size_that_is_no_positive_int_is_rejected_and_nothing_changes(elements, error, message):
    with pytest.raises(error, match=message), tile_elements(elements):
        pass
    assert size() == 1 << 18
