"""Files of others, read whole unless they are longer than such a file can be."""

import gzip
import zlib
from pathlib import Path

from sw.common.errors import InputError, reason


def read_at_most(path: Path, limit: int, noun: str = "") -> bytes:
    """The content of a file, unpacked if its name ends with .gz, up to `limit` bytes.

    A gzip file does not say how long it will be, so it is unpacked no further than that. `noun` is
    what sentences call the file.

    Raises:
        InputError: the file cannot be read, is not gzip, or is longer.
    """
    name = f"{noun} {path}".lstrip()
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(limit + 1)
    except gzip.BadGzipFile as error:
        raise InputError(f"{name} is damaged: it is no gzip file or fails its check sum") from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{name} is truncated or damaged: gzip cannot unpack it") from error
    except OSError as error:
        raise InputError(f"cannot read {name}: {reason(error)}") from error
    if len(content) > limit:
        raise InputError(f"{name} holds more than {limit} bytes, more than this kind of file has")
    return content
