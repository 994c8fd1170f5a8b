"""What command lines share: wrong input is answered in one line, with exit status 2."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def explained(command: str, errors: tuple[type[Exception], ...] = (OSError, ValueError)) -> Iterator[None]:
    """A block whose errors of these types print one line on stderr and end the command with status 2.

    Args:
        command: the first word of the line.
        errors: which errors.
    """
    try:
        yield
    except errors as error:
        typer.echo(f"{command}: {error}", err=True)
        raise typer.Exit(2) from error
