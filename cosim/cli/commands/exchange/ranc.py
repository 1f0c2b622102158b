"""`nc64c ranc`: a program of RANC's, another chip's, on ours."""

from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.console import say
from cosim.cli.guard import DIFFERENT, MISSED, guarded
from cosim.cli.options import AxonsOption, DendritesOption, MeshOption, QuietOption, chip_shape
from cosim.cli.rtl_options import OUR_RTL, RtlOptions
from hw.spec import AXONS, DENDRITES
from sw.files import output

EXAMPLE = "Examples: `nc64c ranc memory_files/tea/256` and `nc64c ranc --grid 4x3 --output 0,2 tea`"


def ranc(
    folder: Annotated[Path, typer.Argument(help="RANC's csram_NNN.mem, tc_NNN.mem, tb_*.txt.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for ranc.json, its result.", show_default="none")
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="RANC's grid, COLUMNSxROWS.", show_default="found out")
    ] = None,
    output_core: Annotated[
        str | None,
        typer.Option("--output", help="Its output core, X,Y.", show_default="found out"),
    ] = None,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    users: RtlOptions = OUR_RTL,
    quiet: QuietOption = False,
) -> None:
    """Run a program of RANC's on golden model and RTL, and compare with what RANC expects.

    What this chip cannot express is refused with the rule, the file, the core and the neuron. Exit
    code 0: both send the packets that the files expect; 1: RTL and golden differ; 2: bad input; 4:
    they agree, but not with the files.
    """
    with guarded(quiet):
        shape = chip_shape(mesh, axons, dendrites)
        if out is not None:
            output.check_folder(out, folder)
        from cosim.mapping.ranc.grid import wanted
        from cosim.mapping.ranc.network import read_network
        from cosim.mapping.ranc.translate import translate
        from cosim.rtl.choice import runner_of
        from cosim.verify.ranc import run_ranc, save

        translation = translate(read_network(folder, wanted(grid, output_core)), shape)
        choice = users.choice(shape)
        result = run_ranc(translation, runner_of(choice, shape))
        if out is not None:
            with output.staged(out) as stage:
                save(stage, result)
    say(quiet and result.comparison.equal and result.rtl.all, "\n".join(result.lines()))
    if not result.comparison.equal:
        raise typer.Exit(DIFFERENT)
    if not (result.golden.all and result.rtl.all):
        raise typer.Exit(MISSED)
