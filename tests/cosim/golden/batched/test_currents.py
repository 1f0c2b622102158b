"""Every way of adding weights up gives the same currents, and activity says which is taken."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from cosim.golden.batched import currents
from cosim.golden.batched.chip import CPU, BatchedChip
from cosim.golden.batched.currents import READING, Currents
from cosim.golden.batched.spikes import Spikes, ascending, parted, true_places
from cosim.golden.batched.weights import INT8_MOST, Bytes, Floats
from cosim.golden.chip import GoldenChip
from cosim.golden.cores.synapses import Synapses
from cosim.program.program import configuration
from cosim.program.stimulus import Step
from cosim.verify.random.programs import random_program, random_steps, read_counters
from hw.spec import ChipShape
from tests.support.chips import assert_equal, thinned

WAYS = {"bytes": (Bytes, "multiplied"), "floats": (Floats, "multiplied"), "rows": (Floats, "added")}


def counted(monkeypatch: pytest.MonkeyPatch) -> "Counter[str]":
    """How often each way is taken from now on."""
    taken: Counter[str] = Counter()
    for name, (owner, way) in WAYS.items():
        plain = getattr(owner, way)

        def noted(self: Any, spikes: Spikes, name: str = name, plain: Any = plain) -> Any:
            taken[name] += 1
            return plain(self, spikes)

        monkeypatch.setattr(owner, way, noted)
    return taken


def set_ways(
    monkeypatch: pytest.MonkeyPatch, int8: bool, dense_int8: float, dense_float: float
) -> None:
    monkeypatch.setattr(currents, "has_int8", lambda _: int8)
    monkeypatch.setattr(currents, "DENSE_INT8", dense_int8)
    monkeypatch.setattr(currents, "DENSE_FLOAT", dense_float)


@pytest.mark.parametrize(
    ("limits", "taken"),
    [
        ((True, 0.0, 9.0), {"bytes", "rows"}),  # rows where weights take more than 8 bits
        ((False, 0.0, 0.0), {"floats"}),
        ((False, 0.0, 9.0), {"rows"}),
        ((True, 0.0, 0.0), {"bytes", "floats"}),
        ((True, 0.01, 0.05), {"bytes", "floats", "rows"}),  # some ticks this way, some that
        ((False, 9.0, 0.05), {"floats", "rows"}),
    ],
)
def test_every_way_equals_numpy(
    limits: tuple[bool, float, float], taken: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On random programs, counters included."""
    set_ways(monkeypatch, *limits)
    found = counted(monkeypatch)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        shape = (ChipShape(2, 2, 64, 64), ChipShape(1, 2, 128, 128))[seed % 2]
        program = random_program(rng, shape)
        images = thinned(rng, [*random_steps(rng, program, ticks=3), read_counters(shape)], 3)
        answers = []
        for chip in (GoldenChip(shape, 3), BatchedChip(shape, 3)):
            chip.run([Step(configuration(program), go=False)])
            answers.append(chip.run_images(images))
        for expected, got in zip(*answers, strict=True):
            assert_equal(expected, got, f"seed {seed}")
    assert set(found) == taken


@pytest.mark.parametrize("weight", [INT8_MOST, -INT8_MOST, INT8_MOST + 2])
@pytest.mark.parametrize("unit", [1, 2, 128])
def test_the_largest_sums_are_exact(weight: int, unit: int) -> None:
    """All axons of eight pages spike; a weight just fits 8 bits of its unit, or does not."""
    row = np.ones((8, 3, 8, 1024), np.bool_)
    planes = unit * np.array([weight - 3, 1, 1, 1, 0, 0, 0, 0])
    synapses = (Synapses(row, planes), Synapses(row & (planes == unit)[:, None], planes))
    spikes = Spikes(torch.arange(5 * 8192), 5, 8192)
    expected = [[unit * weight * 8192] * 3, [unit * 3 * 8192] * 3]
    made = Bytes.of(synapses, CPU)
    assert (made is None) == (abs(weight) > INT8_MOST)
    floats = Floats.of(synapses, CPU)
    for way in (floats.multiplied, floats.added, *([] if made is None else [made.multiplied])):
        sums, operations = way(spikes)
        assert sums.tolist() == [expected] * 5
        assert operations.tolist() == [[8192 * 3 * 8, 8192 * 3 * 3]] * 5


def test_the_way_is_chosen_by_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit and just below it, with 8 bits and without."""
    rng = np.random.default_rng(1)
    small = Synapses(rng.random((1, 4, 2, 64)) < 0.5, np.array([4, -12]))
    large = Synapses(rng.random((1, 4, 2, 64)) < 0.5, np.array([129, -1]))
    axons = rng.random((10, 64)) < 0.3
    spikes = Spikes(true_places(torch.from_numpy(axons)), *axons.shape)
    many = axons.mean() * 10 / (10 + READING)
    taken = counted(monkeypatch)

    def way(synapses: Synapses, dense_int8: float, dense_float: float, *, int8: bool) -> str:
        set_ways(monkeypatch, int8, dense_int8, dense_float)
        taken.clear()
        sums, _ = Currents(CPU, most=1 << 20).of((synapses,), spikes)
        np.testing.assert_array_equal(sums[:, 0].numpy(), synapses.multiply(axons)[0])
        (name,) = taken
        return name

    just = 1e-6
    above, below, never = many + just, many - just, 9.0
    assert way(small, above, never, int8=True) == "rows"
    assert way(small, below, never, int8=True) == "bytes"
    for synapses, int8 in ((small, False), (large, True)):
        assert way(synapses, below, above, int8=int8) == "rows"
        assert way(synapses, below, below, int8=int8) == "floats"


def test_spikes_are_put_in_order() -> None:
    """Out of order and twice, or as they should be; and of several parts, one of them empty."""
    for places in ([7, 3, 3, 0, 9], [3, 0, 7, 7, 9, 0]):
        assert ascending(np.array(places), 12, CPU).tolist() == [0, 3, 7, 9]
    found = ascending(np.array([0, 3, 7, 9]), 12, CPU)
    assert [part.tolist() for part in parted(found, [0, 1, 3, 12])] == [[0], [], [0, 4, 6]]
    spikes = Spikes(found, 4, 3)
    assert [each.tolist() for each in spikes.by_row()] == [[0, 0, 1, 0], [0, 1, 2, 3]]
    assert spikes.matrix().tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert spikes.share == 4 / 12
