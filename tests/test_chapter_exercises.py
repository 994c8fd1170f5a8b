"""The twenty exercises of the book's chapter: stubs and near misses fail their `check`, equivalent answers pass.

Of the notebook only the imports and the exercise's own cells are run.
"""

import ast
import re
from fractions import Fraction
from functools import cache

import nbformat
import numpy as np
import pytest
import sympy
import torch
from chapter_answers import RIGHT, WRONG
from places import ROOT

from tendays.exercises import check

NOTEBOOK = ROOT / "notebooks" / "05_linear_algebra.ipynb"
NUMBERS = [f"2.{number}" for number in range(1, 21)]
LIBRARIES = {"Fraction": Fraction, "np": np, "sympy": sympy, "torch": torch}


@cache
def sources():
    """The imports of the notebook, and the sources of each exercise's cells, from its heading to its solution."""
    imports, exercises, here = [], {}, None
    for cell in nbformat.read(NOTEBOOK, 4).cells[2:]:  # behind the title and the set-up
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("#"):
                    number = line.removeprefix("### Exercise ").split(":")[0]
                    here = exercises.setdefault(number, []) if number in NUMBERS else None
        elif "solution" in cell.metadata.get("tags", []):
            here = None
        else:
            imports += [node for node in ast.parse(cell.source).body if isinstance(node, ast.Import | ast.ImportFrom)]
            if here is not None:
                here.append(cell.source)
    return imports, exercises


@cache
def imported():
    names = {}
    exec(compile(ast.Module(sources()[0], []), "imports", "exec"), names)
    return names


def number_of(answer):
    """The exercise of an answer: 2.5 of answer_2_5a."""
    return ".".join(re.match(r"answer_(\d+)_(\d+)", answer).groups())


def stubs():
    """The names of all answers that the notebook asks for."""
    found = []
    for number in NUMBERS:
        for source in sources()[1].get(number, []):
            found += [node.targets[0].id for node in ast.parse(source).body if is_stub(node)]
    return found


def is_stub(node):
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is ...


def judged(answer, expression="..."):
    """The results of `check` for an answer that is an expression; unanswered, of others too."""
    names, results = LIBRARIES | imported(), []

    def listening(given, *rest, **options):
        result = check(given, *rest, **options)
        if given is names.get(answer):
            results.append(result)
        return result

    names["check"] = listening
    for source in sources()[1][number_of(answer)]:
        tree = ast.parse(source)
        for node in tree.body:
            if is_stub(node) and node.targets[0].id == answer:
                node.value = ast.parse(expression, mode="eval").body
        exec(compile(tree, answer, "exec"), names)
    return results


def test_every_exercise_of_the_chapter_is_there():
    assert set(sources()[1]) == set(NUMBERS)
    assert {number_of(answer) for answer in stubs()} == set(NUMBERS)


def test_every_answer_is_tried():
    assert set(RIGHT) == set(WRONG) == set(stubs())
    assert min(map(len, [*RIGHT.values(), *WRONG.values()])) >= 2


@pytest.mark.parametrize("answer", sorted(RIGHT))
def test_an_unanswered_exercise_is_not_right(answer):
    results = judged(answer)  # of the others as well, which are as unanswered
    assert results
    assert not any(results)


@pytest.mark.parametrize(("answer", "expression"), [(name, x) for name, forms in RIGHT.items() for x in forms])
def test_an_equivalent_answer_is_right(answer, expression):
    assert [result.right for result in judged(answer, expression)] == [True]


@pytest.mark.parametrize(("answer", "expression"), [(name, x) for name, forms in WRONG.items() for x in forms])
def test_a_near_miss_is_not_right(answer, expression):
    assert [result.right for result in judged(answer, expression)] == [False]
