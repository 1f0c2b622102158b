"""What stands around the work of every command: progress, and one sentence for what goes wrong."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from cosim.errors import SimulationError
from cosim.progress import Progress
from sw.errors import InputError
from sw.workers import WorkerDied

DIFFERENT, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit codes


@contextmanager
def guarded(
    quiet: bool = True, left: Callable[[], str] = lambda: "nothing was written"
) -> Iterator[Progress]:
    """Progress for a command's work; what ends it early becomes a sentence and an exit code.

    Args:
        quiet: no bars.
        left: says, once it was interrupted, what there is to go on from.
    """
    console = Console(stderr=True, highlight=False)
    progress = Progress(console, shown=not quiet and not os.environ.get("CI"))
    try:
        with progress:
            yield progress
    except InputError as error:
        _say(console, f"Error: {error}", "red")
        raise typer.Exit(BAD_INPUT) from error
    except (SimulationError, WorkerDied) as error:
        _say(console, f"Error: {error}", "red")
        raise typer.Exit(DIFFERENT) from error
    except KeyboardInterrupt as error:
        message = f"Interrupted; {left()}. Finished: {progress.finished()}."
        _say(console, message, "yellow")
        raise typer.Exit(INTERRUPTED) from error


def _say(console: Console, sentence: str, style: str) -> None:
    console.print(sentence, style=style, markup=False, soft_wrap=True)
