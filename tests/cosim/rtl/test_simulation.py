"""The RTL in Verilator against the golden model, flit for flit, on the full chip and on small ones.

A failure names its seed, which is also in its test's name: that name, given to pytest, repeats it.
"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.golden.chip import GoldenChip
from cosim.program.core_image import CoreImage
from cosim.program.errors import Mismatch
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read, read_membranes
from cosim.rtl.runner import verilator
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import Simulator, build
from cosim.verify.random.groups import in_groups
from cosim.verify.random.programs import (
    SMALL,
    program_after_program,
    random_program,
    random_steps,
    read_counters,
)
from hw.spec import (
    AXON,
    FANOUT,
    FANOUT_ENTRIES,
    FLIT,
    FLOOR_NONE,
    FULL_CHIP,
    NEURON_STRIDE,
    ROW_WORDS,
    ChipShape,
    Control,
    Counter,
    Kind,
    Region,
    ResetMode,
)
from tests.support.chips import assert_equal

pytestmark = pytest.mark.rtl

NO_FLITS = np.zeros(0, np.uint64)


@pytest.fixture(scope="module")
def full_chip() -> Simulator:
    return build(FULL_CHIP)


@pytest.fixture(scope="module")
def small_chip() -> Simulator:
    return build(SMALL)


@pytest.mark.parametrize("seed", range(5))
def test_random_cores_on_the_full_chip(full_chip: Simulator, seed: int) -> None:
    """About 53 random cores a seed, firing across the whole mesh: 5 seeds are over 200 cores."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, FULL_CHIP)
    assert len(program.cores) > 40
    steps = random_steps(rng, program, ticks=6)
    golden = GoldenChip(FULL_CHIP)
    golden.run([Step(configuration(program), go=False)])
    run = verilator(full_chip).run(program, [steps])
    assert_equal(golden.run(steps), run.responses[0], f"seed {seed}")


@pytest.mark.parametrize("seed", range(1000, 1020))
def test_random_programs_on_a_small_chip(small_chip: Simulator, seed: int) -> None:
    """Several programs without a reset in between. Waves: scripts/waves.py with the seed."""
    steps = program_after_program(seed)
    golden, rtl = GoldenChip(SMALL).run(steps), RtlChip(small_chip).run(steps)
    assert_equal(golden, rtl, f"seed {seed}")


@pytest.mark.parametrize("seed", range(2000, 2008))
def test_spikes_in_groups_on_a_small_chip(small_chip: Simulator, seed: int) -> None:
    """Bit maps of any kind, empty ones and pages that are not there among them; counters too."""
    rng = np.random.default_rng(seed)
    steps = list(in_groups(rng, SMALL, program_after_program(seed)))
    golden, rtl = GoldenChip(SMALL).run(steps), RtlChip(small_chip).run(steps)
    assert_equal(golden, rtl, f"seed {seed}")


