"""What goes into a run: images that are drawn and attacked for it, or those of a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.experiment.images import image_file
from cosim.experiment.images.image_file import NAME, ImageSet, ImageSets
from cosim.experiment.images.image_store import Wanted
from sw.attack.image_sets import (
    NO_ATTACKER,
    attack_of,
    draw_images,
    is_transfer,
    load_attacker,
    parse_sets,
)
from sw.attack.set_names import CLEAN
from sw.common.errors import InputError
from sw.data.user.inputs import Takes
from sw.data.user.read import read
from sw.model.config.network import NetworkConfig
from sw.train import checkpoint
from sw.train.task import form_of

IMAGES = 200
SETS = "clean,fgsm_2,fgsm_8,fgsm_16"


def usual_sets(config: NetworkConfig) -> str:
    """The sets of a run that names none; of spikes the clean ones alone."""
    return CLEAN if config.takes_spikes else SETS


@dataclass(frozen=True)
class Order:
    """Which images are to be made.

    Attributes:
        checkpoint: of the network that is examined.
        attacker: checkpoint of the attack model; None: there is none.
        data: folder of the data set's files; None: it needs none.
        sets: their names, with commas.
        images: how many held-out ones, drawn by `seed`, as is what attacks draw.
    """

    checkpoint: Path
    attacker: Path | None
    data: Path | None
    sets: str
    images: int
    seed: int

    def wanted(self) -> Wanted:
        """All that it takes to make them, checked. Raises `InputError`."""
        names = parse_sets(self.sets)
        for name in names:
            if is_transfer(name) and self.attacker is None:
                raise InputError(NO_ATTACKER.format(name))
        config = checkpoint.load(self.checkpoint).config
        for name in names:
            if name != CLEAN:
                attack_of(name).check(config)
        if self.attacker is not None:
            load_attacker(self.attacker, config)
        return Wanted(
            names=names,
            data=draw_images(config.dataset, self.images, self.seed, self.data, form_of(config)),
            network=self.checkpoint.read_bytes(),
            attacker=None if self.attacker is None else self.attacker.read_bytes(),
            seed=self.seed,
        )


def replayed(path: Path, names: str | None, config: NetworkConfig) -> ImageSets:
    """The images of a file for a network: these sets, or all.

    Raises `InputError` if the file is damaged or of other images, or lacks a set.
    """
    content, _ = image_file.read(path)
    image_file.check_fits(path, content, config)
    if names is None:
        return content
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in content.sets:
            raise InputError(
                f"{image_file.FORMAT.noun} {path} has no set {name!r}, only "
                f"{', '.join(content.sets)}"
            )
    if len(set(chosen)) < len(chosen):
        raise InputError(f"sets {names!r}: one of them is there twice")
    return content.choose(chosen)


def files_of(names: str | None) -> tuple[Path, ...]:
    """The files that `--sets` names instead of sets to be drawn; none: it names such sets.

    Raises `InputError` if it names both.
    """
    parts = [] if names is None else [part.strip() for part in names.split(",")]
    files = tuple(Path(part) for part in parts if "." in part or "/" in part)
    if files and len(files) < len(parts):
        raise InputError(
            f"sets {names!r}: files have images of their own, so there can be no drawn sets beside"
        )
    return files


def of_files(paths: tuple[Path, ...], config: NetworkConfig) -> ImageSets:
    """Images of a user's, attacked elsewhere for instance: a file is a set, called as it is.

    Raises `InputError` if one cannot be read, has no labels, or others than the first one.
    """
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, a set must be a file, such as .npz")
    sizes = config.timesteps, config.input_shape, len(config.classes)
    takes = Takes(config.takes_spikes, *sizes, config.tick)
    found = {path.stem: read(path, takes) for path in paths}
    names = ", ".join(map(str, paths))
    if len(found) < len(paths) or not all(map(NAME.fullmatch, found)):
        raise InputError(f"sets {names}: names must differ, and be of letters, digits and _")
    labels = next(iter(found.values())).labels
    for path, each in zip(paths, found.values(), strict=True):
        if labels is None or each.labels is None:
            raise InputError(f"{path}: has no labels, which a set needs")
        if not np.array_equal(each.labels, labels):
            raise InputError(
                f"{path}: has other labels than {paths[0]}: sets are of the same images"
            )
    assert labels is not None
    sets = {
        name: ImageSet(each.values, np.zeros(len(labels), np.bool_)) for name, each in found.items()
    }
    return ImageSets(config.dataset, config.classes, labels, np.arange(len(labels)), sets)


def golden_count(rtl: int, golden: int | None) -> int:
    """How many images go up to the golden model: no fewer than those in RTL."""
    count = rtl if golden is None else golden
    if count < rtl:
        raise InputError(
            f"{count} golden images: must be at least the {rtl} that go through the RTL"
        )
    return count if rtl >= 1 else rtl


def checked_count(path: Path, content: ImageSets, count: int) -> ImageSets:
    """The first `count` images of a file. Raises `InputError` if it has not so many."""
    if not 1 <= count <= len(content):
        raise InputError(
            f"{count} images were asked for: must be 1 to {len(content)}, as many as {path} has"
        )
    return content.first(count)
