"""The axon buffer against a set of axons per half."""

import random
from typing import Any

import pytest

from hw import spec
from hw.core.axon_buffer import AxonBuffer
from tests.support.amaranth_sim import simulate

AXONS = 128
WORDS = AXONS // spec.AXON_WORD_BITS


@pytest.mark.parametrize("seed", range(4))
def test_collect_swap_consume(seed: int) -> None:
    rng = random.Random(seed)
    buffer = AxonBuffer(AXONS)
    # Bursts on few groups: neighbours in one word, and the very same axon, in following cycles.
    groups = AXONS // spec.DATA_BITS
    pool = [(rng.randrange(spec.MAX_PAGES), rng.randrange(groups)) for _ in range(6)]

    async def spikes(ctx: Any, count: int) -> set[tuple[int, int]]:
        sent = set()
        for _ in range(count):
            valid = rng.random() < 0.8
            page, group = rng.choice(pool)
            axons = rng.choice([0, 1 << rng.randrange(32), rng.getrandbits(32), (1 << 32) - 1])
            ctx.set(buffer.spikes_valid, valid)
            ctx.set(buffer.spikes, {"where": {"page": page, "group": group}, "axons": axons})
            if valid:
                first = group * spec.DATA_BITS
                sent |= {(page, first + bit) for bit in range(32) if axons >> bit & 1}
            await ctx.tick()
            assert ctx.get(buffer.taken) == (axons.bit_count() if valid else 0)
        ctx.set(buffer.spikes_valid, 0)
        return sent

    async def check(ctx: Any) -> None:
        expected: set[tuple[int, int]] = set()
        for _ in range(8):
            collected = await spikes(ctx, rng.choice([0, 1, 2, 40]))
            while ctx.get(buffer.busy):
                await ctx.tick()
            ctx.set(buffer.swap, 1)
            await ctx.tick()
            ctx.set(buffer.swap, 0)
            expected = collected
            assert ctx.get(buffer.pages) == sum(1 << p for p in {page for page, _ in expected})
            read = set()
            for page in range(spec.MAX_PAGES):
                for word in range(WORDS):
                    ctx.set(buffer.load, 1)
                    ctx.set(buffer.load_page, page)
                    ctx.set(buffer.load_word, word)
                    await ctx.tick()
                    ctx.set(buffer.load, 0)
                    bits = ctx.get(buffer.word)
                    base = word * spec.AXON_WORD_BITS
                    read |= {(page, base + b) for b in range(64) if bits >> b & 1}
            assert read == expected, f"seed {seed}"

    simulate(buffer, check)


def test_spikes_during_consumption_are_for_the_next_tick() -> None:
    buffer = AxonBuffer(AXONS)

    async def check(ctx: Any) -> None:
        async def spike(axon: int, **also: Any) -> None:
            ctx.set(buffer.spikes, {"where": {"page": 0, "group": 0}, "axons": 1 << axon})
            ctx.set(buffer.spikes_valid, 1)
            await ctx.tick()
            ctx.set(buffer.spikes_valid, 0)

        async def swap() -> None:
            await ctx.tick()
            ctx.set(buffer.swap, 1)
            await ctx.tick()
            ctx.set(buffer.swap, 0)

        async def load() -> int:
            ctx.set(buffer.load, 1)
            await ctx.tick()
            ctx.set(buffer.load, 0)
            word: int = ctx.get(buffer.word)
            return word

        await spike(3)
        await swap()
        await spike(5)  # arrives while tick 0 is consumed
        assert await load() == 1 << 3
        assert await load() == 0  # cleared behind the first read
        await swap()
        assert await load() == 1 << 5

    simulate(buffer, check)
