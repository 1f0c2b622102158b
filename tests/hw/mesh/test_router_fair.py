"""Every output of a router takes turns among its inputs, whatever the other outputs do."""

import random
from collections import Counter
from typing import Any

import pytest

from hw.mesh.router import PORTS, Port, Router
from hw.spec import FLIT, Kind
from tests.support.amaranth_sim import simulate

HERE = (2, 2)
TO = {
    Port.WEST: (0, 2),
    Port.EAST: (4, 2),
    Port.SOUTH: (2, 0),
    Port.NORTH: (2, 4),
    Port.LOCAL: HERE,
}
# What may turn where: X first, then Y, never back.
RIVALS = {
    Port.EAST: (Port.WEST, Port.LOCAL),
    Port.WEST: (Port.EAST, Port.LOCAL),
    Port.NORTH: (Port.WEST, Port.EAST, Port.SOUTH, Port.LOCAL),
    Port.SOUTH: (Port.WEST, Port.EAST, Port.NORTH, Port.LOCAL),
    Port.LOCAL: tuple(Port),
}


def streams(rng: random.Random) -> dict[Port, Port]:
    """An output for every input; at least two outputs have several inputs each."""
    while True:
        chosen = {port: rng.choice([o for o in Port if port in RIVALS[o]]) for port in Port}
        if sum(count > 1 for count in Counter(chosen.values()).values()) > 1:
            return chosen


def spike(output: Port, data: int) -> int:
    x, y = TO[output]
    flit: int = FLIT.pack(kind=Kind.SPIKE, x0=x, x1=x, y0=y, y1=y, data=data)
    return flit


async def watch(ctx: Any, router: Router, cycles: int, busy: float, rng: random.Random) -> Any:
    """What comes out of each output, as the data of its flits; each is taken as `busy` allows."""
    taken: dict[Port, list[int]] = {port: [] for port in Port}
    for _ in range(cycles):
        for port in Port:
            out = router.outputs[port]
            ctx.set(out.ready, rng.random() >= busy)
            if ctx.get(out.valid) and ctx.get(out.ready):
                taken[port].append(ctx.get(out.payload.data))
        await ctx.tick()
    return taken


async def offer(ctx: Any, router: Router, flits: dict[Port, int]) -> None:
    """Each input offers its flit again and again."""
    ctx.set(router.x, HERE[0])
    ctx.set(router.y, HERE[1])
    for port, flit in flits.items():
        ctx.set(router.inputs[port].payload.as_value(), flit)
        ctx.set(router.inputs[port].valid, 1)


@pytest.mark.slow
@pytest.mark.parametrize("busy", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(12))
def test_several_outputs_take_turns_side_by_side(seed: int, busy: float) -> None:
    """Five inputs that never rest: at each output k rivals are served once in every k flits."""
    rng = random.Random(seed)
    to = streams(rng)
    router = Router()

    async def check(ctx: Any) -> None:
        await offer(ctx, router, {port: spike(output, port) for port, output in to.items()})
        taken = await watch(ctx, router, 60, busy, rng)
        for output in Port:
            rivals = sorted(int(port) for port in Port if to[port] == output)
            served = taken[output]
            if not rivals:
                assert served == []
                continue
            assert len(served) >= (57 if not busy else 15), f"seed {seed}: {output.name}"
            for start in range(len(served) - len(rivals) + 1):
                turn = sorted(served[start : start + len(rivals)])
                assert turn == rivals, f"seed {seed}: {output.name} served {served}"

    simulate(router, check)


@pytest.mark.parametrize("seed", range(6))
def test_multicast_starves_nobody(seed: int) -> None:
    """Rectangles that want several outputs at once, among others: all go on, each copy comes once.

    A flit may wait for one turn of every other input at each of its outputs, and no longer.
    """
    rng = random.Random(seed)
    router = Router()
    flits, copies = {}, {}
    for port in Port:
        x0, x1 = sorted(rng.choices(range(5), k=2))
        y0, y1 = sorted(rng.choices(range(5), k=2))
        if port in (Port.SOUTH, Port.NORTH):
            x0 = x1 = HERE[0]  # in Y a flit keeps to its column
        flits[port] = FLIT.pack(kind=Kind.SPIKE, x0=x0, x1=x1, y0=y0, y1=y1, data=int(port))
        columns, rows = x0 <= HERE[0] <= x1, y0 <= HERE[1] <= y1
        wants = {
            Port.WEST: x0 < HERE[0],
            Port.EAST: x1 > HERE[0],
            Port.SOUTH: columns and y0 < HERE[1],
            Port.NORTH: columns and y1 > HERE[1],
            Port.LOCAL: columns and rows,
        }
        copies[port] = [output for output in Port if wants[output] and port in RIVALS[output]]

    async def check(ctx: Any) -> None:
        await offer(ctx, router, flits)
        taken = await watch(ctx, router, 120, 0.3, rng)
        for port in Port:
            ctx.set(router.inputs[port].valid, 0)
        rest = await watch(ctx, router, 60, 0.0, rng)
        assert ctx.get(router.idle)
        for port, outputs in copies.items():
            counts = {o: (taken[o] + rest[o]).count(int(port)) for o in Port}
            assert len({counts[output] for output in outputs}) <= 1, f"seed {seed}: {counts}"
            assert not any(count for o, count in counts.items() if o not in outputs)
            for output in outputs:
                assert counts[output] >= 120 * 0.7 // (2 * PORTS), f"seed {seed}: {port.name}"

    simulate(router, check)