@pytest.mark.parametrize("seed", range(3))
def test_blocks_change_nothing(small_chip: Simulator, seed: int) -> None:
    """Tile by tile, asleep when idle, or all of it at once in Verilator: the same to the cycle."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, SMALL)
    cycles_too = [
        Step(_reads(SMALL, Region.COUNTER, 0, 2 * len(Counter)), go=False),
        control(SMALL, Control.CLEAR_COUNTERS),
        Step(_reads(SMALL, Region.COUNTER, 0, 2 * len(Counter)), go=False),
    ]
    steps = [
        Step(configuration(program), go=False),
        *random_steps(rng, program, ticks=8),
        *cycles_too,
    ]
    flat = RtlChip(build(SMALL, flat=True)).respond(steps)
    blocks = RtlChip(small_chip).respond(steps)
    assert (flat.cycles, flat.ticks) == (blocks.cycles, blocks.ticks)
    assert_equal(flat.steps, blocks.steps, f"seed {seed}")


def _reads(shape: ChipShape, region: Region, offset: int, count: int) -> NDArray[np.uint64]:
    flits = [
        read(region, offset, count, x=x, y=y)
        for y in range(shape.rows)
        for x in range(shape.columns)
    ]
    return np.array(flits, np.uint64)


def test_back_door_equals_front_door(full_chip: Simulator) -> None:
    """Every word of every memory that a program fills, read back through the NoC."""
    rng = np.random.default_rng(7)
    program = random_program(rng, FULL_CHIP)
    readback = [Step(_read_all(core), go=False) for core in program.cores[::7]]
    front = verilator(full_chip, front_door=True).run(program, [readback])
    back = verilator(full_chip).run(program, [readback])
    assert_equal(front.responses[0], back.responses[0], "seed 7")
    assert sum(map(len, front.responses[0])) > 100_000
    assert (
        front.totals.cycles > back.totals.cycles + 50_000
    )  # the back door takes no time on the chip
    golden = GoldenChip(FULL_CHIP)
    golden.run([Step(configuration(program), go=False)])
    assert_equal(golden.run(readback), front.responses[0], "seed 7, golden")


def _read_all(core: CoreImage) -> NDArray[np.uint64]:
    rows = core.neurons * core.pages * core.planes
    wanted = (
        (Region.SYNAPSE, rows * ROW_WORDS),
        (Region.NEURON, core.neurons * NEURON_STRIDE),
        (Region.FANOUT, FANOUT_ENTRIES),
    )
    flits = [read(region, 0, count, x=core.x, y=core.y) for region, count in wanted if count]
    return np.array(flits, np.uint64)


def _relay(x: int, y: int, entries: list[int]) -> CoreImage:
    """A core of one neuron that fires in a tick if a spike came on axon 0, to all `entries`."""
    synapses = np.zeros((1, 1, 1, FULL_CHIP.axons), bool)
    synapses[0, 0, 0, 0] = True
    return CoreImage(
        x=x,
        y=y,
        planes=1,
        plane_weights=(1,),
        pages=1,
        neurons=1,
        leak=0,
        reset=ResetMode.ZERO,
        noise_mask=0,
        seed=1,
        floor=FLOOR_NONE,
        first_tick=0,
        last_tick=2**32 - 1,
        trace=True,
        synapses=synapses,
        threshold=np.array([1], np.int32),
        bias=np.array([0], np.int32),
        fanout_start=np.array([0]),
        fanout_count=np.array([len(entries)]),
        fanout=np.array(entries, np.uint32),
    )


def test_a_spike_runs_round_the_mesh(full_chip: Simulator) -> None:
    """64 relays in a ring, corner to corner and edge to edge: one spike, one hop a tick."""
    rng = np.random.default_rng(11)
    ring = [(x, y) for x in range(8) for y in range(8)]
    rng.shuffle(ring)
    cores = []
    for place, (x, y) in enumerate(ring):
        to_x, to_y = ring[(place + 1) % len(ring)]
        entry = FANOUT.pack(axon=0, x0=int(to_x), y0=int(to_y), x1=int(to_x), y1=int(to_y))
        cores.append(_relay(int(x), int(y), [int(entry)]))
    x, y = map(int, ring[0])
    first = FLIT.pack(kind=Kind.SPIKE, x0=x, y0=y, x1=x, y1=y, data=AXON.pack(axon=0))
    steps = [control(FULL_CHIP, Control.RESTART), Step(np.array([first], np.uint64), go=True)]
    steps += [Step(NO_FLITS, go=True)] * 70
    run = verilator(full_chip).run(Program(FULL_CHIP, tuple(cores)), [steps])
    for tick, response in enumerate(run.responses[0][1:]):
        x, y = map(int, ring[tick % len(ring)])
        spike = FLIT.pack(kind=Kind.HOST, region=Region.SPIKE, offset=0, x0=x, y0=y, data=tick)
        assert response.tolist() == [spike], f"tick {tick}"


def test_one_neuron_reaches_all_cores_by_multicast(full_chip: Simulator) -> None:
    everywhere = int(FANOUT.pack(axon=0, x0=0, y0=0, x1=7, y1=7))
    cores = [
        _relay(x, y, [everywhere] if (x, y) == (5, 2) else []) for y in range(8) for x in range(8)
    ]
    first = FLIT.pack(kind=Kind.SPIKE, x0=5, y0=2, x1=5, y1=2, data=AXON.pack(axon=0))
    steps = [control(FULL_CHIP, Control.RESTART | Control.CLEAR_COUNTERS)]
    steps += [Step(np.array([first], np.uint64), go=True), Step(NO_FLITS, go=True)]
    steps += [read_counters(FULL_CHIP)]
    program = Program(FULL_CHIP, tuple(cores))
    golden = GoldenChip(FULL_CHIP)
    golden.run([Step(configuration(program), go=False)])
    run = verilator(full_chip).run(program, [steps])
    assert_equal(golden.run(steps), run.responses[0], "multicast")
    assert len(run.responses[0][2]) == 64


def test_responses_larger_than_the_buffers_hold_the_chip_back(full_chip: Simulator) -> None:
    """8 x 8 x 1024 membranes at once: 8192 replies a port, into buffers of 1024."""
    rng = np.random.default_rng(3)
    shape = FULL_CHIP
    neurons = shape.dendrites
    cores = []
    for y in range(shape.rows):
        for x in range(shape.columns):
            core = _relay(x, y, [])
            bias = rng.integers(-(2**31), 2**31 - 1, neurons).astype(np.int32)
            core = CoreImage(
                **{
                    **core.__dict__,
                    "neurons": neurons,
                    "trace": False,
                    "synapses": np.zeros((1, neurons, 1, shape.axons), bool),
                    "threshold": np.full(neurons, 2**31 - 1, np.int32),
                    "bias": bias,
                    "fanout_start": np.zeros(neurons, np.int64),
                    "fanout_count": np.zeros(neurons, np.int64),
                }
            )
            cores.append(core)
    program = Program(shape, tuple(cores))
    steps = [control(shape, Control.RESTART), Step(NO_FLITS, go=True), read_membranes(program)]
    golden = GoldenChip(shape)
    golden.run([Step(configuration(program), go=False)])
    run = verilator(full_chip).run(program, [steps])
    assert len(run.responses[0][-1]) == 65_536
    assert_equal(golden.run(steps), run.responses[0], "seed 3")


def test_stimuli_one_after_the_other_give_what_each_gives_alone(small_chip: Simulator) -> None:
    rng = np.random.default_rng(21)
    program = random_program(rng, SMALL)
    stimuli = [
        [
            step
            for step in random_steps(rng, program, ticks=3, reconfigure=False)
            if not _reads_counters(step)
        ]
        for _ in range(5)
    ]
    heard: list[int] = []
    chip = verilator(small_chip)
    together = chip.run(program, stimuli, heard.append)
    for number, (stimulus, answer) in enumerate(zip(stimuli, together.responses, strict=True)):
        alone = chip.run(program, [stimulus])
        assert_equal(alone.responses[0], answer, f"seed 21, stimulus {number}")
    assert sum(heard) == len(stimuli)
    assert together.totals.ticks == sum(step.go for stimulus in stimuli for step in stimulus)
    assert chip.run(program, []).responses == []


def _reads_counters(step: Step) -> bool:
    """Counters run on from stimulus to stimulus; those steps are left out."""
    return bool(np.any(FLIT.get(step.flits, "region") == Region.COUNTER))


def test_the_cache_builds_nothing_twice(small_chip: Simulator) -> None:
    said: list[str] = []
    again = build(SMALL, log=said.append)
    assert again.executable == small_chip.executable
    assert again.build_s == 0.0
    assert said == []


def test_a_chip_that_hangs_is_told_from_one_that_is_slow(small_chip: Simulator) -> None:
    """A tick of 64 silent neurons: too long for a bench with the patience of twenty cycles."""
    neurons = SMALL.dendrites
    silent = CoreImage(
        x=0,
        y=0,
        plane_weights=(1,),
        neurons=neurons,
        synapses=np.zeros((1, neurons, 1, SMALL.axons), bool),
        threshold=np.ones(neurons, np.int32),
        bias=np.zeros(neurons, np.int32),
        fanout_start=np.zeros(neurons, np.int64),
        fanout_count=np.zeros(neurons, np.int64),
        fanout=np.zeros(0, np.uint32),
    )
    steps = [Step(configuration(Program(SMALL, (silent,))), go=False), Step(NO_FLITS, go=True)]
    hasty = RtlChip(replace(small_chip, patience=20))
    with pytest.raises(Mismatch, match=r"the RTL hangs: .* not come to rest in 20 cycles"):
        hasty.run(steps)
