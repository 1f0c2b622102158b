"""The chip: a mesh of tiles, a host port at the west end of every row, and the tick."""

from typing import Protocol

from amaranth import Cat, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec
from hw.mesh.links import mesh_links
from hw.tile import Tile


class TileMaker(Protocol):
    """Makes the tile at (x, y): something with a tile's signature."""

    def __call__(self, shape: spec.ChipShape) -> Elaboratable: ...


def make_tile(shape: spec.ChipShape) -> Tile:
    return Tile(shape.axons, shape.dendrites)


class ChipSignature(wiring.Signature):
    """The chip's ports.

    Interface attributes
    --------------------
    host_in, host_out : In, Out
        Flits from and to the host, one port a row.
    go : In
        Start a tick; only while `idle`.
    idle : Out
        The tick is over: every core is idle, no flit is under way, and neither a flit nor `go` came
        from the host in the cycle before.
    """

    def __init__(self, rows: int) -> None:
        super().__init__(
            {
                "host_in": In(layouts.flit_stream()).array(rows),
                "host_out": Out(layouts.flit_stream()).array(rows),
                "go": In(1),
                "idle": Out(1),
            }
        )


class Chip(wiring.Component):
    """The NC64C."""

    def __init__(
        self, shape: spec.ChipShape = spec.FULL_CHIP, tile_maker: TileMaker = make_tile
    ) -> None:
        self.shape = shape
        self._make_tile = tile_maker
        super().__init__(ChipSignature(shape.rows))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        columns, rows = self.shape.columns, self.shape.rows
        tiles = {}
        for y in range(rows):
            for x in range(columns):
                tile = self._make_tile(self.shape)
                m.submodules[f"tile_{x}_{y}"] = tile
                m.d.comb += [tile.reset.eq(ResetSignal()), tile.x.eq(x), tile.y.eq(y)]
                tiles[x, y] = tile

        mesh_links(m, tiles, self.host_in, self.host_out)

        go = Signal()
        m.d.sync += go.eq(self.go)
        m.d.comb += [tile.go.eq(go) for tile in tiles.values()]

        # A flit shows in its tile's `idle` in the next cycle, a `go` in the one after.
        stirred = self.go | go | Cat(port.valid for port in self.host_in).any()
        m.d.sync += self.idle.eq(Cat(tile.idle for tile in tiles.values()).all() & ~stirred)
        return m
