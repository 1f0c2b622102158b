"""`nc64c paper`: the paper's tables and figures, each by its name.

Unlike the other commands, an experiment that is cut off has written something: its finished cells,
from which the next one goes on.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosim.cli.guard import guarded
from cosim.cli.options import MAX_PROCESSES
from sw.common.progress import Advance, Progress
from sw.files import output

if TYPE_CHECKING:
    from sw.paper.folder import Listener

app = typer.Typer(
    name="paper",
    help="The paper's tables and figures: train, attack and measure, beside the printed values.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

OutOption = Annotated[Path, typer.Option(help="Folder for results, finished cells and networks.")]
PresetOption = Annotated[
    str, typer.Option(help="Size: cpu (hours), phenomena (an hour) or paper (full).")
]
ConfigOption = Annotated[
    Path | None, typer.Option(help="TOML file that changes the preset.", show_default="none")
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--data", "--folder", help="Where the data set's files are.", show_default="none"),
]
JobsOption = Annotated[
    int, typer.Option(help="Cells at a time, a process each.", min=1, max=MAX_PROCESSES)
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler, to run cells there.", show_default="none"),
]
DeviceOption = Annotated[
    str, typer.Option(help="Where networks are trained and measured: cpu, cuda, cuda:1.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


PHENOMENA = "phenomena"  # judged, where the others are shown


def _command(name: str, summary: str, usual: str) -> Callable[..., None]:
    """The command of one experiment; they differ in nothing but the name and the usual preset."""

    def command(
        out: OutOption,
        preset: PresetOption = usual,
        config: ConfigOption = None,
        folder: FolderOption = None,
        jobs: JobsOption = 1,
        scheduler: SchedulerOption = None,
        device: DeviceOption = "cpu",
        quiet: QuietOption = False,
    ) -> None:
        _experiment(name, out, preset, config, folder, jobs, scheduler, device, quiet)

    command.__doc__ = summary
    return command


for _name, _summary in (
    ("table1", "Adversarial loss of VGG5, before and after quantisation."),
    ("table2", "Adversarial loss of VGG9, 4 encodings x 4 thresholds, before and after."),
    ("table3", "Mean spike activity of VGG9 under the weakest attack."),
    ("table4", "Orders of magnitude of the noise to signal ratio of the quantised VGG9."),
    ("figure3", "Spike activity of VGG9, layer by layer, clean images."),
    ("figure4", "Noise to signal ratio of the quantised VGG9, layer by layer."),
    (PHENOMENA, "What the paper claims: shown, refuted, or what it depends on, with intervals."),
):
    _usual = PHENOMENA if _name == PHENOMENA else "cpu"
    _example = f"Example: `nc64c paper {_name} --preset {_usual} --data cifar-10 --out out/paper`"
    app.command(_name, epilog=_example)(_command(_name, _summary, _usual))


def _experiment(
    name: str,
    out: Path,
    preset: str,
    config: Path | None,
    folder: Path | None,
    jobs: int,
    scheduler: str | None,
    device: str,
    quiet: bool,
) -> None:
    left = f"what is finished is in {out}: the same command goes on from there"
    with guarded(quiet, lambda: left) as progress, ExitStack() as stages:
        from sw.common.device import device as find_device
        from sw.jobs import engine
        from sw.paper import presets, run, worker
        from sw.paper.phenomena import run as phenomena
        from sw.paper.phenomena import trial

        judged = name == PHENOMENA
        if scheduler is None:  # else it is the workers that must have it
            find_device(device)
        source = worker.Source(presets.load(preset, config), folder, device)
        output.check_folder(out, folder, config)
        work = trial.run if judged else worker.run
        here: engine.Engine[worker.Job, worker.Done] = (
            engine.Cluster(scheduler, work) if scheduler else engine.Local(jobs, work, progress.say)
        )
        stages.callback(here.close)
        listener = _listener(progress, stages)
        if judged:
            files = phenomena.run(source, out, here, listener)
        else:
            files = run.run(run.check_name(name), source, out, here, listener)
    if not quiet:
        typer.echo("\n".join(map(str, files)))


def _listener(progress: Progress, stages: ExitStack) -> "Listener":
    """Shows an experiment's progress: one bar for training, one for measuring."""
    from sw.paper.folder import Listener

    bars: dict[str, Advance] = {}

    def planned(kind: str, count: int) -> None:
        unit = "networks" if kind == "training" else "cells"
        bars[kind] = stages.enter_context(progress.stage(kind, count, unit))

    return Listener(planned, lambda kind: bars[kind](1), progress.say)
