"""Files are written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from sw.common.errors import InputError, reason


def atomic_write(path: Path, data: bytes) -> None:
    """Write `data` to `path`, so that at no moment a half-written file stands there.

    The bytes go to a temporary file in the same folder (a rename is atomic only within a file
    system), reach the disk, and then take the name. Whatever goes wrong, the temporary file goes
    away and an older file at `path` stays as it was.

    Raises:
        InputError: the folder is missing or not writable, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {reason(error)}") from error
    finally:
        with suppress(OSError):  # renamed already, or never made
            temporary.unlink()
