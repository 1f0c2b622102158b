"""The emitter under back-pressure: each entry of each neuron once, in order; none after reset."""

import random
from typing import Any

import pytest
from amaranth import ResetInserter, Signal

from hw import spec
from hw.core.emitter import Emitter
from hw.spec import AXON, FANOUT, FLIT, Kind, Region
from tests.support.amaranth_sim import simulate

ENTRIES = 12
X, Y, TICK = 5, 3, 0x8000_0001


def table(rng: random.Random) -> list[dict[str, int]]:
    """Fields of the fan-out entries, to cores and to the host."""
    return [
        {
            "axon": rng.randrange(spec.AXONS),
            "page": rng.randrange(spec.MAX_PAGES),
            **{corner: rng.randrange(8) for corner in ("x0", "y0", "x1", "y1")},
            "host": int(rng.random() < 0.3),
        }
        for _ in range(ENTRIES)
    ]


def flits_of(neuron: int, entries: list[dict[str, int]], trace: bool) -> list[int]:
    """What a neuron that fires sends: its trace first, then an entry each."""
    report = FLIT.pack(kind=Kind.HOST, region=Region.SPIKE, offset=neuron, data=TICK, x0=X, y0=Y)
    found = [report] if trace else []
    for entry in entries:
        corners = {name: entry[name] for name in ("x0", "y0", "x1", "y1")}
        data = AXON.pack(axon=entry["axon"], page=entry["page"])
        found.append(report if entry["host"] else FLIT.pack(kind=Kind.SPIKE, data=data, **corners))
    return found


async def load(ctx: Any, emitter: Emitter, entries: list[dict[str, int]]) -> None:
    access = emitter.access
    ctx.set(access.region, Region.FANOUT)
    ctx.set(access.write, 1)
    for number, entry in enumerate(entries):
        ctx.set(access.offset, number)
        ctx.set(access.data, FANOUT.pack(**entry))
        await ctx.tick()
    ctx.set(access.write, 0)


@pytest.mark.slow
@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_every_entry_goes_out_once_and_in_order(seed: int, trace: bool) -> None:
    """And after reset, in any cycle, nothing of what was to be sent."""
    rng = random.Random(seed)
    reset = Signal()
    emitter = Emitter()
    entries = table(rng)
    fires = [(rng.randrange(spec.NEURONS), rng.randrange(ENTRIES)) for _ in range(30)]
    ranges = [(neuron, start, rng.randrange(ENTRIES - start + 1)) for neuron, start in fires]

    async def run(ctx: Any, cycles: int, ready: float) -> tuple[list[int], int]:
        """The flits that come out, and how many neurons went in."""
        waiting, sent = list(ranges), []
        for _ in range(cycles):
            ctx.set(emitter.fires.valid, bool(waiting))
            if waiting:
                neuron, start, count = waiting[0]
                fan_out = {"start": start, "count": count}
                ctx.set(emitter.fires.payload, {"neuron": neuron, "fanout": fan_out})
            ctx.set(emitter.flits.ready, rng.random() < ready)
            if ctx.get(emitter.flits.valid) and ctx.get(emitter.flits.ready):
                sent.append(ctx.get(emitter.flits.payload.as_value()))
            if waiting and ctx.get(emitter.fires.ready):
                waiting.pop(0)
            await ctx.tick()
        ctx.set(emitter.fires.valid, 0)
        ctx.set(emitter.flits.ready, 0)
        return sent, len(ranges) - len(waiting)

    async def check(ctx: Any) -> None:
        ctx.set(emitter.x, X)
        ctx.set(emitter.y, Y)
        ctx.set(emitter.tick, TICK)
        ctx.set(emitter.trace, trace)
        await load(ctx, emitter, entries)
        expected = [
            flit
            for neuron, start, count in ranges
            for flit in flits_of(neuron, entries[start : start + count], trace)
        ]
        for ready in (1.0, 0.5, 0.1):
            sent, taken = await run(ctx, 60 + int(3 * len(expected) / ready), ready)
            assert (sent, taken) == (expected, len(ranges)), f"seed {seed}, ready {ready}"
            assert not ctx.get(emitter.busy)
        for _ in range(20):
            await run(ctx, rng.randrange(1, 60), rng.random())
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            assert not ctx.get(emitter.busy)
            assert not ctx.get(emitter.flits.valid)
            assert ctx.get(emitter.fires.ready)

    simulate(ResetInserter(reset)(emitter), check)
