"""`nc64c attack`: attacked images as a file; `nc64c robustness`: what attacks cost a network."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cosim.cli.console import say
from cosim.cli.guard import guarded
from cosim.cli.options import (
    MAX_IMAGES,
    MAX_SEED,
    MAX_THREADS,
    AttackerOption,
    CheckpointOption,
    DataOption,
    ImagesOption,
    QuietOption,
    SeedOption,
    SetsOption,
)
from sw.files import output
from sw.files.paths import DIGITS_CHECKPOINT

if TYPE_CHECKING:
    from sw.attack.task import Row

EXAMPLE = "Example: `nc64c attack --sets fgsm_2,fgsm_8 --out attacked.safetensors`"


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
        from cosim.experiment.images import attack_file
        from cosim.experiment.images.inputs import Order

        order = Order(checkpoint, attacker, data, sets, images, seed)
        accuracies, cautions = attack_file.make(order, out, progress)
    say(quiet, f"{out}: the network's accuracy is {_listed(accuracies)}")
    for caution in cautions:
        typer.echo(caution, err=True)


def _listed(accuracies: dict[str, float]) -> str:
    return ", ".join(f"{name} {accuracy:.2f} %" for name, accuracy in accuracies.items())


ROBUSTNESS_EXAMPLE = (
    "Example: `nc64c robustness vgg5.safetensors --attacker other.safetensors --data cifar-10"
    " --images 1000`"
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
    eps: Annotated[str, typer.Option(help="Strengths of FGSM in 1/255.")] = "2,8,16",
    out: Annotated[Path | None, typer.Option(help="JSON file.", show_default="none")] = None,
    threads: Annotated[
        int | None,
        typer.Option(help="Of PyTorch.", min=1, max=MAX_THREADS, show_default="as many as cores"),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or cuda:1 and so on.")] = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")] = False,
) -> None:
    """What FGSM costs a network, float and quantised: white-box, approximated, and by transfer."""
    with guarded(quiet) as progress:
        if out is not None:
            output.check_file(out, checkpoint, attacker)
        from sw.attack import task as work

        given = checkpoint, data, attacker, images, seed, work.strengths(eps), threads, device
        rows = work.measure(work.Task(*given), progress)
        if out is not None:
            from sw.files.atomic import atomic_write

            document = {"images": images, "seed": seed, "rows": rows}
            atomic_write(out, (json.dumps(document, indent=2) + "\n").encode())
    if not quiet:
        Console(highlight=False).print(_table(rows, checkpoint, images))


def _table(rows: "list[Row]", checkpoint: Path, images: int) -> Table:
    table = Table(title=f"{checkpoint.name}, {images} images: adversarial loss, points")
    for name in ("weights", "way", "clean, %"):
        table.add_column(name)
    for eps in rows[0]["loss"]:
        table.add_column(f"{eps}/255", justify="right")
    for row in rows:
        losses = (f"{loss:.2f}" for loss in row["loss"].values())
        table.add_row(row["weights"], row["way"], f"{row['clean']:.2f}", *losses)
    return table
