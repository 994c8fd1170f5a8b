import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from tendays.exercises import check

CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"), id="cuda"
)
SCALARS = {  # whatever carries a number; each holds 2.5 exactly
    "float": float,
    "complex": complex,
    "Fraction": Fraction,
    "Decimal": Decimal,
    "float16": np.float16,
    "float32": np.float32,
    "float64": np.float64,
    "longdouble": np.longdouble,
    "complex64": np.complex64,
    "array": np.array,
    "object array": lambda x: np.array(Fraction(x), dtype=object),
    "tensor": torch.tensor,
    "tensor16": lambda x: torch.tensor(x, dtype=torch.float16),
    "tensor64": lambda x: torch.tensor(x, dtype=torch.float64),
    "bfloat16": lambda x: torch.tensor(x, dtype=torch.bfloat16),
    "complex tensor": lambda x: torch.tensor(complex(x)),
    "parameter": lambda x: torch.nn.Parameter(torch.tensor(x)),
    "sympy": lambda x: sympy.Rational(Fraction(x)) if math.isfinite(x) else sympy.oo,
}
VECTORS = {  # whatever carries the vector of some floats
    "list": list,
    "tuple": tuple,
    "Fractions": lambda xs: [Fraction(x) for x in xs],
    "tensors of no dimension": lambda xs: [torch.tensor(x) for x in xs],
    "array": np.array,
    "array16": lambda xs: np.array(xs, dtype=np.float16),
    "tensor": torch.tensor,
    "bfloat16": lambda xs: torch.tensor(xs, dtype=torch.bfloat16),
    "row": lambda xs: [list(xs)],
    "column": lambda xs: torch.tensor(xs)[:, None],
    "column of lists": lambda xs: [[x] for x in xs],
    "requires grad": lambda xs: torch.tensor(xs, requires_grad=True),
    "not contiguous": lambda xs: torch.tensor([xs, xs]).T[:, 1],
    "sympy": lambda xs: sympy.Matrix([sympy.Rational(Fraction(x)) for x in xs]),
}
MATRICES = {
    "nested lists": lambda rows: [list(row) for row in rows],
    "tuples": lambda rows: tuple(map(tuple, rows)),
    "list of arrays": lambda rows: [np.array(row) for row in rows],
    "array": np.array,
    "transposed twice": lambda rows: np.array(rows).T.copy().T,
    "tensor": torch.tensor,
    "list of tensors": lambda rows: [torch.tensor(row) for row in rows],
    "sympy": sympy.Matrix,
}


@pytest.mark.parametrize("expected", ["float", "Fraction", "float32", "array", "tensor", "bfloat16"])
@pytest.mark.parametrize("answer", SCALARS)
def test_a_number_is_right_in_any_carrier_and_wrong_in_any(answer, expected, capsys):
    assert check(SCALARS[answer](2.5), SCALARS[expected](2.5))
    assert not check(SCALARS[answer](3.25), SCALARS[expected](2.5))
    assert "it is off by 0.75" in capsys.readouterr().out


@pytest.mark.parametrize("expected", ["float", "array", "tensor", "bfloat16"])
@pytest.mark.parametrize("answer", sorted(SCALARS.keys() - {"Fraction", "object array", "sympy"}))
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_is_right_in_any_carrier(answer, expected, value):
    assert check(SCALARS[answer](value), SCALARS[expected](value))
    assert not check(SCALARS[answer](-value), SCALARS[expected](value))
    assert not check(SCALARS[answer](1e4), SCALARS[expected](value))


@pytest.mark.parametrize("expected", ["list", "Fractions", "array", "tensor", "bfloat16"])
@pytest.mark.parametrize("answer", VECTORS)
def test_a_vector_is_right_in_any_carrier_and_wrong_in_any(answer, expected, capsys):
    assert check(VECTORS[answer]([0.5, -1.0, 2.0]), VECTORS[expected]([0.5, -1.0, 2.0]))
    assert not check(VECTORS[answer]([0.5, 1.0, 2.0]), VECTORS[expected]([0.5, -1.0, 2.0]))
    assert "1 of 3 values is wrong; the worst, at [1], is off by 2" in capsys.readouterr().out


