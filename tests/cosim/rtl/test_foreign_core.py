"""A core of another micro-architecture inside our mesh is the golden model too, flit for flit.

It was written from hw/spec.py alone. A failure names its seed.
"""

from pathlib import Path

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.program.program import configuration
from cosim.program.stimulus import Step, spike
from cosim.rtl.choice import Choice, runner_of
from cosim.rtl.design.design import Sources, read
from cosim.rtl.icarus import icarus
from cosim.rtl.runner import verilator
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import Simulator, build
from cosim.verify.case.case import Case, against_golden
from cosim.verify.random.groups import in_groups
from cosim.verify.random.programs import (
    SMALL,
    program_after_program,
    random_program,
    random_steps,
)
from hw.spec import DATA_BITS, ChipShape, Counter
from tests.support.chips import assert_equal
from tests.support.cli import nc64c, small_checkpoint
from tests.support.foreign import BACK_DOOR, CORE, FOLDER, event_core

pytestmark = pytest.mark.rtl

TINY, PAIR = ChipShape(2, 2, 64, 32), ChipShape(2, 1, 64, 16)


@pytest.fixture(scope="module")
def foreign() -> Simulator:
    return build(SMALL, design=event_core(SMALL))


@pytest.mark.parametrize("seed", range(3000, 3020))
def test_random_programs(foreign: Simulator, seed: int) -> None:
    """Several programs, reconfigured in between, all through the front door."""
    steps = program_after_program(seed)
    assert_equal(GoldenChip(SMALL).run(steps), RtlChip(foreign).run(steps), f"seed {seed}")


@pytest.mark.parametrize("seed", range(3100, 3108))
def test_spikes_in_groups(foreign: Simulator, seed: int) -> None:
    """Bit maps of any kind, empty ones and pages that are not there among them; counters too."""
    rng = np.random.default_rng(seed)
    steps = list(in_groups(rng, SMALL, program_after_program(seed)))
    assert_equal(GoldenChip(SMALL).run(steps), RtlChip(foreign).run(steps), f"seed {seed}")


def test_packed_spikes_are_asked_for(foreign: Simulator) -> None:
    """They change no response. A core that says that it takes them is sent fewer flits."""
    packs = build(SMALL, design=event_core(SMALL, packs=True))
    assert packs.executable == foreign.executable
    rng = np.random.default_rng(5)
    program = random_program(rng, SMALL)
    flits = np.array([spike(axon, x=0, y=0) for axon in range(SMALL.axons)], np.uint64)
    steps = [Step(flits, go=True)] * 3
    plain, packed = (verilator(each).run(program, [steps]) for each in (foreign, packs))
    assert_equal(list(plain.responses[0]), packed.responses[0], "seed 5")
    sent = [int(run.totals.counters[Counter.FLITS][0, 0]) for run in (packed, plain)]
    assert sent[0] + 3 * (SMALL.axons - SMALL.axons // DATA_BITS) == sent[1]


def test_its_back_door_is_its_front_door(foreign: Simulator) -> None:
    rng = np.random.default_rng(7)
    program = random_program(rng, SMALL)
    steps = random_steps(rng, program, ticks=6)
    golden = GoldenChip(SMALL)
    golden.run([Step(configuration(program), go=False)])
    expected = golden.run(steps)
    back, front = (
        verilator(foreign, front_door=door).run(program, [steps]) for door in (False, True)
    )
    for door, run in (("back", back), ("front", front)):
        assert_equal(expected, run.responses[0], f"seed 7, {door} door")
    assert front.totals.cycles > back.totals.cycles + 100


@pytest.mark.parametrize("seed", range(2))
def test_random_programs_in_icarus(seed: int) -> None:
    if not icarus.installed():
        pytest.skip("Icarus Verilog is not installed")
    rng = np.random.default_rng(seed)
    program = random_program(rng, TINY)
    steps = random_steps(rng, program, ticks=6)
    golden = GoldenChip(TINY)
    golden.run([Step(configuration(program), go=False)])
    design = event_core(TINY, icarus=True, packs=seed == 1)
    run = icarus.runner(TINY, design).run(program, [steps])
    assert_equal(golden.run(steps), run.responses[0], f"seed {seed}")


@pytest.mark.parametrize("cleared", [False, True])
def test_memories_that_begin_with_something(cleared: bool, tmp_path: Path) -> None:
    """The spec says nothing of power-up: cases expect 0, and so 0 is written."""
    if not icarus.installed():
        pytest.skip("Icarus Verilog is not installed")
    before, initial, after = CORE.read_text().partition("initial begin")
    block, end, rest = after.partition("\n  end\n")
    assert block.count("] = 0;") == 5
    file = tmp_path / CORE.name
    file.write_text(before + initial + block.replace("] = 0;", "] = ~0;") + end + rest)
    for header in FOLDER.glob("*.svh"):
        (tmp_path / header.name).write_text(header.read_text())
    sizes = (f"AXONS={PAIR.axons}", f"DENDRITES={PAIR.dendrites}")
    design = read(Sources((file,), "event_core", core=True, parameters=sizes), icarus=True)
    rng = np.random.default_rng(1)
    program = random_program(rng, PAIR)
    case = Case(program, tuple(random_steps(rng, program, ticks=2, reconfigure=False)))
    runner = runner_of(Choice(design, "icarus"), PAIR, front_door=True, cleared=cleared)
    found, answers = against_golden(case, runner)
    assert answers > 50
    assert (found == "") == cleared, f"seed 1: {found}"


def test_a_network_on_the_command_line(foreign: Simulator, tmp_path: Path) -> None:
    """Streamed through four cores; the simulator is the one that the other tests have."""
    size = ("--mesh", "2x2", "--axons", SMALL.axons, "--dendrites", SMALL.dendrites)
    sizes = [f"AXONS={SMALL.axons}", "--parameter", f"DENDRITES={SMALL.dendrites}"]
    users = ("--rtl-core", CORE, BACK_DOOR, "--top", "event_core", "--parameter", *sizes)
    network = ("--checkpoint", small_checkpoint(tmp_path), "--images", 3, "--sets", "clean,fgsm_8")
    done = nc64c("cosim", *network, *size, *users, "--jobs", 1, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "RTL equals golden" in done.stdout
    assert "0 mismatches" in done.stdout
    assert "back door" not in done.stderr
