"""`nc64c robustness`: what attacks cost a network."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cosim.cli.guard import guarded
from cosim.cli.options import MAX_IMAGES, MAX_SEED, MAX_THREADS
from sw.common.errors import InputError
from sw.files import output

if TYPE_CHECKING:
    from sw.attack.suite.task import Order
    from sw.attack.suite.ways import Task
    from sw.common.progress import Progress

EXAMPLE = (
    "Examples: `nc64c robustness vgg5.safetensors --attacker other.safetensors --data cifar-10"
    " --images 1000`; several attacks, and the worst for each image: `nc64c robustness "
    "checkpoints/digits.safetensors --suite quick --out out/suite`"
)


def robustness(
    checkpoint: Annotated[Path, typer.Argument(help="Trained network (safetensors).")],
    attacker: Annotated[
        Path | None,
        typer.Option(help="Attack model for transfer, another checkpoint.", show_default="none"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the data set's files.", show_default="none needed"),
    ] = None,
    images: Annotated[int, typer.Option(help="Held-out images.", max=MAX_IMAGES)] = 200,
    seed: Annotated[int, typer.Option(help="Draws the images.", min=0, max=MAX_SEED)] = 0,
    eps: Annotated[str, typer.Option(help="Strengths in 1/255.")] = "2,8,16",
    suite: Annotated[
        str | None,
        typer.Option(
            help="quick or reliable: many attacks on the quantised network.",
            show_default="none: FGSM alone",
        ),
    ] = None,
    surrogate: Annotated[
        str,
        typer.Option(help="Of the attacker, as NAME or NAME:WIDTH, such as assg or arctan:0.5."),
    ] = "paper",
    gradient: Annotated[
        str,
        typer.Option(help="Through: time, rate (BPTR), rga, rga:4 (4 times the steps), or paper."),
    ] = "time",
    attacks: Annotated[
        str | None,
        typer.Option(help="Of the suite, only these, such as apgd,square.", show_default="all"),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Of a suite's iterative attacks.", show_default="the suite's"),
    ] = None,
    queries: Annotated[
        int | None, typer.Option(help="Of a suite's Square.", show_default="the suite's")
    ] = None,
    draws: Annotated[
        int,
        typer.Option(help="One more attack expects over so many draws of a random encoding."),
    ] = 0,
    transfer: Annotated[
        list[Path] | None,
        typer.Option(
            help="Checkpoint on which a suite makes images as well; may be given several times.",
            show_default="none",
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help="Images that a suite attacks at once.")] = 100,
    out: Annotated[
        Path | None,
        typer.Option(help="JSON file; of a suite, a folder.", show_default="none"),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(help="Of PyTorch.", min=1, max=MAX_THREADS, show_default="as many as cores"),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or cuda:1 and so on.")] = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")] = False,
) -> None:
    """What attacks cost a network.

    FGSM, float and quantised: white-box, approximated, and by transfer. Or with `--suite` several
    attacks on the quantised network, from random noise to Square, the worst of them for each image,
    and what makes the figures doubtful; blocks of images that are finished are kept in `--out`.
    """
    with guarded(quiet) as progress:
        from sw.attack.gradient.way import way
        from sw.attack.suite.members import Choice
        from sw.attack.suite.task import Machine, Order
        from sw.attack.suite.ways import Task, strengths

        wanted, chosen = strengths(eps), way(gradient, surrogate, batch)
        transfers = tuple(transfer or ())
        if suite is None:
            of_a_suite: dict[str, object] = {"attacks": attacks, "steps": steps, "queries": queries}
            of_a_suite |= {"draws": draws or None, "transfer": transfers or None}
            _refuse(of_a_suite, "is of a suite: give --suite as well, or leave it out")
            if out is not None:
                output.check_file(out, checkpoint, attacker)
            task = Task(checkpoint, data, attacker, images, seed, wanted, threads, device, chosen)
            table = _fgsm(task, out, progress)
            sentences: list[str] = []
        else:
            _refuse({"attacker": attacker}, "is of FGSM alone: of a suite it is --transfer")
            if out is not None:
                output.check_folder(out, checkpoint, *transfers)
            only = () if attacks is None else tuple(map(str.strip, attacks.split(",")))
            choice = Choice(suite, chosen, only, steps, queries, draws)
            machine = Machine(threads, device)
            order = Order(checkpoint, data, choice, wanted, images, seed, transfers, machine)
            table, sentences = _suite(order, out, progress)
    if not quiet:
        Console(highlight=False).print(table)
        for sentence in sentences:
            typer.echo(f"Doubtful: {sentence}")


def _refuse(options: Mapping[str, object], why: str) -> None:
    """Raises `InputError` for the first of these options that is given."""
    for name, value in options.items():
        if value is not None:
            raise InputError(f"--{name}: {why}")


def _fgsm(task: "Task", out: Path | None, progress: "Progress") -> Table:
    from sw.attack.suite.ways import measure
    from sw.files.atomic import atomic_write

    rows = measure(task, progress)
    if out is not None:
        document = {"images": task.images, "seed": task.seed, "rows": rows}
        atomic_write(out, (json.dumps(document, indent=2) + "\n").encode())
    table = Table(title=f"{task.checkpoint.name}, {task.images} images: adversarial loss, points")
    for name in ("weights", "way", "clean, %"):
        table.add_column(name)
    for eps in rows[0]["loss"]:
        table.add_column(f"{eps}/255", justify="right")
    for row in rows:
        losses = (f"{loss:.2f}" for loss in row["loss"].values())
        table.add_row(row["weights"], row["way"], f"{row['clean']:.2f}", *losses)
    return table


def _suite(order: "Order", out: Path | None, progress: "Progress") -> tuple[Table, list[str]]:
    from cosim.report.studies.robustness import render
    from sw.attack.suite.task import run

    found = run(order, out, progress, render)
    title = f"{found['network']}, {found['images']} images, suite {found['suite']}: right, %"
    table = Table(title=title)
    table.add_column("attack")
    for eps in found["strengths"]:
        table.add_column(f"{eps}/255", justify="right")
    clean = {str(eps): found["clean"] for eps in found["strengths"]}
    for name, right in {"none": clean, "worst case": found["worst"], **found["attacks"]}.items():
        table.add_row(name, *(f"{share:.1f}" for share in right.values()))
    return table, found["flags"]
