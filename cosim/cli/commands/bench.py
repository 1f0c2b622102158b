"""`nc64c bench`: how fast it is, beside others, measured here and now."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cosim.cli.guard import MISSED, guarded
from cosim.cli.options import (
    MAX_IMAGES,
    MAX_SEED,
    MAX_THREADS,
    AxonsOption,
    DendritesOption,
    MeshOption,
    chip_shape,
)
from cosim.cli.rtl_options import OUR_RTL, RtlCommand, RtlSources, with_rtl
from hw.spec import AXONS, DENDRITES
from sw.files import output
from sw.files.paths import DIGITS_CHECKPOINT, VGG5_CHECKPOINT

PARTS = "rows,noc,ticks,ranc,vgg5,footprint,scale"

app = typer.Typer(
    name="bench",
    help="How fast it is, beside others, measured on this machine.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: `nc64c bench train --rivals snntorch --out bench.json`")
def train(
    out: Annotated[Path | None, typer.Option(help="JSON file.", show_default="none")] = None,
    rivals: Annotated[str, typer.Option(help="Libraries, by commas.")] = "snntorch,spikingjelly",
    width: Annotated[float, typer.Option(help="Factor on VGG5's features.")] = 1.0,
    timesteps: Annotated[int, typer.Option(help="Steps per image, T.")] = 4,
    batch: Annotated[
        int, typer.Option(help="Images per training step.", min=2, max=1_000_000)
    ] = 128,
    steps: Annotated[
        int, typer.Option(help="Training steps timed of each.", min=1, max=1_000_000)
    ] = 10,
    threads: Annotated[int | None, typer.Option(help="Of PyTorch.", min=1, max=MAX_THREADS)] = None,
) -> None:
    """Training steps of a VGG5 on images of 32 x 32, by us and by others in turn."""
    with guarded():
        if out is not None:
            output.check_file(out)
        from cosim.bench import training

        figures = training.run(rivals, width, timesteps, batch, steps, threads)
        if out is not None:
            from sw.files.atomic import atomic_write

            atomic_write(out, (json.dumps(figures, indent=2) + "\n").encode())
    table = Table(title=f"VGG5 {figures['features']}, T = {timesteps}, batch {batch}")
    for name in ("library", "images/s, median", "best step"):
        table.add_column(name)
    for name, rates in figures["images_per_s"].items():
        table.add_row(name, f"{rates['median']:.1f}", f"{rates['best']:.1f}")
    console = Console(highlight=False)
    console.print(table)
    if figures["times_the_fastest_rival"] is not None:
        ratios = [figures[f"times_the_fastest_rival{kind}"] for kind in ("", "_float32")]
        console.print("{:.2f} x the faster one, in float32 {:.2f} x, by medians".format(*ratios))


@app.command(epilog="Example: `nc64c bench attack --threads 1 --out attack.json`")
def attack(
    checkpoint: Annotated[
        Path, typer.Argument(help="Network that is attacked.", show_default="the digits'")
    ] = DIGITS_CHECKPOINT,
    out: Annotated[Path | None, typer.Option(help="JSON file.", show_default="none")] = None,
    rivals: Annotated[str, typer.Option(help="Libraries, by commas.")] = "torchattacks,foolbox",
    images: Annotated[int, typer.Option(help="Images that are attacked together.")] = 100,
    steps: Annotated[int, typer.Option(help="Of PGD.")] = 10,
    repeats: Annotated[int, typer.Option(help="Turns of each.")] = 5,
    threads: Annotated[int | None, typer.Option(help="Of PyTorch.", min=1, max=MAX_THREADS)] = None,
) -> None:
    """Steps of PGD on random images, by us and by libraries of attacks in turn."""
    with guarded():
        if out is not None:
            output.check_file(out, checkpoint)
        from cosim.bench.rivals import attacks

        figures = attacks.run(attacks.Order(checkpoint, rivals, images, steps, repeats, threads))
        if out is not None:
            from sw.files.atomic import atomic_write

            atomic_write(out, (json.dumps(figures, indent=2) + "\n").encode())
    table = Table(title=f"PGD on {figures['network']}, {images} images, {steps} steps")
    for name in ("library", "ms a step and image", "nc64c is so many times as fast"):
        table.add_column(name)
    for name, cost in figures["ms_per_step_and_image"].items():
        ratio = figures["times_as_fast_as"].get(name)
        table.add_row(name, f"{cost:.3f}", "" if ratio is None else f"{ratio:.2f}")
    Console(highlight=False).print(table)


@app.command(
    name="rtl", epilog="Example: `nc64c bench rtl --activity 0.1 --out rtl.json`", cls=RtlCommand
)
@with_rtl
def rtl_(
    out: Annotated[Path | None, typer.Option(help="JSON file.", show_default="none")] = None,
    activity: Annotated[float, typer.Option(help="Share of axons that spike.", min=0, max=1)] = 0.1,
    seed: Annotated[
        int, typer.Option(help="Draws the synapses and the spikes.", min=0, max=MAX_SEED)
    ] = 1,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    users: RtlSources = OUR_RTL,
) -> None:
    """What a cycle of the chip costs in RTL: all cores busy, and one while the rest sleep.

    A chip or core of yours is measured in Verilator too, on a chip of its size.
    """
    with guarded():
        if out is not None:
            output.check_file(out)
        shape = chip_shape(mesh, axons, dendrites)
        from cosim.bench.simulators import cycle
        from cosim.rtl.choice import choose
        from cosim.rtl.simulator.build import build

        choice = choose(users.sources(), "verilator", shape)
        figures = cycle.measure(build(shape, design=choice.design), activity, seed)
        if out is not None:
            from sw.files.atomic import atomic_write

            atomic_write(out, (json.dumps(figures, indent=2) + "\n").encode())
    table = Table(title=f"RTL through cocotb, one process, {activity:.0%} of the axons spiking")
    for name in ("busy", "rows a tick and core", "cycles a tick", "ns a row", "ns a chip cycle"):
        table.add_column(name)
    for name, cost in figures.items():
        table.add_row(
            name,
            f"{cost['rows_per_tick']}",
            f"{cost['cycles_per_tick']:.0f}",
            f"{cost['ns_per_row']:.0f}",
            f"{cost['ns_per_chip_cycle']:.0f}",
        )
    Console(highlight=False).print(table)


@app.command(name="all", epilog="Example: `nc64c bench all --parts noc --out out/bench`")
def all_(
    out: Annotated[Path, typer.Option(help="Folder for benchmarks.md and .json.")] = Path(
        "out/bench"
    ),
    parts: Annotated[str, typer.Option(help="What to measure, by commas.")] = PARTS,
    checkpoint: Annotated[
        Path, typer.Option(help="Network of the part vgg5.", show_default="the VGG5")
    ] = VGG5_CHECKPOINT,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of its data set's files.", show_default="made-up images"),
    ] = None,
    ranc: Annotated[
        Path | None,
        typer.Option(help="Copy of RANC's repository; it is built.", show_default="without RANC"),
    ] = None,
    images: Annotated[
        int, typer.Option(help="Images of the part vgg5.", min=2, max=MAX_IMAGES)
    ] = 40,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0, max=MAX_SEED)] = 1,
    repeats: Annotated[
        int, typer.Option(help="Turns of what is compared.", min=1, max=1_000_000)
    ] = 3,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")] = False,
) -> None:
    """All benches, or some, into one document; what was measured before and not now is kept.

    What is not installed is left out, and the document says so.
    """
    with guarded(quiet, left=lambda: _kept(out)) as progress:
        output.check_folder(out)
        from cosim.bench import suite
        from cosim.bench.document import document, targets

        order = suite.Order(
            out, suite.parse_parts(parts), checkpoint, data, images, seed, repeats, ranc
        )
        record = suite.run(order, progress)
    if quiet:
        return
    table = Table(title="targets")
    for name in ("what", "target", "measured", ""):
        table.add_column(name)
    figures = {name: part["figures"] for name, part in record["parts"].items()}
    for verdict in targets.verdicts(figures):
        table.add_row(*document.verdict_row(verdict))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(f"document: {out / suite.MARKDOWN}")


@app.command(
    epilog="Example: `nc64c bench check`; keep today's: `nc64c bench check --out check.json`"
)
def check(
    kept: Annotated[
        Path | None, typer.Option(help="Figures to compare with.", show_default="the checkout's")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Keep today's in this file.", show_default="none")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0, max=MAX_SEED)] = 1,
    repeats: Annotated[
        int, typer.Option(help="Turns of what is compared.", min=1, max=1_000_000)
    ] = 3,
) -> None:
    """Whether RTL and golden models are as fast as they were: `make bench-check`, three minutes.

    All costs are multiples of hand-written C++ in the same run, so that they can be compared with
    those of other machines. Exit code 4: one is more than 1.6 times what was kept.
    """
    with guarded():
        if out is not None:
            output.check_file(out)
        from cosim.bench.check import costs
        from cosim.bench.check import kept as figures
        from sw.jobs.worker_setup import use_one_thread

        before = None if out is not None and kept is None else figures.read(kept or figures.KEPT)
        use_one_thread()
        found = costs.measure(seed, repeats)
        if out is not None:
            figures.write(out, found)
        rows = [] if before is None else figures.changes(before, found)
    table = Table(title="a tick of the whole chip, in ticks of hand-written C++")
    for name in ("model", "now", "kept", "times"):
        table.add_column(name)
    then = {row.name: (f"{row.then:.1f}", f"{row.times:.2f}") for row in rows}
    for name, cost in found.items():
        table.add_row(name, f"{cost:.1f}", *then.get(name, ()))
    Console(highlight=False).print(table)
    for row in rows:
        if row.worse:
            typer.echo(
                f"{row.name}: costs {row.times:.2f} times what was kept, must be at most "
                f"{figures.MOST}",
                err=True,
            )
    if any(row.worse for row in rows):
        raise typer.Exit(MISSED)


def _kept(out: Path) -> str:
    from cosim.bench import suite

    return suite.kept(out)
