"""The file of `--junit`: tried before the work, written after it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sw.files import output

if TYPE_CHECKING:
    from cosim.report.ci.junit import Case


def check(path: Path | None, *inputs: Path) -> None:
    """Raises `InputError` unless the file could be written, and is none of `inputs`."""
    if path is not None:
        output.check_file(path, *inputs)


def write(path: Path | None, suite: str, cases: "Callable[[], Sequence[Case]]") -> None:
    """Writes the test cases, if they are asked for. Raises `InputError` if it cannot be done."""
    if path is not None:
        from cosim.report.ci import junit

        junit.write(path, suite, cases())
