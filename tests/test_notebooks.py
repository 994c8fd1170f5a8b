"""The rules that every notebook keeps; each rule is also shown a notebook that breaks it.

A rule takes a notebook and its path, and yields what is wrong.
"""

import ast
import copy
import json
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from places import ROOT

from tendays.publish import readme
from tendays.publish.ledger import cells_hash, ledger_path, write_ledger
from tendays.publish.run import KERNELSPEC

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETUP_CELL = (ROOT / "notebooks" / "setup_cell.py").read_text("utf-8").strip()
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
REPOSITORY = re.search(r'^Repository = "https://github\.com/([^"]+)"$', PYPROJECT, re.MULTILINE)[1]
COLAB = "https://colab.research.google.com"

SIZE = 1_000_000  # bytes, over which browsers and GitHub are slow to show a notebook
COLUMNS = 88  # of a code line: as many as fit beside the contents of a page, and in notebooks/ruff.toml
LINES, LONG = 15, 25  # of a code cell, blank ones not counted: as a rule, and with a reason
PRIVATE_PATH = re.compile(r"(?<![\w.:/-])/(home|root|work|tmp|Users|private|content)/")
SECTIONS = ("Exercises", "What broke", "What I learnt")


def code_cells(nb):
    return [(index + 1, cell) for index, cell in enumerate(nb.cells) if cell.cell_type == "code"]


def outputs(nb):
    return [(number, output) for number, cell in code_cells(nb) for output in cell.outputs]


def badge(path):
    target = f"{COLAB}/github/{REPOSITORY}/blob/main/notebooks/{path.name}"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({target})"


def format_is_current(nb, path):
    if (nb.nbformat, nb.nbformat_minor) < (4, 5) or not all(cell.get("id") for cell in nb.cells):
        yield "the format is older than 4.5, whose cells have ids"
    if nb.metadata.get("kernelspec") != KERNELSPEC:
        yield f"kernelspec is {nb.metadata.get('kernelspec')}; it should be {KERNELSPEC}"
    if "widgets" in nb.metadata or any(
        "widget" in kind for _, output in outputs(nb) for kind in output.get("data", ())
    ):
        yield "it holds widgets, which pages load scripts from elsewhere for"


def size_is_small(nb, path):
    if len(nbformat.writes(nb).encode()) >= SIZE:
        yield f"it is larger than {SIZE} bytes"


