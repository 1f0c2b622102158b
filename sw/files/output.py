"""Where results go: tried before the long work, filled whole or not at all after it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sw.common.errors import InputError, reason

PROBE_BYTES = 1 << 20  # about what a run writes


def check_folder(folder: Path, *inputs: Path | None) -> None:
    """Raises `InputError` unless files could be written to `folder`, made first if need be.

    It must be none of the `inputs` (None: one that was not given).
    """
    _check_apart("folder", folder, inputs)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"output folder {folder} is a file: give a folder, or a new name")
    _probe(folder, _existing(folder))


def check_file(path: Path, *inputs: Path | None) -> None:
    """Raises `InputError` unless `path` could be written: its folder is there and takes files.

    It must be none of the `inputs` (None: one that was not given).
    """
    _check_apart("file", path, inputs)
    if path.exists() and not path.is_file():
        raise InputError(f"output file {path} is no regular file: give another name")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}")
    _probe(path, path.parent)


def _check_apart(kind: str, out: Path, inputs: tuple[Path | None, ...]) -> None:
    """Raises `InputError` if an input is the same file or folder, whatever the names they go by."""
    for path in inputs:
        try:
            same = path is not None and out.samefile(path)
        except OSError:  # one of them is not there
            continue
        if same:
            raise InputError(
                f"output {kind} {out} is the same as {path}, which is read: give another name"
            )


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """An empty folder to write into; what it holds at the end appears in `folder` together.

    Files of other names that are in `folder` already stay. After an exception nothing has changed,
    not even by folders that were made on the way.

    Raises `InputError` if the folder cannot be made or filled.
    """
    made = _make(folder)
    try:
        stage = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
        try:
            yield stage
            for path in sorted(stage.iterdir()):
                path.replace(folder / path.name)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except BaseException as error:
        for new in reversed(made):
            with suppress(OSError):  # another program has put something there
                new.rmdir()
        if isinstance(error, OSError):
            raise InputError(f"cannot write to {folder}: {reason(error)}") from error
        raise


def _make(folder: Path) -> list[Path]:
    """Makes a folder and those above it; those that are new, from the top down."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make output folder {folder}: {reason(error)}") from error
    return missing[::-1]


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def _probe(target: Path, folder: Path) -> None:
    """Writes a file as large as a run's to `folder`, and takes it away again."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
    except OSError as error:
        raise InputError(f"cannot write {target}: {reason(error)}") from error