@pytest.mark.parametrize("expected", MATRICES)
@pytest.mark.parametrize("answer", MATRICES)
def test_a_matrix_is_right_in_any_carrier_and_wrong_transposed(answer, expected, capsys):
    assert check(MATRICES[answer]([[1, 2, 3], [4, 5, 6]]), MATRICES[expected]([[1, 2, 3], [4, 5, 6]]))
    capsys.readouterr()
    assert not check(MATRICES[answer]([[1, 4], [2, 5], [3, 6]]), [[1, 2, 3], [4, 5, 6]])
    assert capsys.readouterr().out == "✗ its shape is (3, 2); it should be (2, 3)\n"


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64])
def test_numbers_are_compared_across_devices(device, dtype):
    assert check(torch.tensor(3, dtype=dtype, device=device), 3)
    assert check(3, torch.tensor(3, dtype=dtype, device=device))
    assert check(torch.tensor([3, 1], dtype=dtype, device=device), [3.0, 1.0])
    assert not check(torch.tensor([3, 2], dtype=dtype, device=device), [3.0, 1.0])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (math.nan, math.nan),
        (torch.tensor(math.nan), math.nan),
        ([-math.inf, math.nan, 1], torch.tensor([-math.inf, math.nan, 1])),
        (1 + 2j, 1 + 2j),
        (1 + 0j, 1.0),
        (True, True),
        (np.bool_(True), True),
        (torch.tensor(True), True),
        ([True, False], torch.tensor([True, False])),
        (torch.tensor([[True]]), [[True]]),
        ("Katze", "Katze"),
        ([1, "a", [2.0]], [1, "a", [2.0]]),
        ((1, "a", torch.tensor([2])), [1, "a", [2.0]]),
        ([[1, 2], [3]], [[1, 2], [3]]),
        ((1, 2), [1, 2]),
        (range(3), [0, 1, 2]),
        ({1, 2}, {2, 1}),
        ({"rank": 2}, {"rank": 2}),
        (None, None),
        ([], []),
        ([], torch.zeros(0)),
        (torch.zeros(0), []),
        (torch.zeros(0, 3), np.zeros((0, 3))),
        (2**70, 2**70),
        (math.sqrt(2), sympy.sqrt(2)),
        (sympy.sqrt(2), math.sqrt(2)),
    ],
)
def test_right(answer, expected, capsys):
    assert check(answer, expected, hint="unseen")
    assert capsys.readouterr().out == "✓ right\n"


@pytest.mark.parametrize(
    ("answer", "expected", "digits"),
    [
        (1.154, 1.1542, 4),
        (1.15, 1.1542, 3),
        (89.5, 89.48, 3),
        (89, 89.48, 2),
        (0.12, 0.125, 2),  # half a unit is right, whichever way it was rounded
        (0.13, 0.125, 2),
        (-1.15e-20, -1.1542e-20, 3),
        (1.15e20, Fraction(11542 * 10**17 + 1, 10), 3),
        (0.3333, Fraction(1, 3), 4),
        (torch.tensor(1.1542, dtype=torch.bfloat16), 1.1542, 4),  # 1.15625 is the nearest that it holds
        ([0.6667, 0.3333, 0], [2 / 3, 1 / 3, 1e-17], 4),
        ([1, 0], [1.0, 4e-7], 4),
        (0, 1e-300 * 1e-300, 4),
        (1e-9, 0.0, 4),
        (torch.tensor(1e-4), 0.0, 4),
        ([0, 1e-9], [0.0, 0.0], 4),
        (3.0, 3, 4),
        (0.1 * 3 * 10, 3, 4),
        (1e-15, 0, 4),
        (np.linalg.inv([[2.0, 1.0], [7.0, 4.0]]), [[4, -1], [-7, 2]], 4),
        (torch.linalg.inv(torch.tensor([[2.0, 1.0], [7.0, 4.0]])), [[4, -1], [-7, 2]], 4),
        (0.30000000000000004, 0.3, 15),
    ],
)
def test_right_to_the_digits_asked_for(answer, expected, digits):
    assert check(answer, expected, digits=digits)


