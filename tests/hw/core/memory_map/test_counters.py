"""Counters against scenes counted by hand: which events, how many, both words, and the wrap."""

import random
from typing import Any

import pytest

from hw import spec
from hw.core.core import Core
from hw.core.memory_map.counters import Counters
from hw.mesh.router import Port, Router
from hw.spec import AXON, FANOUT, FANOUT_RANGE, FLIT, Control, Counter, Kind, Region, Register
from tests.support.amaranth_sim import simulate

EVENTS = {
    Counter.TICKS: "tick",
    Counter.BUSY_CYCLES: "busy",
    Counter.SPIKES_IN: "spikes_in",
    Counter.SPIKES_OUT: "spike_out",
    Counter.SYNAPTIC_OPS: "synaptic_ops",
}
MOST = {Counter.SPIKES_IN: spec.DATA_BITS, Counter.SYNAPTIC_OPS: (1 << spec.STEP_OPS_BITS) - 1}
OF_THE_ROUTER = {Counter.FLITS: "flits", Counter.STALLS: "stalls"}


async def read_word(ctx: Any, counters: Counters, offset: int) -> int:
    ctx.set(counters.access.offset, offset)
    ctx.set(counters.access.read, 1)
    await ctx.tick()
    ctx.set(counters.access.read, 0)
    word: int = ctx.get(counters.access.reply)
    return word


async def read_all(ctx: Any, counters: Counters) -> dict[Counter, int]:
    """Every counter from its two words, low first."""
    found = {}
    for counter in Counter:
        low = await read_word(ctx, counters, 2 * counter)
        found[counter] = low + (await read_word(ctx, counters, 2 * counter + 1) << 32)
    return found


# ---------------------------------------------------------------- the block
@pytest.mark.parametrize("counter", EVENTS, ids=lambda counter: counter.name)
def test_an_event_counts_in_its_own_counter_alone(counter: Counter) -> None:
    counters = Counters()

    async def check(ctx: Any) -> None:
        ctx.set(getattr(counters, EVENTS[counter]), 1)
        for _ in range(5):
            await ctx.tick()
        ctx.set(getattr(counters, EVENTS[counter]), 0)
        assert await read_all(ctx, counters) == {each: 5 * (each == counter) for each in Counter}

    simulate(counters, check)


@pytest.mark.parametrize("seed", range(3))
def test_any_events_at_once_and_clear_at_any_time(seed: int) -> None:
    """`clear` also drops what happens in its own cycle."""
    rng = random.Random(seed)
    counters = Counters()

    async def check(ctx: Any) -> None:
        expected = dict.fromkeys(Counter, 0)
        for _ in range(6):
            for _ in range(rng.randrange(1, 40)):
                clear = rng.random() < 0.05
                ctx.set(counters.clear, clear)
                for counter, name in EVENTS.items():
                    most = MOST.get(counter, 1)
                    events = rng.choice([0, 1, rng.randrange(most + 1), most])
                    ctx.set(getattr(counters, name), events)
                    expected[counter] = 0 if clear else expected[counter] + events
                await ctx.tick()
            ctx.set(counters.clear, 0)
            for name in EVENTS.values():
                ctx.set(getattr(counters, name), 0)
            assert await read_all(ctx, counters) == expected, f"seed {seed}"

    simulate(counters, check)


@pytest.mark.parametrize("counter", EVENTS, ids=lambda counter: counter.name)
@pytest.mark.parametrize(
    ("before", "after"),
    [(2**32 - 1, 2**32), (2**33 - 1, 2**33), (2**63 - 1, 2**63), (2**64 - 1, 0)],
)
def test_a_carry_reaches_the_high_word_and_64_bits_wrap(
    counter: Counter, before: int, after: int
) -> None:
    counters = Counters()

    async def check(ctx: Any) -> None:
        ctx.set(counters.totals[counter], before)
        assert (await read_all(ctx, counters))[counter] == before
        ctx.set(getattr(counters, EVENTS[counter]), 1)
        await ctx.tick()
        ctx.set(getattr(counters, EVENTS[counter]), 0)
        assert await read_all(ctx, counters) == {
            each: after if each == counter else 0 for each in Counter
        }

    simulate(counters, check)


def test_the_router_s_are_shown_with_both_words() -> None:
    counters = Counters()
    values = {Counter.FLITS: 0x0123_4567_89AB_CDEF, Counter.STALLS: 0xFEDC_BA98_7654_3210}

    async def check(ctx: Any) -> None:
        for counter, value in values.items():
            ctx.set(getattr(counters, OF_THE_ROUTER[counter]), value)
        found = await read_all(ctx, counters)
        assert {counter: found[counter] for counter in values} == values
        assert sum(found.values()) == sum(values.values())

    simulate(counters, check)


def test_a_word_stands_until_the_next_read_and_beyond_the_last_one_there_are_none() -> None:
    counters = Counters()

    async def check(ctx: Any) -> None:
        ctx.set(counters.tick, 1)
        await ctx.tick()
        assert await read_word(ctx, counters, 2 * Counter.TICKS) == 1
        for _ in range(3):
            await ctx.tick()
            assert ctx.get(counters.access.reply) == 1
        for offset in (2 * len(Counter), 2 * len(Counter) + 1, (1 << spec.OFFSET_BITS) - 1):
            assert await read_word(ctx, counters, offset) == 0

    simulate(counters, check)


