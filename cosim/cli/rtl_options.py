"""The options that say which RTL runs, and in which simulator; several commands share them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from hw.spec import ChipShape
from sw.common.errors import InputError

if TYPE_CHECKING:
    from cosim.rtl.choice import Choice

SEVERAL = ("--rtl", "--rtl-core", "--include")  # options behind which there may be several words

SimulatorName = Literal["verilator", "icarus"]
RtlOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Verilog or SystemVerilog files of a chip of yours, in the place of ours.",
        metavar="FILES",
        show_default="our RTL",
    ),
]
RtlCoreOption = Annotated[
    list[Path] | None,
    typer.Option(help="The same of one core, which goes inside our mesh.", metavar="FILES"),
]
TopOption = Annotated[str | None, typer.Option(help="The top module of these files.")]
IncludeOption = Annotated[
    list[Path] | None, typer.Option(help="Folders with files that they include.", metavar="DIRS")
]
DefineOption = Annotated[
    list[str] | None, typer.Option(help="NAME or NAME=VALUE for them, once each.")
]
ParameterOption = Annotated[
    list[str] | None, typer.Option(help="NAME=NUMBER, a parameter of the top module, once each.")
]
SimulatorOption = Annotated[
    SimulatorName,
    typer.Option(help="Who simulates: verilator, or icarus (slow, four-state, needs iverilog)."),
]


class RtlCommand(TyperCommand):
    """A command whose `--rtl a.v b.v` means `--rtl a.v --rtl b.v`, as a shell's `*.v` needs it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(arguments: list[str]) -> list[str]:
    """The same arguments, the option again before each further word behind one of `SEVERAL`."""
    found: list[str] = []
    option, first = "", False
    for word in arguments:
        if word.startswith("-"):
            option, first = (word if word in SEVERAL else ""), True
        elif option and not first:
            found.append(option)
        else:
            first = False
        found.append(word)
    return found


def rtl_choice(
    shape: ChipShape,
    rtl: list[Path] | None,
    rtl_core: list[Path] | None,
    top: str | None,
    include: list[Path] | None,
    define: list[str] | None,
    parameter: list[str] | None,
    simulator: SimulatorName,
) -> "Choice":
    """What these options choose; files are read, and pins compared. Raises `InputError`."""
    from cosim.rtl.choice import choose
    from cosim.rtl.design.design import Sources

    if rtl and rtl_core:
        raise InputError("--rtl is a whole chip, --rtl-core one core in our mesh: give one of them")
    files = rtl or rtl_core
    if not files:
        for name, value in (
            *(("--top", top), ("--include", include)),
            *(("--define", define), ("--parameter", parameter)),
        ):
            if value:
                raise InputError(
                    f"{name} is for RTL of yours: name its files by --rtl or --rtl-core"
                )
        return choose(None, simulator, shape)
    if top is None:
        option = "--rtl" if rtl else "--rtl-core"
        raise InputError(f"{option} needs --top: the name of the module that is the top")
    sources = Sources(
        files=tuple(files),
        top=top,
        core=not rtl,
        include=tuple(include or ()),
        defines=tuple(define or ()),
        parameters=tuple(parameter or ()),
    )
    return choose(sources, simulator, shape)
