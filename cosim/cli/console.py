"""What commands print."""

import typer


def say(quiet: bool, text: str) -> None:
    """Prints a text on standard output, unless the command is to be quiet."""
    if not quiet:
        typer.echo(text)
