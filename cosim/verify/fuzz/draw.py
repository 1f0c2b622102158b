"""Random cases: programs, traffic, reconfiguration, read-backs, resets in a tick, back-pressure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cosim.program.program import Program, configuration
from cosim.program.stimulus import MOST_SEED, BackPressure, Step
from cosim.verify.case.case import Case
from cosim.verify.random.programs import SMALL, random_program, random_steps
from hw.spec import FLIT, ChipShape, Region

# The chips that are tried, batch by batch in turns. The last has cores of full size.
TINY, WIDE, FULL_CORES = ChipShape(1, 1, 64, 16), ChipShape(3, 2, 64, 32), ChipShape(2, 1)
SHAPES = (SMALL, SMALL, TINY, SMALL, WIDE, WIDE, SMALL, TINY, WIDE, FULL_CORES)
SHARES = (32, 128, 192, 240)  # of 256 cycles, in which the host takes no flit
MOST_TICKS = 7
LONGEST_FUSE = 11  # log2 of the cycles after `go` at which a reset comes latest


def random_case(rng: np.random.Generator, shape: ChipShape) -> Case:
    """A case for a chip of this shape; everything in it is drawn by `rng`."""
    program = random_program(rng, shape)
    ticks, reconfigure = int(rng.integers(1, MOST_TICKS)), bool(rng.random() < 0.6)
    steps: Sequence[Step] = random_steps(rng, program, ticks, reconfigure=reconfigure)
    if rng.random() < 0.3:
        steps = list(_with_resets(rng, program, steps))
    if rng.random() < 0.4:
        steps = list(_with_pressure(rng, steps))
    return Case(program, tuple(steps))


def _with_resets(
    rng: np.random.Generator, program: Program, steps: Sequence[Step]
) -> Iterator[Step]:
    """Some ticks are cut off by a reset; behind it the registers are mostly written again."""
    flits = configuration(program)
    registers = flits[FLIT.get(flits, "region") == Region.REGISTER]
    for step in steps:
        if step.go and rng.random() < 0.3:
            yield replace(step, reset_after=int(2 ** rng.uniform(0, LONGEST_FUSE)) - 1)
            if rng.random() < 0.8:
                yield Step(registers, go=False)
        else:
            yield step


def _with_pressure(rng: np.random.Generator, steps: Sequence[Step]) -> Iterator[Step]:
    """Back-pressure from the first step on; now and then it changes or ends."""
    for number, step in enumerate(steps):
        if number == 0 or rng.random() < 0.1:
            share = int(rng.choice([0, *SHARES])) if number else int(rng.choice(SHARES))
            pressure = BackPressure(int(rng.integers(0, MOST_SEED + 1)), share)
            yield replace(step, back_pressure=pressure)
        else:
            yield step
