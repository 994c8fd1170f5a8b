"""Tables that a notebook prints in one call, of training runs above all."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from numbers import Integral, Real
from typing import Any

from IPython.display import Markdown

RUN = ("layers", "parameters", "learning_rate", "steps", "seconds")
"""What a row of `runs_table` has at least: the size of a model and the budget of its training."""

HEADINGS = {"learning_rate": "learning rate", "seconds": "time, s"}


def runs_table(rows: Sequence[Any]) -> Markdown:
    """A table of training runs, one row a run: sizes, budgets, and whatever further columns the rows have.

    Args:
        rows: mappings or dataclasses with `layers`, `parameters`, `learning_rate`, `steps` (of the optimizer),
            `seconds` (of training), and further columns such as the name of the system or an `Interval`.

    Raises:
        ValueError: there is no row, or a row lacks one of these columns or one that the first row has.
        TypeError: a row is neither a mapping nor a dataclass.
    """
    records = [_record(row) for row in rows]
    for number, record in enumerate(records, 1):
        if missing := [column for column in RUN if column not in record]:
            raise ValueError(f"row {number} of rows lacks {', '.join(missing)}; it has {', '.join(map(str, record))}")
    return table(records)


def table(rows: Sequence[Any]) -> Markdown:
    """A Markdown table of mappings or dataclasses: keys are headings, in the order of the first row.

    A heading with a unit is a key such as ``"WER, %"``. None, which is what is not known, is shown as a dash.

    Raises:
        ValueError: there is no row, or the rows have different columns.
        TypeError: a row is neither a mapping nor a dataclass.
    """
    if not rows:
        raise ValueError("rows is empty; expected at least one row")
    records = [_record(row) for row in rows]
    columns = list(records[0])
    for number, record in enumerate(records, 1):
        if differing := set(columns) ^ set(record):
            raise ValueError(f"row {number} of rows differs from the first in {', '.join(sorted(map(str, differing)))}")
    lines = [[cell(HEADINGS.get(column, column)) for column in columns], ["---"] * len(columns)]
    lines += [[cell(record[column]) for column in columns] for record in records]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _record(row: Any) -> dict[str, Any]:
    """A row's columns; a dataclass's values stay as they are, intervals among them."""
    if isinstance(row, Mapping):
        return dict(row)
    if is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in fields(row)}
    raise TypeError(f"rows holds {row!r}; expected mappings or dataclasses")


def cell(value: Any) -> str:
    """A value as a table shows it: a float with four significant digits, thousands set apart."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value).replace("|", "\\|")
    return f"{value:,.0f}" if isinstance(value, Integral) or abs(value) >= 1000 else f"{value:.4g}"
