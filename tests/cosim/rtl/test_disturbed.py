"""The reset pin in the middle of a tick, and back-pressure: the same as in the golden model.

A failure names its seed, which is also in its test's name.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.golden.runner import GoldenRunner
from cosim.program.handwritten import core
from cosim.program.program import Program, configuration
from cosim.program.runner import Runner
from cosim.program.stimulus import BackPressure, Step, read, read_membranes
from cosim.rtl import amaranth_sim
from cosim.rtl.icarus import icarus
from cosim.rtl.played import Pattern, SimulatorInput
from cosim.rtl.runner import verilated
from cosim.verify.case.case import Case, joined, run_case
from cosim.verify.fuzz.draw import random_case
from cosim.verify.random.programs import SMALL
from cosim.verify.reference import ReferenceChip
from hw.spec import ChipShape, Region, Register
from tests.support.chips import assert_equal

TINY = ChipShape(1, 2, 64, 16)
NOTHING = np.zeros(0, np.uint64)


def cases(shape: ChipShape, seed: int, count: int) -> Case:
    rng = np.random.default_rng(seed)
    return joined([random_case(rng, shape) for _ in range(count)])[0]


def runner(name: str) -> tuple[Runner, ChipShape, int]:
    """A chip, its shape, and how many cases it plays in some seconds."""
    if name == "Verilator":
        return verilated(SMALL, front_door=True), SMALL, 20
    if name == "Amaranth":
        return amaranth_sim.runner(TINY), TINY, 2
    if not icarus.installed():
        pytest.skip("Icarus Verilog is not installed")
    return icarus.runner(TINY), TINY, 3


@pytest.mark.rtl
@pytest.mark.parametrize("name", ["Verilator", "Amaranth", "Icarus Verilog"])
@pytest.mark.parametrize("seed", [3, 4])
def test_random_cases(name: str, seed: int) -> None:
    chip, shape, count = runner(name)
    case = cases(shape, seed, count)
    assert any(step.reset_after is not None for step in case.steps)
    assert any(step.back_pressure and step.back_pressure.share for step in case.steps)
    assert_equal(run_case(case, GoldenRunner()), run_case(case, chip), f"{name}, seed {seed}")


@pytest.mark.parametrize("seed", range(6))
def test_golden_model_and_reference(seed: int) -> None:
    case = cases(TINY, seed, 2)
    steps = [Step(configuration(case.program), go=False), *case.steps]
    assert_equal(ReferenceChip(TINY).run(steps), GoldenChip(TINY).run(steps), f"seed {seed}")


def counting() -> Program:
    """A core whose neurons add 1, 2, ... in every tick, and report when they have reached 8."""
    bias = np.arange(1, 9)
    image = core(0, 0, np.zeros((8, 64), bool), np.full(8, 8), bias=bias, trace=True)
    return Program(TINY, (image,))


def test_after_the_reset_memories_are_kept_and_all_else_is_not() -> None:
    program = counting()
    reading = [
        read(Region.REGISTER, Register.NEURONS, 1, x=0, y=0),
        read(Region.NEURON, 0, 8, x=0, y=0),
    ]
    flits = configuration(program)
    steps = (
        Step(NOTHING, go=True),
        Step(NOTHING, go=True, reset_after=3),
        Step(np.array(reading, np.uint64), go=False),
        Step(flits, go=False),
        read_membranes(program),
        Step(NOTHING, go=True),
        read_membranes(program),
    )
    answers = run_case(Case(program, steps), GoldenRunner())
    words = [[int(flit) & 0xFFFFFFFF for flit in answer] for answer in answers]
    assert words[0] == [0]  # the eighth neuron has fired, in tick 0
    assert words[1] == []
    assert words[2] == [0, 8, 1, 0, 0, 8, 2, 0, 0]
    assert words[4] == [0] * 8
    assert words[6] == [1, 2, 3, 4, 5, 6, 7, 0]


def test_the_pattern_withholds_its_share() -> None:
    pattern = Pattern()
    assert all(pattern.takes(port) for port in range(8))
    pattern.begin(5, 64)
    taken = np.zeros((20_000, 8), bool)
    for cycle in taken:
        cycle[:] = [pattern.takes(port) for port in range(8)]
        pattern.step()
    assert np.allclose(taken.mean(axis=0), 0.75, atol=0.02)
    assert abs(np.corrcoef(taken[:, 0], taken[:, 7])[0, 1]) < 0.05


def test_simulators_are_handed_all_of_a_step(tmp_path: Path) -> None:
    steps = (
        Step(np.arange(3, dtype=np.uint64), go=False, back_pressure=BackPressure(7, 255)),
        Step(NOTHING, go=True, reset_after=0),
        Step(NOTHING, go=True),
    )
    given = SimulatorInput(steps, np.array([3]), NOTHING)
    given.save(tmp_path / "input.npz")
    again = SimulatorInput.load(tmp_path / "input.npz").steps
    for step, read_step in zip(steps, again, strict=True):
        np.testing.assert_array_equal(step.flits, read_step.flits)
        assert replace(step, flits=NOTHING).__dict__.keys() == read_step.__dict__.keys()
        assert (step.go, step.reset_after) == (read_step.go, read_step.reset_after)
        assert step.back_pressure == read_step.back_pressure
