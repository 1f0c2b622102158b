"""`nc64c attack`: attacked images as a file."""

from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.console import say
from cosim.cli.guard import guarded
from cosim.cli.options import (
    AttackerOption,
    CheckpointOption,
    DataOption,
    ImagesOption,
    QuietOption,
    SeedOption,
    SetsOption,
)
from sw.files.paths import DIGITS_CHECKPOINT

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
