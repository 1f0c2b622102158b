"""Packed spikes are the same spikes, in fewer flits; golden model and reference take them alike."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cosim.golden.chip import GoldenChip
from cosim.program.packing import packed, unpacked
from cosim.program.program import configuration
from cosim.program.stimulus import Step, spike, write
from cosim.verify.random.programs import random_program, random_steps
from cosim.verify.reference import ReferenceChip
from hw.spec import FLIT, ChipShape, Kind, Region, Register

SHAPE = ChipShape(2, 2, 64, 32)
SPIKES = st.builds(
    spike,
    st.integers(0, 1023),
    x=st.integers(0, 1),
    y=st.just(0),
    x1=st.integers(1, 2),
    y1=st.integers(0, 1),
    page=st.integers(0, 7),
)
FEW = st.builds(spike, st.integers(0, 40), x=st.just(0), y=st.just(0), page=st.integers(0, 1))
WRITES = st.builds(
    write,
    st.just(Region.REGISTER),
    st.just(Register.LEAK),
    st.integers(0, 3),
    x=st.just(0),
    y=st.just(0),
)
STEPS = st.lists(st.lists(st.one_of(SPIKES, FEW, FEW, FEW, WRITES), max_size=40), max_size=3)


def runs(flits: NDArray[np.uint64]) -> list[list[int]]:
    """The spikes before, between and behind other flits, sorted, and these others."""
    other = np.flatnonzero(FLIT.get(flits, "kind") != Kind.SPIKE)
    parts = np.split(flits, np.stack([other, other + 1], axis=1).ravel())
    return [sorted(part.tolist()) for part in parts]


@given(STEPS)
def test_they_are_the_same_spikes_between_the_same_flits(words: list[list[np.uint64]]) -> None:
    steps = [np.array(each, np.uint64) for each in words]
    played = packed(steps)
    assert len(played) == len(steps)
    for before, after in zip(steps, played, strict=True):
        single, source = unpacked(after)
        assert runs(single) == runs(before)
        assert len(after) <= len(before)
        assert source.tolist() == sorted(source.tolist())


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 1023)), max_size=200))
def test_a_group_takes_one_flit(axons: set[tuple[int, int]]) -> None:
    """Whatever the order; a group with one spike is an ordinary SPIKE."""
    flits = [spike(axon, x=1, y=2, page=page) for page, axon in axons]
    [played] = packed([np.array(flits, np.uint64)])
    groups = {(page, axon // 32) for page, axon in axons}
    assert len(played) == len(groups)
    several = FLIT.get(played, "region") == Region.AXONS
    alone = [
        sum(axon // 32 == group and page == p for p, axon in axons) == 1 for page, group in groups
    ]
    assert int(several.sum()) == len(groups) - sum(alone)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99)), max_size=60), st.randoms())
def test_in_order_or_not_they_make_the_same_flits(
    spikes: list[tuple[int, int]], rng: Random
) -> None:
    """In order of core and axon, some twice, as a layer is streamed; shuffled; in parts."""
    flits = [spike(axon, x=x, y=0) for x, axon in sorted(spikes)]
    shuffled = rng.sample(flits, len(flits))
    some = rng.randrange(len(flits) + 1)
    mixed = rng.sample(flits[:some], some) + flits[some:]
    orders = [np.array(each, np.uint64) for each in (flits, shuffled, mixed)]
    found = [packed([order])[0] for order in orders]
    assert sorted(found[0].tolist()) == sorted(found[1].tolist()) == sorted(found[2].tolist())
    assert runs(unpacked(found[0])[0]) == runs(orders[0])


def test_a_spike_that_comes_twice_is_counted_twice() -> None:
    flits = np.array([spike(axon, x=0, y=0) for axon in (3, 4, 3, 3)], np.uint64)
    [played] = packed([flits])
    assert len(played) == 3
    assert runs(unpacked(played)[0]) == runs(flits)


@pytest.mark.parametrize("seed", range(4))
def test_golden_model_and_reference_take_them(seed: int) -> None:
    """A random program answers packed spikes as it answers them one by one."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, SHAPE)
    steps = [Step(configuration(program), go=False), *random_steps(rng, program, ticks=3)]
    played = packed([step.flits for step in steps])
    together = [Step(flits, go=step.go) for flits, step in zip(played, steps, strict=True)]
    assert sum(map(len, played)) < sum(len(step.flits) for step in steps), f"seed {seed}"
    answers = [GoldenChip(SHAPE).run(given) for given in (steps, together)]
    slow = ReferenceChip(SHAPE).run(together)
    for one, other, reference in zip(*answers, slow, strict=True):
        np.testing.assert_array_equal(np.sort(one), np.sort(other), err_msg=f"seed {seed}")
        np.testing.assert_array_equal(np.sort(one), np.sort(reference), err_msg=f"seed {seed}")
