import math

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from tendays.exercises import check


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (3, 3),
        (3.000001, 3.0),
        (np.float32(0.5), 0.5),
        (torch.tensor(0.5), 0.5),
        (1e6 + 1, 1e6),
        (math.nan, math.nan),
        (-math.inf, -math.inf),
        (1 + 2j, 1 + 2j),
        (True, True),
        ("Katze", "Katze"),
        ([1, "a", [2.0]], [1, "a", [2.0]]),
        ((1, 2), [1, 2]),
        ({1, 2}, {2, 1}),
        (None, None),
        (np.arange(3), np.arange(3)),
        (torch.arange(3.0), torch.arange(3.0)),
        (torch.arange(3.0, dtype=torch.float64), torch.arange(3.0)),
        (torch.ones(2, dtype=torch.bfloat16), torch.ones(2)),
        (torch.ones(2, requires_grad=True), torch.ones(2)),
        (torch.tensor([-math.inf, math.nan]), torch.tensor([-math.inf, math.nan])),
        (torch.zeros(0), torch.zeros(0)),
    ],
)
def test_right(answer, expected, capsys):
    assert check(answer, expected, hint="unseen")
    assert capsys.readouterr().out == "✓ right\n"


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        (3.5, 3, "off by 0.5"),
        ("3", 3, "a number was asked for; this is a str: '3'"),
        (True, 1, "a number was asked for; this is a bool: True"),
        (1, True, "True or False was asked for; this is a int: 1"),
        (False, True, "it is not False"),
        (None, 3, "is a `return` missing?"),
        (math.nan, 3, "off by nan"),
        ("Kater", "Katze", "right up to character 3, where it goes on 'er'"),
        ("Kat", "Katze", "2 characters short"),
        ("Katzen", "Katze", "'n' is too much"),
        (5, "Katze", "a string was asked for; this is a int: 5"),
        ([1, 2], [1, 2, 3], "it has 2 items; there should be 3"),
        ([1, 2, 4], [1, 2, 3], "item 2 is the first that differs: it is off by 1"),
        ("abc", ["a", "b", "c"], "a list was asked for; this is a str"),
        ({1}, {2}, "it is not {1}"),
        ([1.0], torch.ones(1), "a Tensor was asked for; this is a list"),
        (np.ones(1), torch.ones(1), "a Tensor was asked for; this is a ndarray of shape (1,)"),
        (torch.ones(1), np.ones(1), "a ndarray was asked for; this is a Tensor of shape (1,)"),
        (torch.ones(3, 2), torch.ones(2, 3), "its shape is (3, 2); it should be (2, 3)"),
        (torch.arange(2), torch.arange(2.0), "whole numbers (torch.int64); they should be floating-point"),
        (torch.tensor([[0.0, 1], [2, 4]]), torch.tensor([[0.0, 1], [2, 3]]), "1 of 4 values are off, most at [1, 1]"),
        (torch.tensor([1.0, math.nan]), torch.tensor([3.0, 1.0]), "2 of 2 values are off, most at [1]: by nan"),
        (torch.tensor(2.0), torch.tensor(1.0), "1 of 1 values are off, most at []: by 1"),
        (torch.tensor([1.0, math.inf]), torch.tensor([2.0, math.inf]), "1 of 2 values are off, most at [0]: by 1"),
    ],
)
def test_wrong_says_how_far_off_and_gives_the_hint(answer, expected, message, capsys):
    assert not check(answer, expected, hint="Look again.")
    out = capsys.readouterr().out
    assert out.startswith("✗ ")
    assert message in out
    assert out.endswith("\n  Hint: Look again.\n")


def test_unanswered_is_neither_right_nor_an_error(capsys):
    for answer, expected in [(..., 3), ([1, ...], [1, 2]), (..., torch.ones(2))]:
        assert not check(answer, expected, hint="unseen")
        assert capsys.readouterr().out == "· not answered yet\n"


def test_tolerance_is_absolute_and_relative():
    assert check(101.0, 100.0, tolerance=0.01)
    assert not check(103.0, 100.0, tolerance=0.01)
    assert check(0.009, 0.0, tolerance=0.01)
    assert check(torch.tensor([101.0]), torch.tensor([100.0]), tolerance=0.01)


CASES = [(1,), (2,), (3,)]


def test_functions_are_compared_on_every_case(capsys):
    assert check(lambda x: x + x, lambda x: 2 * x, cases=CASES)
    assert not check(lambda x: 2 * x if x < 3 else 0, lambda x: 2 * x, cases=CASES)
    assert "✗ case 3: it is off by 6" in capsys.readouterr().out


def test_what_a_function_raises_is_part_of_the_wrong_answer(capsys):
    def divide(x):
        return x / 0

    assert not check(divide, lambda x: x, cases=CASES, hint="No zeros.")
    assert capsys.readouterr().out == "✗ case 1: it raised ZeroDivisionError: division by zero\n  Hint: No zeros.\n"


def test_what_the_reference_raises_is_an_error_of_ours():
    with pytest.raises(ZeroDivisionError):
        check(lambda x: x, lambda x: x / 0, cases=CASES)


def test_a_function_left_as_a_stub_is_unanswered(capsys):
    for stub in (..., lambda x: ...):
        assert not check(stub, lambda x: x, cases=CASES)
        assert capsys.readouterr().out == "· not answered yet\n"


def test_something_else_than_a_function(capsys):
    assert not check(3, lambda x: x, cases=CASES)
    assert "a function was asked for; this is a int: 3" in capsys.readouterr().out


def test_an_answer_that_changes_its_argument_is_still_wrong():
    def in_place(x):
        return x.add_(1)

    assert not check(in_place, lambda x: x.clone(), cases=[(torch.zeros(2),)])


def test_cases_and_functions_go_together():
    with pytest.raises(ValueError, match="cases"):
        check(abs, abs)
    with pytest.raises(ValueError, match="cases"):
        check(1, 1, cases=CASES)


def test_as_the_last_line_of_a_cell_it_shows_nothing_more(capsys):
    result = check(1, 1)
    capsys.readouterr()
    InteractiveShell.instance().display_formatter.format(result)
    assert capsys.readouterr().out == ""
    InteractiveShell.clear_instance()
