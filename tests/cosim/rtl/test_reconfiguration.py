"""Configurations that change between ticks: the slow chip, the golden model and the RTL agree.

A case is one reconfiguration of every core of a program between two ticks. A failure names its
seed, which is also in its test's name: that name, given to pytest, repeats it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.golden.chip import GoldenChip
from cosim.program.program import configuration
from cosim.program.stimulus import Step, read, write
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import Simulator, build
from cosim.verify.random.programs import SMALL, random_program, random_steps
from cosim.verify.random.reconfiguration import Reconfiguration
from cosim.verify.reference import ReferenceChip
from hw.spec import (
    AXON,
    FLIT,
    ROW_WORDS,
    ChipShape,
    Control,
    Kind,
    NeuronWord,
    Region,
    Register,
)
from tests.support.chips import assert_equal

pytestmark = pytest.mark.rtl

TINY = ChipShape(2, 1, 64, 16)
Run = Callable[[Sequence[Step]], list[NDArray[np.uint64]]]


@pytest.fixture(scope="module")
def small_chip() -> Simulator:
    return build(SMALL)


@pytest.fixture(params=["slow", "golden", "rtl"])
def run(request: pytest.FixtureRequest) -> Run:
    """A small chip, fresh for every run."""
    if request.param == "slow":
        return ReferenceChip(SMALL).run
    if request.param == "golden":
        return GoldenChip(SMALL).run
    return RtlChip(request.getfixturevalue("small_chip")).run


def batch(seed: int, shape: ChipShape, cases: int) -> list[Step]:
    """A random program, and `cases` reconfigurations of it."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, shape)
    host = Reconfiguration(rng, program)
    steps = [Step(configuration(program), go=False)]
    for _ in range(cases):
        ticks = random_steps(rng, program, ticks=2, reconfigure=False)
        steps += host.steps()
        steps += [step for step in ticks if step.go]
        steps.append(host.read_all())
    return steps


@pytest.mark.parametrize("seed", range(40))
def test_golden_equals_the_loops(seed: int) -> None:
    """1000 cases."""
    steps = batch(seed, TINY, cases=25)
    assert_equal(ReferenceChip(TINY).run(steps), GoldenChip(TINY).run(steps), f"seed {seed}")


@pytest.mark.parametrize("seed", range(2000, 2016))
def test_rtl_equals_golden(small_chip: Simulator, seed: int) -> None:
    """1600 cases of up to four cores, firing at each other."""
    steps = batch(seed, SMALL, cases=100)
    assert_equal(GoldenChip(SMALL).run(steps), RtlChip(small_chip).run(steps), f"seed {seed}")


# ---------------------------------------------------------------- by hand
def step(*flits: np.uint64) -> Step:
    return Step(np.array(flits, np.uint64), go=False)


def register(which: Register, value: int) -> np.uint64:
    return write(Region.REGISTER, which, value, x=0, y=0)


def neuron(number: int, word: NeuronWord, value: int) -> np.uint64:
    return write(Region.NEURON, number * 4 + word, value, x=0, y=0)


def synapse(row: int, axons: int) -> np.uint64:
    return write(Region.SYNAPSE, row * ROW_WORDS, axons, x=0, y=0)


def spike(page: int, axon: int) -> np.uint64:
    return np.uint64(FLIT.pack(kind=Kind.SPIKE, data=AXON.pack(axon=axon, page=page)))


def membranes(count: int) -> Step:
    return step(read(Region.MEMBRANE, 0, count, x=0, y=0))


def values(responses: NDArray[np.uint64]) -> list[int]:
    """The data of HOST flits by their offset."""
    by_offset = sorted((int(FLIT.get(f, "offset")), int(FLIT.get(f, "data"))) for f in responses)
    return [data for _, data in by_offset]


GO = Step(np.zeros(0, np.uint64), go=True)
NEVER = 2**31 - 1
RISING = step(
    register(Register.NEURONS, 10),
    *(neuron(n, NeuronWord.THRESHOLD, NEVER) for n in range(10)),
    *(neuron(n, NeuronWord.BIAS, n + 1) for n in range(10)),
)


def test_restart_clears_neurons_that_the_next_tick_leaves_out(run: Run) -> None:
    restart = step(register(Register.CONTROL, Control.RESTART))
    few, all_ten = (step(register(Register.NEURONS, count)) for count in (4, 10))
    responses = run([RISING, GO, GO, restart, few, GO, all_ten, membranes(10)])
    assert values(responses[-1]) == [1, 2, 3, 4, 0, 0, 0, 0, 0, 0]


def test_neurons_left_out_for_a_tick_go_on_from_their_old_membrane(run: Run) -> None:
    few, all_ten = (step(register(Register.NEURONS, count)) for count in (4, 10))
    steps = [RISING, GO, few, GO, membranes(10), all_ten, membranes(10), GO, membranes(10)]
    responses = run(steps)
    assert values(responses[4]) == [2, 4, 6, 8, 0, 0, 0, 0, 0, 0]
    assert values(responses[6]) == [2, 4, 6, 8, 5, 6, 7, 8, 9, 10]
    assert values(responses[8]) == [3, 6, 9, 12, 10, 12, 14, 16, 18, 20]


def test_a_second_restart_clears_what_was_written_since_the_first(run: Run) -> None:
    """Twice in a row too, in one step, with a spike that the second one drops."""
    restart = register(Register.CONTROL, Control.RESTART)
    again = step(restart, spike(0, 0), restart, restart)
    steps = [RISING, step(restart), GO, again, membranes(10), GO, membranes(10)]
    responses = run(steps)
    assert values(responses[4]) == [0] * 10
    assert values(responses[6]) == list(range(1, 11))


WAITING = step(
    register(Register.NEURONS, 1),
    register(Register.PAGE_SHIFT, 2),
    register(Register.PLANE_WEIGHT, 1),
    neuron(0, NeuronWord.THRESHOLD, NEVER),
    synapse(0, 1 << 5),  # page 0
    synapse(1, 0b11),  # pages 1, 2 and 3
    synapse(2, 0b11),
    synapse(3, 0b11),
    spike(3, 0),
    spike(3, 1),
    spike(0, 5),
)


@pytest.mark.parametrize(
    ("shifts", "membrane"),
    [
        ([2], 3),  # nothing changed
        ([0], 1),  # page 3 is gone
        ([1], 1),
        ([0, 2], 3),  # it is there again by the time of `go`
        ([3], 3),
    ],
)
def test_what_waits_on_a_page_counts_if_the_page_is_there_at_go(
    run: Run, shifts: list[int], membrane: int
) -> None:
    changes = [step(register(Register.PAGE_SHIFT, shift)) for shift in shifts]
    responses = run([WAITING, *changes, GO, membranes(1)])
    assert values(responses[-1]) == [membrane]


def test_what_waited_on_a_vanished_page_is_gone_after_the_tick(run: Run) -> None:
    fewer, back = (step(register(Register.PAGE_SHIFT, shift)) for shift in (0, 2))
    responses = run([WAITING, fewer, GO, back, GO, membranes(1)])
    assert values(responses[-1]) == [1]


def test_only_vanished_pages_wait(run: Run) -> None:
    """The neurons are updated once all the same, for leak and bias."""
    only = step(neuron(0, NeuronWord.BIAS, 7), register(Register.CONTROL, Control.RESTART))
    gone = step(spike(3, 0), register(Register.PAGE_SHIFT, 0))
    responses = run([WAITING, only, gone, GO, membranes(1)])
    assert values(responses[-1]) == [7]
