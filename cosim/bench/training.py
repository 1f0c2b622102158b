"""What `nc64c bench train` does."""

from dataclasses import replace
from typing import Any

import torch

from cosim.bench.rivals import training as rivals
from sw.common.machine import processor, usable_cores, versions
from sw.data import cifar
from sw.model.architectures import DIGITS, named


def run(
    names: str, width: float, timesteps: int, batch: int, steps: int, threads: int | None
) -> dict[str, Any]:
    """Images per second of a VGG5's training steps, by us and by libraries named by commas.

    Raises:
        InputError: a library is unknown or not installed, or a size is out of range.
    """
    like = replace(
        DIGITS,
        dataset="cifar10",
        input_shape=cifar.SHAPE,
        classes=cifar.CLASSES,
        timesteps=timesteps,
    )
    config = named("vgg5", like, width=width)
    torch.set_num_threads(threads or usable_cores())
    others = [name.strip() for name in names.split(",") if name.strip()]
    ours = (rivals.OURS, rivals.OURS_FLOAT32)
    measured = rivals.measure([*ours, *others], config, batch, steps)
    fastest = max((measured[name]["median"] for name in others), default=None)
    times = [None if fastest is None else measured[name]["median"] / fastest for name in ours]
    return {
        "features": "-".join(str(layer.features) for layer in config.layers),
        "timesteps": timesteps,
        "batch": batch,
        "steps": steps,
        "threads": torch.get_num_threads(),
        "images_per_s": measured,
        "times_the_fastest_rival": times[0],
        "times_the_fastest_rival_float32": times[1],
        "cpu": processor(),
        "versions": versions(),
    }
