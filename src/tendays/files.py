"""Where things lie, and files that are written whole or not at all.

The only module that knows: the checkout's root, files that travel with an installed package, the cache of downloads,
the folders of runs. In a clone they lie in the checkout; in an installed package, where no checkout is, in the user's
cache folder and in the current folder.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tendays.scale import pick

PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The root of the checkout that this package is in; None where it is installed without one."""
    root = PACKAGE.parents[1]
    return root if (root / "pyproject.toml").is_file() else None


def checkout_around(start: Path) -> Path:
    """The nearest folder, ``start`` or above it, that holds ``journal/`` and ``notebooks/``.

    Raises:
        ValueError: There is none.
    """
    for folder in (start, *start.parents):
        if (folder / "journal").is_dir() and (folder / "notebooks").is_dir():
            return folder
    raise ValueError(f"there is no journal in {start} or above it; expected to be in a clone of Tendays")


def packaged(path: str) -> Path:
    """A file of the checkout that also travels with the package, as ``tendays/data/<its name>``.

    Args:
        path: Where it lies in the checkout, such as ``data/lexicon.tsv``; `pyproject.toml` lists what travels.

    Raises:
        FileNotFoundError: It lies in neither place.
    """
    root = checkout()
    places = [*([root / path] if root else []), PACKAGE / "data" / Path(path).name]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(f"{path} is missing; looked for " + " and ".join(map(str, places)))


def cache_folder() -> Path:
    """Where downloads are kept: ``data/cache`` in a checkout, the user's cache folder elsewhere."""
    if root := checkout():
        return root / "data" / "cache"
    import pooch  # which takes half a second, and in a checkout is not asked

    return Path(pooch.os_cache("tendays"))


def runs_folder(name: str) -> Path:
    """Where a notebook keeps its model: ``runs/<name>`` in a checkout, and in the current folder elsewhere.

    At smoke scale ``runs/smoke/<name>``, so that tests leave the models of full runs alone.
    """
    runs = (checkout() or Path()) / "runs"
    return runs / pick(full=name, smoke=f"smoke/{name}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes the place of ``path`` when the block ends without an error.

    The folder is made where it is missing. After an error the old file is there, whole, and nothing else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield scratch
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replaces a file's content in one step, so that a run cut short leaves the old file whole."""
    with replacing(path) as scratch:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)
