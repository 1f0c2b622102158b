"""`nc64c oracle`: what an attacker gains who has the chip on his desk."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.findings import triage
from cosim.cli.guard import DIFFERENT, guarded
from cosim.cli.options import (
    MAX_IMAGES,
    MAX_PROCESSES,
    AxonsOption,
    CheckpointOption,
    DataOption,
    DendritesOption,
    MeshOption,
    QuietOption,
    SeedOption,
    chip_shape,
)
from cosim.cli.rtl_options import OUR_RTL, RtlOptions
from hw.spec import AXONS, DENDRITES
from sw.files import output
from sw.files.paths import DIGITS_CHECKPOINT

EXAMPLE = "Example: `nc64c oracle --chips plain,noise_14,stuck_2 --images 50 --out out/oracle`"


def oracle(
    out: Annotated[Path, typer.Option(help="Folder for oracle.json, .md and .png.")],
    checkpoint: CheckpointOption = DIGITS_CHECKPOINT,
    data: DataOption = None,
    chips: Annotated[
        str,
        typer.Option(help="plain, noise_BITS, stuck_N (synapses of 1000), or both with a plus."),
    ] = "plain,noise_14,stuck_2",
    attacks: Annotated[
        str, typer.Option(help="By queries, square and rays; others are made in software only.")
    ] = "apgd,square,rays",
    eps: Annotated[int, typer.Option(help="Strength in 1/255.")] = 16,
    queries: Annotated[int, typer.Option(help="Most queries an image.")] = 200,
    draws: Annotated[
        str, typer.Option(help="Seeds of noise tried if its own is unknown, such as 1,4.")
    ] = "4",
    images: Annotated[int, typer.Option(help="Held-out images.", max=MAX_IMAGES)] = 100,
    rtl_images: Annotated[int, typer.Option(help="Of them in RTL.", max=MAX_IMAGES)] = 20,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    seed: SeedOption = 0,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Processes, a block of 50 images each.",
            min=1,
            max=MAX_PROCESSES,
            show_default="as many as cores",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="Of the golden model: cpu, cuda.")] = "cpu",
    users: RtlOptions = OUR_RTL,
    quiet: QuietOption = False,
) -> None:
    """Attacks by queries on the chip itself, beside the same attacks made in software.

    The chip that answers is its golden model, with threshold noise or stuck synapses where they are
    asked for; all images then go through its golden model, and some through its RTL. What is
    finished is kept: the same command goes on from there. Exit codes are those of `nc64c cosim`.
    """
    with guarded(quiet, lambda: f"finished pieces are in {out}") as progress:
        shape = chip_shape(mesh, axons, dendrites)
        from cosim.experiment.oracle.order import Order
        from cosim.experiment.oracle.run import run
        from cosim.report import document, plots
        from cosim.report.studies import oracle as results
        from cosim.report.studies import oracle_noise

        order = Order(
            checkpoint=checkpoint,
            data=data,
            out=out,
            shape=shape,
            chips=chips,
            attacks=attacks,
            eps=eps,
            queries=queries,
            draws=draws,
            images=images,
            rtl_images=rtl_images,
            rtl=users.choice(shape),
            seed=seed,
            device=device,
        )
        output.check_folder(out, checkpoint)
        plots.check()
        done = run(order, jobs, shlex.join(["nc64c", *sys.argv[1:]]), progress)
        found = done.document
        text = results.as_markdown(found)
        document.write(out, "oracle", found, text, oracle_noise.as_pictures(found))
        triage.of_oracle(done.failing, (order.rtl, shape), out, progress)
        first = results.differences(found)
    if not quiet:
        typer.echo(text)
    for mismatch in first:
        typer.echo(mismatch, err=True)
    if first:
        raise typer.Exit(DIFFERENT)
