"""The carry-save tree against Python's own count."""

import random
from typing import Any

import pytest
from amaranth import Module, Signal

from hw.popcount import popcount
from tests.hw.simulation import simulate_combinational


@pytest.mark.parametrize("width", [64, 128, 256, 512, 1024])
def test_popcount(width: int) -> None:
    rng = random.Random(width)
    m = Module()
    bits, enable = Signal(width), Signal()
    count = Signal(width.bit_length())
    m.d.comb += count.eq(popcount(m, enable, [bits[i : i + 64] for i in range(0, width, 64)]))
    full = (1 << width) - 1
    words = [0, full, 1, 1 << (width - 1), full // 3, full // 3 * 2, full >> 1]
    words += [rng.getrandbits(width) for _ in range(30)]
    words += [rng.getrandbits(width) & rng.getrandbits(width) & rng.getrandbits(width)]

    async def check(ctx: Any) -> None:
        for word in words:
            ctx.set(bits, word)
            ctx.set(enable, 1)
            assert ctx.get(count) == word.bit_count(), f"{word:#x}"
            ctx.set(enable, 0)
            assert ctx.get(count) == 0

    simulate_combinational(m, check)
