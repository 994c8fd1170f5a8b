"""Stamps the repository's address into the files that state it: ``python -m tendays.publish.address owner/name``.

The address is at home in ``pyproject.toml``, from where tests and pages read it. A notebook that lies alone in Colab
cannot: its badge and its set-up cell state the address themselves, and so do the command in the README and the
citation. `PLACES` says where. Only the address in these places is replaced, whatever it was, so that a notebook merged
from a fork is put right too, and other repositories that a text names stay as they are.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tendays.files import write_atomically

COLAB = "https://colab.research.google.com"

# What stands before the address, for each kind of file. Tests hold that it stands nowhere else.
PLACES = {
    "pyproject.toml": ('Repository = "https://github.com/',),
    "CITATION.cff": ("repository-code: https://github.com/",),
    "README.md": ("git clone https://github.com/",),
    "notebooks/setup_cell.py": ("git+https://github.com/",),
    "notebooks/*.ipynb": ("git+https://github.com/", f"{COLAB}/github/"),
}
ADDRESS = re.compile(r"[\w-]+/[\w.-]+", re.ASCII)
OWNER = re.compile(r"(?!-)(?!.*--)[A-Za-z0-9-]{1,39}(?<!-)")
NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}(?<!\.git)(?<!\.wiki)")
EXPECTED = (
    "owner/name, as on GitHub: the owner in letters, digits and single hyphens between them, at most 39; the name in"
    " letters, digits, '.', '_' and '-', at most 100, and not ending in .git or .wiki"
)


def checked(repo: str) -> str:
    """The address, if GitHub could have a repository there.

    Raises:
        ValueError: it could not.
    """
    owner, _, name = repo.partition("/")
    if not (OWNER.fullmatch(owner) and NAME.fullmatch(name)):
        raise ValueError(f"REPO is {repo!r}; expected {EXPECTED}")
    return repo


def current(root: Path) -> str:
    """The address in the ``pyproject.toml`` of a checkout, as ``owner/name``.

    Raises:
        ValueError: there is none.
    """
    text = (root / "pyproject.toml").read_text("utf-8")
    (prefix,) = PLACES["pyproject.toml"]
    if not (found := re.search(re.escape(prefix) + f"({ADDRESS.pattern})", text, re.ASCII)):
        raise ValueError(f'pyproject.toml has no line {prefix}owner/name"')
    return found[1]


def repository(root: Path) -> str:
    """The repository of a checkout, as a URL."""
    return f"https://github.com/{current(root)}"


def colab(root: Path, notebook: str) -> str:
    """The URL that opens a notebook of a checkout's repository in Colab; ``notebook`` is its file name."""
    return f"{COLAB}/github/{current(root)}/blob/main/notebooks/{notebook}"


def stamped(text: str, repo: str, prefixes: Iterable[str]) -> str:
    """The text with another address behind each of the prefixes.

    Raises:
        ValueError: the text has no address behind one of them.
    """
    for prefix in prefixes:
        place = re.compile(f"(?<={re.escape(prefix)}){ADDRESS.pattern}", re.ASCII)
        text, count = place.subn(repo, text)
        if not count:
            raise ValueError(f"no address follows {prefix!r}; expected one")
    return text


def stamp(root: Path, repo: str) -> list[Path]:
    """Writes the address into the files of a checkout; into none of them where one lacks a place for it.

    Returns:
        The files that have changed.

    Raises:
        ValueError: GitHub has no such addresses, or a file lacks a place for one.
    """
    checked(repo)
    contents: dict[Path, tuple[bytes, bytes]] = {}
    for pattern, prefixes in PLACES.items():
        for path in sorted(root.glob(pattern)):
            old = path.read_bytes()
            try:
                contents[path] = old, stamped(old.decode(), repo, prefixes).encode()
            except ValueError as error:
                raise ValueError(f"{path.relative_to(root)}: {error}") from error
    changed = [path for path, (old, new) in contents.items() if old != new]
    for path in changed:
        write_atomically(path, contents[path][1])
    return changed


def main(arguments: list[str]) -> None:
    """Stamp the address into the checkout that is the current folder, and say what has changed."""
    root = Path()
    if len(arguments) != 1 or not arguments[0]:
        raise SystemExit(f"make address REPO=owner/name puts another address in place of {current(root)}")
    try:
        changed = stamp(root, arguments[0])
    except ValueError as error:
        raise SystemExit(str(error)) from error
    for path in changed:
        print(path)
    print(f"{len(changed)} files changed; all say {arguments[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
