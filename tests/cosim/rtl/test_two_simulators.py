"""The same programs in Verilator, as blocks, flat and unoptimised with random state, and in Icarus.

What a race, an X or an optimisation of a simulator would change, differs here. A failure names its
seed.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.program.program import Program, configuration
from cosim.program.runner import Runner
from cosim.program.stimulus import Step
from cosim.rtl.icarus import icarus
from cosim.rtl.runner import verilator
from cosim.rtl.simulator.build import build
from cosim.verify.random.programs import SMALL, random_program, random_steps
from tests.support.chips import assert_equal

pytestmark = pytest.mark.rtl

MANY, FEW = range(6), range(2)  # Icarus Verilog is slow


def blocks(_: int) -> Runner:
    return verilator(build(SMALL))


def flat(_: int) -> Runner:
    return verilator(build(SMALL, flat=True))


def random_state(seed: int) -> Runner:
    """Another state to begin with for each seed."""
    return verilator(replace(build(SMALL, flat=True, random=True), seed=seed + 1))


def in_icarus(_: int) -> Runner:
    if not icarus.installed():
        pytest.skip("Icarus Verilog is not installed")
    return icarus.runner(SMALL)


def regression(seed: int) -> tuple[Program, list[Step]]:
    """A program at the registers' extremes, reconfigured between ticks."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, SMALL)
    return program, random_steps(rng, program, ticks=6)


@pytest.mark.parametrize(
    ("chip", "seed"),
    [(chip, seed) for chip in (blocks, flat, random_state) for seed in MANY]
    + [(in_icarus, seed) for seed in FEW],
    ids=lambda value: value if isinstance(value, int) else value.__name__,
)
def test_each_simulator_gives_the_golden_models_responses(
    chip: Callable[[int], Runner], seed: int
) -> None:
    program, steps = regression(seed)
    golden = GoldenChip(SMALL)
    golden.run([Step(configuration(program), go=False)])
    [found] = chip(seed).run(program, [steps]).responses
    assert_equal(golden.run(steps), found, f"{chip.__name__}, seed {seed}")
