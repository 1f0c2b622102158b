"""`nc64c noise`: accuracy and adversarial loss against threshold noise."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.findings import triage
from cosim.cli.guard import DIFFERENT, guarded
from cosim.cli.options import (
    CLOCK_MHZ,
    AttackerOption,
    AxonsOption,
    CheckpointOption,
    DataOption,
    DendritesOption,
    GoldenDeviceOption,
    GoldenImagesOption,
    GoldenOption,
    JobsOption,
    MeshOption,
    QuietOption,
    RtlImagesOption,
    RunSetsOption,
    SchedulerOption,
    SeedOption,
    chip_shape,
    kept,
)
from cosim.cli.rtl_options import OUR_RTL, RtlOptions
from hw.spec import AXONS, DENDRITES
from sw.common.checks import shown
from sw.common.errors import InputError
from sw.files import output
from sw.files.paths import DIGITS_CHECKPOINT

EXAMPLE = (
    "Example: `nc64c noise --bits 0,10,12,14 --images 100 --golden-images 450 --out out/noise`"
)


def noise(
    out: Annotated[Path, typer.Option(help="Folder for noise.json, .md, .png, .svg.")],
    bits: Annotated[
        str, typer.Option(help="Bits of noise, n each: the mask is 2^n - 1.")
    ] = "0,10,12,13,14,15,16",
    checkpoint: CheckpointOption = DIGITS_CHECKPOINT,
    data: DataOption = None,
    images: RtlImagesOption = 100,
    golden_images: GoldenImagesOption = None,
    sets: RunSetsOption = None,
    attacker: AttackerOption = None,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    seed: SeedOption = 0,
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    golden: GoldenOption = "numpy",
    device: GoldenDeviceOption = "cpu",
    users: RtlOptions = OUR_RTL,
    quiet: QuietOption = False,
) -> None:
    """Accuracy and adversarial loss while the neurons' thresholds are noisy, golden and RTL.

    The noise comes from each core's LFSR, in the golden model too: RTL must equal it exactly. Exit
    codes, shards and workers are those of `nc64c cosim`.
    """
    with guarded(quiet, lambda: kept(out)) as progress:
        shape = chip_shape(mesh, axons, dendrites)
        masks = _bits(bits)
        output.check_folder(out)
        choice = users.choice(shape)
        from cosim.experiment.run import Settings, runs
        from cosim.golden.batched.choice import GoldenChoice
        from cosim.report import document, plots
        from cosim.report.studies import noise as results

        plots.check()
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
            front_door=False,
            clock_mhz=CLOCK_MHZ,
            command=shlex.join(["nc64c", *sys.argv[1:]]),
            rtl=choice,
            golden=GoldenChoice(golden, device),
        )
        done = list(runs(settings, masks, progress))
        next((run for run in done if triage.after(settings, run, progress)), None)
        text = results.as_markdown(done)
        pictures = results.as_pictures(done)
        document.write(out, "noise", results.as_json(done), text, pictures)
        first = [sentence for run in done for sentence in results.differences(run)]
    if not quiet:
        typer.echo(text)
    for mismatch in first:
        typer.echo(mismatch, err=True)
    if first:
        raise typer.Exit(DIFFERENT)


def _bits(numbers: str) -> list[int]:
    """Numbers from "0,4,8". Raises `InputError`."""
    parts = [part.strip() for part in numbers.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        raise InputError(f"bits {shown(numbers)}: must be whole numbers with commas, such as 0,4,8")
    found = [int(part) for part in parts]
    if len(set(found)) != len(found):
        raise InputError(f"bits {shown(numbers)}: one of them is there twice")
    return found
