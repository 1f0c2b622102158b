"""The golden model against the chip in loops, on random programs; and the programs' own reach."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from cosim.golden import chip
from cosim.golden.chip import GoldenChip
from cosim.golden.cores.synapses import COUNTED
from cosim.program.core_image import ALWAYS, CoreImage, core_number
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step
from cosim.verify.random.groups import in_groups
from cosim.verify.random.programs import places, random_core, random_program, random_steps
from cosim.verify.reference import ReferenceChip
from hw.spec import (
    FANOUT,
    FLIT,
    FLOOR_NONE,
    MAX_PLANES,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    ChipShape,
    Kind,
    Region,
    ResetMode,
)
from tests.support.chips import assert_equal

SMALL = ChipShape(2, 2, 64, 64)
SHAPES = (
    SMALL,
    ChipShape(1, 1, 64, 64),
    ChipShape(3, 1, 64, 32),
    ChipShape(1, 2, 128, 128),
    ChipShape(1, 1, 1024, 16),
)
SEEDS = range(100)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_loops(seed: int) -> None:
    """Every HOST flit of every step: spikes, membranes, counters, memories."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    program = random_program(rng, shape)
    steps = [Step(configuration(program), go=False), *random_steps(rng, program, ticks=5)]
    golden, slow = GoldenChip(shape).run(steps), ReferenceChip(shape).run(steps)
    for number, (got, expected) in enumerate(zip(golden, slow, strict=True)):
        where = f"seed {seed}, step {number}"
        np.testing.assert_array_equal(np.sort(got), np.sort(expected), err_msg=where)


