"""A seeded host that reconfigures a program's cores between ticks, by the rules of `hw.spec`."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from cosim.program.core_image import CoreImage
from cosim.program.program import Program
from cosim.program.stimulus import Step, read, write
from hw.spec import (
    AXON,
    FANOUT_RANGE,
    FLIT,
    MAX_PAGES,
    MAX_PLANES,
    NEURON_STRIDE,
    PAGE_COUNTS,
    ROW_WORDS,
    Control,
    Kind,
    NeuronWord,
    Region,
    Register,
    ResetMode,
)

WORD = 1 << 32


class Rows(NamedTuple):
    """What numbers a core's rows; the registers PLANES, PAGE_SHIFT and NEURONS."""

    planes: int
    shift: int
    neurons: int

    def fit(self, dendrites: int) -> bool:
        return self.planes * PAGE_COUNTS[self.shift] * self.neurons <= dendrites


class Reconfiguration:
    """Draws what a host does to the cores of `program` between two ticks.

    It knows the rows that each core has been given, so that each `go` finds a configuration that
    fits. Flits go to one core each: what one host port sends to one core keeps its order.
    """

    def __init__(self, rng: np.random.Generator, program: Program) -> None:
        self._rng = rng
        self._shape = program.shape
        self._cores = program.cores
        self._rows = {
            core.number: Rows(core.planes, PAGE_COUNTS.index(core.pages), core.neurons)
            for core in program.cores
        }

    def steps(self) -> list[Step]:
        """Spikes that wait, writes in any order with restarts among them, reads; all may be few."""
        rng = self._rng
        steps = []
        for _ in range(int(rng.integers(1, 4))):
            flits: list[np.uint64] = []
            for core in self._cores:
                if rng.random() < 0.3:
                    flits += self._spikes(core)
                if rng.random() < 0.6:
                    flits += self._writes(core)
                if rng.random() < 0.3:
                    flits += self._spikes(core)
            steps.append(Step(np.array(flits, np.uint64), go=False))
            if rng.random() < 0.3:
                steps.append(self.read_all())
        return steps

    def read_all(self) -> Step:
        """Every membrane, whether NEURONS counts it or not, and the registers."""
        flits = [
            read(region, 0, count, x=core.x, y=core.y)
            for core in self._cores
            for region, count in (
                (Region.MEMBRANE, self._shape.dendrites),
                (Region.REGISTER, Register.PLANE_WEIGHT + MAX_PLANES),
            )
        ]
        return Step(np.array(flits, np.uint64), go=False)

    def _spikes(self, core: CoreImage) -> list[np.uint64]:
        """Spikes to any of the pages that some configuration has."""
        count = int(self._rng.integers(1, 12))
        pages = self._rng.integers(0, MAX_PAGES, count)
        axons = self._rng.integers(0, self._shape.axons, count)
        place = {"x0": core.x, "y0": core.y, "x1": core.x, "y1": core.y}
        return [
            np.uint64(FLIT.pack(kind=Kind.SPIKE, data=AXON.pack(axon=axon, page=page), **place))
            for axon, page in zip(axons, pages, strict=True)
        ]

    def _writes(self, core: CoreImage) -> list[np.uint64]:
        """Register and memory words in any order; restarts stand anywhere among them."""
        words = [*self._new_rows(core), *self._some_registers(), *self._some_memory(core)]
        for _ in range(int(self._rng.choice([0, 0, 1, 1, 2]))):
            command = Control.RESTART | Control(int(self._rng.choice([0, Control.CLEAR_COUNTERS])))
            words.append((Region.REGISTER, Register.CONTROL, int(command)))
        order = self._rng.permutation(len(words))
        return [write(*words[index], x=core.x, y=core.y) for index in order]

    def _new_rows(self, core: CoreImage) -> list[tuple[Region, int, int]]:
        rng, old = self._rng, self._rows[core.number]
        new = old
        for _ in range(20):  # most draws fit
            drawn = Rows(
                int(rng.integers(1, MAX_PLANES + 1)),
                int(rng.integers(0, len(PAGE_COUNTS))),
                int(rng.integers(0, self._shape.dendrites + 1)),
            )
            new = Rows(*(a if rng.random() < 0.5 else b for a, b in zip(old, drawn, strict=True)))
            if new.fit(self._shape.dendrites):
                break
        else:
            new = old
        self._rows[core.number] = new
        registers = (Register.PLANES, Register.PAGE_SHIFT, Register.NEURONS)
        return [
            (Region.REGISTER, register, value)
            for register, value in zip(registers, new, strict=True)
        ]

    def _some_registers(self) -> list[tuple[Region, int, int]]:
        rng = self._rng
        tick = rng.integers(0, 4, 2)
        values = {
            Register.LEAK: int(rng.integers(0, 64)),
            Register.RESET_MODE: int(rng.choice(list(ResetMode))),
            Register.NOISE_MASK: int(rng.choice([0, 0, 0xFFFF, 3])),
            Register.SEED: int(rng.integers(0, 1 << 16)),
            Register.FLOOR: int(rng.choice([-(1 << 31), -100, 0, 100])) % WORD,
            Register.FIRST_TICK: int(tick[0]) // 2,
            Register.LAST_TICK: int(tick[0] + tick[1]) if rng.random() < 0.5 else WORD - 1,
            Register.TRACE: int(rng.random() < 0.8),
            int(Register.PLANE_WEIGHT + rng.integers(0, MAX_PLANES)): int(rng.integers(-9, 10)),
        }
        return [
            (Region.REGISTER, register, value)
            for register, value in values.items()
            if rng.random() < 0.15
        ]

    def _some_memory(self, core: CoreImage) -> list[tuple[Region, int, int]]:
        """Words of any neuron and row, those that the program does not use among them."""
        rng = self._rng
        words: dict[tuple[Region, int], int] = defaultdict(int)
        for neuron in rng.integers(0, self._shape.dendrites, int(rng.integers(0, 5))):
            start, end = np.sort(rng.integers(0, len(core.fanout) + 1, 2))
            fanout = FANOUT_RANGE.pack(start=start, count=min(int(end - start), 3))
            for word, value in (
                (NeuronWord.THRESHOLD, int(rng.integers(-20, 200))),
                (NeuronWord.BIAS, int(rng.integers(-20, 200))),
                (NeuronWord.FANOUT, fanout),
            ):
                words[Region.NEURON, int(neuron) * NEURON_STRIDE + word] = value % WORD
        for row in rng.integers(0, self._shape.dendrites, int(rng.integers(0, 5))):
            column = int(rng.integers(0, self._shape.row_words))
            words[Region.SYNAPSE, int(row) * ROW_WORDS + column] = int(rng.integers(0, WORD))
        return [(region, offset, value) for (region, offset), value in words.items()]
