"""What stands around the work of every command: progress, and one sentence for what goes wrong.

Here, and nowhere else, it is decided which exit code an error has.
"""

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

import typer
from rich.console import Console

from cosim.cli import streams
from cosim.program.errors import Mismatch, SimulationError
from sw.common.errors import InputError, reason
from sw.common.progress import Progress
from sw.files import logs
from sw.jobs.workers import WorkerDied

# Exit codes. Only the first one says that the RTL is wrong; `MISSED`: it is right, but not as good
# as a kept run, or not what a file expects.
DIFFERENT, CANNOT, FAULT, MISSED, INTERRUPTED = 1, 2, 3, 4, 130
DEBUG = "NC64C_DEBUG"  # environment: tracebacks are shown
# How PyTorch, which has no MemoryError, says the same.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


@contextmanager
def guarded(
    quiet: bool = True, left: Callable[[], str] = lambda: "nothing was written"
) -> Iterator[Progress]:
    """Progress for a command's work; what ends it early becomes a sentence and an exit code.

    Args:
        quiet: no bars.
        left: says, once it was interrupted, what there is to go on from.
    """
    console = _console()
    progress = Progress(console, shown=not quiet and not os.environ.get("CI"))
    try:
        with progress:
            yield progress
    except typer.Exit:
        raise
    except Exception as error:
        raise typer.Exit(_explain(error)) from error
    except KeyboardInterrupt as error:
        _say(f"Interrupted; {left()}. Finished: {progress.finished()}.", "yellow")
        raise typer.Exit(INTERRUPTED) from error


def exit_code_of(app: Callable[[], object]) -> int:
    """Runs the command line; its exit code, whatever happens within or outside `guarded`."""
    streams.harden()
    try:
        code = _exit_code(app)
        if sys.stdout is not None:
            sys.stdout.flush()
    except Exception as error:
        return _explain(error)
    except KeyboardInterrupt:
        _say("Interrupted.", "yellow")
        return INTERRUPTED
    return code


def outcome(error: Exception) -> tuple[int, str]:
    """The exit code of an error, and the sentence for it.

    A `Mismatch` has the code for differences, what the user or the machine is the cause of the one
    for that, and anything else is a fault of this program.
    """
    match error:
        case Mismatch():
            return DIFFERENT, str(error)
        case InputError() | SimulationError() | WorkerDied():
            return CANNOT, str(error)
        case MemoryError():
            return CANNOT, "there is not enough memory: free some, or give a smaller task"
        case RuntimeError() if any(words in str(error).lower() for words in NO_MEMORY):
            return CANNOT, "there is not enough memory: free some, or give a smaller task"
        case OSError():
            names = [str(name) for name in (error.filename, error.filename2) if name is not None]
            return CANNOT, f"the system refuses to go on: {': '.join([*names, reason(error)])}"
        case UnicodeError():
            return CANNOT, f"a text has characters that cannot be read or written: {error}"
        case ImportError():
            return CANNOT, f"the installation is incomplete, install nc64c again: {error}"
        case subprocess.SubprocessError() | BrokenExecutor():
            return CANNOT, f"another process ended early: {error}"
    return FAULT, f"a fault of nc64c itself: {type(error).__name__}: {error}"


def _exit_code(app: Callable[[], object]) -> int:
    """What typer wants to end the process with; raises the error that it would make a mere 1."""
    try:
        app()
    except SystemExit as end:
        error = end.__context__
        if isinstance(error, typer.Abort | OSError):
            raise error.__cause__ or error from None
        return end.code if isinstance(end.code, int) else 0 if end.code is None else CANNOT
    return 0


def _explain(error: Exception) -> int:
    """Says what an error means; its exit code."""
    code, sentence = outcome(error)
    lines = " ".join(sentence.split())
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    elif code == FAULT:
        path = logs.keep("fault", "".join(traceback.format_exception(error)))
        lines += f"; set {DEBUG}=1 to see where" if path is None else f"; please report {path}"
    _say(f"Error: {lines}", "red")
    return code


def _console() -> Console:
    return Console(stderr=True, highlight=False)


def _say(sentence: str, style: str) -> None:
    _console().print(sentence, style=style, markup=False, soft_wrap=True)