# ---------------------------------------------------------------- the router's
ALL_SIDES = FLIT.pack(kind=Kind.SPIKE, x0=2, x1=3, y0=1, y1=3)  # from the west at (2, 2)
COPIES = (Port.EAST, Port.SOUTH, Port.NORTH, Port.LOCAL)


async def from_the_west(ctx: Any, router: Router, flits: int) -> None:
    """So many flits for four outputs, one a cycle; nobody is asked whether they are taken."""
    ctx.set(router.x, 2)
    ctx.set(router.y, 2)
    ctx.set(router.inputs[Port.WEST].payload.as_value(), ALL_SIDES)
    ctx.set(router.inputs[Port.WEST].valid, 1)
    for _ in range(flits):
        await ctx.tick()
    ctx.set(router.inputs[Port.WEST].valid, 0)


@pytest.mark.parametrize("flits", [1, 2, 9])
def test_copies_count_and_nothing_stalls_that_flows(flits: int) -> None:
    router = Router()

    async def check(ctx: Any) -> None:
        for port in Port:
            ctx.set(router.outputs[port].ready, 1)
        await from_the_west(ctx, router, flits)
        for _ in range(10):
            await ctx.tick()
        assert (ctx.get(router.flits), ctx.get(router.stalls)) == (4 * flits, 0)

    simulate(router, check)


def test_stalls_are_counted_by_output_and_cycle() -> None:
    """North and south take two flits each into their queues. The third one is at the head in
    cycle 3: its copies to the east and inwards pass, two outputs stall, then one, then none."""
    router = Router()

    async def check(ctx: Any) -> None:
        async def counts() -> tuple[int, int]:
            await ctx.tick()
            return ctx.get(router.flits), ctx.get(router.stalls)

        for port in (Port.EAST, Port.LOCAL):
            ctx.set(router.outputs[port].ready, 1)
        await from_the_west(ctx, router, 3)
        assert (ctx.get(router.flits), ctx.get(router.stalls)) == (8, 0)
        for stalled in range(1, 6):
            assert await counts() == (8 + 2, 2 * stalled)
        ctx.set(router.outputs[Port.NORTH].ready, 1)  # its queue has a place in the next cycle
        assert await counts() == (10, 12)
        assert await counts() == (11, 13)
        assert await counts() == (11, 14)
        ctx.set(router.outputs[Port.SOUTH].ready, 1)
        assert await counts() == (11, 15)
        for _ in range(3):
            assert await counts() == (12, 15)

    simulate(router, check)


@pytest.mark.parametrize(
    ("before", "after"), [(2**32 - 1, 2**32 + 3), (2**33 - 1, 2**33 + 3), (2**64 - 1, 3)]
)
def test_the_router_s_counts_have_64_bits_too(before: int, after: int) -> None:
    router = Router()

    async def check(ctx: Any) -> None:
        ctx.set(router.flits, before)
        ctx.set(router.stalls, before)
        await from_the_west(ctx, router, 1)
        for _ in range(3):
            await ctx.tick()
        assert (ctx.get(router.flits), ctx.get(router.stalls)) == (after, before)
        await from_the_west(ctx, router, 2)  # one more is taken; of the next four copies wait
        await ctx.tick()
        assert (ctx.get(router.flits), ctx.get(router.stalls)) == (
            (after + 4) % 2**64,
            (before + 4) % 2**64,
        )

    simulate(router, check)


