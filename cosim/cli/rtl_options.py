"""The options that say which RTL runs, and in which simulator: one group, which commands share.

A command has one parameter for all of them, such as `users: RtlOptions`; `with_rtl` makes the
options of it that typer shows.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from hw.spec import ChipShape
from sw.common.errors import InputError

if TYPE_CHECKING:
    from cosim.rtl.choice import Choice
    from cosim.rtl.design.design import Sources

SEVERAL = ("--rtl", "--rtl-core", "--include")  # options behind which there may be several words
SimulatorOption = Annotated[
    Literal["verilator", "icarus"],
    typer.Option(help="Who simulates: verilator, or icarus (slow, four-state, needs iverilog)."),
]


@dataclass(frozen=True)
class RtlSources:
    """RTL of a user's; no files: ours. Each field is an option."""

    rtl: Annotated[
        list[Path] | None,
        typer.Option(
            help="Verilog or SystemVerilog files of a chip of yours, in the place of ours.",
            metavar="FILES",
            show_default="our RTL",
        ),
    ] = None
    rtl_core: Annotated[
        list[Path] | None,
        typer.Option(help="The same of one core, which goes inside our mesh.", metavar="FILES"),
    ] = None
    top: Annotated[str | None, typer.Option(help="The top module of these files.")] = None
    include: Annotated[
        list[Path] | None,
        typer.Option(help="Folders with files that they include.", metavar="DIRS"),
    ] = None
    define: Annotated[
        list[str] | None, typer.Option(help="NAME or NAME=VALUE for them, once each.")
    ] = None
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="NAME=NUMBER, a parameter of the top module, once each."),
    ] = None
    packed_spikes: Annotated[
        bool,
        typer.Option(
            "--packed-spikes", help="It takes SPIKEs of 32 axons in one flit, region AXONS."
        ),
    ] = False

    @property
    def given(self) -> bool:
        """Whether there is RTL of a user's."""
        return bool(self.rtl or self.rtl_core)

    def sources(self) -> "Sources | None":
        """What these options name; None: nothing. Raises `InputError` for what does not fit."""
        from cosim.rtl.design.design import Sources

        if self.rtl and self.rtl_core:
            raise InputError(
                "--rtl is a whole chip, --rtl-core one core in our mesh: give one of them"
            )
        files = self.rtl or self.rtl_core
        if not files:
            for name in ("top", "include", "define", "parameter", "packed_spikes"):
                if getattr(self, name):
                    option = name.replace("_", "-")
                    raise InputError(
                        f"--{option} is for RTL of yours: name its files by --rtl or --rtl-core"
                    )
            return None
        if self.top is None:
            option = "--rtl" if self.rtl else "--rtl-core"
            raise InputError(f"{option} needs --top: the name of the module that is the top")
        return Sources(
            files=tuple(files),
            top=self.top,
            core=not self.rtl,
            include=tuple(self.include or ()),
            defines=tuple(self.define or ()),
            parameters=tuple(self.parameter or ()),
            packs=self.packed_spikes,
        )


@dataclass(frozen=True)
class RtlOptions(RtlSources):
    """The same, and who simulates it."""

    simulator: SimulatorOption = "verilator"

    def choice(self, shape: ChipShape) -> "Choice":
        """What these options choose; files are read, and pins compared. Raises `InputError`."""
        from cosim.rtl.choice import choose

        return choose(self.sources(), self.simulator, shape)


OUR_RTL = RtlOptions()


def with_rtl(command: Callable[..., None]) -> Callable[..., None]:
    """The command with options in the place of a parameter that is a group of them."""
    parameters = inspect.signature(command).parameters
    group = next((p for p in parameters.values() if _is_group(p.annotation)), None)
    if group is None:
        return command

    @wraps(command)
    def with_options(**given: Any) -> None:
        options = {field.name: given.pop(field.name) for field in fields(group.annotation)}
        command(**given, **{group.name: group.annotation(**options)})

    shown: list[inspect.Parameter] = []
    for parameter in parameters.values():
        shown += _options(parameter) if parameter is group else [parameter]
    with_options.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in shown}
    return with_options


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, RtlSources)


def _options(group: inspect.Parameter) -> list[inspect.Parameter]:
    """A parameter for each field, by its type and default."""
    return [
        group.replace(name=field.name, annotation=field.type, default=field.default)
        for field in fields(group.annotation)
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
