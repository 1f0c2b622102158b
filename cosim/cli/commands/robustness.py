"""`nc64c robustness`, its options and its table."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cosim.cli.guard import guarded
from cosim.cli.options import MAX_IMAGES, MAX_SEED, MAX_THREADS
from sw.files import output

if TYPE_CHECKING:
    from sw.attack.task import Row

EXAMPLE = (
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
