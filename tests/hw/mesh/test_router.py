"""Routing decisions, one router at a time, against a drawing of X-then-Y trees."""

import itertools
import random
from typing import Any

import pytest
from amaranth import Cat, Const, Module, Signal

from hw import layouts, spec
from hw.mesh.router import PORTS, Port, Router, lowest_bit, route
from hw.spec import FLIT, Kind
from tests.support.amaranth_sim import simulate, simulate_combinational

STEPS = {Port.WEST: (-1, 0), Port.EAST: (1, 0), Port.SOUTH: (0, -1), Port.NORTH: (0, 1)}
OPPOSITE = {
    Port.WEST: Port.EAST,
    Port.EAST: Port.WEST,
    Port.SOUTH: Port.NORTH,
    Port.NORTH: Port.SOUTH,
}
SIZE = 5


def decisions(flits: list[int]) -> dict[tuple[int, Port, int, int], set[Port]]:
    """`route` for every flit, port and place, from the simulator."""
    m = Module()
    flit = Signal(layouts.FLIT)
    x, y = Signal(spec.COORD_BITS), Signal(spec.COORD_BITS)
    turns = {port: Signal(PORTS, name=f"turns_{port.name}") for port in Port}
    for port, signal in turns.items():
        goes = route(port, flit, x, y)
        m.d.comb += signal.eq(Cat(goes.get(output, Const(0, 1)) for output in Port))
    found: dict[tuple[int, Port, int, int], set[Port]] = {}

    async def ask(ctx: Any) -> None:
        for word in flits:
            ctx.set(flit.as_value(), word)
            for px, py in itertools.product(range(SIZE), repeat=2):
                ctx.set(x, px)
                ctx.set(y, py)
                for port in Port:
                    bits = ctx.get(turns[port])
                    found[word, port, px, py] = {o for o in Port if bits >> o & 1}

    simulate_combinational(m, ask)
    return found


def test_every_core_of_a_rectangle_gets_one_copy_on_a_shortest_path() -> None:
    rng = random.Random(0)
    flits = []
    for _ in range(40):
        x0, y0 = rng.randrange(SIZE), rng.randrange(SIZE)
        x1, y1 = rng.randrange(x0, SIZE), rng.randrange(y0, SIZE)
        flits.append(FLIT.pack(kind=Kind.SPIKE, x0=x0, y0=y0, x1=x1, y1=y1))
    found = decisions(flits)
    for word, sx, sy in itertools.product(flits, range(SIZE), range(SIZE)):
        delivered: list[tuple[int, int]] = []
        front = [(Port.LOCAL, sx, sy, 0, False)]
        while front:
            port, x, y, hops, turned = front.pop()
            for output in found[word, port, x, y]:
                if output == Port.LOCAL:
                    delivered.append((x, y))
                    assert hops == abs(x - sx) + abs(y - sy)
                    continue
                dx, dy = STEPS[output]
                assert not (turned and dx), "from Y back to X: deadlock becomes possible"
                front.append((OPPOSITE[output], x + dx, y + dy, hops + 1, turned or dy != 0))
        x0, y0, x1, y1 = (FLIT.get(word, name) for name in ("x0", "y0", "x1", "y1"))
        wanted = sorted(itertools.product(range(x0, x1 + 1), range(y0, y1 + 1)))
        assert sorted(delivered) == wanted


def test_host_flits_go_west() -> None:
    word = FLIT.pack(kind=Kind.HOST, x0=3, y0=2, data=7)
    found = decisions([word])
    for x, y in itertools.product(range(SIZE), repeat=2):
        for port in (Port.EAST, Port.LOCAL):
            assert found[word, port, x, y] == {Port.WEST}
        for port in (Port.WEST, Port.SOUTH, Port.NORTH):  # no HOST flit comes that way: dropped
            assert found[word, port, x, y] == set()


def test_lowest_bit() -> None:
    m = Module()
    word, lowest = Signal(PORTS), Signal(PORTS)
    m.d.comb += lowest.eq(lowest_bit(word))

    async def check(ctx: Any) -> None:
        for value in range(1 << PORTS):
            ctx.set(word, value)
            assert ctx.get(lowest) == value & -value

    simulate_combinational(m, check)


def test_inputs_take_turns() -> None:
    """Three inputs that all want one output get a third of it each."""
    router = Router()
    rivals = (Port.EAST, Port.SOUTH, Port.LOCAL)

    async def check(ctx: Any) -> None:
        ctx.set(router.x, 2)
        ctx.set(router.y, 2)
        for port in rivals:
            # Up column 2 and, at its own place, out again; only the north port is asked for.
            flit = FLIT.pack(kind=Kind.SPIKE, x0=2, x1=2, y0=4, y1=4, data=int(port))
            ctx.set(router.inputs[port].payload.as_value(), flit)
            ctx.set(router.inputs[port].valid, 1)
        ctx.set(router.outputs[Port.NORTH].ready, 1)
        served = []
        for _ in range(63):
            if ctx.get(router.outputs[Port.NORTH].valid):
                served.append(ctx.get(router.outputs[Port.NORTH].payload.data))
            await ctx.tick()
        assert len(served) >= 60  # one a cycle once it flows
        for start in range(0, 57, 3):
            assert sorted(served[start : start + 3]) == sorted(map(int, rivals))

    simulate(router, check)


@pytest.mark.parametrize("cycles", [1, 7])
def test_counters_count_and_clear(cycles: int) -> None:
    router = Router()

    async def check(ctx: Any) -> None:
        flit = FLIT.pack(kind=Kind.SPIKE, x0=1, x1=1, data=5)
        ctx.set(router.inputs[Port.WEST].payload.as_value(), flit)
        ctx.set(router.inputs[Port.WEST].valid, 1)
        for _ in range(cycles):  # nobody takes the east output
            await ctx.tick()
        ctx.set(router.inputs[Port.WEST].valid, 0)
        for _ in range(5):
            await ctx.tick()
        assert ctx.get(router.flits) == min(cycles, 2)  # as many as the output's queue holds
        assert (ctx.get(router.stalls) > 0) == (cycles > 2)
        ctx.set(router.clear_counters, 1)
        await ctx.tick()
        assert ctx.get(router.flits) == ctx.get(router.stalls) == 0

    simulate(router, check)
