"""What the chip is given to do while its simulators are timed: cores full of synapses, and spikes.

Every simulator gets the same flits and must leave the same membranes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage, core_number
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Observation, Step, control, decode, read_membranes
from cosim.rtl.played import SimulatorInput
from hw.spec import AXON, FLIT, MEMBRANE_MAX, ChipShape, Control, Kind, Region

WEIGHTS = (16, 8, 4, 2, -15)  # K = 4 bits


@dataclass(frozen=True, eq=False)
class Workload:
    """Ticks of `program`, before each of which the host sends `spikes` (uint64 [n])."""

    program: Program
    spikes: NDArray[np.uint64]

    @property
    def rows(self) -> int:
        """Dendrite rows that all cores together read in a tick."""
        return sum(core.neurons * core.planes * core.pages for core in self.program.cores)

    @cached_property
    def loading(self) -> NDArray[np.uint64]:
        """The WRITE flits of the program, uint64 [n]."""
        return configuration(self.program)

    def steps(self, ticks: int) -> list[Step]:
        """Restart, so many ticks, and the membranes."""
        restart = control(self.program.shape, Control.RESTART)
        return [restart, *[Step(self.spikes, go=True)] * ticks, read_membranes(self.program)]

    def input(self, ticks: int, *, backdoor: bool = True) -> SimulatorInput:
        """The same behind the loading, of memories through the back door or the front door."""
        stored = (FLIT.get(self.loading, "region") != Region.REGISTER) & backdoor
        steps = (Step(self.loading[~stored], go=False), *self.steps(ticks))
        return SimulatorInput(steps, np.array([len(steps)], np.int64), self.loading[stored])

    def membranes(self, responses: list[NDArray[np.uint64]]) -> NDArray[np.int64]:
        """Membranes, int64 [cores, neurons], in HOST flits that came back."""
        return self.membranes_of(decode(responses))

    def membranes_of(self, seen: Observation) -> NDArray[np.int64]:
        """Membranes, int64 [cores, neurons]; `ValueError` where one is missing."""
        neurons = self.program.cores[0].neurons
        order = {core.number: index for index, core in enumerate(self.program.cores)}
        core, neuron, value = seen.membranes.T
        if len(value) != len(order) * neurons:
            raise ValueError(f"{len(value)} membranes came back of {len(order) * neurons}")
        found = np.zeros((len(order), neurons), np.int64)
        found[[order[int(number)] for number in core], neuron] = value
        return found


def busy(
    shape: ChipShape,
    cores: int,
    activity: float,
    seed: int,
    plane_weights: tuple[int, ...] = WEIGHTS,
) -> Workload:
    """The first `cores` cores full of random synapses, half of them set; no neuron ever fires.

    `activity` is the share of each core's axons that spike in every tick.
    """
    rng = np.random.default_rng(seed)
    planes = len(plane_weights)
    neurons = shape.dendrites // planes
    images = [
        CoreImage(
            x=number % shape.columns,
            y=number // shape.columns,
            planes=planes,
            plane_weights=plane_weights,
            pages=1,
            neurons=neurons,
            leak=1,
            synapses=rng.random((1, neurons, planes, shape.axons)) < 0.5,
            threshold=np.full(neurons, MEMBRANE_MAX, np.int32),
            bias=np.zeros(neurons, np.int32),
            fanout_start=np.zeros(neurons, np.int64),
            fanout_count=np.zeros(neurons, np.int64),
            fanout=np.zeros(0, np.uint32),
        )
        for number in range(cores)
    ]
    program = Program(shape, tuple(sorted(images, key=lambda core: core_number(core.x, core.y))))
    return at_activity(Workload(program, np.zeros(0, np.uint64)), activity, seed)


def at_activity(workload: Workload, activity: float, seed: int) -> Workload:
    """The same program with another share of axons spiking."""
    axons = workload.program.shape.axons
    rng = np.random.default_rng(seed)
    spiking = rng.permutation(axons)[: round(activity * axons)].astype(np.uint64)
    return Workload(workload.program, _multicast(workload.program, spiking))


def first_core(workload: Workload) -> Workload:
    """The same for core (0, 0) alone."""
    program = Program(workload.program.shape, workload.program.cores[:1])
    axons = np.flatnonzero(axon_bits(workload)).astype(np.uint64)
    return Workload(program, _multicast(program, axons))


def axon_bits(workload: Workload) -> NDArray[np.bool_]:
    """The axons of a core that spike in every tick, bool [axons]: those of core (0, 0)."""
    bits = np.zeros(workload.program.shape.axons, np.bool_)
    bits[AXON.get(FLIT.get(workload.spikes, "data"), "axon").astype(np.int64)] = True
    return bits


def _multicast(program: Program, axons: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same axons of every core, row by row: one multicast flit an axon and row."""
    last = max(core.x for core in program.cores)
    flits = [
        FLIT.pack(kind=int(Kind.SPIKE), x1=last, y0=y, y1=y, data=AXON.pack(axon=axons))
        for y in sorted({core.y for core in program.cores})
    ]
    return np.concatenate(flits)