@pytest.mark.parametrize(
    ("answer", "expected", "digits", "message"),
    [
        (1.15, 1.1542, 4, "it is right to three digits, asked for four"),
        (1.16, 1.1542, 4, "it is right to two digits, asked for four"),
        (90, 89.48, 3, "it is right to one digit, asked for three"),
        (90, 89.48, 2, "it is right to one digit, asked for two"),
        (Fraction(1, 3), 0.3334, 4, "it is right to three digits, asked for four"),
        (0.333, Fraction(1, 3), 4, "it is right to three digits, asked for four"),
        (1.154200001, 1.1542, 15, "it is right to nine digits, asked for fifteen"),
        (torch.tensor(90, dtype=torch.bfloat16), 89.48, 3, "it is right to one digit, asked for three"),
        (-1.1542, 1.1542, 4, "it is off by 2.31"),
        (3.5, 2.5, 4, "it is off by 1"),
        (1 + 2j, 1.0, 4, "it is off by 2"),
        (1e-7, 0.0, 4, "it is off by 1e-07"),
        ([0.0, 1e-7], [0.0, 0.0], 4, "1 of 2 values is wrong; the worst, at [1], is off by 1e-07"),
        ([1.0, 1e-5], [1.0, 0.0], 4, "1 of 2 values is wrong; the worst, at [1], is off by 1e-05"),
        ([0.667, 0.3], [2 / 3, 1 / 3], 4, "2 of 2 values are wrong; the worst, at [1], is right to one digit, asked"),
        (3.0001, 3, 4, "it is 3.0001; a whole number was asked for"),
        (Fraction(30001, 10000), 3, 4, "it is 30001/10000; a whole number was asked for"),
        (3.000000001, 3, 4, "it is 3.000000001; a whole number was asked for"),
        (1e-9, 0, 4, "it is 1e-09; a whole number was asked for"),
        (10001, 10000, 4, "it is off by 1"),
        (2**70 + 1, 2**70, 4, "it is off by 1"),
        (1e13 + 1, 10**13, 4, "it is off by 1"),
        (torch.tensor(1e6 + 1), 10**6, 4, "it is off by 1"),
        ([10001, 2], [10000, 2], 4, "1 of 2 values is wrong; the first, at [0], is off by 1"),
        (torch.tensor([1, 3]), torch.tensor([1, 2]), 4, "the first, at [1], is off by 1"),
    ],
)
def test_near_misses_say_what_was_asked_for(answer, expected, digits, message, capsys):
    assert not check(answer, expected, digits=digits)
    assert message in capsys.readouterr().out


class Hostile:
    """Raises whatever is done with it."""

    def __eq__(self, other):
        raise RuntimeError("no comparing")

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("no showing")

    def __float__(self):
        raise RuntimeError("no numbers")


CYCLE = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        ("3", 3, "a number was asked for; this is a str: '3'"),
        ([3], 3, "a number was asked for; this is a list: (3,)"),
        (torch.ones(1), 1.0, "a number was asked for; this is a Tensor of shape (1,) and dtype torch.float32"),
        (True, 1, "a number was asked for; this is a bool: True"),
        (True, 1.0, "a number was asked for; this is a bool: True"),
        (torch.tensor([True]), [1], "a vector of 1 numbers was asked for; this is a Tensor"),
        ([1, True], [1, 1], "it mixes booleans and numbers"),
        (1, True, "True or False was asked for; this is an int: 1"),
        ([1, 0], torch.tensor([True, False]), "a vector of 2 booleans was asked for; this is a list: (1, 0)"),
        (False, True, "it is not False"),
        ([True, False], torch.tensor([True, True]), "1 of 2 values is wrong; the first, at [1], is not False"),
        (None, 3, "it is None: is a `return` missing?"),
        ([1, None], [1, 2], "a vector of 2 numbers was asked for; at [1] there is None"),
        (math.nan, 3, "it is nan"),
        (math.nan, 3.5, "it is nan"),
        (3.5, math.nan, "it is finite, and should not be"),
        (3.5, math.inf, "it is finite, and should not be"),
        (math.nan, math.inf, "it is nan"),
        (-math.inf, math.inf, "it is -inf"),
        (5, [1, 2], "a vector of 2 numbers was asked for; this is an int: 5"),
        ([1, 2], [1, 2, 3], "its shape is (2,); it should be (3,)"),
        ([1, 2, 3], [[1], [2], [3]], "its shape is (3,); it should be (3, 1)"),
        ([[1, 2], [3]], [[1, 2], [3, 4]], "it is ragged"),
        ([[1, 2], [3, "4"]], [[1, 2], [3, 4]], "2 × 2 numbers was asked for; at [1, 1] there is a str: '4'"),
        (np.array(["a", "b"]), [1, 2], "a vector of 2 numbers was asked for; this is a ndarray of shape (2,)"),
        ({1, 2}, [1, 2], "a vector of 2 numbers was asked for; this is a set: {1, 2}"),
        (CYCLE, [1, 2], "reading its numbers raised RecursionError"),
        (sympy.Symbol("x"), 1.0, "a number was asked for; this is a Symbol: x"),
        (
            torch.tensor([[0.0, 1], [2, 4]]),
            torch.tensor([[0.0, 1], [2, 3]]),
            "1 of 4 values is wrong; the worst, at [1, 1]",
        ),
        (torch.tensor([1.0, math.nan]), torch.tensor([3.0, 1.0]), "2 of 2 values are wrong; the worst, at [1], is nan"),
        (torch.tensor([1.0, math.inf]), torch.tensor([2.0, math.inf]), "1 of 2 values is wrong; the worst, at [0]"),
        (Hostile(), 3.0, "reading its numbers raised RuntimeError: no numbers"),
        (Hostile(), "Katze", "a string was asked for; this is a Hostile: its repr raises RuntimeError"),
        (torch.ones(1, device="meta"), [1.0], "reading its numbers raised NotImplementedError"),
        ("Kater", "Katze", "right up to character 3, where it goes on 'er'"),
        ("Kat", "Katze", "2 characters short"),
        ("Katzen", "Katze", "'n' is too much"),
        (5, "Katze", "a string was asked for; this is an int: 5"),
        ("abc", ["a", "b", "c"], "a list was asked for; this is a str"),
        ([1, "b"], [1, "a"], "item 1 is the first that differs: it is right up to character 0"),
        ([[1, 2], [4]], [[1, 2], [3]], "item 1 is the first that differs: 1 of 1 values is wrong"),
        ([1], [], "it has 1 items; there should be 0"),
        ({1}, {2}, "it is not right: a set: {1}"),
        ([1], {1}, "a set was asked for; this is a list"),
        ({"a": Hostile()}, {"a": 1}, "comparing it raised RuntimeError: no comparing"),
        ({"a": torch.ones(2)}, {"a": 1}, "comparing it raised RuntimeError: Boolean value"),
    ],
)
def test_wrong_says_how_far_off_and_gives_the_hint(answer, expected, message, capsys):
    assert not check(answer, expected, hint="Look again.")
    out = capsys.readouterr().out
    assert out.startswith("✗ ")
    assert message in out
    assert out.endswith("\n  Hint: Look again.\n")


