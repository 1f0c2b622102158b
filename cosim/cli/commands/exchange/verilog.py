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
    """Write the chip as Verilog, and in OUT/bench a test bench that checks it without Python.

    The bench plays a small network, and compares with what the golden model answered.
    """
    with guarded(quiet):
        shape = chip_shape(mesh, axons, dendrites)
        output.check_folder(out)
        output.check_folder(out / "bench")
        from cosim.verify.takeaway.takeaway import write_bench
        from hw.verilog import export

        with output.staged(out) as stage:
            written = [path.relative_to(stage) for path in export.write_verilog(shape, stage)]
        chip = [f"../{path}" for path in written if path.suffix in (".v", ".vlt")]
        with output.staged(out / "bench") as stage:
            bench = write_bench(shape, stage, sorted(chip, key=lambda name: name.endswith(".v")))
            written += ["bench" / path.relative_to(stage) for path in bench]
    say(quiet, "\n".join(str(out / path) for path in written))
