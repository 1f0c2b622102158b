"""What is too long for a sentence is kept in a file, and the sentence names it."""

import tempfile
from contextlib import suppress
from pathlib import Path


def keep(kind: str, text: str) -> Path | None:
    """Writes a text to a new file in the system's temporary folder; None, if that cannot be."""
    with (
        suppress(OSError),
        tempfile.NamedTemporaryFile(
            "w",
            prefix=f"nc64c-{kind}-",
            suffix=".log",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file,
    ):
        file.write(text)
        return Path(file.name)
    return None


def pointer(kind: str, text: str) -> str:
    """The end of a sentence that says where the text is."""
    path = keep(kind, text)
    return "" if path is None else f"; its log is in {path}"
