"""What a dendrite row of 1024 synapses costs in each simulator of the same RTL, and at best."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.bench.measure.timing import in_turns, load_average, per_tick, ratio, spread
from cosim.bench.measure.workload import Workload, at_activity, busy, first_core
from cosim.bench.simulators import bare, limit
from cosim.golden.chip import GoldenChip
from cosim.program.errors import Mismatch
from cosim.rtl import amaranth_sim
from cosim.rtl.icarus import icarus
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from hw.spec import DENDRITES, FULL_CHIP, ChipShape

COCOTB, BARE, LIMIT = "Verilator, cocotb", "Verilator, bare C++", "hand-written C++"
ICARUS, AMARANTH = "Icarus Verilog", "Amaranth's simulator"
ONE_CORE = ChipShape(1, 1, FULL_CHIP.axons, DENDRITES // 4)  # for simulators that are slow
ACTIVITY = 0.1  # share of the axons that spike
ACTIVITIES = (0.0, 0.01, 0.1, 0.5, 1.0)

Run = Callable[[int], NDArray[np.int64]]  # membranes after so many ticks


def measure(seed: int, repeats: int) -> dict[str, Any]:
    """Nanoseconds per row on the full chip, and on one core beside the slow simulators.

    Raises `InputError` where the simulator cannot be built, `Mismatch` when results differ.
    """
    figures: dict[str, Any] = {"activity": ACTIVITY, "load": [load_average()]}
    with tempfile.TemporaryDirectory(prefix="nc64c-bench-") as scratch:
        folder = Path(scratch)
        whole = busy(FULL_CHIP, FULL_CHIP.cores, ACTIVITY, seed)
        figures["full"] = _full_chip(whole, repeats, folder)
        figures["activities"] = [
            _at_activity(at_activity(whole, share, seed), share) for share in ACTIVITIES
        ]
        figures["one_core"] = _one_core(busy(ONE_CORE, 1, ACTIVITY, seed), repeats, folder)
    figures["load"].append(load_average())
    return figures


def _full_chip(workload: Workload, repeats: int, folder: Path) -> dict[str, Any]:
    alone = first_core(workload)
    program = limit.build_limit(folder)
    runs: dict[str, tuple[Run, int, int]] = {
        COCOTB: (through_cocotb(workload), 5, 205),
        BARE: (_in_bare(workload), 5, 205),
        LIMIT: (lambda ticks: limit.run_limit(program, workload, ticks), 5, 3005),
    }
    _agree(workload, {name: run(few) for name, (run, few, _) in runs.items()}, ticks=5)
    measures = {name: per_tick(*run) for name, run in runs.items()}
    measures["one busy core"] = per_tick(through_cocotb(alone), 5, 4005)
    taken = in_turns(measures, repeats)
    cycles, lonely = (_cycles_per_tick(each) for each in (workload, alone))
    busy_s, idle_s = taken[COCOTB], taken.pop("one busy core")
    idle_core = [
        (one / lonely - every / cycles / FULL_CHIP.cores) / (FULL_CHIP.cores - 1)
        for one, every in zip(idle_s, busy_s, strict=True)
    ]
    return {
        "chip": _size(FULL_CHIP),
        "rows_per_tick": workload.rows,
        "cycles_per_tick": cycles,
        "ns_per_row": _ns(taken, workload.rows),
        "cocotb_over_bare": ratio(taken[COCOTB], taken[BARE]),
        "cocotb_over_limit": ratio(taken[COCOTB], taken[LIMIT]),
        "bare_over_limit": ratio(taken[BARE], taken[LIMIT]),
        "ns_per_idle_core_cycle": spread(idle_core, 1e9),
        "ns_per_chip_cycle_one_core_busy": spread([s / lonely for s in idle_s], 1e9),
    }


def _one_core(workload: Workload, repeats: int, folder: Path) -> dict[str, Any]:
    runs: dict[str, tuple[Run, int, int]] = {
        COCOTB: (through_cocotb(workload), 3, 15003),
        BARE: (_in_bare(workload), 3, 15003),
    }
    if icarus.installed():
        # Compiling and loading take it as long as 170 ticks, and seconds more or less each time.
        runs[ICARUS] = (_in_icarus(workload, folder), 3, 203)
    _agree(workload, {name: run(few) for name, (run, few, _) in runs.items()}, ticks=3)
    measures = {name: per_tick(*run) for name, run in runs.items()}
    taken = in_turns(measures, repeats) | in_turns({AMARANTH: _in_amaranth(workload, 3)}, 1)
    figures = {
        "chip": _size(ONE_CORE),
        "rows_per_tick": workload.rows,
        "cycles_per_tick": _cycles_per_tick(workload),
        "ns_per_row": _ns(taken, workload.rows),
        "times_faster": {
            name: spread(taken[name])["median"] / spread(taken[COCOTB])["median"]
            for name in (ICARUS, AMARANTH)
            if name in taken
        },
    }
    if ICARUS not in runs:
        figures["skipped"] = "Icarus Verilog is not installed (`iverilog`), so it was left out."
    return figures


def _at_activity(workload: Workload, share: float) -> dict[str, float]:
    """Cycles and milliseconds of a tick, with this share of axons spiking."""
    seconds = per_tick(_in_bare(workload), 2, 42)()
    return {
        "activity": share,
        "cycles_per_tick": _cycles_per_tick(workload),
        "ms_per_tick": seconds * 1e3,
    }


def through_cocotb(workload: Workload) -> Run:
    """The workload in our RTL, a process a run."""
    simulator = build(workload.program.shape)

    def run(ticks: int) -> NDArray[np.int64]:
        given = workload.input(ticks)
        chip = RtlChip(simulator, backdoor=given.backdoor)
        return workload.membranes(chip.run(given.steps))

    return run


def _in_bare(workload: Workload) -> Run:
    simulator = bare.build_bare(workload.program.shape)
    return lambda ticks: workload.membranes(list(bare.play(simulator, workload.input(ticks)).steps))


def _in_icarus(workload: Workload, folder: Path) -> Run:
    def run(ticks: int) -> NDArray[np.int64]:
        given = workload.input(ticks, backdoor=False)
        return workload.membranes(list(icarus.play(workload.program.shape, given, folder).steps))

    return run


def _in_amaranth(workload: Workload, ticks: int) -> Callable[[], float]:
    """Measures CPU seconds per tick; its result is checked as well."""

    def seconds() -> float:
        given = workload.input(ticks, backdoor=False)
        played = amaranth_sim.play(workload.program.shape, given)
        found = workload.membranes(list(played.response.steps))
        _agree(workload, {AMARANTH: found}, ticks)
        last, first = played.ended[-2], played.ended[-2 - ticks]  # the read-back is behind them
        return (last - first) / ticks

    return seconds


def _cycles_per_tick(workload: Workload) -> float:
    simulator = bare.build_bare(workload.program.shape)
    few, more = (bare.play(simulator, workload.input(ticks)).cycles for ticks in (1, 3))
    return (more - few) / 2


def _agree(workload: Workload, found: dict[str, NDArray[np.int64]], ticks: int) -> None:
    """Raises `Mismatch` unless all of them have the golden model's membranes."""
    given = workload.input(ticks, backdoor=False)
    expected = workload.membranes(GoldenChip(workload.program.shape).run(given.steps))
    for name, membranes in found.items():
        if not np.array_equal(membranes, expected):
            raise Mismatch(f"{name}: membranes differ from the golden model's")


def _ns(taken: dict[str, list[float]], rows: int) -> dict[str, Any]:
    return {name: spread(seconds, 1e9 / rows) for name, seconds in taken.items()}


def _size(shape: ChipShape) -> str:
    return f"{shape.columns}x{shape.rows} cores of {shape.axons} axons x {shape.dendrites} rows"
