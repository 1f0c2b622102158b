"""The folder of an import: what `nc64c import` writes and `nc64c run` finds beside a network."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from sw.convert.kept import floats
from sw.convert.kept.imported import Imported
from sw.files import output
from sw.files.atomic import atomic_write
from sw.integer import network_file
from sw.integer.network import IntegerNetwork

NETWORK_FILE, CONTRACT_FILE = "network.safetensors", "contract.json"
FLOATS_FILE = "floats.safetensors"


def save(folder: Path, found: Imported, steps: list[dict[str, Any]] | None = None) -> None:
    """Writes network, contract and floats; `steps` are what each change costs on a sample.

    Raises `InputError` if that cannot be.
    """
    document = found.document | ({} if steps is None else {"steps": steps})
    with output.staged(folder) as stage:
        network_file.save(stage / NETWORK_FILE, found.network)
        text = json.dumps(document, indent=1, allow_nan=False) + "\n"
        atomic_write(stage / CONTRACT_FILE, text.encode())
        floats.write(stage / FLOATS_FILE, found, stage / NETWORK_FILE)


def beside(path: Path, network: IntegerNetwork) -> Imported | None:
    """The import that a network file is of; None: there is none beside it.

    Raises `InputError` if it is damaged, or of another network.
    """
    kept = path.with_name(FLOATS_FILE)
    if not kept.exists():
        return None
    found = floats.read(kept, path, network)
    return replace(found, network=network)
