"""The NoC at full load: nothing lost, nothing twice, nothing misrouted, order kept."""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from hw import spec
from hw.spec import FLIT, Kind
from tests.support.amaranth_sim import simulate
from tests.support.router_mesh import RouterMesh

pytestmark = pytest.mark.slow

COLUMNS, ROWS = spec.MESH_COLUMNS, spec.MESH_ROWS
CORES = COLUMNS * ROWS
HOST = "host"


def random_flit(rng: random.Random, source: int, number: int) -> int:
    """A flit of a core or (source >= CORES) of a row's host; its data say who sent it, and when."""
    data = source << 16 | number
    flit: int
    if source < CORES and rng.random() < 0.2:
        flit = FLIT.pack(kind=Kind.HOST, x0=source % COLUMNS, y0=source // COLUMNS, data=data)
        return flit
    x0, y0 = rng.randrange(COLUMNS), rng.randrange(ROWS)
    x1, y1 = x0, y0
    if rng.random() < 0.1:
        x1, y1 = rng.randrange(x0, COLUMNS), rng.randrange(y0, ROWS)
    flit = FLIT.pack(kind=Kind.SPIKE, x0=x0, y0=y0, x1=x1, y1=y1, data=data)
    return flit


def sinks(flit: int, source: int) -> Iterator[int]:
    """Where copies of a flit must come out: core numbers, CORES + row for a host port."""
    x0, y0, x1, y1 = (FLIT.get(flit, name) for name in ("x0", "y0", "x1", "y1"))
    if FLIT.get(flit, "kind") == Kind.HOST:
        yield CORES + source // COLUMNS
        return
    for x, y in itertools.product(range(x0, x1 + 1), range(y0, y1 + 1)):
        yield y * COLUMNS + x


def test_full_load_with_back_pressure() -> None:
    """Two batches in one simulation: what takes its time is to make it."""
    mesh = RouterMesh(COLUMNS, ROWS)

    async def drive(ctx: Any) -> None:
        for seed in range(2):
            await full_load(ctx, mesh, seed)

    simulate(mesh, drive)


async def full_load(ctx: Any, mesh: RouterMesh, seed: int) -> None:
    """A source offers its next flit in every cycle; each sink is busy half of the time."""
    rng = random.Random(seed)
    into = [*mesh.local_in, *mesh.host_in]
    out = [*mesh.local_out, *mesh.host_out]
    waiting = {s: [random_flit(rng, s, n) for n in range(12)] for s in range(len(into))}
    expected: dict[int, Counter[int]] = defaultdict(Counter)
    for source, flits in waiting.items():
        for flit in flits:
            for sink in sinks(flit, source):
                expected[sink][flit] += 1
    received: dict[int, list[int]] = defaultdict(list)
    total, seen = sum(sum(c.values()) for c in expected.values()), 0
    for cycle in range(4000):
        for source, port in enumerate(into):
            ctx.set(port.valid, bool(waiting[source]))
            if waiting[source]:
                ctx.set(port.payload.as_value(), waiting[source][0])
        for port in out:
            ctx.set(port.ready, rng.random() < 0.5)
        for sink, port in enumerate(out):
            if ctx.get(port.valid) and ctx.get(port.ready):
                received[sink].append(ctx.get(port.payload.as_value()))
                seen += 1
        for source, port in enumerate(into):
            if waiting[source] and ctx.get(port.ready):
                waiting[source].pop(0)
        await ctx.tick()
        if seen >= total and cycle > 100:
            break
    for port in into:
        ctx.set(port.valid, 0)
    for _ in range(100):  # nothing more may come
        for sink, port in enumerate(out):
            ctx.set(port.ready, 1)
            if ctx.get(port.valid):
                received[sink].append(ctx.get(port.payload.as_value()))
        await ctx.tick()
    assert ctx.get(mesh.idle)
    for sink in range(len(out)):
        assert Counter(received[sink]) == expected[sink], f"seed {seed}, sink {sink}"
        numbers: dict[int, list[int]] = defaultdict(list)
        for flit in received[sink]:
            numbers[FLIT.get(flit, "data") >> 16].append(FLIT.get(flit, "data") & 0xFFFF)
        for source, order in numbers.items():
            assert order == sorted(order), f"seed {seed}: {source} to {sink} out of order"
