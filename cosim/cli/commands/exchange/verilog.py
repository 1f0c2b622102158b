"""`nc64c verilog`: the chip in Verilog."""

from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.console import say
from cosim.cli.guard import guarded
from cosim.cli.options import AxonsOption, DendritesOption, MeshOption, QuietOption, chip_shape
from hw.spec import AXONS, DENDRITES
from sw.files import output

EXAMPLE = "Example: `nc64c verilog --out out/verilog`"


def verilog(
    out: Annotated[Path, typer.Option(help="Folder for the Verilog files.")],
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    quiet: QuietOption = False,
) -> None:
    """Write the chip as Verilog."""
    with guarded(quiet):
        shape = chip_shape(mesh, axons, dendrites)
        output.check_folder(out)
        from hw.verilog import export

        with output.staged(out) as stage:
            written = [path.relative_to(stage) for path in export.write_verilog(shape, stage)]
    say(quiet, "\n".join(str(out / path) for path in written))
