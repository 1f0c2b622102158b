"""Which files of the project make a result what it is, and a hash of what is in them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPILED = "__pycache__"


def below(folder: Path) -> list[Path]:
    """Every file in a folder and in those below it, but what Python compiles; by name."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if COMPILED not in path.parts)


def fingerprint(files: Iterable[Path], facts: object, root: Path = ROOT) -> str:
    """16 hexadecimal digits of what is in these files, of their names, and of some facts.

    Files below `root` go by their path from there, so that it may be anywhere; others by their
    name. `facts` count by their `repr`.
    """
    digest = hashlib.sha256(repr(facts).encode())
    for path in files:
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        content = path.read_bytes()
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
