"""Says what a command will do and how long it takes: ``python -m tendays.publish.plan run UNIT`` or ``… plan test``.

`make` asks before it sets anything up, so this module and what it imports need nothing but the standard library.
"""

import json
import sys
from pathlib import Path

from tendays.publish.ledger import last_run, machine

LAST_TEST = Path(".pytest_cache", "v", "tendays", "test_seconds")
"""Where pytest's cache keeps the seconds that the last whole run of the tests took; `conftest.py` writes it."""

TESTS = "Runs the unit tests, every notebook at smoke scale, and the pages in a browser"


def find(folder: Path, unit: str | None) -> list[Path]:
    """The notebooks to run: all of them, or those whose file name contains ``unit``.

    Raises:
        ValueError: There is none.
    """
    notebooks = sorted(folder.glob("*.ipynb"))
    chosen = [path for path in notebooks if unit is None or unit in path.stem]
    if not chosen:
        units = "".join(f"\n  {path.stem}" for path in notebooks)
        raise ValueError(f"no notebook is called {unit!r}; there are:{units}" if units else f"no notebooks in {folder}")
    return chosen


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def minutes(seconds: float) -> str:
    """Seconds as whole minutes, in words."""
    count = max(1, round(seconds / 60))
    return f"{count} minute{'s' if count > 1 else ''}"


def run_plan(folder: Path, unit: str | None) -> str:
    """What ``make run`` will do, from the ledgers of the last full runs.

    Raises:
        ValueError: No notebook is called so.
    """
    notebooks = find(folder, unit)
    ledgers = {path.stem: last_run(path) for path in notebooks}
    known = [ledger for ledger in ledgers.values() if ledger]
    text = f"Runs {len(notebooks)} notebook{'s' if len(notebooks) > 1 else ''} at full scale"
    if known:
        where = "; ".join(dict.fromkeys(map(machine, known)))
        text += (
            f", about {minutes(sum(ledger['seconds'] for ledger in known))} on a machine like the last one ({where})"
        )
    names = (f"{stem} {clock(ledger['seconds']) if ledger else '(first run)'}" for stem, ledger in ledgers.items())
    return f"{text}: {', '.join(names)}."


def test_plan(root: Path) -> str:
    """What ``make test`` will do, and how long the last whole run of the tests took in this checkout."""
    last = root / LAST_TEST
    if not last.exists():
        return f"{TESTS}: about six minutes on two cores, the first time."
    return f"{TESTS}: {clock(json.loads(last.read_text('utf-8')))} the last time."


def main(arguments: list[str]) -> None:
    """Print the plan of ``run``, with a unit or without, or of ``test``, in the checkout that is the current folder."""
    try:
        match arguments:
            case ["test"]:
                print(test_plan(Path()))
            case ["run"] | ["run", ""]:
                print(run_plan(Path("notebooks"), None))
            case ["run", unit]:
                print(run_plan(Path("notebooks"), unit))
            case _:
                raise ValueError(f"arguments are {arguments}; expected run, run UNIT, or test")
    except ValueError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:])
