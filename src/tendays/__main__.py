"""The command line: ``python -m tendays`` lists what it can do."""

import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from tendays.commands import explained
from tendays.files import checkout_around, runs_folder

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def tendays() -> None:
    """A deep-learning study journal that runs."""


@app.command()
def translate(
    words: Annotated[
        list[str] | None, typer.Argument(help="German words to translate; without any, standard input, by line.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of the model; by default that of the notebook's last full run.")
    ] = None,
    beam: Annotated[int, typer.Option(min=1, help="Width of the beam search; 1 is greedy.")] = 5,
) -> None:
    """Translate German into English: one line of output for each line of input, empty for empty."""
    # Torch takes seconds to import, which the other commands should not have to wait for.
    from tendays import translation

    with explained("translate", (OSError, RuntimeError, ValueError)):
        lines = [" ".join(words)] if words else _lines(sys.stdin.buffer.read())
        translator, pieces = translation.load(model or runs_folder("translation"))
    for translated in translation.translate(translator, pieces, lines, beam):
        print(translated)


@app.command()
def pronounce(
    words: Annotated[list[str], typer.Argument(help="Words of letters from a to z and apostrophes.")],
    model: Annotated[Path | None, typer.Option(help="The folder of the model; the notebook's, unless given.")] = None,
    best: Annotated[int, typer.Option(min=1, help="How many pronunciations of each word.")] = 3,
) -> None:
    """Say how words are pronounced: the most probable phonemes, each with its probability."""
    from tendays import pronunciation

    with explained("pronounce", (OSError, RuntimeError, ValueError)):
        speaker = pronunciation.load(model or runs_folder("transducer"))
        guesses = pronunciation.pronounce(speaker, words, max(best, 5))
    for word, found in zip(words, guesses, strict=True):
        for guess in found[:best]:
            chance = "" if guess.log_probability is None else f"{math.exp(guess.log_probability):7.1%}"
            print(f"{word}\t{chance}\t{' '.join(guess.phonemes)}")


@app.command()
def status() -> None:
    """Goals against what was done, streaks and gaps, and the questions that are still open.

    Works count: a title in italics once in its unit, an item without one as one.
    """
    from tendays import journal

    with explained("status"):
        log = journal.read(checkout_around(Path.cwd()) / "journal")
        for line in journal.report(log, journal.today()):
            print(line)
    for problem in log.problems:
        typer.echo(str(problem), err=True)
    if log.problems:
        raise typer.Exit(1)


@app.command("log")
def log_item(
    text: Annotated[str, typer.Argument(help="What was done, thought or asked.")],
    kind: Annotated[str, typer.Option(help="lecture, paper, mathematics, code, idea or question.")],
    date: Annotated[str, typer.Option(help="When: 2022-02-03, today or yesterday.")] = "today",
) -> None:
    """Add an item to the journal; nothing that is there is changed."""
    from tendays import journal

    with explained("log"):
        folder = checkout_around(Path.cwd()) / "journal"
        path, line = journal.append_item(folder, text, kind, journal.day(date, journal.today()))
    print(f"{path.relative_to(folder.parent)}:{line}")


@app.command()
def new_unit() -> None:
    """Start the next ten days of the journal, with the goals of the last."""
    from tendays import journal

    with explained("new-unit"):
        folder = checkout_around(Path.cwd()) / "journal"
        unit = journal.new_unit(folder, journal.today())
    print(f"{unit.path.relative_to(folder.parent)}: {journal.span(unit.start, unit.end)}")


@app.command()
def new_notebook(title: Annotated[str, typer.Argument(help="What it is called.")]) -> None:
    """Start a notebook: the next number, with every part that a notebook has, and its row in the README."""
    with explained("new-notebook"):
        root = checkout_around(Path.cwd())
        try:
            from tendays.publish import skeleton
        except ModuleNotFoundError as error:
            raise ValueError(f"{error.name} is missing; `make` sets up all that a clone needs") from error
        path = skeleton.new_notebook(root, title).relative_to(root)
    print(f"{path}\nmake lab\nmake run UNIT={path.stem[3:]}")


@app.command()
def data() -> None:
    """Fetch every data set into the cache, for work without a network."""
    from tendays import corpora

    missing = []
    with explained("data"):
        for name in ("multi30k", "ding"):
            try:
                typer.echo(f"{name}: {len(corpora.load(name, 'train')):,} pairs to learn from")
            except corpora.DataUnavailable as error:
                missing.append(f"{name}: {error}")
    if missing:
        typer.echo("\n".join(missing), err=True)
        raise typer.Exit(1)


def _lines(data: bytes) -> list[str]:
    """The lines of UTF-8 text; a last line without its end counts.

    Raises:
        ValueError: a line is not UTF-8.
    """
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    texts = []
    for number, line in enumerate(lines, 1):
        try:
            texts.append(line.decode("utf8"))
        except UnicodeDecodeError as error:
            raise ValueError(f"line {number} of the input is not UTF-8: {error.reason}, byte {error.start}") from error
    return texts


if __name__ == "__main__":
    app(prog_name="python -m tendays")
