"""Meshes smaller than 8 x 8: rectangles at their last column and row, and beyond them."""

import itertools
import random
from collections import Counter
from typing import Any

import pytest

from hw import spec
from hw.spec import FLIT, Kind
from tests.support.amaranth_sim import simulate
from tests.support.router_mesh import RouterMesh

pytestmark = pytest.mark.slow


def deliveries(columns: int, rows: int, sent: list[tuple[int | None, int]]) -> list[Counter[int]]:
    """What comes out at each core, and at the host's ports as the last one, until all is idle.

    `sent` are flits, each with the core that it starts from, y * columns + x; None: its row's port.
    """
    mesh = RouterMesh(columns, rows)
    into = [*mesh.local_in, *mesh.host_in]
    out = [*mesh.local_out, *mesh.host_out]
    found: list[Counter[int]] = [Counter() for _ in range(columns * rows + 1)]

    async def drive(ctx: Any) -> None:
        for port in out:
            ctx.set(port.ready, 1)
        waiting = list(sent)
        quiet = 0
        for _ in range(500 + 4 * len(sent)):
            for port in into:
                ctx.set(port.valid, 0)
            if waiting:
                source, flit = waiting[0]
                row = columns * rows + FLIT.get(flit, "y0")
                port = into[row if source is None else source]
                ctx.set(port.payload.as_value(), flit)
                ctx.set(port.valid, 1)
                if ctx.get(port.ready):
                    waiting.pop(0)
            for number, port in enumerate(out):
                if ctx.get(port.valid):
                    found[min(number, columns * rows)][ctx.get(port.payload.as_value())] += 1
            await ctx.tick()
            quiet = quiet + 1 if ctx.get(mesh.idle) and not waiting else 0
            if quiet > 3:
                return
        raise AssertionError("the mesh does not come to rest")

    simulate(mesh, drive)
    return found


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (3, 2), (2, 3), (1, 4), (4, 1)])
def test_rectangles_at_the_edges_of_a_small_mesh(columns: int, rows: int) -> None:
    """Every rectangle that touches the last column or row, from every core and from the host."""
    flits: list[tuple[int | None, int]] = []
    wanted: list[Counter[int]] = [Counter() for _ in range(columns * rows + 1)]
    corners = itertools.product(range(columns), range(rows))
    for number, (x0, y0) in enumerate(corners):
        x1, y1 = columns - 1, rows - 1
        for source in (None, *range(columns * rows)):
            data = number << 8 | (0 if source is None else source + 1)
            flit = FLIT.pack(kind=Kind.SPIKE, x0=x0, y0=y0, x1=x1, y1=y1, data=data)
            flits.append((source, flit))
            for x, y in itertools.product(range(x0, columns), range(y0, rows)):
                wanted[y * columns + x][flit] += 1
    assert deliveries(columns, rows, flits) == wanted


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (3, 2), (2, 3), (7, 1)])
def test_what_lies_beyond_the_edge_leaves_the_chip(columns: int, rows: int) -> None:
    """Rectangles beyond the last column or row, or wholly outside: nothing sticks or comes back."""
    rng = random.Random(10 * columns + rows)
    flits: list[tuple[int | None, int]] = []
    wanted: list[Counter[int]] = [Counter() for _ in range(columns * rows + 1)]
    for number in range(40):
        x0, x1 = sorted(rng.choices(range(spec.MESH_COLUMNS), k=2))
        y0, y1 = sorted(rng.choices(range(spec.MESH_ROWS), k=2))
        x1, y1 = rng.choice([(7, y1), (x1, 7), (7, 7)])
        source = None if y0 < rows and number % 2 else rng.randrange(columns * rows)
        flit = FLIT.pack(kind=Kind.SPIKE, x0=x0, y0=y0, x1=x1, y1=y1, data=number)
        flits.append((source, flit))
        inside = range(x0, min(x1, columns - 1) + 1), range(y0, min(y1, rows - 1) + 1)
        for x, y in itertools.product(*inside):
            wanted[y * columns + x][flit] += 1
    assert deliveries(columns, rows, flits) == wanted


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (3, 2), (2, 3)])
def test_host_flits_of_every_core_come_out_once(columns: int, rows: int) -> None:
    flits: list[tuple[int | None, int]] = [
        (y * columns + x, FLIT.pack(kind=Kind.HOST, x0=x, y0=y, data=5))
        for x, y in itertools.product(range(columns), range(rows))
    ]
    found = deliveries(columns, rows, flits)
    assert found[-1] == Counter(flit for _, flit in flits)
    assert not any(found[:-1])
