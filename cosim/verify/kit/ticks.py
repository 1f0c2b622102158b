"""Checks of a tick: the rule of a neuron, term by term, each at its extremes."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from cosim.verify.case.case import Case
from cosim.verify.kit.check import Check
from cosim.verify.kit.script import Script
from hw.spec import (
    FLOOR_NONE,
    LEAK,
    LEAK_BITS,
    LFSR_MAX,
    MAX_PAGES,
    MAX_PLANES,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    PAGE_COUNTS,
    PLANE_WEIGHT_MAX,
    PLANE_WEIGHT_MIN,
    TICK_MAX,
    ChipShape,
    Register,
    ResetMode,
)

ENDS = (MEMBRANE_MIN, MEMBRANE_MIN + 1, -1, 0, 1, MEMBRANE_MAX - 1, MEMBRANE_MAX)
MOST_NEURONS = 64  # of a check: enough for all pairs of extremes, in few flits


def integrate(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Planes, pages, densities and weights in all their sizes; row(n, f, p) at its place."""
    for planes, pages in product((1, 2, 5, MAX_PLANES), PAGE_COUNTS):
        neurons = min(shape.dendrites // (planes * pages), 3)
        if neurons:
            yield _integrated(shape, rng, planes, pages, neurons)


def _integrated(
    shape: ChipShape, rng: np.random.Generator, planes: int, pages: int, neurons: int
) -> Case:
    script = Script(shape, neurons)
    script.set(Register.PLANES, planes)
    script.set(Register.PAGE_SHIFT, PAGE_COUNTS.index(pages))
    ends = (PLANE_WEIGHT_MIN, PLANE_WEIGHT_MAX, -1, 1)
    for plane in range(planes):
        weight = rng.choice(ends) if rng.random() < 0.5 else rng.integers(-999, 1000)
        script.set(Register.PLANE_WEIGHT + plane, int(weight))
    densities = np.array([0.0, 0.1, 0.5, 1.0])
    for dendrite in range(neurons * planes * pages):
        script.row(dendrite, rng.random(shape.axons) < rng.choice(densities))
    for density in (0.02, 0.5, 1.0):
        for page in range(pages):
            script.spikes(np.flatnonzero(rng.random(shape.axons) < density), page)
        script.tick()
        script.membranes()
    return script.case()


def every_axon(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """One axon after the other, each of which gives another sum."""
    neurons = shape.axons.bit_length() - 1
    script = Script(shape, neurons)
    script.set(Register.PLANE_WEIGHT, 1)
    axons = np.arange(shape.axons)
    for neuron in range(neurons):  # neuron n sees the axons that have bit n
        script.row(neuron, (axons >> neuron & 1).astype(np.bool_))
    for axon in axons:
        script.spikes([int(axon)])
        script.tick()
        if axon % 8 == 7:
            script.membranes()
            script.restart()
    yield script.case()


def saturate(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Membranes driven beyond both ends by bias and by synapses, and back again."""
    count = min(shape.dendrites, len(ENDS))
    script = Script(shape, count)
    for neuron in range(count):
        script.row(neuron, np.ones(shape.axons, np.bool_))
    for weight in (PLANE_WEIGHT_MAX, PLANE_WEIGHT_MIN):
        script.set(Register.PLANE_WEIGHT, weight)
        script.biases(ENDS[:count])
        for _ in range(3):
            script.spikes(range(shape.axons))
            script.tick()
            script.membranes()
        script.biases([-bias for bias in map(abs, ENDS[:count])])
        script.tick()
        script.membranes()
    yield script.case()


def leak(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """v - (v >> k) of extremes, powers of two and their neighbours, for every k and for none."""
    powers = [sign * (1 << bit) + step for bit in range(31) for sign in (1, -1) for step in (0, -1)]
    values = [*ENDS, *rng.permutation(powers).tolist()][: min(shape.dendrites, MOST_NEURONS)]
    script = Script(shape, len(values))
    for shift in (None, *range(1 << LEAK_BITS)):
        script.restart()
        script.set(Register.LEAK, 0)
        script.biases(values)
        script.tick()
        script.set(Register.LEAK, 0 if shift is None else LEAK.pack(shift=shift, enable=1))
        script.biases([0] * len(values))
        script.tick()
        script.membranes()
        script.tick()
        script.membranes()
    yield script.case()


def threshold(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Every pair of membrane and threshold at and around the ends, in all three reset modes."""
    pairs = list(product(ENDS, ENDS))
    pairs += [(t + d, t) for t in rng.integers(-999, 999, 8).tolist() for d in (-1, 0, 1)]
    count = min(shape.dendrites, MOST_NEURONS)
    script = Script(shape, count)
    script.set(Register.TRACE, 1)
    for mode in ResetMode:
        script.set(Register.RESET_MODE, mode)
        for first in range(0, len(pairs), count):
            script.restart()
            for neuron, (membrane, limit) in enumerate(pairs[first : first + count]):
                script.neuron(neuron, threshold=limit, bias=membrane)
            for _ in range(2):
                script.tick()
                script.membranes()
    yield script.case()


def floor(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Membranes below, at and above the floor; above a threshold, the reset comes first."""
    offsets = (-2, -1, 0, 1, 2, 1000)[: min(shape.dendrites, 6)]
    script = Script(shape, len(offsets))
    script.set(Register.TRACE, 1)
    for limit in (FLOOR_NONE, FLOOR_NONE + 3, -1000, -1, 0, 1, 5, MEMBRANE_MAX - 2000):
        script.set(Register.FLOOR, limit)
        for mode in ResetMode:
            script.set(Register.RESET_MODE, mode)
            script.restart()
            for neuron, offset in enumerate(offsets):
                bias = max(MEMBRANE_MIN, limit + offset)
                script.neuron(neuron, threshold=limit + 1, bias=bias)
            script.tick()
            script.membranes()
            script.biases([-1] * len(offsets))
            script.tick()
            script.membranes()
    yield script.case()


def noise(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """The LFSR, seen through the threshold: one step a neuron and active tick, from SEED on."""
    count = min(shape.dendrites, MOST_NEURONS)
    script = Script(shape, count)
    script.set(Register.TRACE, 1)
    script.set(Register.RESET_MODE, ResetMode.ZERO)
    for seed, mask in product((0, 1, 0x8000, LFSR_MAX), (LFSR_MAX, 1, 0x8000, 0)):
        script.set(Register.SEED, seed)
        script.set(Register.NOISE_MASK, mask)
        script.restart()
        for neuron, limit in enumerate(rng.integers(0, LFSR_MAX, count).tolist()):
            script.neuron(neuron, threshold=0, bias=min(limit, max(mask, 1)))
        for _ in range(4):
            script.tick()
        script.set(Register.SEED, 77)  # counts from the next RESTART on
        script.tick()
    script.neuron(0, threshold=MEMBRANE_MAX, bias=MEMBRANE_MAX)  # nothing wraps
    script.set(Register.NOISE_MASK, LFSR_MAX)
    script.tick()
    yield script.case()


def neurons(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """NEURONS from 0 to all: those it leaves out keep their membranes, and read as 0."""
    count = shape.dendrites
    script = Script(shape, count)
    script.set(Register.TRACE, 1)
    script.biases(range(1, count + 1))
    for wanted in (count, 0, 1, count // 2, count - 1, count):
        script.set(Register.NEURONS, wanted)
        script.tick()
        script.membranes()
    for wanted in (3, count):  # RESTART is for all of them
        script.restart()
        script.set(Register.NEURONS, wanted)
        script.tick()
        script.membranes()
    yield script.case()


def window(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Active ticks only from FIRST_TICK to before LAST_TICK; spikes of others are dropped."""
    script = Script(shape, 2)
    script.set(Register.PLANE_WEIGHT, 100)
    script.row(0, np.ones(shape.axons, np.bool_))
    script.biases([0, 1])
    for first, last in ((0, TICK_MAX), (0, 0), (1, 2), (2, 4), (3, 1), (TICK_MAX, TICK_MAX)):
        script.set(Register.FIRST_TICK, first)
        script.set(Register.LAST_TICK, last)
        script.restart()
        for tick in range(5):
            script.spikes(range(tick + 1))
            script.tick()
            script.membranes()
    yield script.case()


def pages(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Spikes to pages that are not there, at the door and at `go`."""
    script = Script(shape, 1)
    script.set(Register.PLANE_WEIGHT, 1)
    for dendrite in range(MAX_PAGES):
        script.row(dendrite, np.arange(shape.axons) <= dendrite)
    for arriving, ticking in product(range(len(PAGE_COUNTS)), repeat=2):
        script.restart()
        script.set(Register.PAGE_SHIFT, arriving)
        script.end()
        for page in range(MAX_PAGES):
            script.spikes(range(8), page)
        script.end()
        script.set(Register.PAGE_SHIFT, ticking)
        script.tick()
        script.membranes()
        script.set(Register.PAGE_SHIFT, len(PAGE_COUNTS) - 1)
        script.tick()  # nothing is left
        script.membranes()
        script.counters()
    yield script.case()


def restart(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """RESTART drops what waits, and takes tick, membranes and LFSR back."""
    count = min(shape.dendrites, MOST_NEURONS)
    script = Script(shape, count)
    script.set(Register.PLANE_WEIGHT, 3)
    script.set(Register.TRACE, 1)
    script.set(Register.NOISE_MASK, 7)
    for neuron in range(count):
        script.neuron(neuron, threshold=40, bias=neuron)
        script.row(neuron, rng.random(shape.axons) < 0.5)
    for ticks in (0, 1, 3):
        for _ in range(ticks):
            script.spikes(rng.integers(0, shape.axons, 9))
            script.tick()
        script.spikes(range(shape.axons))  # wait, and are dropped
        script.restart()
        script.membranes()
        script.spikes([1, 2, 1])  # twice on one axon is once
        script.tick()
        script.membranes()
    yield script.case()


NEURON = "*Neuron*"
TICKS = (
    Check("threshold", f"{NEURON}: fired = v >= threshold; RESET_MODE", threshold),
    Check("integrate", f"{NEURON}: I, sums over pages and planes; row(n, f, p)", integrate),
    Check("every axon", f"{NEURON}: popcount(axons[f] & row)", every_axon),
    Check("saturate", f"{NEURON}: one exact sum, saturated once", saturate),
    Check("leak", f"{NEURON}: v - (v >> k)", leak),
    Check("floor", f"{NEURON}: v = max(v, FLOOR), after the reset", floor),
    Check("noise", "*LFSR*: threshold + (lfsr & NOISE_MASK); one step per neuron", noise),
    Check("neurons", "*Reconfiguration*: NEURONS; membranes are kept by number", neurons),
    Check("window", "*Neuron*: FIRST_TICK <= tick < LAST_TICK", window),
    Check("pages", "*Pages*: spikes to pages that a core does not have", pages),
    Check("restart", "*RESTART*: tick, membranes, lfsr, waiting spikes", restart),
)
