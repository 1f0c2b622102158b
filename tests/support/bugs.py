"""Bugs in a copy of hw/: each is one change of a source, made into Verilog of a small chip."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage
from cosim.program.program import Program
from cosim.program.runner import Runner
from cosim.program.stimulus import Step, box, control, read_membranes, spike
from cosim.rtl.design.design import Design
from cosim.rtl.icarus import icarus
from cosim.rtl.played import Trace
from cosim.verify.triage.probe import Failure
from hw.spec import FANOUT, MEMBRANE_MAX, MEMBRANE_MIN, ChipShape, Control, ResetMode
from sw.files.sources import ROOT

EMIT = """
import sys
sys.path.insert(0, sys.argv[1])
from hw.spec import ChipShape
from hw.verilog import export
shape = ChipShape(*map(int, sys.argv[2:]))
print(export.tile_verilog(shape) + export.chip_verilog(shape))
"""


@dataclass(frozen=True)
class Bug:
    """`old` becomes `new` in hw/`file`; `rules` are the names of those that it breaks."""

    name: str
    file: str
    old: str
    new: str
    rules: tuple[str, ...]


def design_of(bug: Bug, shape: ChipShape, folder: Path) -> Design:
    """The chip with a bug; `folder` is for the copy."""
    shutil.copytree(ROOT / "hw", folder / "hw", ignore=shutil.ignore_patterns("__pycache__"))
    source = folder / "hw" / bug.file
    text = source.read_text()
    assert text.count(bug.old) == 1, f"{bug.name}: {bug.old!r} is there {text.count(bug.old)} times"
    source.write_text(text.replace(bug.old, bug.new))
    size = map(str, (shape.columns, shape.rows, shape.axons, shape.dendrites))
    done = subprocess.run(
        [sys.executable, "-I", "-c", EMIT, str(folder), *size],
        capture_output=True,
        check=True,
    )
    return Design("nc64c_chip", core=False, text=done.stdout)


def icarus_with(design: Design | None, shape: ChipShape, trace: Trace | None) -> Runner:
    """Icarus Verilog runs it."""
    return icarus.runner(shape, design, trace)


SHAPE = ChipShape(2, 2, 64, 32)
TICKS = 6
NEURONS = 6


def busy_failure(seed: int = 0) -> Failure:
    """Four cores whose small numbers meet every rule of a tick often, equalities among them."""
    rng = np.random.default_rng(seed)
    common: dict[str, Any] = {"trace": True}
    large = np.array([MEMBRANE_MAX // 2, MEMBRANE_MIN // 2] * NEURONS, np.int32)[:NEURONS]
    settings: list[dict[str, Any]] = [
        {"plane_weights": (1, -2), "leak": 2, "reset": ResetMode.SUBTRACT, "floor": -4},
        {"plane_weights": (2, -1), "pages": 2, "noise_mask": 3, "seed": 5},
        {
            "plane_weights": (1, 2, -3, 4),
            "leak": 1,
            "reset": ResetMode.NONE,
            "first_tick": 1,
            "last_tick": 5,
        },
        {"plane_weights": (3, -1), "bias": large, "leak": 3, "reset": ResetMode.SUBTRACT},
    ]
    cores = []
    for number, own in enumerate(settings):
        x, y = number % 2, number // 2
        cores.append(_busy_core(rng, x, y, {**common, **own}))
    program = Program(SHAPE, tuple(cores))
    steps = [control(SHAPE, Control.RESTART)]
    steps += [Step(_spikes(rng, cores), go=True) for _ in range(TICKS)]
    return Failure(program, (*steps, read_membranes(program)), f"seed {seed}", "spikes differ")


def _busy_core(rng: np.random.Generator, x: int, y: int, own: dict[str, Any]) -> CoreImage:
    planes, pages = len(own["plane_weights"]), own.get("pages", 1)
    count = np.full(NEURONS, 2)
    entries = [
        FANOUT.pack(
            **box(*((1 - x, 0, 1 - x, 1) if n % 2 else (0, y, 1, y))),
            axon=int(rng.integers(0, SHAPE.axons)),
            page=int(rng.integers(0, 2)),
        )
        for n in range(2 * NEURONS)
    ]
    return CoreImage(
        x=x,
        y=y,
        planes=planes,
        neurons=NEURONS,
        synapses=rng.random((pages, NEURONS, planes, SHAPE.axons)) < 0.3,
        threshold=rng.integers(1, 6, NEURONS).astype(np.int32),
        fanout_start=np.cumsum(count) - count,
        fanout_count=count,
        fanout=np.array(entries, np.uint32),
        **{"bias": rng.integers(-2, 4, NEURONS).astype(np.int32), **own},
    )


def _spikes(rng: np.random.Generator, cores: list[CoreImage]) -> NDArray[np.uint64]:
    """A few for every core, one of them twice."""
    flits = []
    for core in cores:
        axons = rng.integers(0, SHAPE.axons, 9).tolist()
        flits += [spike(a, x=core.x, y=core.y, page=n % core.pages) for n, a in enumerate(axons)]
        flits.append(flits[-1])
    return np.array(flits, np.uint64)
