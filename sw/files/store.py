"""Finished pieces of long work as files: JSON documents, named by what goes into them.

So work that was cut off finds what it had finished, and what is the same is done once. Each has a
checksum of its content: a file that is damaged is noticed.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sw.common.errors import InputError, reason
from sw.common.typed import Misfit, typed
from sw.files.atomic import atomic_write
from sw.files.bounded import read_at_most

MAX_BYTES = 16 << 20

Settings = dict[str, Any]  # JSON: all that goes into a piece
Result = dict[str, Any]  # JSON
Say = Callable[[str], object]
Piece = TypeVar("Piece")


def key(settings: Settings) -> str:
    """A piece's name: 16 hexadecimal digits, of a hash of its settings."""
    return _digest(settings)[:16]


class Store:
    """The finished pieces in a folder, KEY.json each; it is made when the first one is kept.

    Args:
        folder: theirs.
        noun: what sentences call a piece.
    """

    def __init__(self, folder: Path, noun: str) -> None:
        self.folder, self._noun = folder, noun

    def save(self, settings: Settings, result: Result) -> None:
        """Keeps a piece, written whole or not at all; raises `InputError` if it cannot."""
        content = {"settings": settings, "result": result}
        document = {**content, "sha256": _digest(content)}
        text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make output folder {self.folder}: {reason(error)}") from error
        atomic_write(self.path(settings), text.encode() + b"\n")

    def load(self, settings: Settings) -> Result | None:
        """What a piece gave, if it is finished.

        Raises:
            InputError: its file is there, but damaged; the sentence says how.
        """
        path = self.path(settings)
        if not path.exists():
            return None
        damaged = f"{self._noun} {path} is damaged"
        written = read_at_most(path, MAX_BYTES, self._noun)
        try:
            document = json.loads(written)
            content = {name: document[name] for name in ("settings", "result")}
            intact = document["sha256"] == _digest(content)
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise InputError(f"{damaged}: it is no whole JSON document") from error
        if not intact or content["settings"] != settings:
            raise InputError(f"{damaged}: its content is not what was written")
        result: Result = content["result"]
        return result

    def found(self, settings: Settings, kind: type[Piece], say: Say) -> Piece | None:
        """What a piece gave, as a structure; None: it is not finished, or damaged, which `say` is
        told."""
        try:
            content = self.load(settings)
            return None if content is None else typed(content, kind)
        except Misfit as error:
            say(f"{self._noun} {self.path(settings)} is damaged at {error}; it is done again")
        except InputError as error:
            say(f"{error}; it is done again")
        return None

    def path(self, settings: Settings) -> Path:
        """The file of a piece."""
        return self.folder / f"{key(settings)}.json"


def _digest(document: dict[str, Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