def test_unanswered_is_neither_right_nor_an_error(capsys):
    for answer, expected in [(..., 3), ([1, ...], [1, 2]), (..., torch.ones(2)), (["a", ...], ["a", "b"]), (..., "a")]:
        assert not check(answer, expected, hint="unseen")
        assert capsys.readouterr().out == "· not answered yet\n"


@settings(deadline=None)
@given(st.floats(1e-3, 6e4), st.sampled_from(sorted(SCALARS)), st.sampled_from([-1, 1]))
def test_any_number_is_right_for_itself_in_any_carrier(size, carrier, sign):
    assert check(SCALARS[carrier](sign * size), sign * size)
    assert check(sign * size, SCALARS[carrier](sign * size))


@settings(deadline=None)
@given(
    st.floats(1.001, 9.999), st.integers(-200, 200), st.integers(1, 12), st.floats(0.51, 100), st.sampled_from([-1, 1])
)
def test_half_a_unit_of_the_last_digit_decides(significand, exponent, digits, units, sign):
    expected = float(f"{significand}e{exponent}")
    unit = Decimal(10) ** (exponent - digits + 1)
    assert not check(Decimal(expected) + sign * Decimal(units) * unit, expected, digits=digits)
    assert check(Decimal(expected) + sign * Decimal(min(units, 1) * 0.49) * unit, expected, digits=digits)


CASES = [(1,), (2,), (3,)]


def test_functions_are_compared_on_every_case(capsys):
    assert check(lambda x: x + x, lambda x: 2 * x, cases=CASES)
    assert not check(lambda x: 2 * x if x < 3 else 0, lambda x: 2 * x, cases=CASES)
    assert "✗ case 3: it is off by 6" in capsys.readouterr().out


@pytest.mark.parametrize("answer", SCALARS)
def test_a_function_may_return_any_carrier(answer):
    assert check(lambda x: SCALARS[answer](x / 2), lambda x: x / 2, cases=CASES)


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
    assert "a function was asked for; this is an int: 3" in capsys.readouterr().out


def test_an_answer_that_changes_its_argument_is_still_wrong():
    def in_place(x):
        return x.add_(1)

    assert not check(in_place, lambda x: x.clone(), cases=[(torch.zeros(2),)])


def test_cases_and_functions_go_together():
    with pytest.raises(ValueError, match="cases"):
        check(abs, abs)
    with pytest.raises(ValueError, match="cases"):
        check(1, 1, cases=CASES)


@pytest.mark.parametrize("digits", [0, 16, -1, 2.0, True, "3", None])
def test_digits_that_no_float_has_are_rejected(digits):
    with pytest.raises(ValueError, match=r"digits is .*; expected a whole number from 1 to 15"):
        check(1.0, 1.0, digits=digits)


def test_as_the_last_line_of_a_cell_it_shows_nothing_more(capsys):
    result = check(1, 1)
    capsys.readouterr()
    InteractiveShell.instance().display_formatter.format(result)
    assert capsys.readouterr().out == ""
    InteractiveShell.clear_instance()
