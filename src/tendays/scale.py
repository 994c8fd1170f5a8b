"""The two scales of a run: *smoke*, a few seconds for tests, and *full*, what is committed and shown.

The environment variable ``TENDAYS_SCALE`` chooses; without it a run is full, because that is what a reader
who opens a notebook expects to see.
"""

import os
from typing import Literal, TypeVar

Scale = Literal["smoke", "full"]
T = TypeVar("T")


def scale() -> Scale:
    """The scale of this run.

    Raises:
        ValueError: ``TENDAYS_SCALE`` is set to something other than ``smoke`` or ``full``.
    """
    value = os.environ.get("TENDAYS_SCALE") or "full"
    if value not in ("smoke", "full"):
        raise ValueError(f"TENDAYS_SCALE is {value!r}; expected 'smoke' or 'full'")
    return value


def pick(*, full: T, smoke: T) -> T:
    """The one of two settings that belongs to the scale of this run."""
    return full if scale() == "full" else smoke
