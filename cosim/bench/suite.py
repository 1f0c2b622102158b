"""All benches in one run: what `nc64c bench all` does, and the files that it leaves."""

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cosim.bench import ticks
from cosim.bench.document import document, plot
from cosim.bench.mesh import noc
from cosim.bench.network import scale, vgg5
from cosim.bench.rivals import ranc, ranc_simulator
from cosim.bench.simulators import footprint, rows
from sw.common.checks import check_choice
from sw.common.errors import InputError
from sw.common.machine import processor, usable_cores, versions
from sw.common.progress import Progress
from sw.files import output
from sw.files.paths import VGG5_CHECKPOINT
from sw.jobs.worker_setup import use_one_thread

PARTS = ("rows", "noc", "ticks", "ranc", "vgg5", "footprint", "scale")
FORMAT, VERSION = "nc64c-bench", 2
JSON, MARKDOWN, PICTURE = "benchmarks.json", "benchmarks.md", "benchmarks-noc.svg"
GIB = 1 << 30


@dataclass(frozen=True)
class Order:
    """The arguments of `nc64c bench all`; `ranc` is a copy of RANC's repository."""

    out: Path
    parts: tuple[str, ...]
    checkpoint: Path
    data: Path | None
    images: int
    seed: int
    repeats: int
    ranc: Path | None = None

    @property
    def command(self) -> str:
        """How to measure the same again."""
        command = f"nc64c bench all --parts {','.join(self.parts)} --repeats {self.repeats}"
        if "vgg5" in self.parts:
            command += f" --images {self.images}"
            command += " --data DIR" if self.data is not None else ""
        if "ranc" in self.parts and self.ranc is not None:
            command += " --ranc DIR"
        return command


def parse_parts(names: str) -> tuple[str, ...]:
    """Names of parts from "rows,noc". Raises `InputError` for one that there is not."""
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    for name in wanted:
        check_choice("unknown part", name, PARTS)
    if not wanted:
        raise InputError(f"no part to measure: name some of {', '.join(PARTS)}")
    return wanted


def run(order: Order, progress: Progress) -> dict[str, Any]:
    """Measures the parts, and writes the files anew behind each; parts measured before are kept."""
    output.check_folder(order.out, order.data)
    if order.ranc is not None:
        ranc_simulator.find_sources(order.ranc)
    record = _before(order.out / JSON)
    use_one_thread()
    measures = _measures(order)
    for name in order.parts:
        with progress.stage(name):
            start = time.monotonic()
            figures = measures[name]()
            record["parts"][name] = {
                "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
                "seconds": round(time.monotonic() - start),
                "command": order.command,
                "machine": machine(),
                "figures": figures,
            }
        write(order.out, record)
    return record


def kept(folder: Path) -> str:
    """What an interrupted run leaves, in words."""
    written = (folder / JSON).exists()
    return f"finished parts are in {folder}" if written else "nothing was written"


def write(folder: Path, record: dict[str, Any]) -> None:
    """The record, its document, and the picture of the mesh where it was measured."""
    mesh = record["parts"].get("noc")
    picture = mesh is not None and plot.installed()
    with output.staged(folder) as stage:
        (stage / JSON).write_text(json.dumps(record, indent=1) + "\n")
        (stage / MARKDOWN).write_text(document.render(record, PICTURE if picture else None))
        if mesh is not None and picture:
            (stage / PICTURE).write_bytes(plot.curves(mesh["figures"]))


def machine() -> dict[str, Any]:
    """What the figures depend on, in words and numbers."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": processor(),
        "cores": usable_cores(),
        "memory_gib": round(memory / GIB),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
    }


def _measures(order: Order) -> dict[str, Callable[[], Any]]:
    """What measures each part; raises `InputError` for what a wanted one cannot take."""
    subject = _subject(order) if "vgg5" in order.parts else None
    return {
        "rows": lambda: rows.measure(order.seed, order.repeats),
        "noc": lambda: noc.measure(order.seed),
        "ticks": lambda: ticks.measure(order.seed, order.repeats),
        "ranc": lambda: _ranc(order),
        "vgg5": lambda: _vgg5(order, subject),
        "footprint": lambda: footprint.measure(order.seed, order.repeats),
        "scale": lambda: scale.measure(order.seed, order.repeats),
    }


def _ranc(order: Order) -> dict[str, Any]:
    if order.ranc is None:
        return {"skipped": "RANC's simulator was left out: its sources were not named (`--ranc`)."}
    return ranc.measure(order.ranc, order.seed, order.repeats)


def _subject(order: Order) -> vgg5.Subject | None:
    """None: there is no checkpoint."""
    if not order.checkpoint.exists():
        return None
    return vgg5.prepare(order.checkpoint, order.data, order.images, order.seed)


def _vgg5(order: Order, subject: vgg5.Subject | None) -> dict[str, Any]:
    if subject is not None:
        return vgg5.measure(subject, order.repeats)
    where = ""
    if order.checkpoint == VGG5_CHECKPOINT:
        where = "; it comes with a checkout, not with a wheel"
    return {"skipped": f"VGG5 was left out: there is no {order.checkpoint.name}{where}."}


def _before(path: Path) -> dict[str, Any]:
    """What an earlier run left; a new record where there is none."""
    if not path.exists():
        return {"format": FORMAT, "version": VERSION, "parts": {}}
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path} cannot be read as JSON: remove it, or name another folder"
        ) from error
    if not isinstance(record, dict) or (record.get("format"), record.get("version")) != (
        FORMAT,
        VERSION,
    ):
        raise InputError(f"{path} is not of {FORMAT} {VERSION}: remove it, or name another folder")
    return record
