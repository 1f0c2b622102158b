"""Seeded random programs and stimulus that reach every register's extremes.

Shared by the tests of the golden model and those of the RTL.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import ALWAYS, CoreImage
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read, read_membranes
from cosim.verify.random.reconfiguration import Reconfiguration
from hw.spec import (
    AXON,
    FANOUT,
    FLIT,
    FLOOR_NONE,
    MAX_PAGES,
    MAX_PLANES,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    PAGE_COUNTS,
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

MODELLED = (Counter.TICKS, Counter.SPIKES_IN, Counter.SPIKES_OUT, Counter.SYNAPTIC_OPS)
WEIGHTS = (-32768, 32767, -1, 1, 0)
NOISE = (0, 0, 0xFFFF, 1, 0x8000, 0x00FF)
SEEDS = (0, 1, 0xFFFF, 0x8000)
FLOORS = (FLOOR_NONE, FLOOR_NONE, -1, 0, 1, MEMBRANE_MAX, MEMBRANE_MAX - (1 << 14))
DENSITIES = (0.0, 0.02, 0.3, 0.5, 1.0)
TICKS = 4  # windows are drawn around so many ticks
MOST_FANOUT = 600  # entries of a core, but for the rare one that fills its table
SMALL = ChipShape(2, 2, 128, 64)  # of programs that run one after the other


def places(shape: ChipShape) -> list[tuple[int, int]]:
    """Column and row of every core."""
    return [(x, y) for y in range(shape.rows) for x in range(shape.columns)]


def program_after_program(seed: int) -> list[Step]:
    """Steps for SMALL: four random programs one after the other, loaded through the front door."""
    rng = np.random.default_rng(seed)
    steps: list[Step] = []
    for _ in range(4):
        program = random_program(rng, SMALL)
        steps.append(Step(configuration(program), go=False))
        steps += random_steps(rng, program, ticks=5)
    return steps


def random_core(rng: np.random.Generator, x: int, y: int, shape: ChipShape) -> CoreImage:
    """A core that is valid on this shape; each register is at one of its extremes often."""
    planes, pages = _planes_and_pages(rng, shape)
    most = shape.dendrites // (planes * pages)
    some = int(rng.integers(1, most + 1))
    neurons = int(rng.choice([0, 1, most, some], p=[0.05, 0.2, 0.5, 0.25]))
    scale = int(rng.choice([4, 1 << 10, 1 << 15]))  # so that some cores stay far from saturation
    weights = tuple(
        int(rng.choice(WEIGHTS)) if rng.random() < 0.4 else int(rng.integers(-scale, scale))
        for _ in range(planes)
    )
    count = _fanout_counts(rng, neurons)
    first, last = _window(rng)
    return CoreImage(
        x=x,
        y=y,
        planes=planes,
        plane_weights=weights,
        pages=pages,
        neurons=neurons,
        leak=None if rng.random() < 0.2 else int(rng.integers(0, 32)),
        reset=ResetMode(int(rng.integers(0, len(ResetMode)))),
        noise_mask=_often(rng, NOISE, 1 << 16),
        seed=_often(rng, SEEDS, 1 << 16),
        floor=int(rng.choice(FLOORS)) if rng.random() < 0.7 else int(rng.integers(-1000, 1000)),
        first_tick=first,
        last_tick=last,
        trace=bool(rng.random() < 0.8),
        synapses=rng.random((pages, neurons, planes, shape.axons)) < rng.choice(DENSITIES),
        threshold=_membrane_values(rng, neurons, scale),
        bias=_membrane_values(rng, neurons, scale),
        fanout_start=np.cumsum(count) - count,
        fanout_count=count,
        fanout=_fanout(rng, int(count.sum()), x, y, shape),
    )


def random_program(rng: np.random.Generator, shape: ChipShape) -> Program:
    """Cores that fire at each other, at themselves and at the host; one in six places is empty."""
    used = [place for place in places(shape) if shape.cores == 1 or rng.random() > 1 / 6]
    return Program(shape, tuple(random_core(rng, x, y, shape) for x, y in used))


def random_steps(
    rng: np.random.Generator, program: Program, ticks: int, *, reconfigure: bool = True
) -> list[Step]:
    """Restart, `ticks` ticks of random spikes, and all that can be read back afterwards.

    Now and then membranes are read, the chip restarted and, with `reconfigure`, its cores given
    other registers and memories in between. The program's own do not come back then.
    """
    host = Reconfiguration(rng, program)
    shape = program.shape
    steps = [control(shape, Control.RESTART | Control.CLEAR_COUNTERS)]
    for _ in range(ticks):
        steps.append(Step(_random_spikes(rng, program), go=True))
        if rng.random() < 0.2:
            steps.append(read_membranes(program))
        if rng.random() < 0.1:
            pending = _random_spikes(rng, program)
            steps += [Step(pending, go=False), control(shape, Control(int(rng.integers(1, 4))))]
        if reconfigure and rng.random() < 0.3:
            steps += host.steps()
    return [*steps, read_membranes(program), read_counters(shape), _random_reads(rng, program)]


def read_counters(shape: ChipShape) -> Step:
    """Both words of the modelled counters of every core, whether the program uses it or not."""
    flits = [
        read(Region.COUNTER, 2 * counter, 2, x=x, y=y)
        for x, y in places(shape)
        for counter in MODELLED
    ]
    return Step(np.array(flits, np.uint64), go=False)


def _planes_and_pages(rng: np.random.Generator, shape: ChipShape) -> tuple[int, int]:
    while True:
        planes, pages = int(rng.integers(1, MAX_PLANES + 1)), int(rng.choice(PAGE_COUNTS))
        if planes * pages <= shape.dendrites:
            return planes, pages


def _often(rng: np.random.Generator, extremes: tuple[int, ...], end: int) -> int:
    return int(rng.choice(extremes)) if rng.random() < 0.6 else int(rng.integers(0, end))


def _window(rng: np.random.Generator) -> tuple[int, int]:
    first = int(rng.integers(0, TICKS))
    windows = [ALWAYS, ALWAYS, (0, 0), (first, first), (first, first + 1), (first, TICKS), (3, 1)]
    return windows[rng.integers(0, len(windows))]


def _membrane_values(rng: np.random.Generator, neurons: int, scale: int) -> NDArray[np.int32]:
    """Mostly moderate; some cores, and some neurons of any core, at the ends of 32 bits."""
    values = rng.integers(-4 * scale, 16 * scale, neurons)
    ends = (MEMBRANE_MIN, MEMBRANE_MAX, MEMBRANE_MIN + 1, MEMBRANE_MAX // 2, 0)
    extreme = rng.random(neurons) < rng.choice([0.0, 0.1, 1.0], p=[0.4, 0.4, 0.2])
    values[extreme] = rng.choice(ends, int(extreme.sum()))
    return values.astype(np.int32)


def _fanout_counts(rng: np.random.Generator, neurons: int) -> NDArray[np.int64]:
    """Entries per neuron: 0, 1 or many."""
    budget = int(MOST_FANOUT if rng.random() < 0.9 else 4000)
    count = rng.choice([0, 1, 1, 2, int(rng.integers(3, 40))], neurons)
    count[np.cumsum(count) > budget] = 0
    return count.astype(np.int64)


def _fanout(
    rng: np.random.Generator, entries: int, x: int, y: int, shape: ChipShape
) -> NDArray[np.uint32]:
    """Entries to one core, itself, a rectangle, the host; some to pages that are not there."""
    x0, x1 = np.sort(rng.integers(0, shape.columns, (2, entries)), axis=0)
    y0, y1 = np.sort(rng.integers(0, shape.rows, (2, entries)), axis=0)
    sort = rng.random(entries)
    single, own, host = sort < 0.5, sort < 0.15, sort > 0.85
    x1[single], y1[single] = x0[single], y0[single]
    x0[own], x1[own], y0[own], y1[own] = x, x, y, y
    fields: dict[str, Any] = {
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "axon": rng.integers(0, shape.axons, entries),
        "page": np.where(rng.random(entries) < 0.5, 0, rng.integers(0, MAX_PAGES, entries)),
        "host": host,
    }
    words = FANOUT.pack(**{name: value.astype(np.uint64) for name, value in fields.items()})
    return np.asarray(words, np.uint32).reshape(entries)


def _random_spikes(rng: np.random.Generator, program: Program) -> NDArray[np.uint64]:
    """No, few, many or all axons of the cores, unicast and multicast, some twice, in any order."""
    shape = program.shape
    density = float(rng.choice([0.0, 0.01, 0.2, 1.0], p=[0.15, 0.35, 0.4, 0.1]))
    flits = [_all_multicast(rng, shape, density)] if rng.random() < 0.5 else []
    for core in program.cores:
        page, axon = np.nonzero(rng.random((core.pages, shape.axons)) < density)
        extra = rng.integers(0, 4)  # anywhere, often to a page that the core does not have
        page = np.concatenate([page, rng.integers(0, MAX_PAGES, extra)])
        axon = np.concatenate([axon, rng.integers(0, shape.axons, extra)])
        flits.append(_spike_flits(page, axon, core.x, core.y, core.x, core.y))
    spikes = np.concatenate([np.zeros(0, np.uint64), *flits])
    twice = spikes[rng.random(len(spikes)) < 0.1]
    return rng.permutation(np.concatenate([spikes, twice]))


def _all_multicast(
    rng: np.random.Generator, shape: ChipShape, density: float
) -> NDArray[np.uint64]:
    """Spikes on page 0 to a random rectangle."""
    axon = np.flatnonzero(rng.random(shape.axons) < density)
    x0, x1 = np.sort(rng.integers(0, shape.columns, 2))
    y0, y1 = np.sort(rng.integers(0, shape.rows, 2))
    return _spike_flits(np.zeros_like(axon), axon, int(x0), int(y0), int(x1), int(y1))


def _spike_flits(
    page: NDArray[np.int64], axon: NDArray[np.int64], x0: int, y0: int, x1: int, y1: int
) -> NDArray[np.uint64]:
    word = AXON.pack(axon=axon.astype(np.uint64), page=page.astype(np.uint64))
    flits = FLIT.pack(kind=int(Kind.SPIKE), data=word, x0=x0, y0=y0, x1=x1, y1=y1)
    return np.asarray(flits, np.uint64).reshape(len(axon))


def _random_reads(rng: np.random.Generator, program: Program) -> Step:
    """Parts of all memories of a few cores, with words that nothing has written."""
    shape = program.shape
    flits = []
    for _ in range(3):
        x, y = int(rng.integers(0, shape.columns)), int(rng.integers(0, shape.rows))
        row, neuron = rng.integers(0, shape.dendrites, 2)
        entry = int(rng.integers(0, 4000))
        flits += [
            read(Region.REGISTER, 0, Register.PLANE_WEIGHT + MAX_PLANES, x=x, y=y),
            read(Region.SYNAPSE, int(row) * ROW_WORDS, shape.row_words, x=x, y=y),
            read(Region.NEURON, int(neuron) * 4, len(NeuronWord), x=x, y=y),
            read(Region.FANOUT, entry, 5, x=x, y=y),
            read(Region.MEMBRANE, 0, shape.dendrites, x=x, y=y),
        ]
    return Step(np.array(flits, np.uint64), go=False)
