"""The ledger of a notebook's last full run, ``results/<stem>.json``: claims, machine, versions, hashes of the source.

Pages and tables are made from these files; tests hold that a notebook's cells are still those of the run shown. This
module needs nothing but the standard library, as `tendays.publish.plan` imports it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from tendays.files import write_atomically


def cells_hash(notebook: Path) -> str:
    """SHA-256 over the sources of a notebook's code cells, but for the first.

    Code cells only: a run is what its code did, so a corrected sentence does not make it out of date, and a
    changed number in a call does. The first of them is the set-up cell, which tests hold to be the same in every
    notebook: it installs what is missing and computes nothing, and one more package in it is no reason to run them
    all anew.
    """
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(sources[1:]).encode()).hexdigest()


def source_hash(folder: Path) -> str:
    """SHA-256 over the modules in a folder and in the packages below it: their paths and contents."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def ledger_path(notebook: Path) -> Path:
    """Where the ledger of a notebook's last full run is kept."""
    return notebook.resolve().parents[1] / "results" / f"{notebook.stem}.json"


def write_ledger(notebook: Path, claims: list[dict[str, Any]], *, seconds: float, facts: dict[str, Any]) -> Path:
    """Write the ledger of a run, whole or not at all.

    Args:
        notebook: The notebook that ran, in ``notebooks/``.
        claims: Its claims, as `read_claims` gives them.
        seconds: How long the run took.
        facts: What `tendays.machine.facts` said in the process that ran it.
    """
    root = notebook.resolve().parents[1]
    source = {"cells": cells_hash(notebook), "src": source_hash(root / "src" / "tendays")}
    ledger = {"notebook": notebook.name, **facts, "seconds": round(seconds, 1), "source": source, "claims": claims}
    path = ledger_path(notebook)
    write_atomically(path, json.dumps(ledger, indent=1, ensure_ascii=False) + "\n")
    return path


def read_ledgers(folder: Path) -> list[dict[str, Any]]:
    """The ledgers in a folder, in the notebooks' order."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def last_run(notebook: Path) -> dict[str, Any] | None:
    """The ledger of a notebook's last full run; None where it had none."""
    path = ledger_path(notebook)
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def machine(ledger: dict[str, Any]) -> str:
    """What a run ran on, in words."""
    if ledger["device"] != "cpu":
        return ledger["device"]
    return f"{ledger['cpu']}, {ledger['threads']} thread{'s' if ledger['threads'] > 1 else ''}"


def headlines(ledger: dict[str, Any]) -> list[dict[str, Any]]:
    """The claims of a run that stand for it; all, where none is marked."""
    return [entry for entry in ledger["claims"] if entry.get("headline")] or ledger["claims"]
