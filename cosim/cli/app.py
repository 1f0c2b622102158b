"""The command line, `nc64c`: arguments in, `cosim.experiment.tasks` does the work, results and exit
code out.

The tasks are imported by the commands that need them, so that `nc64c --help` answers at once.
"""

import os
import shlex
import signal
import sys
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cosim.cli import verdict
from cosim.cli.commands import bench, doctor, paper, results, robustness, train
from cosim.cli.guard import exit_code_of, guarded
from cosim.cli.options import (
    CLOCK_MHZ,
    AttackerOption,
    AxonsOption,
    CheckpointOption,
    ClockOption,
    DataOption,
    DendritesOption,
    FrontDoorOption,
    GoldenImagesOption,
    ImagesOption,
    JobsOption,
    MeshOption,
    QuietOption,
    ReplayOption,
    RtlImagesOption,
    RunImagesOption,
    RunSetsOption,
    SchedulerOption,
    SeedOption,
    SetsOption,
    chip_shape,
    kept,
)
from hw.spec import AXONS, DENDRITES
from sw.files import output
from sw.files.paths import DIGITS_CHECKPOINT

if TYPE_CHECKING:
    from cosim.record.record import Run

app = typer.Typer(
    name="nc64c",
    help="Trained, quantised, attacked spiking networks on the NC64C chip: RTL against golden.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(paper.app)
app.add_typer(bench.app)
app.command(epilog=train.EXAMPLE)(train.train)
app.command(epilog=train.SHRINK_EXAMPLE)(train.shrink)
app.command(epilog=results.NOISE_EXAMPLE)(results.noise)
app.command(epilog=results.TABLE5_EXAMPLE)(results.table5)
app.command(epilog=robustness.EXAMPLE)(robustness.robustness)
app.command(epilog=doctor.EXAMPLE)(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nc64c {metadata.version('nc64c')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What stands before a command's name."""


@app.command(epilog="Example: `nc64c demo --images 20`")
def demo(
    images: RtlImagesOption = 200, jobs: JobsOption = None, quiet: QuietOption = False
) -> None:
    """The digits network on the whole chip: held-out images x 4 sets, into out/demo."""
    cosim(out=Path("out/demo"), images=images, jobs=jobs, quiet=quiet)


@app.command(
    epilog="Examples: `nc64c cosim --out out/run` and "
    "`nc64c cosim --images 20 --golden-images 450 --sets clean,fgsm_8,pgd_8 --out out/short`"
)
def cosim(
    out: Annotated[Path, typer.Option(help="Folder for report.html, summary.json, run.json.")],
    checkpoint: CheckpointOption = DIGITS_CHECKPOINT,
    data: DataOption = None,
    images: RunImagesOption = None,
    golden_images: GoldenImagesOption = None,
    sets: RunSetsOption = None,
    attacker: AttackerOption = None,
    replay: ReplayOption = None,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    seed: SeedOption = 0,
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    front_door: FrontDoorOption = False,
    clock_mhz: ClockOption = CLOCK_MHZ,
    quiet: QuietOption = False,
) -> None:
    """Run images at four levels: float, quantised, golden, RTL. Compare; write a report.

    The work is done in shards of 100 images, kept in OUT/shards: the same command goes on from
    those that are finished. Exit code 0: RTL equals golden; 1: it does not; 2: bad input; 130:
    interrupted.
    """
    with guarded(quiet, lambda: kept(out)) as progress:
        shape = chip_shape(mesh, axons, dendrites)
        output.check_folder(out)
        from cosim.experiment import tasks

        task = tasks.Experiment(
            checkpoint=checkpoint,
            attacker=attacker,
            data=data,
            out=out,
            shape=shape,
            sets=sets,
            images=images,
            golden_images=golden_images,
            seed=seed,
            jobs=jobs,
            scheduler=scheduler,
            front_door=front_door,
            clock_mhz=clock_mhz,
            command=shlex.join(["nc64c", *sys.argv[1:]]),
            replay=replay,
        )
        run = tasks.cosim(task, progress)
    _say(quiet, _kept_shards(run, out))
    verdict.conclude(run, out, quiet)


@app.command(epilog="Example: `nc64c report out/demo`")
def report(folder: Annotated[Path, typer.Argument(help="What cosim wrote.")]) -> None:
    """Render report.html and summary.json of a finished run again; nothing is simulated."""
    from cosim.record import record
    from cosim.report import page

    with guarded():
        run = record.load(folder)
        with output.staged(folder) as stage:
            page.write(stage, run)
    verdict.conclude(run, folder, quiet=False)


@app.command(name="map", epilog="Example: `nc64c map --mesh 4x4`")
def map_(
    checkpoint: CheckpointOption = DIGITS_CHECKPOINT,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
) -> None:
    """Map a network onto the chip: what each layer takes of it, and the schedule if streamed."""
    with guarded():
        shape = chip_shape(mesh, axons, dendrites)
        from cosim.cli.commands import map as cli_map
        from cosim.experiment import tasks

        chip = tasks.map_checkpoint(checkpoint, shape)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else cli_map.WIDTH)
    for table in cli_map.tables(chip):
        console.print(table)


@app.command(epilog="Example: `nc64c attack --sets fgsm_2,fgsm_8 --out attacked.safetensors`")
def attack(
    out: Annotated[Path, typer.Option(help="File for the images (safetensors).")],
    checkpoint: CheckpointOption = DIGITS_CHECKPOINT,
    data: DataOption = None,
    sets: SetsOption = "fgsm_2,fgsm_8,fgsm_16",
    attacker: AttackerOption = None,
    images: ImagesOption = 200,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Attack a quantised network and save the images and its answers.

    `nc64c cosim --replay FILE` shows these very images to all levels, on any machine.
    """
    with guarded(quiet) as progress:
        from cosim.experiment import tasks
        from cosim.experiment.images.inputs import Order

        order = Order(checkpoint, attacker, data, sets, images, seed)
        accuracies, cautions = tasks.attack(order, out, progress)
    _say(quiet, f"{out}: the network's accuracy is {_listed(accuracies)}")
    for caution in cautions:
        typer.echo(caution, err=True)


@app.command(epilog="Example: `nc64c verilog --out out/verilog`")
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
        from cosim.experiment import tasks

        files = tasks.verilog(shape, out)
    _say(quiet, "\n".join(map(str, files)))


def main() -> None:
    """Entry point. Being terminated is like Ctrl-C: what was started is stopped."""
    signal.signal(signal.SIGTERM, _terminated)
    os.environ["MPLBACKEND"] = "agg"  # pictures go to files; the user's choice may not be there
    sys.exit(exit_code_of(app))


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _kept_shards(run: "Run", out: Path) -> str:
    shards, found = run["facts"]["shards"], run["facts"]["shards_found"]
    return f"{shards} shards, {found} of them finished before: {out / 'shards'}"


def _listed(accuracies: dict[str, float]) -> str:
    return ", ".join(f"{name} {accuracy:.2f} %" for name, accuracy in accuracies.items())


def _say(quiet: bool, text: str) -> None:
    if not quiet:
        typer.echo(text)


if __name__ == "__main__":
    main()
