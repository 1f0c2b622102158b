"""What the simulator takes before it computes anything: build, loading, memory."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cosim.bench.measure.memory import peak_mib
from cosim.bench.measure.timing import children_cpu_s, in_turns, load_average, spread, wall_s
from cosim.bench.measure.workload import Workload, busy
from cosim.program.program import Program
from cosim.rtl.played import SimulatorInput
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from hw.spec import FULL_CHIP

CACHE = "NC64C_CACHE"
EMPTY, BACK_DOOR, FRONT_DOOR = "process alone", "back door", "front door"


def measure(seed: int, repeats: int) -> dict[str, Any]:
    """Seconds of building and of loading the full chip, and the simulator's peak memory."""
    figures: dict[str, Any] = {"load": [load_average()]}
    figures["build_s"] = {"cold": _cold_build_s(), "cached": _cached_build_s()}
    workload = busy(FULL_CHIP, FULL_CHIP.cores, 0.1, seed)
    nothing = replace(workload, program=Program(FULL_CHIP, ()), spikes=np.zeros(0, np.uint64))
    measures = {
        EMPTY: _loading_s(nothing, backdoor=True),
        BACK_DOOR: _loading_s(workload, backdoor=True),
        FRONT_DOOR: _loading_s(workload, backdoor=False),
    }
    taken = in_turns(measures, repeats)
    alone = taken[EMPTY]
    figures["load_s"] = {EMPTY: spread(alone)} | {
        name: spread([s - e for s, e in zip(taken[name], alone, strict=True)])
        for name in (BACK_DOOR, FRONT_DOOR)
    }
    figures["peak_mib"] = peak_mib(_load_and_tick, seed)
    figures["load"].append(load_average())
    return figures


def _cold_build_s() -> float:
    """Seconds of a build with an empty cache."""
    kept = os.environ.get(CACHE)
    with tempfile.TemporaryDirectory(prefix="nc64c-cold-") as folder:
        os.environ[CACHE] = str(Path(folder))
        try:
            return wall_s(build)
        finally:
            os.environ.pop(CACHE)
            if kept is not None:
                os.environ[CACHE] = kept


def _cached_build_s() -> float:
    build()
    return wall_s(build)


def _loading_s(workload: Workload, *, backdoor: bool) -> Callable[[], float]:
    """Measures CPU seconds of a simulator process that loads a program and ends."""
    given = workload.input(0, backdoor=backdoor)
    loading = SimulatorInput(given.steps[:1], np.array([1], np.int64), given.backdoor)
    chip = RtlChip(build(), backdoor=loading.backdoor)

    def measure() -> float:
        start = children_cpu_s()
        chip.run(loading.steps)
        return children_cpu_s() - start

    return measure


def _load_and_tick(seed: int) -> None:
    workload = busy(FULL_CHIP, FULL_CHIP.cores, 0.1, seed)
    given = workload.input(1)
    RtlChip(build(), backdoor=given.backdoor).run(given.steps)
