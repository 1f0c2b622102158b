"""The carry-save tree against Python's own count."""

import random
from typing import Any

import pytest
from amaranth import Module, Signal

from hw.core.popcount import popcounts
from tests.support.amaranth_sim import simulate_combinational

PLACES = 8


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 8])
@pytest.mark.parametrize("axons", [64, 128, 1024])
def test_popcounts(axons: int, rows: int) -> None:
    rng = random.Random(axons + rows)
    m = Module()
    lanes = [Signal(rows * PLACES, name=f"lane_{index}") for index in range(axons // PLACES)]
    enable = Signal()
    counts = [Signal(range(axons + 1), name=f"count_{row}") for row in range(rows)]
    found = popcounts(m, enable, lanes, rows)
    m.d.comb += [count.eq(value) for count, value in zip(counts, found, strict=True)]
    full = (1 << axons) - 1
    words = [0, full, 1, 1 << (axons - 1), full // 3, full // 3 * 2, full >> 1]
    words += [rng.getrandbits(axons) for _ in range(30)]
    words += [rng.getrandbits(axons) & rng.getrandbits(axons) & rng.getrandbits(axons)]

    async def check(ctx: Any) -> None:
        for word in words:
            # Every row another word, so that no row's places count for its neighbour.
            of_row = [word, *rng.choices(words, k=rows - 1)]
            for index, lane in enumerate(lanes):
                places = [row >> (index * PLACES) & (1 << PLACES) - 1 for row in of_row]
                ctx.set(lane, sum(bits << (PLACES * row) for row, bits in enumerate(places)))
            ctx.set(enable, 1)
            assert [ctx.get(count) for count in counts] == [row.bit_count() for row in of_row]
            ctx.set(enable, 0)
            assert [ctx.get(count) for count in counts] == [0] * rows

    simulate_combinational(m, check)
