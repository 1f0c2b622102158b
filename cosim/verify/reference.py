"""The chip in loops over single neurons, planes and axons: slow, and close to the rules' words.

Shares nothing with the golden model but the formats of `hw.spec`.
"""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.program.stimulus import Step
from hw.spec import (
    AXON,
    AXON_GROUP,
    DATA_BITS,
    FANOUT,
    FANOUT_RANGE,
    FLIT,
    FLOOR_NONE,
    LEAK,
    LFSR_TAPS,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    ROW_WORDS,
    ChipShape,
    Control,
    Counter,
    Kind,
    NeuronWord,
    Region,
    Register,
    ResetMode,
)


def signed(word: int, bits: int) -> int:
    word &= (1 << bits) - 1
    return word - (1 << bits) if word >> (bits - 1) else word


def saturate(v: int) -> int:
    return min(max(v, MEMBRANE_MIN), MEMBRANE_MAX)


class SlowCore:
    def __init__(self, x: int, y: int, axons: int) -> None:
        self.x, self.y, self.axons = x, y, axons
        self.memory: dict[Region, defaultdict[int, int]] = {
            region: defaultdict(int)
            for region in (Region.SYNAPSE, Region.NEURON, Region.FANOUT, Region.REGISTER)
        }
        self.reset()

    def reset(self) -> None:
        """Registers and all that a tick changes as after power-up; the memories stay."""
        registers = self.memory[Region.REGISTER]
        registers.clear()
        registers[Register.PLANES] = registers[Register.SEED] = 1
        registers[Register.FLOOR] = FLOOR_NONE & 0xFFFFFFFF
        registers[Register.LAST_TICK] = 0xFFFFFFFF
        self.membrane: defaultdict[int, int] = defaultdict(int)
        self.lfsr = 1
        self.tick = 0
        self.arrived: set[tuple[int, int]] = set()  # page, axon
        self.counter: Tally[Counter] = Tally()

    def register(self, which: int) -> int:
        return self.memory[Region.REGISTER][which]

    def take_spike(self, page: int, axon: int) -> None:
        if page < 1 << self.register(Register.PAGE_SHIFT):
            self.arrived.add((page, axon))
            self.counter[Counter.SPIKES_IN] += 1

    def write(self, region: Region, offset: int, data: int) -> None:
        if region != Region.REGISTER or offset != Register.CONTROL:
            self.memory[region][offset] = data
            return
        if data & Control.RESTART:
            self.tick = 0
            self.membrane.clear()
            self.lfsr = self.register(Register.SEED)
            self.arrived = set()
        if data & Control.CLEAR_COUNTERS:
            self.counter.clear()

    def read(self, region: Region, offset: int) -> int:
        if region == Region.MEMBRANE:
            used = offset < self.register(Register.NEURONS)
            return self.membrane[offset] & 0xFFFFFFFF if used else 0
        if region == Region.COUNTER:
            return self.counter[Counter(offset // 2)] >> (32 * (offset % 2)) & 0xFFFFFFFF
        if region == Region.REGISTER and offset >= Register.PLANE_WEIGHT:
            return signed(self.memory[region][offset], 16) & 0xFFFFFFFF
        return self.memory[region][offset]

    def go(self) -> list[int]:
        """One tick; the neurons that fired."""
        consumed, self.arrived = self.arrived, set()
        fired = []
        first, last = self.register(Register.FIRST_TICK), self.register(Register.LAST_TICK)
        if first <= self.tick < last:
            neurons = range(self.register(Register.NEURONS))
            fired = [n for n in neurons if self.update(n, consumed)]
        self.tick += 1
        self.counter[Counter.TICKS] += 1
        self.counter[Counter.SPIKES_OUT] += len(fired)
        return fired

    def update(self, n: int, consumed: set[tuple[int, int]]) -> bool:
        current = 0
        planes, neurons = self.register(Register.PLANES), self.register(Register.NEURONS)
        for f in range(1 << self.register(Register.PAGE_SHIFT)):
            for p in range(planes):
                dendrite = (f * neurons + n) * planes + p
                for page, axon in consumed:
                    word = self.memory[Region.SYNAPSE][dendrite * ROW_WORDS + axon // 32]
                    if page == f and word >> axon % 32 & 1:
                        current += signed(self.register(Register.PLANE_WEIGHT + p), 16)
                        self.counter[Counter.SYNAPTIC_OPS] += 1
        threshold = signed(self.memory[Region.NEURON][n * 4 + NeuronWord.THRESHOLD], 32)
        bias = signed(self.memory[Region.NEURON][n * 4 + NeuronWord.BIAS], 32)
        v = self.membrane[n]
        leak = self.register(Register.LEAK)
        if LEAK.get(leak, "enable"):
            v = v - v // 2 ** LEAK.get(leak, "shift")  # // rounds down, as an arithmetic shift
        v = saturate(v + current + bias)
        fired: bool = v >= threshold + (self.lfsr & self.register(Register.NOISE_MASK))
        if fired and self.register(Register.RESET_MODE) == ResetMode.ZERO:
            v = 0
        if fired and self.register(Register.RESET_MODE) == ResetMode.SUBTRACT:
            v = saturate(v - threshold)
        self.membrane[n] = max(v, signed(self.register(Register.FLOOR), 32))
        lowest = self.lfsr % 2
        self.lfsr = self.lfsr // 2 ^ (LFSR_TAPS if lowest else 0)
        return fired


class ReferenceChip:
    def __init__(self, shape: ChipShape) -> None:
        self.cores = {
            (x, y): SlowCore(x, y, shape.axons)
            for x in range(shape.columns)
            for y in range(shape.rows)
        }

    def run(self, steps: Sequence[Step]) -> list[NDArray[np.uint64]]:
        return [np.array(self.step(step), np.uint64) for step in steps]

    def step(self, step: Step) -> list[int]:
        out = []
        for flit in step.flits:
            out += self.inject(int(flit))
        if step.go:
            out += self.go()
        if step.reset_after is not None:
            for core in self.cores.values():
                core.reset()
            return []
        return out

    def rectangle(self, x0: int, y0: int, x1: int, y1: int) -> list[SlowCore]:
        return [self.cores[x, y] for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]

    def inject(self, flit: int) -> list[int]:
        x0, y0, x1, y1, kind, region, offset, data = (
            int(FLIT.get(flit, name))
            for name in ("x0", "y0", "x1", "y1", "kind", "region", "offset", "data")
        )
        replies = []
        for core in self.rectangle(x0, y0, x1, y1):
            if kind == Kind.SPIKE and region == Region.AXONS:
                page, group = AXON_GROUP.get(offset, "page"), AXON_GROUP.get(offset, "group")
                for bit in range(DATA_BITS):
                    if data >> bit & 1:
                        core.take_spike(page, group * DATA_BITS + bit)
            elif kind == Kind.SPIKE:
                core.take_spike(AXON.get(data, "page"), AXON.get(data, "axon"))
            elif kind == Kind.WRITE:
                core.write(Region(region), offset, data)
            elif kind == Kind.READ:
                for where in range(offset, offset + data):
                    replies.append(self.host(core, region, where, core.read(Region(region), where)))
        return replies

    def go(self) -> list[int]:
        out = []
        tick = {core: core.tick for core in self.cores.values()}
        fired = {core: core.go() for core in self.cores.values()}
        for core, neurons in fired.items():
            for n in neurons:
                if core.register(Register.TRACE):
                    out.append(self.host(core, Region.SPIKE, n, tick[core]))
                where = core.memory[Region.NEURON][n * 4 + NeuronWord.FANOUT]
                start, count = FANOUT_RANGE.get(where, "start"), FANOUT_RANGE.get(where, "count")
                for entry in range(start, start + count):
                    word = core.memory[Region.FANOUT][entry]
                    if FANOUT.get(word, "host"):
                        out.append(self.host(core, Region.SPIKE, n, tick[core]))
                        continue
                    corners = (FANOUT.get(word, name) for name in ("x0", "y0", "x1", "y1"))
                    for target in self.rectangle(*corners):
                        target.take_spike(FANOUT.get(word, "page"), FANOUT.get(word, "axon"))
        return out

    @staticmethod
    def host(core: SlowCore, region: int, offset: int, data: int) -> int:
        return int(
            FLIT.pack(
                kind=int(Kind.HOST),
                x0=core.x,
                y0=core.y,
                region=int(region),
                offset=offset,
                data=data,
            )
        )
