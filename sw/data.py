"""Data sets: images on the 1/255 grid, with labels, split into train and test for good."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from sw.errors import InputError

Split = Literal["train", "test"]

TEST_SHARE = 0.25  # of each class of the digits: 450 of 1797 images
SPLIT_SEED = 2023


@dataclass(frozen=True)
class Dataset:
    """Images and their labels.

    Attributes:
        name: what `load` knows it by.
        images: uint8 [n, C, H, W], pixels 0..255.
        labels: int64 [n], an index into `classes`.
        classes: the classes' names.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: slice | NDArray[np.int64]) -> "Dataset":
        """The chosen images only."""
        return Dataset(self.name, self.images[chosen], self.labels[chosen], self.classes)


def load(name: str, split: Split, folder: Path | None = None) -> Dataset:
    """A data set's training or test part; always the same images in the same order.

    Args:
        name: "digits", scikit-learn's handwritten digits (8 x 8, grey, part of the package).
        split: "train" or "test".
        folder: where the files of a data set are that does not come with a package.

    Raises:
        InputError: unknown name or split, or a folder for a data set that needs none.
    """
    if name not in LOADERS:
        raise InputError(f"unknown data set {name!r}: must be one of {', '.join(LOADERS)}")
    if split not in get_args(Split):
        raise InputError(f"unknown split {split!r} of {name}: must be train or test")
    return LOADERS[name](split, folder)


def _digits(split: Split, folder: Path | None) -> Dataset:
    """The digits: grey levels 0..16 are put on the grid 0..255; the split is by class and seed."""
    if folder is not None:
        raise InputError(f"data set digits needs no folder, but got {folder}: leave it out")
    bunch = load_digits()
    images = np.rint(bunch.images * 255 / 16).astype(np.uint8)[:, np.newaxis]
    labels = bunch.target.astype(np.int64)
    chosen = _stratified(labels, split)
    classes = tuple(str(digit) for digit in range(10))
    return Dataset("digits", images[chosen], labels[chosen], classes)


def _stratified(labels: NDArray[np.int64], split: Split) -> NDArray[np.int64]:
    """Indices of one split, in mixed order: of each class the same share, drawn by SPLIT_SEED."""
    generator = np.random.default_rng(SPLIT_SEED)
    train, test = [], []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        held_out = round(len(members) * TEST_SHARE)
        test.append(members[:held_out])
        train.append(members[held_out:])
    return generator.permutation(np.concatenate(test if split == "test" else train))


LOADERS: dict[str, Callable[[Split, Path | None], Dataset]] = {"digits": _digits}
