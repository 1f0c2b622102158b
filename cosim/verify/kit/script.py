"""Steps written one after the other, for all cores of a chip alike."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage
from cosim.program.handwritten import core
from cosim.program.program import Program
from cosim.program.stimulus import Step, control, read, spike
from cosim.verify.case.case import Case
from cosim.verify.random.programs import MODELLED, places
from hw.spec import (
    DATA_BITS,
    FLIT,
    MEMBRANE_MAX,
    NEURON_STRIDE,
    ROW_WORDS,
    ChipShape,
    Control,
    Kind,
    NeuronWord,
    Region,
    Register,
)

MOST_READ = 4  # cores whose large memories are read back


def quiet_core(x: int, y: int, shape: ChipShape, neurons: int) -> CoreImage:
    """A core of these neurons without synapses, fan-out or bias, which never fires."""
    rows = np.zeros((neurons, shape.axons), np.bool_)
    return core(x, y, rows, np.full(neurons, MEMBRANE_MAX))


def some_places(shape: ChipShape) -> list[tuple[int, int]]:
    """The corners of the mesh, which are at most MOST_READ different cores."""
    corners = {(x, y) for x in (0, shape.columns - 1) for y in (0, shape.rows - 1)}
    return sorted(corners)[:MOST_READ]


class Script:
    """Builds a program of alike cores and the steps that a host plays.

    Flits are collected until `tick`, `reads` or `end` makes a step of them. Every write and spike
    goes to all cores.
    """

    def __init__(self, shape: ChipShape, neurons: int) -> None:
        self.shape, self.neurons = shape, neurons
        cores = tuple(quiet_core(x, y, shape, neurons) for x, y in places(shape))
        self.program = Program(shape, cores)
        self.steps: list[Step] = [control(shape, Control.RESTART | Control.CLEAR_COUNTERS)]
        self._flits: list[int] = []

    # ------------------------------------------------------------ flits
    def write(self, region: Region, offset: int, data: int) -> None:
        """A word, signed or not, to all cores."""
        word = int(data) & ((1 << DATA_BITS) - 1)
        self._flits.append(
            FLIT.pack(
                kind=int(Kind.WRITE),
                region=int(region),
                offset=offset,
                data=word,
                x1=self.shape.columns - 1,
                y1=self.shape.rows - 1,
            )
        )

    def set(self, register: int, value: int) -> None:
        """A register of all cores."""
        self.write(Region.REGISTER, register, value)

    def neuron(self, number: int, *, threshold: int, bias: int = 0) -> None:
        """A neuron's words; it sends nothing."""
        base = number * NEURON_STRIDE
        self.write(Region.NEURON, base + NeuronWord.THRESHOLD, threshold)
        self.write(Region.NEURON, base + NeuronWord.BIAS, bias)
        self.write(Region.NEURON, base + NeuronWord.FANOUT, 0)

    def biases(self, values: Sequence[int]) -> None:
        """The bias of the first neurons."""
        for number, value in enumerate(values):
            self.write(Region.NEURON, number * NEURON_STRIDE + NeuronWord.BIAS, value)

    def fan_out(self, words: Sequence[int]) -> None:
        """Stores FANOUT words from entry 0 up."""
        for entry, word in enumerate(words):
            self.write(Region.FANOUT, entry, word)

    def row(self, dendrite: int, bits: NDArray[np.bool_]) -> None:
        """A dendrite's synapses, bool [axons]."""
        words = np.packbits(bits, bitorder="little").view("<u4")
        for column, word in enumerate(words.tolist()):
            self.write(Region.SYNAPSE, dendrite * ROW_WORDS + column, word)

    def spikes(self, axons: Iterable[int], page: int = 0) -> None:
        """Spikes to these axons of all cores."""
        x1, y1 = self.shape.columns - 1, self.shape.rows - 1
        self._flits += [int(spike(int(a), x=0, y=0, x1=x1, y1=y1, page=page)) for a in axons]

    # ------------------------------------------------------------ steps
    def end(self) -> None:
        """Sends what was collected, without a tick."""
        self._step(go=False)

    def tick(self) -> None:
        """Sends what was collected, and runs a tick."""
        self._step(go=True)

    def restart(self, command: Control = Control.RESTART) -> None:
        """Sends what was collected; then the command, alone in its step."""
        if self._flits:
            self.end()
        self.steps.append(control(self.shape, command))

    def membranes(self) -> None:
        """Reads the membranes of all neurons that the program began with."""
        self.reads((Region.MEMBRANE, 0, self.neurons))

    def registers(self) -> None:
        """Reads all registers that can be read."""
        first, last = int(Register.PLANES), int(Register.TRACE)
        self.reads(
            (Region.REGISTER, first, last - first + 1),
            (Region.REGISTER, int(Register.PLANE_WEIGHT), 8),
        )

    def counters(self) -> None:
        """Reads the counters that do not depend on a micro-architecture."""
        self.reads(*((Region.COUNTER, 2 * counter, 2) for counter in MODELLED))

    def reads(
        self, *ranges: tuple[Region, int, int], of: Sequence[tuple[int, int]] | None = None
    ) -> None:
        """Sends what was collected; then READs of region, offset and count, of cores (None: all).

        A host reads only while the chip is idle, so a READ never shares a step with a WRITE.
        """
        if self._flits:
            self.end()
        self._flits = [
            int(read(region, offset, count, x=x, y=y))
            for x, y in (places(self.shape) if of is None else of)
            for region, offset, count in ranges
        ]
        self.end()

    def clear_counters(self) -> None:
        """Sets all counters of all cores to 0."""
        self.restart(Control.CLEAR_COUNTERS)

    def case(self) -> Case:
        """All of it, with what was collected last."""
        if self._flits:
            self.end()
        return Case(self.program, tuple(self.steps))

    def _step(self, *, go: bool) -> None:
        self.steps.append(Step(np.array(self._flits, np.uint64), go=go))
        self._flits = []
