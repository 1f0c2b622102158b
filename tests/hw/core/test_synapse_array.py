"""The synapse array and the sequencer that feeds it, against rows of bits in Python."""

import random
from typing import Any

import pytest
from amaranth import Module
from amaranth.lib.wiring import connect

from hw import spec
from hw.core.memory_map.registers import Registers
from hw.core.sequencer import Sequencer
from hw.core.synapse_array import LINE_LATENCY, SynapseArray
from hw.spec import LINE_ROWS, ROW_WORDS, Region, Register
from tests.support.amaranth_sim import simulate

AXONS, DENDRITES = 128, 64
WORDS = AXONS // spec.DATA_BITS


async def write(ctx: Any, array: SynapseArray, dendrite: int, word: int, data: int) -> None:
    """One word in one cycle; the next one may follow in the next."""
    ctx.set(array.access.region, Region.SYNAPSE)
    ctx.set(array.access.offset, dendrite * ROW_WORDS + word)
    ctx.set(array.access.data, data)
    ctx.set(array.access.write, 1)
    await ctx.tick()
    ctx.set(array.access.write, 0)


async def read(ctx: Any, array: SynapseArray, dendrite: int, word: int) -> int:
    ctx.set(array.access.region, Region.SYNAPSE)
    ctx.set(array.access.offset, dendrite * ROW_WORDS + word)
    ctx.set(array.access.read, 1)
    await ctx.tick()
    ctx.set(array.access.read, 0)
    data: int = ctx.get(array.access.reply)
    return data


async def load(ctx: Any, array: SynapseArray, axons: int) -> None:
    for index in range(AXONS // spec.AXON_WORD_BITS):
        ctx.set(array.load, 1)
        ctx.set(array.load_index, index)
        ctx.set(array.load_word, axons >> (index * spec.AXON_WORD_BITS) & (1 << 64) - 1)
        await ctx.tick()
    ctx.set(array.load, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_words_in_and_out(seed: int) -> None:
    """Words in any order and back to back: the rows of a line share their columns."""
    rng = random.Random(seed)
    array = SynapseArray(AXONS, DENDRITES)

    async def check(ctx: Any) -> None:
        held: dict[tuple[int, int], int] = {}
        rows = rng.sample(range(DENDRITES), 4) + list(range(LINE_ROWS))
        for row in rows:
            for word in range(WORDS):
                held[row, word] = rng.getrandbits(32)
                await write(ctx, array, row, word, held[row, word])
        for _ in range(200):
            row, word = rng.choice(rows), rng.randrange(WORDS)
            held[row, word] = rng.getrandbits(32)
            await write(ctx, array, row, word, held[row, word])
            if rng.random() < 0.2:
                await ctx.tick()
        await ctx.tick()
        for (row, word), data in held.items():
            assert await read(ctx, array, row, word) == data, f"seed {seed}, row {row}, word {word}"

    simulate(array, check)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_counts_of_the_last_two_lines(seed: int) -> None:
    rng = random.Random(seed)
    array = SynapseArray(AXONS, DENDRITES)
    rows = [rng.getrandbits(AXONS) for _ in range(DENDRITES)]
    axons = rng.getrandbits(AXONS) & rng.getrandbits(AXONS)
    lines = [rng.randrange(DENDRITES // LINE_ROWS) for _ in range(20)]

    def counts(line: int) -> list[int]:
        return [(row & axons).bit_count() for row in rows[line * LINE_ROWS :][:LINE_ROWS]]

    async def check(ctx: Any) -> None:
        for dendrite, row in enumerate(rows):
            for word in range(WORDS):
                await write(ctx, array, dendrite, word, row >> (32 * word) & 0xFFFFFFFF)
        await ctx.tick()
        await load(ctx, array, axons)
        for before, line in zip([None, *lines], lines, strict=False):
            ctx.set(array.line, line)
            ctx.set(array.line_valid, 1)
            await ctx.tick()
            ctx.set(array.line_valid, 0)
            for _ in range(LINE_LATENCY - 1 + rng.randrange(3)):  # it stays until the next line
                await ctx.tick()
            window = [ctx.get(count) for count in array.recent_counts]
            assert window[LINE_ROWS:] == counts(line), f"seed {seed}"
            if before is not None:
                assert window[:LINE_ROWS] == counts(before), f"seed {seed}"

    simulate(array, check)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_every_neuron_sees_its_rows(seed: int) -> None:
    """Whatever P, F and N: a request's position in the last two lines is the neuron's first row."""
    rng = random.Random(seed)
    planes, shift = rng.randint(1, 8), rng.randint(0, 3)
    neurons = rng.randint(1, spec.DENDRITES // (planes << shift))
    silent = rng.getrandbits(spec.MAX_PAGES)
    waiting = [page for page in range(spec.MAX_PAGES) if not silent >> page & 1]
    pages = [page for page in waiting if page < 1 << shift]
    vanished = [page for page in waiting if page >= 1 << shift]
    sequencer, registers = Sequencer(AXONS, spec.DENDRITES), Registers()
    m = Module()
    m.submodules.sequencer, m.submodules.registers = sequencer, registers
    connect(m, registers.config, sequencer.config)
    seen: dict[tuple[int, int], int] = {}

    async def check(ctx: Any) -> None:
        access = registers.access
        for register, data in (
            (Register.PLANES, planes),
            (Register.PAGE_SHIFT, shift),
            (Register.NEURONS, neurons),
        ):
            ctx.set(access.region, Region.REGISTER)
            ctx.set(access.offset, register)
            ctx.set(access.data, data)
            ctx.set(access.write, 1)
            await ctx.tick()
        ctx.set(access.write, 0)
        await ctx.tick().until(sequencer.idle)  # after reset it clears the axon buffer first
        ctx.set(sequencer.active, 1)
        ctx.set(sequencer.pages, sum(1 << page for page in [*pages, *vanished]))
        ctx.set(sequencer.go, 1)
        await ctx.tick()
        ctx.set(sequencer.go, 0)
        loaded = set()
        lines = [-1, -1]
        while not ctx.get(sequencer.idle):
            ctx.set(sequencer.stall, rng.random() < 0.3)
            if ctx.get(sequencer.load):
                loaded.add(ctx.get(sequencer.load_page))
            if ctx.get(sequencer.line_valid):
                lines = [lines[1], ctx.get(sequencer.line)]
            if ctx.get(sequencer.request_valid):
                request = ctx.get(sequencer.request)
                assert request.reads == bool(pages)
                line, row = divmod(request.position, LINE_ROWS)
                page = ctx.get(sequencer.load_page) if pages else 0
                assert (page, request.neuron) not in seen
                seen[page, request.neuron] = lines[line] * LINE_ROWS + row
                if pages:
                    last = seen[page, request.neuron] + planes - 1
                    assert last // LINE_ROWS == lines[1], f"seed {seed}: its last row is not there"
            await ctx.tick()
        assert loaded == {*pages, *vanished}, f"seed {seed}"  # what is loaded is cleared

    simulate(m, check)
    of = range(neurons)
    if pages:
        want = {(f, n): (f * neurons + n) * planes for f in pages for n in of}
        assert seen == want, f"seed {seed}: P = {planes}, F = {1 << shift}, N = {neurons}"
    else:
        assert seen.keys() == {(0, n) for n in of}
