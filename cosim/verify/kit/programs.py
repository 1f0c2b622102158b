"""Checks by whole programs: random ones, resets in the middle of a tick, a small network."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from cosim.program.core_image import CoreImage
from cosim.program.handwritten import core, to_axons, to_host
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read_membranes, spike
from cosim.verify.case.case import Case
from cosim.verify.fuzz.draw import random_case
from cosim.verify.kit.check import Check
from cosim.verify.random.programs import places, random_program, random_steps
from hw.spec import FLIT, MEMBRANE_MAX, PAGE_COUNTS, ChipShape, Control, Region, ResetMode

RANDOM = 12  # programs; `nc64c fuzz` tries more
CUTS = (0, 1, 3, 9, 40, 200)  # cycles after `go` at which a reset comes
HIDDEN, CLASSES, IMAGES, TIMESTEPS = 48, 10, 6, 4


def resets(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """The reset pin in the middle of a tick: registers as after power-up, memories kept."""
    program = random_program(rng, shape)
    flits = configuration(program)
    registers = flits[FLIT.get(flits, "region") == Region.REGISTER]
    steps: list[Step] = []
    for cut in CUTS:
        ticks = random_steps(rng, program, 2, reconfigure=False)
        last = max(number for number, step in enumerate(ticks) if step.go)
        ticks[last] = replace(ticks[last], reset_after=cut)
        steps += [*ticks[: last + 1], *ticks[last + 1 :], Step(registers, go=False)]
    yield Case(program, tuple(steps))


def random_programs(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Random cores, traffic, reconfiguration, resets and back-pressure: `nc64c fuzz` in short."""
    for _ in range(RANDOM):
        yield random_case(rng, shape)


def network(shape: ChipShape, rng: np.random.Generator) -> Iterator[Case]:
    """Two layers with 4-bit weights, from core to core: images in, membranes of the classes out."""
    planes = 4
    hidden = min(HIDDEN, shape.dendrites // planes)
    classes = min(CLASSES, shape.dendrites // planes)
    first, last = places(shape)[0], places(shape)[-1]
    cores: tuple[CoreImage, ...]
    if first == last:  # one core has both layers, on two pages
        cores = (_both_layers(rng, shape, planes),)
    else:
        onwards = [[to_axons(n % shape.axons, x=last[0], y=last[1])] for n in range(hidden)]
        cores = (
            _layer(rng, shape, first, hidden, planes, onwards),
            _layer(rng, shape, last, classes, planes, [[to_host()]] * classes),
        )
    program = Program(shape, cores)
    steps: list[Step] = []
    for _ in range(IMAGES):
        steps.append(control(shape, Control.RESTART))
        for _ in range(TIMESTEPS):
            axons = np.flatnonzero(rng.random(shape.axons) < 0.3)
            spikes = [spike(int(axon), x=first[0], y=first[1]) for axon in axons]
            steps.append(Step(np.array(spikes, np.uint64), go=True))
        steps += [Step(np.zeros(0, np.uint64), go=True), read_membranes(program)]
    yield Case(program, tuple(steps))


def _layer(
    rng: np.random.Generator,
    shape: ChipShape,
    place: tuple[int, int],
    neurons: int,
    planes: int,
    fan_out: list[list[np.uint32]],
) -> CoreImage:
    """Neurons with random weights of so many bits, about half of which fire."""
    weights = tuple(1 << plane for plane in range(planes))
    return core(
        *place,
        rng.random((neurons, planes, shape.axons)) < 0.5,
        rng.integers(1, 4 * shape.axons, neurons),
        weights,
        bias=rng.integers(-shape.axons, 1, neurons),
        fan_out=fan_out,
        leak=2,
        reset=ResetMode.SUBTRACT,
        trace=True,
    )


def _both_layers(rng: np.random.Generator, shape: ChipShape, planes: int) -> CoreImage:
    """Half of the neurons see the host's spikes on page 0, the others theirs on page 1."""
    pages = PAGE_COUNTS[1]
    half = max(1, shape.dendrites // (planes * pages) // 2)
    synapses = rng.random((pages, 2 * half, planes, shape.axons)) < 0.5
    synapses[0, half:] = synapses[1, :half] = False
    threshold = rng.integers(1, 4 * shape.axons, 2 * half)
    threshold[half:] = MEMBRANE_MAX
    onwards = [[to_axons(n % shape.axons, x=0, y=0, page=1)] for n in range(half)]
    return core(
        0,
        0,
        synapses,
        threshold,
        tuple(1 << plane for plane in range(planes)),
        fan_out=[*onwards, *[[to_host()]] * half],
        leak=2,
        trace=True,
    )


PROGRAMS = (
    Check("reset in a tick", "*Reset*: registers and membranes go, memories stay", resets),
    Check(
        "random programs", "all rules of a tick together, and *Reconfiguration*", random_programs
    ),
    Check("small network", "all rules of a tick together: two layers, core to core", network),
)
