"""Verilog of the chip: one module for the tile, one for the chip that places it."""

from collections.abc import Iterator
from typing import Any

from amaranth import ClockDomain, ClockSignal, Fragment, Instance, Module, Value
from amaranth.back import verilog
from amaranth.lib import wiring

from hw import spec
from hw.chip import Chip, make_tile
from hw.tile import TileSignature

TILE_MODULE = "nc64c_tile"
CHIP_MODULE = "nc64c_chip"


def ports(component: wiring.Component) -> Iterator[tuple[str, str, Any]]:
    """Name in Verilog, direction ("i" or "o") and value of every port of a component."""
    for path, member, value in component.signature.flatten(component):
        direction = "o" if member.flow == wiring.Out else "i"
        yield "__".join(map(str, path)), direction, value


class PlacedTile(wiring.Component):
    """A tile as a Verilog instance: all 64 then share one module, built once."""

    def __init__(self, shape: spec.ChipShape) -> None:
        super().__init__(TileSignature())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        connections = {f"{way}_{name}": value for name, way, value in ports(self)}
        m.submodules.tile = Instance(TILE_MODULE, i_clk=ClockSignal(), **connections)
        return m


def tile_verilog(shape: spec.ChipShape) -> str:
    tile = make_tile(shape)
    # The tile's reset is a port, registered inside; its clock domain has none of its own.
    domain = ClockDomain("sync", reset_less=True)
    fragment = Fragment.get(tile, platform=None)
    fragment.add_domains(domain)
    signals = [Value.cast(value) for _, _, value in ports(tile)]
    return _verilog(fragment, TILE_MODULE, ports=[domain.clk, *signals])


def chip_verilog(shape: spec.ChipShape) -> str:
    """The chip around its tiles; `tile_verilog` is the module it places."""
    return _verilog(Chip(shape, PlacedTile), CHIP_MODULE)


def _verilog(design: Any, name: str, **options: Any) -> str:
    text: str = verilog.convert(
        design, name=name, emit_src=False, strip_internal_attrs=True, **options
    )
    return text