# ---------------------------------------------------------------- a core's
class Bench:
    """A core, one of whose cycles after another is watched: `busy` counts those not idle."""

    def __init__(self, seed: int) -> None:
        self.core = Core(axons=64, dendrites=16)
        self.rng = random.Random(seed)
        self.busy = 0
        self.busy_when_asked = 0
        self.replies: list[int] = []

    async def cycle(self, ctx: Any) -> None:
        outbound = self.core.outbound
        ctx.set(outbound.ready, self.rng.random() < 0.6)
        self.busy += not ctx.get(self.core.idle)
        if ctx.get(outbound.valid) and ctx.get(outbound.ready):
            flit = ctx.get(outbound.payload.as_value())
            if FLIT.get(flit, "region") == Region.COUNTER:
                self.replies.append(FLIT.get(flit, "data"))
        await ctx.tick()

    async def settle(self, ctx: Any) -> None:
        for _ in range(600):
            if ctx.get(self.core.idle):
                return
            await self.cycle(ctx)
        raise AssertionError("the core does not come to rest")

    async def send(self, ctx: Any, **fields: int) -> None:
        ctx.set(self.core.inbound.payload.as_value(), FLIT.pack(**fields))
        ctx.set(self.core.inbound.valid, 1)
        while not ctx.get(self.core.inbound.ready):
            await self.cycle(ctx)
        await self.cycle(ctx)
        ctx.set(self.core.inbound.valid, 0)

    async def write(self, ctx: Any, region: Region, offset: int, data: int) -> None:
        await self.send(ctx, kind=Kind.WRITE, region=region, offset=offset, data=data)

    async def spike(self, ctx: Any, axon: int, page: int = 0) -> None:
        await self.send(ctx, kind=Kind.SPIKE, data=AXON.pack(axon=axon, page=page))

    async def go(self, ctx: Any) -> None:
        await self.settle(ctx)
        ctx.set(self.core.go, 1)
        await self.cycle(ctx)
        ctx.set(self.core.go, 0)
        await self.settle(ctx)

    async def read(self, ctx: Any, counter: Counter) -> int:
        """Of BUSY_CYCLES the low word is that of the cycle in which the READ comes in."""
        await self.settle(ctx)
        self.replies.clear()
        fields = {"kind": Kind.READ, "region": Region.COUNTER, "offset": 2 * counter, "data": 2}
        await self.send(ctx, **fields)
        self.busy_when_asked = self.busy
        await self.settle(ctx)
        low, high = self.replies
        return low + (high << 32)

    async def counters(self, ctx: Any) -> dict[Counter, int]:
        """All that are the core's own; BUSY_CYCLES is as many as were watched."""
        found = {counter: await self.read(ctx, counter) for counter in EVENTS}
        assert await self.read(ctx, Counter.BUSY_CYCLES) == self.busy_when_asked > 0
        del found[Counter.BUSY_CYCLES]
        return found


def test_a_core_s_counts_by_hand() -> None:
    """Three neurons of one plane, all ones of weight 1, thresholds 1, 2 and 9, one page.

    Tick 0: axons 3, 4 and 4 again; one spike more to a page that is not there. Three flits count,
    two axons are active, each meets three synapses: 6 operations; two neurons fire, with three
    fan-out entries. Tick 1: these come back, three flits for one axon: 3 operations; the first
    neuron fires. Tick 2 is outside the window: axon 7 counts as a flit, and is lost.
    """
    bench = Bench(seed=1)

    async def check(ctx: Any) -> None:
        for row in range(3):
            for word in range(2):
                offset = row * spec.ROW_WORDS + word
                await bench.write(ctx, Region.SYNAPSE, offset, 0xFFFF_FFFF)
        for neuron, (threshold, entries) in enumerate(((1, 2), (2, 1), (9, 1))):
            place = neuron * spec.NEURON_STRIDE
            await bench.write(ctx, Region.NEURON, place + spec.NeuronWord.THRESHOLD, threshold)
            await bench.write(ctx, Region.NEURON, place + spec.NeuronWord.BIAS, 0)
            fan_out = FANOUT_RANGE.pack(start=0, count=entries)
            await bench.write(ctx, Region.NEURON, place + spec.NeuronWord.FANOUT, fan_out)
        for entry in range(2):
            await bench.write(ctx, Region.FANOUT, entry, FANOUT.pack(axon=5))
        for register, data in (
            (Register.NEURONS, 3),
            (Register.PLANE_WEIGHT, 1),
            (Register.PLANE_WEIGHT + 1, 1000),  # of a plane that is not used
            (Register.LAST_TICK, 2),
            (Register.CONTROL, Control.RESTART),
        ):
            await bench.write(ctx, Region.REGISTER, register, data)
        await bench.settle(ctx)
        await bench.write(ctx, Region.REGISTER, Register.CONTROL, Control.CLEAR_COUNTERS)
        await bench.cycle(ctx)  # the router's are cleared now
        bench.busy = 0
        for axon, page in ((3, 0), (4, 0), (4, 0), (4, 1)):
            await bench.spike(ctx, axon, page)
        await bench.go(ctx)
        assert await bench.counters(ctx) == {
            Counter.TICKS: 1,
            Counter.SPIKES_IN: 3,
            Counter.SPIKES_OUT: 2,
            Counter.SYNAPTIC_OPS: 6,
        }
        for _ in range(3):  # the mesh would bring them back
            await bench.spike(ctx, 5)
        await bench.go(ctx)
        assert list((await bench.counters(ctx)).values()) == [2, 6, 3, 9]
        await bench.spike(ctx, 7)
        await bench.go(ctx)
        assert list((await bench.counters(ctx)).values()) == [3, 7, 3, 9]

    simulate(bench.core, check)


def test_a_neuron_of_threshold_zero_fires_without_operations() -> None:
    bench = Bench(seed=2)

    async def check(ctx: Any) -> None:
        await bench.write(ctx, Region.REGISTER, Register.NEURONS, 5)
        await bench.settle(ctx)
        await bench.write(ctx, Region.REGISTER, Register.CONTROL, Control.CLEAR_COUNTERS)
        await bench.cycle(ctx)
        bench.busy = 0
        for tick in range(1, 4):
            await bench.go(ctx)
            found = await bench.counters(ctx)
            assert (found[Counter.SPIKES_OUT], found[Counter.SYNAPTIC_OPS]) == (5 * tick, 0)

    simulate(bench.core, check)
