"""Files of others, read whole once their size is right."""

import gzip
import zlib
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


def read_at_most(path: Path, limit: int) -> bytes:
    """The content of a file, unpacked if its name ends with .gz, up to `limit` bytes.

    A gzip file does not say how long it will be, so it is unpacked no further than that.

    Raises:
        InputError: the file cannot be read, is not gzip, or is longer.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(limit + 1)
    except gzip.BadGzipFile as error:
        raise InputError(f"{path} is damaged: it is no gzip file or fails its check sum") from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{path} is truncated or damaged: gzip cannot unpack it") from error
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > limit:
        raise InputError(f"{path} holds more than {limit} bytes, more than this kind of file has")
    return content


def wrong_size(path: Path, found: int, size: int) -> InputError:
    """What to say of a file that is shorter or longer than its format says."""
    fault = "is truncated" if found < size else "is too long"
    return InputError(f"{path} {fault}: it has {found} bytes, must have {size}")


def unreadable(path: Path, error: OSError) -> InputError:
    """What to say of a file that the system does not let us read."""
    return InputError(f"cannot read {path}: {reason(error)}")
