"""What a cycle of the RTL costs: all cores busy, and all of them asleep but one.

Two runs of the same program, one with more ticks, are subtracted: what stays is ticks alone,
without the start of the process, the loading of weights, and the read-back.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.core_image import CoreImage
from cosim.program import Program
from cosim.rtl import run_jobs
from cosim.simulator import Simulator
from cosim.stimulus import Phase, control
from hw.spec import AXON, FLIT, MEMBRANE_MAX, ChipShape, Control, Kind

PLANES = 5  # K = 4
FEW, MORE = 10, 60  # ticks of the two runs


@dataclass(frozen=True)
class Cost:
    """Marginal cost of a tick through cocotb; `ns_per_row` is per core and dendrite row.

    `cores` of the chip are busy, with `rows_per_tick` rows each.
    """

    cores: int
    rows_per_tick: int
    cycles_per_tick: float
    ms_per_tick: float
    ns_per_row: float
    ns_per_chip_cycle: float


def measure(simulator: Simulator, activity: float, seed: int) -> dict[str, dict[str, float]]:
    """Costs with all cores busy and with one; `activity` is the share of axons that spike."""
    shape = simulator.shape
    return {
        "all cores": asdict(_cost(simulator, shape.cores, activity, seed)),
        "one core": asdict(_cost(simulator, 1, activity, seed)),
    }


def _cost(simulator: Simulator, cores: int, activity: float, seed: int) -> Cost:
    rng = np.random.default_rng(seed)
    program = _busy_program(simulator.shape, cores, rng)
    seconds, cycles = [], []
    for ticks in (FEW, MORE):
        spikes = _spikes(program, activity, rng)
        phases = [control(program.shape, Control.RESTART), *[Phase(spikes, go=True)] * ticks]
        run = run_jobs(simulator, program, [phases], processes=1)
        seconds.append(run.wall_s)
        cycles.append(run.cycles)
    per_tick = (seconds[1] - seconds[0]) / (MORE - FEW)
    tick_cycles = (cycles[1] - cycles[0]) / (MORE - FEW)
    rows = program.cores[0].neurons * PLANES
    return Cost(
        cores,
        rows,
        tick_cycles,
        per_tick * 1e3,
        per_tick * 1e9 / (rows * cores),
        per_tick * 1e9 / tick_cycles,
    )


def _busy_program(shape: ChipShape, cores: int, rng: np.random.Generator) -> Program:
    """Cores full of random synapses, half of them set, whose neurons never fire."""
    neurons = shape.dendrites // PLANES
    synapses = rng.random((neurons, 1, PLANES, shape.axons)) < 0.5
    images = [
        CoreImage(
            x=number % shape.columns,
            y=number // shape.columns,
            planes=PLANES,
            plane_weights=(16, 8, 4, 2, -15),
            pages=1,
            neurons=neurons,
            leak=1,
            synapses=synapses,
            threshold=np.full(neurons, MEMBRANE_MAX, np.int32),
            bias=np.zeros(neurons, np.int32),
            fanout_start=np.zeros(neurons, np.int64),
            fanout_count=np.zeros(neurons, np.int64),
            fanout=np.zeros(0, np.uint32),
        )
        for number in range(cores)
    ]
    return Program(shape, tuple(images))


def _spikes(program: Program, activity: float, rng: np.random.Generator) -> NDArray[np.uint64]:
    """The same axons of every core, row by row: one multicast flit an axon and row."""
    shape = program.shape
    axons = rng.permutation(shape.axons)[: round(activity * shape.axons)].astype(np.uint64)
    last = max(core.x for core in program.cores)
    flits = [
        FLIT.pack(kind=int(Kind.SPIKE), x1=last, y0=y, y1=y, data=AXON.pack(axon=axons))
        for y in sorted({core.y for core in program.cores})
    ]
    return np.concatenate(flits)