def was_run_in_order(nb, path):
    counts = [cell.execution_count for _, cell in code_cells(nb)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the execution counts are {counts}: run it from top to bottom with `make run`"


def has_no_errors(nb, path):
    for number, output in outputs(nb):
        if output.output_type == "error":
            yield f"cell {number} ends in {output.ename}; an error that belongs to the story is caught and printed"


def starts_as_all_do(nb, path):
    first = nb.cells[0].source if nb.cells else ""
    if not re.match(r"# \S", first):
        yield "the first cell does not start with '# Title'"
    if badge(path) not in first.splitlines():
        yield f"the first cell lacks the line {badge(path)}"
    if not readme.QUESTION.search(first):
        yield "the first cell lacks a line that starts with '**Question.** '"
    if len(nb.cells) < 2 or nb.cells[1].cell_type != "code" or nb.cells[1].source != SETUP_CELL:
        yield "the second cell is not notebooks/setup_cell.py, letter by letter"


def has_the_sections(nb, path):
    headings = [line for cell in nb.cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    for section in SECTIONS:
        if f"## {section}" not in headings:
            yield f"there is no section '## {section}'"
    exercises = sum(line.startswith("### Exercise ") for line in headings)
    promised = nb.metadata.get("tendays", {}).get("exercises")  # of a chapter whose exercises are all solved
    if promised is None and not 3 <= exercises <= 6:
        yield f"there are {exercises} headings '### Exercise …'; there should be three to six"
    if promised is not None and exercises != promised:
        yield f"there are {exercises} headings '### Exercise …'; the metadata promise {promised}"
    solutions = [cell for _, cell in code_cells(nb) if "solution" in cell.metadata.get("tags", [])]
    if len(solutions) != exercises:
        yield f"there are {exercises} exercises, and {len(solutions)} cells tagged 'solution'"
    for cell in solutions:
        folded = cell.metadata.get("jupyter", {}).get("source_hidden") and "hide-input" in cell.metadata["tags"]
        if not folded or "assert check(" not in cell.source:
            yield "a solution is not folded (tag hide-input, jupyter.source_hidden), or does not `assert check(…)`"


def code_is_plain_python(nb, path):
    for number, cell in code_cells(nb):
        try:
            ast.parse(cell.source)
        except SyntaxError:
            yield f"cell {number} is not plain Python: a `!command` or `%magic` that fails would pass unseen"
        if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source):
            yield f"cell {number} has a marker comment for nbval; use a tag"


def cells_are_short(nb, path):
    for number, cell in code_cells(nb):
        lines = sum(bool(line.strip()) for line in cell.source.splitlines())
        reason = cell.metadata.get("tendays", {}).get("long", "")
        if not 0 < lines <= (LONG if reason else LINES):
            yield f"cell {number} has {lines} lines"


def lines_fit_a_page(nb, path):
    for number, cell in code_cells(nb):
        for line in cell.source.splitlines():
            if len(line) > COLUMNS:
                yield f"cell {number} has a line of {len(line)} columns: {line}"


def folds_are_folds_everywhere(nb, path):
    for number, cell in code_cells(nb):
        on_pages = "hide-input" in cell.metadata.get("tags", [])
        in_jupyter = bool(cell.metadata.get("jupyter", {}).get("source_hidden"))
        if on_pages and not in_jupyter:
            yield f"cell {number} is folded on pages, and open in Jupyter: set jupyter.source_hidden"
        claims = re.search(r"\b(claim|assert)\b", cell.source) and "solution" not in cell.metadata.get("tags", [])
        if on_pages and claims:
            yield f"cell {number} is folded and states a result; only drawings and solutions are folded"


def checked_cells_have_text(nb, path):
    for number, cell in code_cells(nb):
        if "nbval-check-output" in cell.metadata.get("tags", []):
            texts = [output for output in cell.outputs if {"text", "text/plain"} & {*output, *output.get("data", ())}]
            if cell.execution_count is None or not texts:
                yield f"cell {number} is tagged for comparison, and has nothing to compare"


def images_have_a_text(nb, path):
    for number, output in outputs(nb):
        for kind in output.get("data", ()):
            if kind.startswith("image/") and kind != "image/png":
                yield f"cell {number} shows {kind}; figures are PNG"
            elif kind == "image/png" and not output.metadata.get(kind, {}).get("alt", "").strip():
                yield f"cell {number} shows a figure without a text alternative; use plots.show"


def has_a_picture(nb, path):
    tagged = [cell for _, cell in code_cells(nb) if readme.PICTURE in cell.metadata.get("tags", [])]
    figures = [output for cell in tagged for output in cell.outputs if "image/png" in output.get("data", {})]
    if len(figures) != 1:
        yield f"{len(figures)} figures in cells tagged {readme.PICTURE!r}; the README shows one of each notebook"


def outputs_name_no_private_path(nb, path):
    for number, output in outputs(nb):
        texts = [output.get("text", ""), *(text for kind, text in output.get("data", {}).items() if "text" in kind)]
        if any(PRIVATE_PATH.search(text) for text in texts):
            yield f"cell {number} shows a path of the machine that it ran on"


def nothing_is_left_to_write(nb, path):
    for number, cell in enumerate(nb.cells, 1):
        if "TODO" in cell.source:
            yield f"cell {number} (of all) still has a TODO"


def ledger_is_of_these_cells(nb, path):
    ledger_file = ledger_path(path)
    if not ledger_file.exists():
        yield "there is no ledger of a full run; `make run` writes it"
        return
    ledger = json.loads(ledger_file.read_text("utf-8"))
    if ledger["source"]["cells"] != cells_hash(path):
        yield "its code is no longer that of the run that is shown; `make run` runs it anew"
    if ledger["scale"] != "full":
        yield f"its ledger is of a run at {ledger['scale']} scale"
    if not any(claim.get("headline") for claim in ledger["claims"]):
        yield "no claim has headline=True, so tables have nothing to show"


RULES = [
    format_is_current,
    size_is_small,
    was_run_in_order,
    has_no_errors,
    starts_as_all_do,
    has_the_sections,
    code_is_plain_python,
    cells_are_short,
    lines_fit_a_page,
    folds_are_folds_everywhere,
    checked_cells_have_text,
    images_have_a_text,
    has_a_picture,
    outputs_name_no_private_path,
    nothing_is_left_to_write,
    ledger_is_of_these_cells,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rule(path, rule):
    assert list(rule(nbformat.read(path, as_version=4), path)) == []


def test_every_ledger_has_its_notebook():
    assert {path.stem for path in (ROOT / "results").glob("*.json")} <= {path.stem for path in NOTEBOOKS}


def test_no_record_of_a_run_names_a_private_path():
    records = sorted((ROOT / "results").rglob("*.json"))
    assert [path.name for path in records if PRIVATE_PATH.search(path.read_text("utf-8"))] == []


# --- the rules themselves ---------------------------------------------------------------------------------------------


def exercise(number):
    folded = {"tags": ["solution", "hide-input"], "jupyter": {"source_hidden": True}}
    return [
        new_markdown_cell(f"### Exercise {number}"),
        new_code_cell("answer = ...\ncheck(answer, 3)"),
        new_code_cell("assert check(3, 3)", metadata=folded),
    ]


@pytest.fixture
def good(tmp_path):
    """A notebook that keeps every rule, and its path in a checkout of its own."""
    path = tmp_path / "notebooks" / "01_good.ipynb"
    path.parent.mkdir()
    figure = new_output("display_data", {"image/png": "", "text/plain": "A line."})
    figure.metadata["image/png"] = {"alt": "A line."}
    checked = new_code_cell("print(1)", metadata={"tags": ["nbval-check-output", "picture"]})
    checked.outputs = [new_output("stream", text="1\n"), figure]
    cells = [
        new_markdown_cell(f"# Good\n\n{badge(path)}\n\n**Question.** Is it?"),
        new_code_cell(SETUP_CELL),
        checked,
        new_markdown_cell("## What broke"),
        new_markdown_cell("## Exercises"),
        *(cell for number in (1, 2, 3) for cell in exercise(number)),
        new_markdown_cell("## What I learnt"),
    ]
    nb = new_notebook(cells=cells, metadata={"kernelspec": dict(KERNELSPEC)})
    for count, (_, cell) in enumerate(code_cells(nb), 1):
        cell.execution_count = count
    nbformat.write(nb, path)
    claims = [{"name": "x", "value": 1.0, "unit": "", "headline": True}]
    write_ledger(path, claims, seconds=1, facts={"scale": "full"})
    return nb, path


def test_a_good_notebook_keeps_every_rule(good):
    assert [problem for rule in RULES for problem in rule(*good)] == []


def set_first(old, new):
    def change(nb):
        assert old in nb.cells[0].source
        nb.cells[0].source = nb.cells[0].source.replace(old, new)

    return change


def set_cell(index, **values):
    return lambda nb: nb.cells[index].update(values)


def set_meta(index, **values):
    return lambda nb: nb.cells[index].metadata.update(values)


def set_outputs(*made):
    return lambda nb: nb.cells[2].update(outputs=list(made))


def drop(*indices):
    return lambda nb: nb.update(cells=[cell for index, cell in enumerate(nb.cells) if index not in indices])


def lines(count):
    return "\n".join(f"x{i} = {i}" for i in range(count))


BROKEN = {
    "old format": (format_is_current, lambda nb: nb.update(nbformat_minor=4)),
    "no ids": (format_is_current, lambda nb: nb.cells[1].pop("id")),
    "other kernel": (format_is_current, lambda nb: nb.metadata.kernelspec.update(name="mine")),
    "widget state": (format_is_current, lambda nb: nb.metadata.update(widgets={})),
    "widget": (
        format_is_current,
        set_outputs(new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})),
    ),
    "large": (size_is_small, set_outputs(new_output("stream", text="x" * SIZE))),
    "out of order": (was_run_in_order, set_cell(2, execution_count=7)),
    "not run": (was_run_in_order, set_cell(1, execution_count=None)),
    "error": (has_no_errors, set_outputs(new_output("error", ename="ValueError", evalue="", traceback=[]))),
    "no title": (starts_as_all_do, set_first("# Good", "Good")),
    "badge of another": (starts_as_all_do, set_first("01_good.ipynb", "02_bad.ipynb")),
    "badge elsewhere": (starts_as_all_do, set_first(REPOSITORY, "someone/else")),
    "no question": (starts_as_all_do, set_first("**Question.** Is it?", "**Question.**")),
    "other set-up": (starts_as_all_do, set_cell(1, source=SETUP_CELL + "\nx = 1")),
    "set-up second": (starts_as_all_do, lambda nb: nb.cells.insert(1, new_markdown_cell("Wait."))),
    "no failure": (has_the_sections, drop(3)),
    "no lesson": (has_the_sections, drop(14)),
    "two exercises": (has_the_sections, drop(5, 6, 7)),
    "an exercise of a chapter missing": (
        has_the_sections,
        lambda nb: nb.metadata.update(tendays={"exercises": 4}),
    ),
    "no solution": (has_the_sections, drop(7)),
    "open solution": (has_the_sections, set_meta(7, jupyter={})),
    "unproved solution": (has_the_sections, set_cell(7, source="answer = 3")),
    "command": (code_is_plain_python, set_cell(2, source="!false")),
    "magic": (code_is_plain_python, set_cell(2, source="%nosuchmagic")),
    "marker": (code_is_plain_python, set_cell(2, source="x = 1\n# NBVAL_IGNORE_OUTPUT")),
    "16 lines": (cells_are_short, set_cell(2, source=lines(16))),
    "empty cell": (cells_are_short, set_cell(2, source="\n")),
    "89 columns": (lines_fit_a_page, set_cell(2, source="x = 1\n# " + "x" * 87)),
    "fold on pages only": (folds_are_folds_everywhere, set_meta(2, tags=["hide-input"])),
    "folded claim": (
        folds_are_folds_everywhere,
        lambda nb: nb.cells[2].update(
            source="claim('x', 1)", metadata={"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
        ),
    ),
    "nothing to compare": (checked_cells_have_text, set_outputs()),
    "comparison unrun": (checked_cells_have_text, set_cell(2, execution_count=None)),
    "no text": (images_have_a_text, set_outputs(new_output("display_data", {"image/png": ""}))),
    "vector": (images_have_a_text, set_outputs(new_output("display_data", {"image/svg+xml": "<svg/>"}))),
    "no picture": (has_a_picture, set_meta(2, tags=["nbval-check-output"])),
    "to be written": (nothing_is_left_to_write, set_cell(3, source="## What broke\n\nTODO: tell it.")),
    "path printed": (outputs_name_no_private_path, set_outputs(new_output("stream", text="in /tmp/x.pt"))),
    "path shown": (
        outputs_name_no_private_path,
        set_outputs(new_output("display_data", {"text/html": "<b>/home/me/x</b>"})),
    ),
}


@pytest.mark.parametrize(("rule", "change"), BROKEN.values(), ids=BROKEN.keys())
def test_a_rule_sees_what_breaks_it(good, rule, change):
    nb, path = copy.deepcopy(good[0]), good[1]
    change(nb)
    assert list(rule(nb, path))


def test_every_rule_is_shown_something_broken():
    assert {rule for rule, _ in BROKEN.values()} == set(RULES) - {ledger_is_of_these_cells}


@pytest.mark.parametrize(("count", "kept"), [(16, True), (25, True), (26, False)])
def test_a_long_cell_needs_a_reason_and_has_an_end(good, count, kept):
    nb, path = good
    nb.cells[2].source = lines(count)
    nb.cells[2].metadata["tendays"] = {"long": "one loop, better read whole"}
    assert (not list(cells_are_short(nb, path))) == kept


def test_a_line_of_88_columns_fits(good):
    nb, path = good
    nb.cells[2].source = "# " + "x" * 86
    assert list(lines_fit_a_page(nb, path)) == []


def test_addresses_and_fractions_are_no_private_paths(good):
    nb, path = good
    nb.cells[2].outputs = [new_output("stream", text="https://example.org/home/x, work/tmp/x, 1/2, notebooks/tmp/")]
    assert list(outputs_name_no_private_path(nb, path)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": {"cells": "0"}}, "no longer that of the run"),
        ({"scale": "smoke"}, "at smoke scale"),
        ({"claims": []}, "headline"),
    ],
)
def test_the_ledger_rule_sees_what_breaks_it(good, changes, message):
    nb, path = good
    ledger_file = ledger_path(path)
    ledger_file.write_text(json.dumps(json.loads(ledger_file.read_text("utf-8")) | changes), "utf-8")
    (problem,) = ledger_is_of_these_cells(nb, path)
    assert message in problem


def test_the_ledger_rule_follows_code_and_not_prose(good):
    nb, path = good
    nb.cells[3].source = "## What broke\n\nA sentence more."
    nbformat.write(nb, path)
    assert list(ledger_is_of_these_cells(nb, path)) == []
    nb.cells[2].source = "print(2)"
    nbformat.write(nb, path)
    assert list(ledger_is_of_these_cells(nb, path))
    ledger_path(path).unlink()
    (problem,) = ledger_is_of_these_cells(nb, path)
    assert "no ledger" in problem
