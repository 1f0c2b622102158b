"""Files of others, read whole once their size is right."""

from pathlib import Path

from sw.common.errors import InputError, reason


def read_exactly(path: Path, size: int) -> bytes:
    """The content of a file that must have `size` bytes; nothing is read before it has.

    Raises:
        InputError: the file cannot be read, or has another size.
    """
    try:
        found = path.stat().st_size
        if found != size:
            raise wrong_size(path, found, size)
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def wrong_size(path: Path, found: int, size: int) -> InputError:
    """What to say of a file that is shorter or longer than its format says."""
    fault = "is truncated" if found < size else "is too long"
    return InputError(f"{path} {fault}: it has {found} bytes, must have {size}")


def unreadable(path: Path, error: OSError) -> InputError:
    """What to say of a file that the system does not let us read."""
    return InputError(f"cannot read {path}: {reason(error)}")