@pytest.mark.parametrize("seed", range(6))
def test_spikes_in_groups_equal_the_loops(seed: int) -> None:
    """And they do something: flits of none, one and all axons, of pages that are not there."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, SMALL)
    single = [Step(configuration(program), go=False), *random_steps(rng, program, ticks=5)]
    steps = list(in_groups(rng, SMALL, single))
    golden, slow = GoldenChip(SMALL).run(steps), ReferenceChip(SMALL).run(steps)
    for number, (got, expected) in enumerate(zip(golden, slow, strict=True)):
        where = f"seed {seed}, step {number}"
        np.testing.assert_array_equal(np.sort(got), np.sort(expected), err_msg=where)
    maps = [
        FLIT.get(step.flits, "data")[FLIT.get(step.flits, "region") == Region.AXONS]
        for step in steps
    ]
    counts = np.bitwise_count(np.concatenate(maps))
    assert len(counts) > 10
    assert {0, 1, 32} <= set(counts.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_batch_equals_single_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(rng, SMALL)
    load = [Step(configuration(program), go=False)]
    images = list(_images(rng, program, count=7))
    batch = GoldenChip(SMALL, images=len(images))
    batch.run(load)
    for number, responses in enumerate(batch.run_images(images)):
        single = GoldenChip(SMALL)
        single.run(load)
        expected = single.run(images[number])
        for got, want in zip(responses, expected, strict=True):
            np.testing.assert_array_equal(np.sort(got), np.sort(want), err_msg=f"seed {seed}")


def alike(rng: np.random.Generator, shape: ChipShape) -> Program:
    """Cores that can be updated side by side; some wait for a later tick."""
    first = replace(random_core(rng, 0, 0, shape), neurons=0)
    while first.neurons < 2:
        first = random_core(rng, 0, 0, shape)
    cores = [
        replace(
            first,
            x=x,
            y=y,
            first_tick=int(rng.choice([0, 0, 2])),
            last_tick=ALWAYS[1],
            seed=int(rng.integers(1 << 16)),
            noise_mask=int(rng.choice([first.noise_mask, 0])),
            floor=int(rng.choice([first.floor, FLOOR_NONE])),
            plane_weights=tuple(rng.permutation(first.plane_weights).tolist()),
            synapses=rng.permuted(first.synapses, axis=3),
            threshold=rng.permuted(first.threshold),
            bias=rng.permuted(first.bias),
        )
        for x, y in places(shape)
    ]
    return Program(shape, tuple(cores))


@pytest.mark.parametrize("seed", range(12))
def test_any_number_of_cores_side_by_side(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, some or all at once, for one image and for so many that synapses are multiplied."""
    rng = np.random.default_rng(seed)
    shape = ChipShape(3, 2, 64, 32)
    program = alike(rng, shape)
    load = [Step(configuration(program), go=False)]
    images = list(_images(rng, program, count=COUNTED + 1, reconfigure=False))
    expected = [ReferenceChip(shape).run([*load, *steps])[1:] for steps in images[:2]]
    sizes = set()
    for room in (1, 4000 * len(images), 1 << 30):
        monkeypatch.setattr(chip, "ROOM", room)
        for count in (1, len(images)):
            golden = GoldenChip(shape, count)
            golden.run(load)
            found = golden.run_images(images[:count])
            for want, got in zip(expected, found[:2], strict=False):
                assert_equal(want, got, f"seed {seed}, room {room}, {count} images")
            teams = golden._contents.teams(np.full(shape.cores, 3), room // count)
            sizes |= {len(team.cores) for team in teams}
    assert {1, 6} <= sizes, f"seed {seed}"


def _images(
    rng: np.random.Generator, program: Program, count: int, *, reconfigure: bool = True
) -> Iterator[list[Step]]:
    """Steps that differ in their spikes only: parts of one image's."""
    steps = random_steps(rng, program, ticks=4, reconfigure=reconfigure)
    for _ in range(count):
        image = []
        for step in steps:
            spike = FLIT.get(step.flits, "kind") == Kind.SPIKE
            kept = rng.random(len(step.flits)) < rng.random()
            image.append(Step(step.flits[~spike | kept], step.go))
        yield image


def test_the_random_programs_reach_the_extremes() -> None:
    """What 200 seeds of the smallest test shape cover: the promise made to all who use them."""
    cores = [
        core
        for seed in range(200)
        for core in random_program(np.random.default_rng(seed), SMALL).cores
    ]
    assert {core.planes for core in cores} == set(range(1, MAX_PLANES + 1))
    assert {core.pages for core in cores} == {1, 2, 4, 8}
    assert {core.leak for core in cores} == {None, *range(32)}
    assert {core.reset for core in cores} == set(ResetMode)
    assert {0, 0xFFFF} <= {core.noise_mask for core in cores}
    assert {0, 1, 0xFFFF} <= {core.seed for core in cores}
    assert {MEMBRANE_MIN, MEMBRANE_MAX, -1, 0, 1} <= {core.floor for core in cores}
    weights = {weight for core in cores for weight in core.plane_weights}
    assert {-32768, 32767, 0} <= weights
    thresholds = np.concatenate([core.threshold for core in cores])
    biases = np.concatenate([core.bias for core in cores])
    for values in (thresholds, biases):
        assert {MEMBRANE_MIN, MEMBRANE_MAX} <= set(values.tolist())
    for planes in range(1, MAX_PLANES + 1):
        for pages in (1, 2, 4, 8):
            these = [core for core in cores if (core.planes, core.pages) == (planes, pages)]
            assert any(core.neurons == 64 // (planes * pages) for core in these)
    assert {0, 1} <= {core.neurons for core in cores}
    assert any(core.first_tick >= core.last_tick for core in cores)
    densities = {float(core.synapses.mean()) for core in cores if core.synapses.size}
    assert {0.0, 1.0} <= densities
    _check_fanout(cores)


def _check_fanout(cores: list[CoreImage]) -> None:
    counts = np.concatenate([core.fanout_count for core in cores])
    assert {0, 1} <= set(counts.tolist())
    assert counts.max() > 30
    words = np.concatenate([core.fanout for core in cores]).astype(np.uint64)
    x0, x1, y0, y1, host, page = (
        FANOUT.get(words, name) for name in ("x0", "x1", "y0", "y1", "host", "page")
    )
    assert host.any()
    assert ((x0 < x1) & (y0 < y1)).any()
    assert set(page.tolist()) == set(range(8))
    sender = np.concatenate([np.full(len(core.fanout), core.number) for core in cores])
    own = (x0 == x1) & (y0 == y1) & (core_number(1, 0) * x0 + core_number(0, 1) * y0 == sender)
    assert own.any()
