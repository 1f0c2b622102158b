"""A core in its tile: what reset leaves behind, and what the host may write while a tick runs."""

import random
from typing import Any

import pytest

from hw import spec
from hw.spec import AXON, FLIT, Accepted, Control, Kind, NeuronWord, Region, Register
from hw.tile import Tile
from tests.support.amaranth_sim import simulate

pytestmark = pytest.mark.slow

AXONS, NEURONS = 64, 8


class Host:
    """Drives the western port of a tile, and keeps the HOST flits that come back."""

    def __init__(self, ctx: Any, tile: Tile) -> None:
        self._ctx, self._tile = ctx, tile
        self.answers: list[int] = []
        ctx.set(tile.outputs[0].ready, 1)

    async def cycle(self) -> None:
        ctx, link = self._ctx, self._tile.outputs[0]
        if ctx.get(link.valid):
            self.answers.append(ctx.get(link.payload.as_value()))
        await ctx.tick()

    async def send(self, *flits: int) -> None:
        ctx, link = self._ctx, self._tile.inputs[0]
        for flit in flits:
            ctx.set(link.payload.as_value(), flit)
            ctx.set(link.valid, 1)
            while not ctx.get(link.ready):
                await self.cycle()
            await self.cycle()
            ctx.set(link.valid, 0)

    async def settle(self) -> int:
        """Waits until the tile is idle; how many cycles that took."""
        for count in range(2000):
            if self._ctx.get(self._tile.idle):
                return count
            await self.cycle()
        raise AssertionError("the tile does not come to rest")

    async def go(self, meanwhile: tuple[int, ...] = ()) -> None:
        """A tick; `meanwhile` is sent as early as a host may."""
        self._ctx.set(self._tile.go, 1)
        await self.cycle()
        self._ctx.set(self._tile.go, 0)
        for _ in range(spec.GO_CYCLES):
            await self.cycle()
        await self.send(*meanwhile)
        await self.settle()

    async def reset(self, cycles: int = 2) -> None:
        self._ctx.set(self._tile.reset, 1)
        for _ in range(cycles):
            await self.cycle()
        self._ctx.set(self._tile.reset, 0)
        await self.cycle()
        self.answers.clear()


def write(region: Region, offset: int, data: int) -> int:
    flit: int = FLIT.pack(kind=Kind.WRITE, region=region, offset=offset, data=data % (1 << 32))
    return flit


def register(which: int, value: int) -> int:
    return write(Region.REGISTER, which, value)


def read(region: Region, offset: int, count: int) -> int:
    flit: int = FLIT.pack(kind=Kind.READ, region=region, offset=offset, data=count)
    return flit


def spike(axon: int, page: int = 0) -> int:
    flit: int = FLIT.pack(kind=Kind.SPIKE, data=AXON.pack(axon=axon, page=page))
    return flit


