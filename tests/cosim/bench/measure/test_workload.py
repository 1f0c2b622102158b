"""What is timed: every simulator of the chip, and the limit, leave the golden model's membranes."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.bench.measure.workload import Workload, axon_bits, busy
from cosim.bench.simulators import bare, limit, rows
from cosim.golden.chip import GoldenChip
from cosim.program.errors import Mismatch, SimulationError
from cosim.program.program import configuration
from cosim.program.stimulus import Step
from cosim.rtl import amaranth_sim
from cosim.rtl.icarus import icarus
from cosim.rtl.played import SimulatorInput
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from cosim.verify.random.programs import SMALL, program_after_program, read_counters
from hw.spec import FLIT, ChipShape, Kind
from tests.support.chips import assert_equal

pytestmark = pytest.mark.rtl

ROW = ChipShape(2, 1, 64, 32)  # one host port, for simulators that have no more
TICKS = 3


def golden(workload: Workload, ticks: int) -> NDArray[np.int64]:
    given = workload.input(ticks, backdoor=False)
    return workload.membranes(GoldenChip(workload.program.shape).run(given.steps))


@pytest.mark.parametrize("cores", [1, SMALL.cores])
def test_every_busy_core_gets_every_spike(cores: int) -> None:
    workload = busy(SMALL, cores, 0.25, seed=2)
    assert set(FLIT.get(workload.spikes, "kind").tolist()) == {int(Kind.SPIKE)}
    assert axon_bits(workload).sum() == 32
    chip = GoldenChip(SMALL)
    chip.run([Step(configuration(workload.program), go=False)])
    *_, replies = chip.run([Step(workload.spikes, go=True), read_counters(SMALL)])
    spikes_in = replies[FLIT.get(replies, "offset") == 4]  # Counter.SPIKES_IN, low word
    expected = [32] * cores + [0] * (SMALL.cores - cores)
    assert sorted(FLIT.get(spikes_in, "data").tolist(), reverse=True) == expected


def test_ticks_change_the_membranes() -> None:
    workload = busy(SMALL, SMALL.cores, 0.25, seed=3)
    one, two = golden(workload, 1), golden(workload, 2)
    assert np.count_nonzero(one) > one.size // 2
    assert np.count_nonzero(one != two) > one.size // 2


@pytest.mark.parametrize("seed", range(2))
def test_the_bare_harness_does_what_cocotb_does(seed: int) -> None:
    steps = program_after_program(seed)
    given = SimulatorInput(tuple(steps), np.array([len(steps)], np.int64), np.zeros(0, np.uint64))
    through_cocotb = RtlChip(build(SMALL)).respond(given.steps)
    found = bare.play(bare.build_bare(SMALL), given)
    assert_equal(through_cocotb.steps, found.steps, f"seed {seed}")
    assert (found.cycles, found.ticks) == (through_cocotb.cycles, through_cocotb.ticks)


def test_the_bare_harness_with_its_back_door() -> None:
    workload = busy(SMALL, SMALL.cores, 0.25, seed=4)
    given = workload.input(TICKS)
    assert len(given.backdoor)
    found = bare.play(bare.build_bare(SMALL), given)
    assert np.array_equal(workload.membranes(list(found.steps)), golden(workload, TICKS))


def test_an_input_that_no_chip_can_take() -> None:
    nothing = Step(np.zeros(0, np.uint64), go=False)
    given = SimulatorInput(
        (nothing,), np.array([1], np.int64), np.full(1, (1 << 63) - 1, np.uint64)
    )
    with pytest.raises(SimulationError, match="a refused flit"):
        bare.play(bare.build_bare(SMALL), given)


@pytest.mark.parametrize("axons", [64, 128, 256, 512, 1024])
def test_the_limit_does_the_same_ticks(axons: int, tmp_path: Path) -> None:
    workload = busy(ChipShape(2, 2, axons, 64), 4, 0.25, seed=axons)
    program = limit.build_limit(tmp_path)
    assert np.array_equal(limit.run_limit(program, workload, 5), golden(workload, 5))


def test_amaranths_simulator() -> None:
    workload = busy(ROW, 2, 0.25, seed=6)
    played = amaranth_sim.play(ROW, workload.input(TICKS, backdoor=False))
    found = workload.membranes(list(played.response.steps))
    assert np.array_equal(found, golden(workload, TICKS))
    assert played.ended == sorted(played.ended)
    assert len(played.ended) == len(workload.input(TICKS, backdoor=False).steps)


@pytest.mark.skipif(not icarus.installed(), reason="Icarus Verilog is not installed")
def test_icarus_verilog(tmp_path: Path) -> None:
    workload = busy(ROW, 2, 0.25, seed=7)
    found = icarus.play(ROW, workload.input(TICKS, backdoor=False), tmp_path)
    assert np.array_equal(workload.membranes(list(found.steps)), golden(workload, TICKS))


def test_a_back_door_where_there_is_none_is_refused(tmp_path: Path) -> None:
    given = busy(ROW, 1, 0.5, 1).input(1)
    with pytest.raises(ValueError, match="no back door"):
        amaranth_sim.play(ROW, given)
    with pytest.raises(ValueError, match="no back door"):
        icarus.play(ROW, given, tmp_path)


def test_wrong_membranes_are_told() -> None:
    workload = busy(SMALL, 1, 0.25, seed=8)
    right = golden(workload, TICKS)
    rows._agree(workload, {"a": right}, TICKS)
    wrong = right.copy()
    wrong[0, -1] += 1
    with pytest.raises(Mismatch, match="b: membranes differ"):
        rows._agree(workload, {"a": right, "b": wrong}, TICKS)
    with pytest.raises(ValueError, match="11 membranes came back of 12"):
        workload.membranes([np.sort(_last_step(workload))[1:]])


def _last_step(workload: Workload) -> NDArray[np.uint64]:
    responses = GoldenChip(workload.program.shape).run(workload.input(1, backdoor=False).steps)
    return responses[-1]
