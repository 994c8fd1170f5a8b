"""The tables and pictures of the README, made from ledgers and notebooks: ``python -m tendays.publish.readme``."""

import base64
import html
import json
import math
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tendays.files import write_atomically
from tendays.publish.ledger import headlines, last_run, read_ledgers

PICTURE = "picture"  # the tag of the cell whose figure stands for a notebook
COMPARED = {
    "Translation on Multi30k": "03_german_english_translation",
    "English pronunciation": "04_transducer",
}
"""The notebook that has the same task as longer runs, by their titles' first words: its run stands beside them."""

QUESTION = re.compile(r"^\*\*Question\.\*\* +(\S.*)$", re.MULTILINE)


def question(notebook: Path) -> str:
    """The sentence after ``**Question.**`` in a notebook's first cell.

    Raises:
        ValueError: The first cell has no line that starts so.
    """
    first = "".join(json.loads(notebook.read_text("utf-8"))["cells"][0]["source"])
    if not (found := QUESTION.search(first)):
        raise ValueError(f"{notebook.name}: its first cell has no line that starts with '**Question.** '")
    return found.group(1)


def notebooks_table(root: Path) -> list[str]:
    """Lines of a Markdown table of the notebooks: picture, link, question, and the headline claims of the last run."""
    rows = ["| | notebook | question | result | minutes |", "|---|---|---|---|---|"]
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        link, shown, result, minutes = f"notebooks/{path.name}", "", "not run yet", "–"
        if ledger := last_run(path):
            alt = html.escape(picture(path)[0])
            shown = f'<a href="{link}"><img src="results/{path.stem}.png" width="200" alt="{alt}"></a>'
            result = "; ".join(sentence(entry) for entry in headlines(ledger))
            minutes = _minutes(ledger["seconds"])
        rows.append(_row(shown, f"[{path.stem}]({link})", question(path), result, minutes))
    return rows


def front_picture(root: Path) -> list[str]:
    """The picture of the first notebook that has been run, as a line of Markdown that links to it; none without one."""
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        if last_run(path):
            return [f"[![{picture(path)[0]}](results/{path.stem}.png)](notebooks/{path.name})"]
    return []


@dataclass(frozen=True)
class System:
    """A row of the table of longer runs: what was trained on a task, and how well it does."""

    task: str
    name: str
    scores: dict[str, str]  # as shown, by metric
    rank: float  # less is better
    minutes: str


def longer_runs(root: Path) -> list[str]:
    """Lines of Markdown tables of the runs outside notebooks, from ``results/longer/``; none without such runs.

    A row for each system, a table for each set of metrics; the tasks in the records' order, within a task the best
    first, with the run of the notebook that `COMPARED` names.
    """
    records = read_ledgers(root / "results" / "longer")
    systems = [system for record in records for system in systems_of(record)]
    for task, stem in COMPARED.items():
        ledger = last_run(root / "notebooks" / f"{stem}.ipynb")
        if ledger and any(system.task == task for system in systems):
            link = f"[the notebook](notebooks/{stem}.ipynb)"
            systems.append(_system(task, link, headlines(ledger), _minutes(ledger["seconds"])))
    lines, tasks = [], list(dict.fromkeys(system.task for system in systems))
    for metrics in dict.fromkeys(tuple(system.scores) for system in systems):
        lines += ["", _row("task", "system", *metrics, "minutes"), "|---" * (len(metrics) + 3) + "|"]
        table = [system for system in systems if tuple(system.scores) == metrics]
        for system in sorted(table, key=lambda system: (tasks.index(system.task), system.rank)):
            lines.append(_row(system.task, system.name, *system.scores.values(), system.minutes))
    return lines


def systems_of(record: dict[str, Any]) -> list[System]:
    """The systems of a record: one, or each that a comparison took the mean of over seeds.

    A title's words up to the first comma are the task, the rest is the system.
    """
    task, _, name = record["title"].partition(", ")
    if "runs" not in record:
        epochs = f"{len(record['history'])} epochs" if "history" in record else ""
        return [_system(task, ", ".join(filter(None, (name, epochs))), headlines(record), _minutes(record["seconds"]))]
    compared: dict[str, list[dict[str, Any]]] = {}
    for entry in record["claims"]:
        compared.setdefault(_parts(entry)[1], []).append(entry)
    minutes = f"{_minutes(record['seconds'] / len(record['runs']))} each"
    return [_system(task, "", entries, minutes) for entries in compared.values()]


