"""The ports of a user's top module, as Verilator understands them, against the documented pins."""

import re
from dataclasses import dataclass
from typing import Any

from cosim.rtl.design import verilator
from cosim.rtl.design.design import Design
from hw.spec import ChipShape
from hw.verilog import export
from hw.verilog.export import Pin
from sw.common.errors import InputError

DIRECTIONS = {"INPUT": "input", "OUTPUT": "output", "INOUT": "inout", "REF": "ref"}
RANGE = re.compile(r"\[?(-?\d+):(-?\d+)\]?")
# Modules of the test benches, and of the chip around a core.
BENCHES, AROUND = ("tb", "icarus"), (export.TILE_MODULE, export.CHIP_MODULE, export.ROUTER_BLOCK)
MOST_NAMED = 3  # ports that are wrong, in a sentence
PAGE = "docs/your-rtl.md"


@dataclass(frozen=True)
class Port:
    """A port as it is; `bits` is None where it is no vector of bits."""

    direction: str
    bits: int | None

    def __str__(self) -> str:
        if self.bits is None:
            return f"an {self.direction} that is no plain vector"
        return f"an {self.direction} of {self.bits} bit{'' if self.bits == 1 else 's'}"


def check(design: Design, shape: ChipShape) -> None:
    """Raises `InputError` unless the top module has the pins that it must have, and no others.

    The same where there is no such top, a parameter that it does not have, an error in the Verilog,
    or a module with the name of one of ours.
    """
    tree = verilator.elaborated(design.text, design.top, dict(design.parameters))
    modules = [module for module in tree["modulesp"] if module["type"] == "MODULE"]
    taken = (*BENCHES, *AROUND) if design.core else BENCHES
    for module in modules:
        if module["origName"] in taken:
            raise InputError(
                f"a module of the RTL is called `{module['origName']}`, as one of the test bench"
                " is: rename it"
            )
    top = next(module for module in modules if module["origName"] == design.top)
    types = {each["addr"]: each for part in tree["miscsp"] for each in part.get("typesp", [])}
    found = {
        each["name"]: Port(DIRECTIONS.get(each["direction"], "port"), _bits(each, types))
        for each in top["stmtsp"]
        if each["type"] == "VAR" and each["direction"] != "NONE"
    }
    wanted = export.core_pins() if design.core else export.chip_pins(shape)
    wrong = _differences(found, {pin.name: _port(pin) for pin in wanted})
    if wrong:
        named = "; ".join(wrong[:MOST_NAMED])
        more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        rows = "1 row" if shape.rows == 1 else f"{shape.rows} rows"
        kind = "core" if design.core else f"chip of {rows} (--mesh)"
        raise InputError(
            f"`{design.top}` has not the pins of a {kind}: {named}{more} ({PAGE} has all)"
        )


def _port(pin: Pin) -> Port:
    return Port("output" if pin.output else "input", pin.width)


def _differences(found: dict[str, Port], wanted: dict[str, Port]) -> list[str]:
    """What is wrong, port by port: other ones, then those that are missing, then too many."""
    both = [name for name in wanted if name in found and found[name] != wanted[name]]
    missing = [name for name in wanted if name not in found]
    surplus = [name for name in found if name not in wanted]
    return [
        *(f"`{name}` is {found[name]}, must be {wanted[name]}" for name in both),
        *(f"`{name}`, {wanted[name]}, is missing" for name in missing),
        *(f"`{name}`, {found[name]}, is too many" for name in surplus),
    ]


def _bits(node: Any, types: dict[str, Any]) -> int | None:
    """The width of what has a type in Verilator's tree; None: it is no vector."""
    kind = types.get(node.get("dtypep") or node.get("refDTypep"), {})
    match kind.get("type"):
        case "BASICDTYPE":
            if kind["name"] not in ("logic", "bit", "wire", "reg"):
                return None
            return _length(kind["range"]) if "range" in kind else 1
        case "PACKARRAYDTYPE":
            inner = _bits({"refDTypep": kind["refDTypep"]}, types)
            return None if inner is None else inner * _length(kind["declRange"])
        case "STRUCTDTYPE" if kind.get("packed"):
            members = [_bits({"refDTypep": each["refDTypep"]}, types) for each in kind["membersp"]]
            return None if None in members else sum(filter(None, members))
        case "ENUMDTYPE" | "REFDTYPE" | "CONSTDTYPE":
            return _bits({"refDTypep": kind["refDTypep"]}, types)
    return None


def _length(declared: str) -> int:
    found = RANGE.fullmatch(declared)
    return abs(int(found[1]) - int(found[2])) + 1 if found else 1
