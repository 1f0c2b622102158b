"""`nc64c cosim`, `nc64c demo` and `nc64c report`: a run, and its page."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosim.cli.console import say
from cosim.cli.findings import junit as xml
from cosim.cli.findings import triage
from cosim.cli.findings.verdict import conclude
from cosim.cli.guard import guarded
from cosim.cli.options import (
    CLOCK_MHZ,
    SETS_HELP,
    AttackerOption,
    AxonsOption,
    CheckpointOption,
    ClockOption,
    DataOption,
    DendritesOption,
    FrontDoorOption,
    GoldenDeviceOption,
    GoldenImagesOption,
    GoldenOption,
    JobsOption,
    JunitOption,
    MeshOption,
    QuietOption,
    ReplayOption,
    RtlImagesOption,
    RunImagesOption,
    RunSetsOption,
    SchedulerOption,
    SeedOption,
    chip_shape,
    kept,
)
from cosim.cli.rtl_options import OUR_RTL, RtlOptions, SimulatorOption
from hw.spec import AXONS, DENDRITES
from sw.attack.set_names import CLEAN
from sw.files import output
from sw.files.paths import DIGITS_CHECKPOINT

if TYPE_CHECKING:
    from cosim.record.record import RunRecord

EXAMPLE = (
    "Examples: `nc64c cosim --out out/run` and "
    "`nc64c cosim --images 20 --golden-images 450 --sets clean,fgsm_8,pgd_8 --out out/short`; "
    "with images of yours, attacked elsewhere: `nc64c cosim --sets clean.npz,attacked.npz "
    "--out out/own`; with a core of yours: `nc64c cosim --rtl-core rtl/*.sv --top my_core "
    "--images 20 --out out/mine`"
)
DEMO_EXAMPLE = "Example: `nc64c demo --images 20`"
WAVES_EXAMPLE = (
    "Examples: `nc64c waves --image 3 --ticks 0:4 --core 1,0 --out out/waves` and, streamed, "
    "`nc64c waves --checkpoint checkpoints/vgg5.safetensors --data data/cifar --image 3 --ticks 0:2"
    " --core 0,0 --layer conv2 --pass 1 --out out/waves`"
)
REPORT_EXAMPLE = "Example: `nc64c report out/demo`"


def demo(
    images: RtlImagesOption = 200, jobs: JobsOption = None, quiet: QuietOption = False
) -> None:
    """The digits network on the whole chip: held-out images x 4 sets, into out/demo."""
    cosim(out=Path("out/demo"), images=images, jobs=jobs, quiet=quiet)


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
    golden: GoldenOption = "numpy",
    device: GoldenDeviceOption = "cpu",
    users: RtlOptions = OUR_RTL,
    junit: JunitOption = None,
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
        xml.check(junit)
        choice = users.choice(shape)
        from cosim.experiment.run import Settings, runs
        from cosim.golden.batched.choice import GoldenChoice
        from cosim.record import record
        from cosim.report import page
        from cosim.report.ci import cases

        settings = Settings(
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
            rtl=choice,
            golden=GoldenChoice(golden, device),
        )
        [run] = runs(settings, [0], progress)
        with output.staged(out) as stage:
            record.save(stage, run)
            page.write(stage, record.load(stage))  # what `nc64c report` will read
        if triage.after(settings, run, progress):
            with output.staged(out) as stage:
                page.write(stage, run, out)
        xml.write(junit, "nc64c cosim", lambda: cases.cases(run, out))
    say(quiet, _kept_shards(run, out))
    conclude(run, out, quiet)


def report(folder: Annotated[Path, typer.Argument(help="What cosim wrote.")]) -> None:
    """Render report.html and summary.json of a finished run again; nothing is simulated."""
    from cosim.record import record
    from cosim.report import page

    with guarded():
        run = record.load(folder)
        with output.staged(folder) as stage:
            page.write(stage, run, folder)
    conclude(run, folder, quiet=False)


def waves(
    out: Annotated[Path, typer.Option(help="Folder for rtl.fst, golden.vcd, waves.gtkw and more.")],
    core: Annotated[str, typer.Option(help="Mesh column and row of the core, X,Y.")],
    ticks: Annotated[str, typer.Option(help="From tick A to the one before B, A:B.")] = "0:2",
    image: Annotated[int, typer.Option(help="Number of the image in its set.", min=0)] = 0,
    set_: Annotated[str, typer.Option("--set", help=SETS_HELP)] = CLEAN,
    layer: Annotated[
        str | None, typer.Option(help="Of a streamed network.", show_default="the last one")
    ] = None,
    round_: Annotated[int, typer.Option("--round", help="Of that layer.", min=0)] = 0,
    pass_: Annotated[
        int, typer.Option("--pass", help="Of that round, from the image's first on.", min=0)
    ] = 0,
    checkpoint: CheckpointOption = DIGITS_CHECKPOINT,
    data: DataOption = None,
    attacker: AttackerOption = None,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    seed: SeedOption = 0,
    simulator: SimulatorOption = "verilator",
    quiet: QuietOption = False,
) -> None:
    """Record the waves of one core and its router while an image is shown: RTL's and golden's."""
    with guarded(quiet) as progress:
        shape = chip_shape(mesh, axons, dendrites)
        place, span = triage.core_of(core, shape.columns, shape.rows), triage.span_of(ticks)
        output.check_folder(out, data)
        from cosim.experiment.levels.single import Place
        from cosim.experiment.run import Settings
        from cosim.rtl.choice import choose

        settings = Settings(
            checkpoint=checkpoint,
            attacker=attacker,
            data=data,
            out=out,
            shape=shape,
            sets=set_,
            images=image + 1,
            golden_images=None,
            seed=seed,
            jobs=1,
            scheduler=None,
            front_door=False,
            clock_mhz=CLOCK_MHZ,
            command="",
            rtl=choose(None, simulator, shape),
        )
        stimulus = Place(image, image, layer, round_, pass_)
        names = triage.record(settings, set_, stimulus, (place, span), progress)
    for name in names:
        say(quiet, str(out / name))


def _kept_shards(run: "RunRecord", out: Path) -> str:
    shards, found = run.facts.shards, run.facts.shards_found
    return f"{shards} shards, {found} of them finished before: {out / 'shards'}"