def setup() -> list[int]:
    """NEURONS neurons on two pages; neuron n meets all axons and fires from n + 1 spikes on."""
    flits = [
        register(Register.NEURONS, NEURONS),
        register(Register.PAGE_SHIFT, 1),
        register(Register.PLANE_WEIGHT, 1),
        register(Register.NOISE_MASK, 1),
        register(Register.TRACE, 1),
    ]
    flits += [
        write(Region.NEURON, n * spec.NEURON_STRIDE + NeuronWord.THRESHOLD, n + 1)
        for n in range(NEURONS)
    ]
    return flits + [
        write(Region.SYNAPSE, row * spec.ROW_WORDS + word, -1)
        for row in range(2 * NEURONS)
        for word in range(AXONS // spec.DATA_BITS)
    ]


READ_ALL = (
    read(Region.MEMBRANE, 0, 2 * NEURONS),
    read(Region.REGISTER, 0, Register.PLANE_WEIGHT + spec.MAX_PLANES),
    read(Region.COUNTER, 0, 2 * len(spec.Counter)),
)


async def program(host: Host, rng: random.Random, ticks: int) -> list[int]:
    """Set up, `ticks` ticks of random spikes, all read back: the flits that came out, in order."""
    await host.send(*setup())
    await host.settle()
    for _ in range(ticks):
        count = rng.randrange(12)
        await host.send(*(spike(rng.randrange(AXONS), rng.randrange(3)) for _ in range(count)))
        await host.settle()
        await host.go()
    await host.send(*READ_ALL)
    await host.settle()
    return host.answers


@pytest.mark.parametrize("seed", range(6))
def test_reset_at_any_moment_leaves_the_state_after_power_up(seed: int) -> None:
    """Spikes wait, pages are being swept, answers under way: none of it is left, to the cycle."""
    first, second = Tile(AXONS, 16), Tile(AXONS, 16)
    runs: list[list[int]] = []

    async def fresh(ctx: Any) -> None:
        host = Host(ctx, first)
        await host.settle()
        runs.append(await program(host, random.Random(seed), ticks=3))

    async def used(ctx: Any) -> None:
        rng = random.Random(f"before {seed}")
        host = Host(ctx, second)
        await host.settle()
        await program(host, rng, ticks=2)
        await host.send(*(spike(axon, page) for axon in (3, 7, 40) for page in range(2)))
        if rng.random() < 0.5:
            ctx.set(second.go, 1)
            await host.cycle()
            ctx.set(second.go, 0)
        for _ in range(rng.randrange(40)):
            await host.cycle()
        if rng.random() < 0.5:
            await host.send(spike(9), spike(10, 1))
        await host.reset()
        await host.settle()
        runs.append(await program(host, random.Random(seed), ticks=3))

    simulate(first, fresh)
    simulate(second, used)
    assert any(FLIT.get(flit, "region") == Region.SPIKE for flit in runs[0])
    assert runs[0] == runs[1], f"seed {seed}"


def test_power_up_clears_the_axon_buffer_whatever_it_holds() -> None:
    """An SRAM comes up with anything in it: no spike, and no count, comes from that."""
    tile = Tile(AXONS, 16)

    async def check(ctx: Any) -> None:
        host = Host(ctx, tile)
        await host.settle()
        await host.send(*setup(), *(spike(a, page) for a in range(AXONS) for page in range(2)))
        await host.settle()
        await host.go(meanwhile=tuple(spike(a, page) for a in range(AXONS) for page in range(2)))
        await host.send(*(spike(a, page) for a in range(AXONS) for page in range(2)))
        await host.reset()  # both halves are full or half consumed
        await host.settle()
        counted = (spec.Counter.BUSY_CYCLES, spec.Counter.TICKS, spec.Counter.SPIKES_IN)
        await host.send(*(read(Region.COUNTER, 2 * counter, 1) for counter in counted))
        await host.settle()
        assert [FLIT.get(flit, "data") for flit in host.answers] == [0, 0, 0]
        await host.send(*setup())
        await host.settle()
        host.answers.clear()
        for _ in range(2):  # one half each
            await host.send(spike(1, 0))
            await host.settle()
            await host.go()
        await host.send(read(Region.COUNTER, 2 * spec.Counter.SYNAPTIC_OPS, 1))
        await host.settle()
        assert FLIT.get(host.answers[-1], "data") == 2 * NEURONS

    simulate(tile, check)


AFTER_RESET = {Register.SEED: 1, Register.FIRST_TICK: 0, Register.LAST_TICK: 0xFFFFFFFF}


def test_the_registers_that_may_be_written_at_any_time() -> None:
    any_time = {i for i, form in spec.REGISTERS.items() if form.accepted is not Accepted.IDLE}
    assert any_time == set(AFTER_RESET)


@pytest.mark.parametrize("which", AFTER_RESET, ids=lambda which: which.name)
def test_what_may_be_written_at_any_time_does_not_touch_the_tick(which: Register) -> None:
    """The same restart and tick again and again, with other values written while it runs."""
    tile = Tile(AXONS, 16)
    runs = []

    async def check(ctx: Any) -> None:
        host = Host(ctx, tile)
        await host.settle()
        await host.send(*setup())
        for value in (None, 0, 1, 0xFFFF):
            await host.send(register(which, AFTER_RESET[which]))
            await host.settle()
            await host.send(register(Register.CONTROL, Control.RESTART))
            await host.settle()
            await host.send(*(spike(axon, axon % 2) for axon in range(5)))
            await host.settle()
            host.answers.clear()
            await host.go(() if value is None else (register(which, value),))
            runs.append(list(host.answers))

    simulate(tile, check)
    assert runs[0]
    assert all(run == runs[0] for run in runs)
