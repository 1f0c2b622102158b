"""`nc64c encode`: a network of images, and what its encoding makes of some, as one of spikes."""

from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.console import say
from cosim.cli.guard import guarded
from cosim.cli.options import DataOption, ImagesOption, QuietOption, SeedOption
from sw.files import output

EXAMPLE = (
    "Example: `nc64c encode checkpoints/vgg5-rate.safetensors --data data/cifar --out out/rate`, "
    "then `nc64c cosim --checkpoint out/rate/network.safetensors --data out/rate "
    "--sets clean,flip_16 --out out/flipped`"
)


def encode(
    checkpoint: Annotated[
        Path, typer.Argument(help="Of a network with rate, phase or latency encoding.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for network.safetensors and test.npz.")],
    data: DataOption = None,
    images: ImagesOption = 200,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Write a network as one that takes spikes, and the spikes of held-out images.

    So the spikes between encoder and chip can be attacked, and followed to the RTL.
    """
    with guarded(quiet):
        output.check_folder(out, data)
        import numpy as np

        from cosim.experiment.images import encoded
        from sw.attack.image_sets import draw_images
        from sw.train import checkpoint as checkpoints

        loaded = checkpoints.load(checkpoint)
        networks = loaded.float_network, loaded.quantised_network
        encoded.check(networks[0])
        drawn = draw_images(loaded.config.dataset, images, seed, data)
        made = encoded.spikes_of(loaded.quantised_network, drawn)
        for network in networks:
            encoded.take_spikes(network)
        with output.staged(out) as stage:
            checkpoints.save(stage / "network.safetensors", loaded, loaded.settings)
            np.savez_compressed(stage / "test.npz", spikes=made.images, labels=made.labels)
    each = made.images.sum() / len(made)
    say(
        quiet,
        f"{out}: {len(made)} images of {loaded.config.timesteps} steps, {each:,.0f} spikes each",
    )
