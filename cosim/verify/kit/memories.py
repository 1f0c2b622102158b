"""Checks of reset, of the register map, and of what each memory gives back."""

from collections.abc import Iterator

import numpy as np

from cosim.program.program import Program
from cosim.program.stimulus import Step, read
from cosim.verify.case.case import Case
from cosim.verify.kit.check import Check
from cosim.verify.kit.script import Script, some_places
from cosim.verify.random.programs import MODELLED, places
from hw.spec import (
    DATA_BITS,
    FANOUT,
    FANOUT_ENTRIES,
    FANOUT_RANGE,
    MAX_PLANES,
    NEURON_STRIDE,
    REGISTERS,
    ROW_WORDS,
    ChipShape,
    NeuronWord,
    Region,
    Register,
)

WORDS = (0, (1 << DATA_BITS) - 1, 0x5555_5555, 0xAAAA_AAAA)


def reset(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Registers, membranes and counters of a chip that has only come out of reset."""
    flits = [
        flit
        for x, y in places(shape)
        for flit in (
            read(Region.REGISTER, int(Register.PLANES), 11, x=x, y=y),
            read(Region.REGISTER, int(Register.PLANE_WEIGHT), MAX_PLANES, x=x, y=y),
            read(Region.MEMBRANE, 0, shape.dendrites, x=x, y=y),
            *(read(Region.COUNTER, 2 * counter, 2, x=x, y=y) for counter in MODELLED),
        )
    ]
    yield Case(Program(shape, ()), (Step(np.array(flits, np.uint64), go=False),))


def registers(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Each register at its least and largest value, at single bits, and among its neighbours."""
    script = Script(shape, 1)
    for which, form in REGISTERS.items():
        if which == Register.CONTROL:
            continue
        bits = [1 << bit for bit in range(form.bits - form.signed)]
        inside = [value for value in bits if value <= form.most]
        for value in (form.most, form.least, *inside):
            script.set(which, value)
            script.reads((Region.REGISTER, which, 1), of=some_places(shape))
        script.registers()
        script.set(which, form.reset)
    yield script.case()


def synapses(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Every word of the synapse SRAM with a pattern of its own, then with the complement."""
    words = rng.integers(0, 1 << DATA_BITS, (shape.dendrites, shape.row_words), np.int64)
    script = Script(shape, 0)
    for flip in (0, (1 << DATA_BITS) - 1):
        for dendrite, row in enumerate(words ^ flip):
            for column, word in enumerate(row.tolist()):
                script.write(Region.SYNAPSE, dendrite * ROW_WORDS + column, word)
        rows = range(shape.dendrites)
        ranges = ((Region.SYNAPSE, row * ROW_WORDS, shape.row_words) for row in rows)
        script.reads(*ranges, of=some_places(shape))
    yield script.case()


def neuron_words(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Threshold, bias and fan-out of every neuron with a value of its own."""
    script = Script(shape, 0)
    for neuron in range(shape.dendrites):
        base = neuron * NEURON_STRIDE
        for word in (NeuronWord.THRESHOLD, NeuronWord.BIAS):
            value = int(rng.choice(WORDS)) if neuron % 8 == 0 else int(rng.integers(1 << DATA_BITS))
            script.write(Region.NEURON, base + word, value)
        span = int(rng.integers(1 << FANOUT_RANGE.width))
        script.write(Region.NEURON, base + NeuronWord.FANOUT, span)
    words = len(NeuronWord)
    ranges = ((Region.NEURON, neuron * NEURON_STRIDE, words) for neuron in range(shape.dendrites))
    script.reads(*ranges, of=some_places(shape))
    yield script.case()


def fan_out(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Every fan-out entry with a value of its own, then with the complement."""
    words = rng.integers(0, 1 << FANOUT.width, FANOUT_ENTRIES)
    script = Script(shape, 0)
    for flip in (0, (1 << FANOUT.width) - 1):
        script.fan_out((words ^ flip).tolist())
        script.reads((Region.FANOUT, 0, FANOUT_ENTRIES), of=some_places(shape))
    yield script.case()


def counters(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Ticks, spikes in and out, synaptic operations: counted, kept over RESTART, cleared."""
    count = min(shape.dendrites, 16)
    script = Script(shape, count)
    script.set(Register.TRACE, 1)
    for neuron in range(count):
        script.neuron(neuron, threshold=neuron)
        script.row(neuron, rng.random(shape.axons) < neuron / count)
    for density in (0.0, 0.1, 1.0):
        script.spikes(np.flatnonzero(rng.random(shape.axons) < density))
        script.spikes([0, 0])
        script.tick()
        script.counters()
    script.restart()
    script.counters()
    script.clear_counters()
    script.counters()
    yield script.case()


MEMORIES = (
    Check("reset", "*Reset*: registers as listed in REGISTERS, membranes and counters 0", reset),
    Check("registers", "REGISTERS: each register holds its range, and no other one's", registers),
    Check("synapse memory", "Region.SYNAPSE: offset = dendrite * ROW_WORDS + word", synapses),
    Check("neuron memory", "Region.NEURON: offset = neuron * NEURON_STRIDE + word", neuron_words),
    Check("fan-out memory", "Region.FANOUT: offset = entry", fan_out),
)

COUNTERS = (Check("counters", "Counter: ticks, spikes in and out, synaptic operations", counters),)
