"""A document's files: JSON, Markdown and pictures of one name, in one folder, all or none."""

from pathlib import Path
from typing import Any

from cosim.record.record import to_json
from sw.files import output
from sw.files.atomic import atomic_write


def write(
    out: Path, name: str, document: dict[str, Any], text: str, pictures: dict[str, bytes]
) -> None:
    """Writes `name`.json, .md and a picture for each ending. Raises `InputError`."""
    with output.staged(out) as stage:
        files = {"json": to_json(document), "md": text.encode(), **pictures}
        for ending, content in files.items():
            atomic_write(stage / f"{name}.{ending}", content)
