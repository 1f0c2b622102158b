"""Standard output and error that end no command by themselves.

A reader that has gone (`| head`) wants no more: what is written for it is dropped, the work and its
exit code stay. Output that cannot be written for another reason (`> /dev/full`) is an `InputError`,
once. What cannot be said on standard error is not said. Characters that the terminal's encoding
does not have are written as escapes.
"""

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from sw.common.errors import InputError, reason

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def harden() -> None:
    """Puts such streams in place of this process's; what is closed drops what it is given."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as the process is
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _stream(sys.stdout, _Output(sys.stdout.fileno()))
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    elif isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _stream(sys.stderr, _Said(sys.stderr.fileno()))


class _Said(io.FileIO):
    """A file that is open already, writing to which never fails."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self._gone = False

    def write(self, data: "ReadableBuffer") -> int:
        if not self._gone:
            try:
                return super().write(data)
            except OSError as error:
                self._gone = True
                self._lost(error)
        return memoryview(data).nbytes

    def _lost(self, error: OSError) -> None:
        """Hears of the first failure."""


class _Output(_Said):
    def _lost(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            raise InputError(f"cannot write to standard output: {reason(error)}") from error


def _stream(old: io.TextIOWrapper, raw: io.FileIO) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=old.encoding,
        errors="backslashreplace",
        line_buffering=old.line_buffering,
    )
