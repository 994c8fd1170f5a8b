"""Makes the pages: ``python site/make_site.py`` writes them to ``build/site``.

Nothing is executed: pages show what the committed notebooks hold. A warning of Sphinx, such as a link to a heading
that is not there, is an error, and leaves the pages that were there as they were.
"""

import argparse
import shutil
import sys
from importlib.metadata import files
from pathlib import Path

from sphinx.cmd.build import build_main

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "src")]

import journal_pages  # noqa: E402 - found through the line above
import pages  # noqa: E402
import slim  # noqa: E402

from tendays import journal  # noqa: E402

MATHJAX = ("tex-chtml.js", "output/chtml/fonts/woff-v2/")  # the part of it that pages use


def make(builder: str, out: Path) -> int:
    """Run a builder of Sphinx over what `pages.stage` prepares.

    Args:
        builder: ``html``, or another of Sphinx' builders.
        out: The folder that the pages are to be in; what it held is replaced when they are whole.

    Returns:
        The exit status, 0 when there was not even a warning.
    """
    staged, made = (out.with_name(f"{out.name}-{part}") for part in ("source", builder))
    pages.stage(ROOT, staged)
    journal_pages.stage(ROOT, staged / "journal", journal.read(ROOT / "journal"))
    shutil.rmtree(made, ignore_errors=True)
    options = ["--builder", builder, "--conf-dir", str(HERE), "--fresh-env", "--fail-on-warning", "--quiet"]
    if (status := build_main([*options, str(staged), str(made)])) or builder != "html":
        return status
    slim.slim(made)
    copy_mathjax(made / "_static" / "mathjax")
    shutil.rmtree(out, ignore_errors=True)
    made.rename(out)
    return 0


def copy_mathjax(folder: Path) -> None:
    """Copy the part of MathJax that pages use out of the package that brings it."""
    for file in files("sphinx-mathjax-offline"):
        inside = file.as_posix().partition("/static/mathjax/")[2]
        if inside.startswith(MATHJAX):
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), folder / inside)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes the pages.")
    parser.add_argument("--builder", default="html", choices=("html", "linkcheck"))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="the folder for the pages")
    arguments = parser.parse_args()
    if status := make(arguments.builder, arguments.out.resolve()):
        sys.exit(status)
    if arguments.builder == "html":
        size = sum(path.stat().st_size for path in arguments.out.rglob("*") if path.is_file()) / 1e6
        print(f"{len(list(arguments.out.rglob('*.html')))} pages, {size:.1f} MB: open {arguments.out / 'index.html'}")
