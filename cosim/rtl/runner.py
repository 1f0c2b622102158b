"""Simulators as runners: a program is loaded, stimuli are played, and the counters are read.

Which simulator plays is all the same here: Verilator, Icarus Verilog or Amaranth's own.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cosim.program.packing import packed
from cosim.program.program import Program, configuration
from cosim.program.runner import Advance, Run, Stimulus, Totals, unheard
from cosim.program.stimulus import Step, read
from cosim.rtl import simulation
from cosim.rtl.design.design import Design
from cosim.rtl.played import SimulatorInput, SimulatorOutput, Trace
from cosim.rtl.simulator.build import Simulator, build
from hw.spec import (
    FANOUT_ENTRIES,
    FLIT,
    NEURON_STRIDE,
    ROW_WORDS,
    ChipShape,
    Counter,
    Kind,
    NeuronWord,
    Region,
)

Play = Callable[[SimulatorInput, Advance], SimulatorOutput]  # what a simulator does with its input


@dataclass(frozen=True)
class RtlRunner:
    """Runs programs on whatever plays them, from power-up each time.

    Attributes:
        play: the simulator; it says how many stimuli more are finished.
        back_door: memories are stored at once, and take no time; registers, and without a back door
            all of it, are loaded as packets through the mesh.
        clears: all memories are written with 0 first; what they hold at power-up, `hw.spec` leaves
            open.
        packs: spikes of one group of axons are sent together, which takes fewer cycles; a user's
            RTL need not take them.
    """

    play: Play
    back_door: bool = True
    clears: bool = False
    packs: bool = False

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        """The response to each stimulus, as `cosim.program.runner.Runner` has it.

        Raises `SimulationError` if the simulator ends early, and `Mismatch` when the RTL hangs.
        """
        if not stimuli:
            return Run([])
        start = time.monotonic()
        flits = configuration(program)
        stored = (FLIT.get(flits, "region") != Region.REGISTER) & self.back_door
        loading = [Step(zeros(program.shape), go=False)] if self.clears else []
        loading.append(Step(flits[~stored], go=False))
        reading = [Step(_counter_reads(program.shape), go=False)]
        steps = (*loading, *(step for each in stimuli for step in each), *reading)
        if self.packs:
            played = packed([step.flits for step in steps])
            pairs = zip(steps, played, strict=True)
            steps = tuple(replace(step, flits=flits) for step, flits in pairs)
        lengths = np.array([len(each) for each in stimuli], np.int64)
        lengths[0] += len(loading)
        answer = self.play(SimulatorInput(steps, lengths, flits[stored]), advance)
        ends = np.cumsum(lengths).tolist()
        begins = [len(loading), *ends[:-1]]
        responses = [list(answer.steps[a:b]) for a, b in zip(begins, ends, strict=True)]
        counters = _counts(program.shape, answer.steps[-1])
        took = time.monotonic() - start
        return Run(responses, Totals(answer.cycles, answer.ticks, took, counters))


def verilator(simulator: Simulator, *, front_door: bool = False) -> RtlRunner:
    """The runner of a simulator that is built; one without a back door needs none."""
    return RtlRunner(
        lambda given, advance: simulation.play(simulator, given, advance),
        simulator.back_door and not front_door,
        packs=simulator.packs,
    )


def verilated(
    shape: ChipShape, design: Design | None = None, *, front_door: bool = False
) -> RtlRunner:
    """The runner of our RTL, or a user's; its simulator comes from the cache, or is built now."""
    return verilator(build(shape, design=design), front_door=front_door)


def zeros(shape: ChipShape) -> NDArray[np.uint64]:
    """The WRITE flits (uint64 [n]) that set all words of the memories of all cores to 0."""
    neurons, rows = np.arange(shape.dendrites), np.arange(shape.dendrites)
    words = {
        Region.SYNAPSE: np.add.outer(rows * ROW_WORDS, np.arange(shape.row_words)),
        Region.NEURON: np.add.outer(neurons * NEURON_STRIDE, np.array(list(NeuronWord))),
        Region.FANOUT: np.arange(FANOUT_ENTRIES),
    }
    flits = [
        FLIT.pack(
            kind=int(Kind.WRITE),
            region=int(region),
            offset=offsets.ravel().astype(np.uint64),
            x1=shape.columns - 1,
            y1=shape.rows - 1,
        )
        for region, offsets in words.items()
    ]
    return np.concatenate(flits).astype(np.uint64)


def traced(shape: ChipShape, trace: Trace, design: Design | None = None) -> RtlRunner:
    """The runner of our RTL, or a core of a user's, that records waves: another simulator."""
    simulator = build(shape, design=design, traced=True)
    return RtlRunner(
        lambda given, advance: simulation.play(simulator, given, advance, trace),
        simulator.back_door,
        packs=simulator.packs,
    )


def _counter_reads(shape: ChipShape) -> NDArray[np.uint64]:
    """READs of all counters of all cores."""
    words = 2 * len(Counter)
    flits = [
        read(Region.COUNTER, 0, words, x=x, y=y)
        for y in range(shape.rows)
        for x in range(shape.columns)
    ]
    return np.array(flits, np.uint64)


def _counts(shape: ChipShape, replies: NDArray[np.uint64]) -> dict[Counter, NDArray[np.int64]]:
    """Counters, int64 [mesh row, mesh column], from their low and high words."""
    x, y = (FLIT.get(replies, name).astype(np.int64) for name in ("x0", "y0"))
    offset, data = (FLIT.get(replies, name).astype(np.int64) for name in ("offset", "data"))
    totals = {counter: np.zeros((shape.rows, shape.columns), np.int64) for counter in Counter}
    for counter, total in totals.items():
        for half, shift in ((0, 0), (1, 32)):
            mine = offset == 2 * counter + half
            total[y[mine], x[mine]] += data[mine] << shift
    return totals
