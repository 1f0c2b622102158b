"""Verilog of the chip: one module for the tile, one for the chip that places it."""

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth import ClockDomain, ClockSignal, Fragment, Instance, Module, Value
from amaranth.back import verilog
from amaranth.lib import wiring

from hw import spec
from hw.chip import Chip, ChipSignature, make_tile
from hw.core.synapse_array import LINES_MODULE, WithInstances
from hw.mesh.router import Router
from hw.tile import CoreBlock, CoreBlockSignature, RouterBlock, Tile, TileSignature
from hw.verilog import yosys
from hw.verilog.clocked import clocked

TILE_MODULE = "nc64c_tile"
CHIP_MODULE = "nc64c_chip"
ROUTER_MODULE = "nc64c_router"
CORE_BLOCK, ROUTER_BLOCK = "nc64c_core_block", "nc64c_router_block"
TRIGGER = re.compile(r"^  reg (\\\$auto\$verilog_backend\S+ ) = 0;$", re.MULTILINE)
NO_BITS = re.compile(
    r"^  wire \[-1:0\] .*;\n", re.MULTILINE
)  # address of one word: nothing reads it
WAIVERS = Path(__file__).with_name("lint.vlt")
LINES = Path(__file__).with_name(f"{LINES_MODULE}.v")  # a part of every core


def ports(component: wiring.Component) -> Iterator[tuple[str, str, Any]]:
    """Name in Verilog, direction ("i" or "o") and value of every port of a component."""
    for path, member, value in component.signature.flatten(component):
        direction = "o" if member.flow == wiring.Out else "i"
        yield "__".join(map(str, path)), direction, value


@dataclasses.dataclass(frozen=True)
class Pin:
    """A port in Verilog; `width` in bits."""

    name: str
    output: bool
    width: int


def core_pins() -> list[Pin]:
    """The pins of a core inside the mesh."""
    return [Pin("clk", False, 1), *_pins(CoreBlockSignature())]


def chip_pins(shape: spec.ChipShape) -> list[Pin]:
    """The pins of a chip."""
    return [Pin("clk", False, 1), Pin("rst", False, 1), *_pins(ChipSignature(shape.rows))]


def _pins(signature: wiring.Signature) -> Iterator[Pin]:
    for path, member, value in signature.flatten(signature.create()):
        output, width = member.flow == wiring.Out, len(Value.cast(value))
        yield Pin("__".join(map(str, path)), output, width)


class PlacedCore(wiring.Component):
    """A core of somebody else's as a Verilog instance: its module, and parameters of it."""

    def __init__(self, module: str, parameters: Mapping[str, int]) -> None:
        self._module, self._parameters = module, parameters
        super().__init__(CoreBlockSignature())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        given = {f"p_{name}": value for name, value in self._parameters.items()}
        given |= {f"{way}_{name}": value for name, way, value in ports(self)}
        m.submodules.core = Instance(self._module, i_clk=ClockSignal(), **given)
        return m


class PlacedTile(wiring.Component):
    """A tile as a Verilog instance: all 64 then share one module, built once."""

    def __init__(self, shape: spec.ChipShape) -> None:
        super().__init__(TileSignature())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        connections = {f"{way}_{name}": value for name, way, value in ports(self)}
        m.submodules.tile = Instance(TILE_MODULE, i_clk=ClockSignal(), **connections)
        return m


def write_verilog(shape: spec.ChipShape, folder: Path) -> list[Path]:
    """Write the chip's Verilog, the lint waivers and a manifest into an existing folder.

    The manifest (manifest.json) has the size of the chip, the top module, the generator's version
    and the SHA-256 of every file.
    """
    texts = {
        f"{TILE_MODULE}.v": tile_verilog(shape),
        f"{CHIP_MODULE}.v": chip_verilog(shape),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    shutil.copyfile(WAIVERS, folder / WAIVERS.name)
    names = [*texts, WAIVERS.name]
    manifest = {
        "top": CHIP_MODULE,
        "chip": dataclasses.asdict(shape),
        "amaranth": version("amaranth"),
        "sha256": {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return [folder / name for name in (*names, "manifest.json")]


def tile_verilog(shape: spec.ChipShape) -> str:
    """A tile: a core and its router."""
    return _part(make_tile(shape), TILE_MODULE) + LINES.read_text()


def tile_around(core: PlacedCore) -> str:
    """A tile with a core of somebody else's, which stands in another file."""
    return _part(Tile(core=core), TILE_MODULE)


def core_block_verilog(shape: spec.ChipShape) -> str:
    """A tile without its router: a block that is simulated on its own."""
    return _part(CoreBlock(shape.axons, shape.dendrites), CORE_BLOCK) + LINES.read_text()


def router_block_verilog() -> str:
    """A tile without its core."""
    return _part(RouterBlock(), ROUTER_BLOCK)


def _part(component: wiring.Component, name: str) -> str:
    """A part of a tile. Its reset is a port, registered inside: its clock domain has none."""
    domain = ClockDomain("sync", reset_less=True)
    fragment = Fragment.get(component, platform=WithInstances())
    fragment.add_domains(domain)
    signals = [Value.cast(value) for _, _, value in ports(component)]
    return _verilog(fragment, name, ports=[domain.clk, *signals])


def chip_verilog(shape: spec.ChipShape) -> str:
    """The chip around its tiles; `tile_verilog` is the module it places."""
    return _verilog(Chip(shape, PlacedTile), CHIP_MODULE)


def router_verilog() -> str:
    """A router of the mesh alone: where traffic is measured without cores."""
    return _verilog(Router(), ROUTER_MODULE)


def _verilog(design: Any, name: str, **options: Any) -> str:
    with yosys.builtin():
        text: str = verilog.convert(
            design, name=name, emit_src=False, strip_internal_attrs=True, **options
        )
    return clocked(_started(NO_BITS.sub("", text)))


def _started(text: str) -> str:
    """Has every combinational process run at time 0, whatever its inputs do then.

    An `always @*` runs when an input changes, so one whose inputs are constant at first would leave
    its outputs X. Yosys therefore lets all of them read a register that is 0 from its declaration.
    From Verilog-2005 on that may be no event, and in SystemVerilog it never is one. A nonblocking
    assignment is, and it comes when all processes wait.
    """
    started, count = TRIGGER.subn(r"  reg \1;\n  initial \1 <= 1'b0;", text)
    modules = text.split("\nendmodule")
    if count != sum("always @*" in module for module in modules):
        raise RuntimeError("Yosys starts combinational processes in another way than it used to")
    return started
