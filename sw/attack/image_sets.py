"""The image sets: held-out images, clean and attacked, by name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sw.attack.attacks import Attack
from sw.attack.gradient.way import Way
from sw.attack.set_names import CLEAN, OF_SPIKES, TRANSFER, parse
from sw.common.checks import shown
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.data.datasets import load as load_dataset
from sw.data.spikes import SpikeForm
from sw.model.config.network import NetworkConfig
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint

# Attacks by the first part of a set's name; what follows it is eps.
ATTACKS: dict[str, dict[str, Any]] = {
    "fgsm": {"method": "fgsm"},
    "targeted": {"method": "fgsm", "targeted": True},
    "rfgsm": {"method": "rfgsm"},
    "pgd": {"method": "pgd"},
    "noise": {"method": "noise"},
    "apgd": {"method": "apgd"},
    "dlr": {"method": "dlr"},
    "nearest": {"method": "nearest", "restarts": 3},
    "sapgd": {"method": "sapgd"},
    "pdsg": {"method": "apgd", "way": Way(surrogate="pdsg")},
    "rate": {"method": "apgd", "way": Way("rate")},
    "rga": {"method": "apgd", "way": Way("rga")},
    "rga4": {"method": "apgd", "way": Way("rga", times=4)},
    "square": {"method": "square"},
    "rays": {"method": "rays"},
    **{name: {"method": name} for name in OF_SPIKES},
    TRANSFER: {"method": "fgsm"},  # on another network, the attack model
}
NO_ATTACKER = "set {} is made on another network: name its checkpoint with --attacker"
BLOCK = 100  # images of a sample, from a multiple of it on, that are attacked together


def parse_sets(names: str) -> tuple[str, ...]:
    """Names of sets from "clean,fgsm_8". Raises `InputError` for one that there is not."""
    sets = tuple(name.strip() for name in names.split(","))
    for name in sets:
        if name != CLEAN:
            attack_of(name)
    if len(set(sets)) != len(sets):
        raise InputError(f"sets {shown(names)}: one of them is there twice")
    return sets


def attack_of(name: str, seed: int = 0) -> Attack:
    """The attack that a set is named after. Raises `InputError` if it is none."""
    kind, eps = parse(name)
    return Attack(eps=eps, seed=seed, **ATTACKS[kind])


def is_transfer(name: str) -> bool:
    """Whether the images of a set are made on another network than the one that is examined."""
    return name.startswith(f"{TRANSFER}_")


def draw_images(
    dataset: str,
    count: int,
    seed: int,
    folder: Path | None = None,
    form: SpikeForm | None = None,
) -> Dataset:
    """`count` held-out images, drawn by a seed. Raises `InputError` if there are not so many.

    Fewer images with the same seed are the first of them, and so a random sample as well. `folder`
    is where the data set's files are, for one that does not come with a package; `form` is what is
    known of spikes.
    """
    held_out = load_dataset(dataset, "test", folder, form)
    if not 1 <= count <= len(held_out):
        raise InputError(
            f"{count} images were asked for: must be 1 to {len(held_out)},"
            f" which is what {dataset} has of held-out images"
        )
    return held_out.take(np.random.default_rng(seed).permutation(len(held_out))[:count])


def load_attacker(path: Path, target: NetworkConfig) -> Checkpoint:
    """The attack model of transfer attacks on a network.

    Raises `InputError` if its file cannot be read, or it takes other images than the network.
    """
    found = checkpoint.load(path)
    ours, theirs = (
        (config.dataset, config.input_shape, config.classes) for config in (target, found.config)
    )
    if ours != theirs:
        raise InputError(
            f"attack model {path} takes {_images(theirs)}: must be {_images(ours)}, "
            "as those of the network"
        )
    return found


def _images(kind: tuple[str, tuple[int, ...], tuple[str, ...]]) -> str:
    dataset, shape, classes = kind
    return f"images {shape} of {dataset} in {len(classes)} classes ({', '.join(classes[:3])} ...)"


def block_seed(seed: int, first: int) -> int:
    """The seed of what the images of a block have in common; `first` is the number of any."""
    return (seed << 24) + first // BLOCK * BLOCK


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover `count` things."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
