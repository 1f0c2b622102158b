"""Checks of what leaves a core: fan-out, the host's flits, routing, order, back-pressure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cosim.program.core_image import core_number
from cosim.program.handwritten import Destination, core, to_axons, to_host
from cosim.program.program import Program
from cosim.program.stimulus import MOST_SEED, BackPressure, Step, control, read_membranes
from cosim.verify.case.case import Case
from cosim.verify.kit.check import Check
from cosim.verify.kit.script import Script
from cosim.verify.random.programs import places, read_counters
from hw.spec import (
    FANOUT_ENTRIES,
    MAX_PAGES,
    MEMBRANE_MAX,
    ChipShape,
    Control,
    NeuronWord,
    Region,
    Register,
)

NOTHING = np.zeros(0, np.uint64)
SLOW = (128, 240)  # of 256 cycles, in which the host takes no flit


def host(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Each neuron that fires tells the host core, neuron and tick: traced, asked for, or both."""
    count = shape.dendrites
    for trace in (False, True):
        lists = [[to_host()] * (neuron % 3) for neuron in range(count)]
        fires = rng.random((len(places(shape)), count)) < 0.5
        cores = [
            core(
                x,
                y,
                np.zeros((count, shape.axons), np.bool_),
                np.where(fires[index], 1, MEMBRANE_MAX),
                bias=np.ones(count, np.int64),
                fan_out=lists,
                trace=trace,
            )
            for index, (x, y) in enumerate(places(shape))
        ]
        program = Program(shape, tuple(cores))
        steps = [control(shape, Control.RESTART), *[Step(NOTHING, go=True)] * 3]
        yield Case(program, tuple(steps))


def every_way(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Every core to every core: a spike that one neuron sends is counted once, where it belongs."""
    targets = places(shape)
    lists = {
        source: [to_axons(_axon(source, shape), x=x, y=y) for x, y in targets] for source in targets
    }
    yield _counted(shape, lists)


def rectangles(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Multicast to the whole mesh, to rows, columns and random rectangles: one copy a core."""
    lists: dict[tuple[int, int], list[Destination]] = {}
    for source in places(shape):
        boxes = [(0, 0, shape.columns - 1, shape.rows - 1)]
        for _ in range(4):
            x0, x1 = np.sort(rng.integers(0, shape.columns, 2)).tolist()
            y0, y1 = np.sort(rng.integers(0, shape.rows, 2)).tolist()
            boxes += [(x0, y0, x1, y1), (x0, 0, x0, shape.rows - 1), (0, y0, shape.columns - 1, y0)]
        lists[source] = [
            to_axons(_axon(source, shape), x=x0, y=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in boxes
        ]
    yield _counted(shape, lists)


def entries(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """A full fan-out table: one neuron has all entries but the last one, which is another's."""
    axons = rng.integers(0, shape.axons, FANOUT_ENTRIES).tolist()
    words = [to_axons(axon, x=0, y=0, page=entry % MAX_PAGES) for entry, axon in enumerate(axons)]
    x, y = shape.columns - 1, shape.rows - 1
    rows = np.zeros((2, shape.axons), np.bool_)
    lists = [words[:-1], [to_host()]]
    source = core(x, y, rows, np.ones(2, np.int64), bias=np.ones(2, np.int64), fan_out=lists)
    pages = np.ones((MAX_PAGES, 1, 1, shape.axons), np.bool_)
    listener = core(0, 0, pages, np.array([MEMBRANE_MAX]))
    cores = (source,) if shape.cores == 1 else (listener, source)
    program = Program(shape, cores)
    steps = [control(shape, Control.RESTART | Control.CLEAR_COUNTERS)]
    steps += [Step(NOTHING, go=True)] * 3
    yield Case(program, (*steps, read_membranes(program), read_counters(shape)))


def order(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Flits from one source to one destination keep their order: of many writes the last counts."""
    script = Script(shape, 1)
    for _ in range(5):
        for value in rng.integers(-(1 << 31), 1 << 31, 40).tolist():
            script.set(Register.FLOOR, value)
            script.neuron(0, threshold=MEMBRANE_MAX, bias=value)
        script.reads((Region.REGISTER, Register.FLOOR, 1), (Region.NEURON, 0, len(NeuronWord)))
    yield script.case()


def back_pressure(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """A host that is slow to take what it is sent: nothing is lost, nothing comes twice."""
    for share in SLOW:
        for case in (*every_way(shape, rng), *host(shape, rng)):
            first, *others = case.steps
            pressure = BackPressure(int(rng.integers(1, MOST_SEED)), share)
            yield replace(case, steps=(replace(first, back_pressure=pressure), *others))


def _axon(source: tuple[int, int], shape: ChipShape) -> int:
    """The axon on which a core is heard; cores that share one are not told apart by membranes."""
    return core_number(*source) % shape.axons


def _counted(shape: ChipShape, lists: Mapping[tuple[int, int], Sequence[Destination]]) -> Case:
    """Neuron 0 of every core fires once, in tick 0; neuron 1 sums what comes by its axon."""
    synapses = np.zeros((2, 8, shape.axons), np.bool_)
    bit = np.arange(shape.axons)[np.newaxis] >> np.arange(8)[:, np.newaxis] & 1
    synapses[1] = bit.astype(np.bool_)  # bit planes of the axon's number
    cores = [
        core(
            x,
            y,
            synapses,
            np.array([1, MEMBRANE_MAX]),
            (*tuple(1 << 2 * plane for plane in range(7)), 1),
            bias=np.array([1, 0]),
            fan_out=[lists[x, y], []],
            trace=True,
        )
        for x, y in lists
    ]
    program = Program(shape, tuple(cores))
    steps = [control(shape, Control.RESTART | Control.CLEAR_COUNTERS)]
    for _ in range(3):
        steps += [Step(NOTHING, go=True), read_membranes(program)]
    return Case(program, (*steps, read_counters(shape)))


MESH = (
    Check("host", "*Tick*, TRACE, FANOUT.host: what fires tells core, neuron and tick", host),
    Check("fan-out", "FANOUT_RANGE: a neuron sends to its entries, all of them, no other", entries),
    Check("every way", "*Routing*: unicast from every core to every core", every_way),
    Check("rectangles", "*Routing*: one copy to every core of a rectangle", rectangles),
    Check("order", "*Routing*: flits from one source to one destination keep their order", order),
    Check(
        "back-pressure", "*Routing*: nothing is lost while the host does not take", back_pressure
    ),
)
