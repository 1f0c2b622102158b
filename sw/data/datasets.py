"""Data sets by name: images on the 1/255 grid, with labels, split into train and test for good."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from sw.common.errors import InputError
from sw.data import cifar, digits, mnist
from sw.data.dataset import Dataset, Split

IN_PACKAGE = ("digits",)  # needs no folder
IN_FOLDER: dict[str, Callable[[Split, Path], Dataset]] = {
    "cifar10": cifar.load,
    "mnist": lambda split, folder: mnist.load("mnist", split, folder),
    "fashion-mnist": lambda split, folder: mnist.load("fashion-mnist", split, folder),
}
NAMES = (*IN_PACKAGE, *IN_FOLDER)


def load(name: str, split: Split, folder: Path | None = None) -> Dataset:
    """A data set's training or test part; always the same images in the same order.

    Args:
        name: "digits", scikit-learn's handwritten digits (8 x 8, grey, part of the package);
            "cifar10" (`sw.data.cifar`); "mnist" or "fashion-mnist" (`sw.data.mnist`).
        split: "train" or "test".
        folder: where the files of a data set are that does not come with a package.

    Raises:
        InputError: unknown name or split; no folder for a data set that needs one, or a folder for
            one that needs none; a file is missing, truncated or damaged (it is named).
    """
    if name not in NAMES:
        raise InputError(f"unknown data set {name!r}: must be one of {', '.join(NAMES)}")
    if split not in get_args(Split):
        raise InputError(f"unknown split {split!r} of {name}: must be train or test")
    if name in IN_PACKAGE:
        if folder is not None:
            raise InputError(f"data set {name} needs no folder, but got {folder}: leave it out")
        return digits.load(split)
    if folder is None:
        raise InputError(f"data set {name} needs a folder: name the one that its files are in")
    if not folder.is_dir():
        raise InputError(f"data set {name}: {folder} is no folder")
    return IN_FOLDER[name](split, folder)
