"""Which module may import which: notebooks → subjects → shared, and never upwards."""

import ast
import re
from functools import cache

import nbformat
import pytest
from places import ROOT

PACKAGE = ROOT / "src" / "tendays"

# Rooms and single modules: what each may import besides what is shared by all subjects.
SUBJECTS = {
    "ctc": set(),
    "ebm": set(),
    "latent": {"ebm"},
    "linalg": set(),
    "transducer": set(),
    "translation": set(),
    "pronunciation": {"transducer", "translation", "ctc"},
}
SHARED = {
    *("threads", "scale", "machine", "files", "commands", "measure", "results", "exercises", "plots"),
    *("training", "recurrent", "pieces", "corpora"),
}
TOOLS = {"journal", "publish"}
TOP = {"__main__", "bench"}


def room(path):
    """The room or module of a file: the first part of its path in the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(source):
    """The rooms that a source imports, wherever the imports stand."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "an import that is relative"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if re.match(r"tendays\.\w", name)}
    return found


@cache
def arrows():
    """Pairs (room, room that it imports), without a room's own modules."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path == PACKAGE / "__init__.py":
            continue
        here = room(path)
        found |= {(here, there) for there in imported(path.read_text("utf-8")) if there != here}
    return found


def allowed(here):
    """What a room may import."""
    if here in TOP:
        return SHARED | TOOLS | set(SUBJECTS) | TOP
    if here in TOOLS:
        return SHARED
    if here in SHARED:
        return SHARED
    return SHARED | SUBJECTS[here]


def test_every_room_has_its_place():
    rooms = {room(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms == SHARED | TOOLS | TOP | set(SUBJECTS)


def test_no_room_imports_upwards():
    assert [(here, there) for here, there in sorted(arrows()) if there not in allowed(here)] == []


def test_no_two_rooms_import_one_another():
    ahead = {}
    for here, there in arrows():
        ahead.setdefault(here, set()).add(there)

    def reached(start):
        seen, todo = set(), [start]
        while todo:
            for there in ahead.get(todo.pop(), ()):
                if there not in seen:
                    seen.add(there)
                    todo.append(there)
        return seen

    assert [here for here in sorted(ahead) if here in reached(here)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_import_subjects_and_what_is_shared(path):
    cells = nbformat.read(path, 4).cells
    found = set().union(*(imported(cell.source) for cell in cells if cell.cell_type == "code"))
    assert found <= SHARED | set(SUBJECTS)


@pytest.mark.parametrize(
    ("source", "rooms"),
    [
        ("import tendays.bench", {"bench"}),
        ("from tendays import bench, plots", {"bench", "plots"}),
        ("from tendays.transducer.logits import transducer_loss", {"transducer"}),
        ("def f():\n    from tendays.publish import run", {"publish"}),
        ("import torch, tendays", set()),
    ],
)
def test_imports_are_seen_wherever_they_stand(source, rooms):
    assert imported(source) == rooms
