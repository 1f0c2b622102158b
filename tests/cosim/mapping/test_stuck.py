"""Stuck synapses: how many, the same for all that a chip runs, and nothing else changes."""

import numpy as np
import pytest

from cosim.mapping.streamed import Schedule
from cosim.mapping.stuck import Cells, with_stuck
from cosim.program.program import Program
from sw.common.errors import InputError
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.subjects import SHAPE, make_subject


def test_as_many_as_are_asked_for_half_of_them_at_zero() -> None:
    mapping = make_subject().mapping
    assert isinstance(mapping, Program)
    core = mapping.cores[0]
    stuck = Cells(SHAPE, 100, seed=3)
    ones, zeros = (
        stuck.read(type(core)(**{**vars(core), "synapses": np.full_like(core.synapses, value)}))
        for value in (True, False)
    )
    at_zero, at_one = ~ones.synapses, zeros.synapses
    assert not (at_zero & at_one).any()
    for each in (at_zero, at_one):
        assert 0.04 < each.mean() < 0.06
    read = stuck.read(core).synapses
    assert np.array_equal(read, core.synapses & ~at_zero | at_one)


def test_all_programs_meet_the_same_cells() -> None:
    mapping = make_subject(TINY_CHIP).mapping
    assert isinstance(mapping, Schedule)
    found = with_stuck(mapping, 100, seed=3)
    assert isinstance(found, Schedule)
    known: dict[tuple[int, int, int], bool] = {}  # core, dendrite, axon
    met_again = 0
    for layer, before in zip(found.layers, mapping.layers, strict=True):
        for part, was in zip(layer.rounds, before.rounds, strict=True):
            for core, old in zip(part.program.cores, was.program.cores, strict=True):
                rows, old_rows = (
                    each.synapses.reshape(-1, TINY_CHIP.axons) for each in (core, old)
                )
                for dendrite, axon in np.argwhere(rows != old_rows).tolist():
                    place, value = (core.number, dendrite, axon), bool(rows[dendrite, axon])
                    met_again += place in known
                    assert known.setdefault(place, value) == value
    assert met_again > 10


def test_none_and_too_many() -> None:
    mapping = make_subject().mapping
    assert with_stuck(mapping, 0, seed=1) is mapping
    with pytest.raises(InputError, match="stuck synapses of 1000: is 1001, must be"):
        with_stuck(mapping, 1001, seed=1)