def _system(task: str, name: str, claims: list[dict[str, Any]], minutes: str) -> System:
    """A row from the claims that stand for a system; what they say besides the metric and the data goes to its name.

    Raises:
        ValueError: Two of the claims have the same metric.
    """
    scores = {_parts(entry)[0]: amount(entry) for entry in claims}
    if len(scores) < len(claims):
        raise ValueError(f"{task}: of {len(claims)} claims that stand for a system, two are of one metric: {[*scores]}")
    metric, *details = _parts(claims[0])
    rank = claims[0]["value"] if "error rate" in metric else -claims[0]["value"]
    return System(task, ", ".join(filter(None, (name, *details))), scores, rank, minutes)


def _parts(entry: dict[str, Any]) -> list[str]:
    """A claim as metric and details: "word error rate on test words, beam 5" as ["word error rate", "beam 5"].

    The metric is the unit, where that says what is measured, as BLEU does.
    """
    first, *details = entry["name"].split(", ")
    metric = first.partition(" on ")[0] if entry["unit"] in ("", "%") else entry["unit"]
    return [metric, *details]


def sentence(entry: dict[str, Any]) -> str:
    """A claim as a result: "38.1 BLEU on Multi30k's test set, beam 5"."""
    return f"{amount(entry)} {entry['name'].removeprefix(entry['unit']).strip()}"


def amount(entry: dict[str, Any]) -> str:
    """A claim's value, its standard deviation where it has one, and its unit."""
    value = number(entry["value"]) if "spread" not in entry else f"{entry['value']:.2f} ± {entry['spread']:.2f}"
    return f"{value} {entry['unit']}".strip()


def number(value: float) -> str:
    """A number as a table shows it: three digits, but for those before the point that are more."""
    if not 1 <= abs(value) < 1000:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:.{2 - int(math.log10(abs(value)))}f}"


def _minutes(seconds: float) -> str:
    """Seconds as minutes in a table."""
    return f"{seconds / 60:.1f}"


def _row(*cells: str) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def picture(notebook: Path) -> tuple[str, bytes]:
    """The text alternative and the PNG of the figure that stands for a notebook: of its cell tagged ``picture``.

    Raises:
        ValueError: There is not one such figure.
    """
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    tagged = [cell for cell in cells if PICTURE in cell["metadata"].get("tags", [])]
    found = [output for cell in tagged for output in cell["outputs"] if "image/png" in output.get("data", {})]
    if len(found) != 1:
        raise ValueError(f"{notebook.name}: {len(found)} figures in cells tagged {PICTURE!r}; expected one")
    image = "".join(found[0]["data"]["image/png"])
    return found[0]["metadata"]["image/png"]["alt"], base64.b64decode(image)


def refreshed(readme: str, root: Path) -> str:
    """The text of a README with its picture and its tables as notebooks and ledgers are now.

    Raises:
        ValueError: The text has no block ``<!-- picture -->`` … ``<!-- /picture -->``, or none for the results.
    """
    blocks = {"picture": front_picture(root), "results": [*notebooks_table(root), *longer_runs(root)]}
    for name, lines in blocks.items():
        block = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not block.search(readme):
            raise ValueError(f"there is no block from <!-- {name} --> to <!-- /{name} --> to write to")
        text = "".join(f"{line}\n" for line in lines)
        readme = block.sub(lambda found, text=text: found[1] + text + found[2], readme)
    return readme


def main(arguments: Iterable[str]) -> None:
    """Bring the README of a checkout, and the pictures it shows, up to date with ledgers and notebooks."""
    root = Path(next(iter(arguments), "."))
    readme = root / "README.md"
    for ledger in read_ledgers(root / "results"):
        _, image = picture(root / "notebooks" / ledger["notebook"])
        write_atomically((root / "results" / ledger["notebook"]).with_suffix(".png"), image)
    write_atomically(readme, refreshed(readme.read_text("utf-8"), root))


if __name__ == "__main__":
    main(sys.argv[1:])
