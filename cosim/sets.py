"""The image sets: held-out images, clean and attacked, by name."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.progress import Progress
from cosim.record import CLEAN
from sw.attack import fgsm
from sw.data import Dataset
from sw.data import load as load_dataset
from sw.errors import InputError
from sw.model import SpikingNetwork

ATTACK = "fgsm_"  # and eps in 1/255
MAX_EPS = 255
BATCH = 100

Images = NDArray[np.uint8]  # [n, C, H, W]


def parse_sets(names: str) -> tuple[str, ...]:
    """Names of sets from "clean,fgsm_8". Raises `InputError` for one that there is not."""
    sets = tuple(name.strip() for name in names.split(","))
    for name in sets:
        if name != CLEAN:
            attack_eps(name)
    if len(set(sets)) != len(sets):
        raise InputError(f"sets {names!r}: one of them is there twice")
    return sets


def attack_eps(name: str) -> int:
    """Strength of an attack in 1/255, by its name. Raises `InputError` if it is none."""
    known = {f"{ATTACK}{eps}": eps for eps in range(1, MAX_EPS + 1)}
    if name not in known:
        raise InputError(
            f"unknown set {name!r}: must be {CLEAN} or {ATTACK}1 to {ATTACK}{MAX_EPS},"
            f" such as {ATTACK}8"
        )
    return known[name]


def draw_images(dataset: str, count: int, seed: int, folder: Path | None = None) -> Dataset:
    """`count` held-out images, drawn by a seed. Raises `InputError` if there are not so many.

    `folder` is where the data set's files are, for one that does not come with a package.
    """
    held_out = load_dataset(dataset, "test", folder)
    if not 1 <= count <= len(held_out):
        raise InputError(
            f"{count} images were asked for: must be 1 to {len(held_out)},"
            f" which is what {dataset} has of held-out images"
        )
    return held_out.take(np.random.default_rng(seed).permutation(len(held_out))[:count])


def make_sets(
    network: SpikingNetwork, data: Dataset, sets: Sequence[str], progress: Progress
) -> dict[str, Images]:
    """The images of each set, in the order of `data`; attacks are white-box on this network."""
    attacks = [name for name in sets if name != CLEAN]
    made = dict.fromkeys(sets, data.images)
    if not attacks:
        return made
    with progress.stage("attacks", len(attacks) * len(data)) as advance:
        for name in attacks:
            parts = []
            for batch in batches(len(data), BATCH):
                images, labels = data.images[batch], data.labels[batch]
                parts.append(fgsm(network, images, labels, attack_eps(name)))
                advance(len(labels))
            made[name] = np.concatenate(parts)
    return made


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover `count` things."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
