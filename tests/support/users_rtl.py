"""RTL as a user writes it, for tests: modules with the documented pins, and others."""

from collections.abc import Sequence
from pathlib import Path

from cosim.rtl.design.design import Design, Sources, read
from hw.spec import ChipShape
from hw.verilog import export
from hw.verilog.export import Pin


def module(name: str, pins: Sequence[Pin], body: str = "", parameters: str = "") -> str:
    """A module with these pins; its outputs are 0 unless the body drives them."""
    ports = ",\n".join(
        f"  {'output' if pin.output else 'input'} [{pin.width - 1}:0] {pin.name}" for pin in pins
    )
    idle = "\n".join(
        f"  assign {pin.name} = 0;" for pin in pins if pin.output and f"{pin.name} =" not in body
    )
    head = f"module {name} {f'#({parameters}) ' if parameters else ''}(\n{ports}\n);"
    return f"{head}\n{idle}\n{body}\nendmodule\n"


def core_stub(name: str = "my_core", body: str = "", parameters: str = "") -> str:
    """A core that does nothing."""
    return module(name, export.core_pins(), body, parameters)


def chip_stub(shape: ChipShape, name: str = "my_chip", body: str = "") -> str:
    """A chip that does nothing."""
    return module(name, export.chip_pins(shape), body)


def design_of(folder: Path, text: str, top: str, *, core: bool = True) -> Design:
    """The design of one file."""
    path = folder / f"{top}.sv"
    path.write_text(text)
    return read(Sources((path,), top, core))
