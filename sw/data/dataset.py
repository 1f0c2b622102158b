"""A data set in memory, and the two parts that every one has."""

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]
Images = NDArray[np.uint8]  # [n, C, H, W]; of spikes, [n, T, C, H, W]
PARTS: tuple[Split, ...] = get_args(Split)
TEST_SHARE = 0.25  # of each class, where a set has no parts of its own
SPLIT_SEED = 2023


@dataclass(frozen=True)
class Dataset:
    """Images and their labels.

    Attributes:
        name: what `sw.data.datasets.load` knows it by.
        images: uint8 [n, C, H, W], pixels 0..255; or spikes 0 or 1 [n, T, C, H, W].
        labels: int64 [n], an index into `classes`.
        classes: the classes' names.
        numbers: int64 [n], each image's number in the part that it is of, by which it is known
            however the part is cut; left out: 0 to n - 1.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        if len(self.numbers) != len(self.labels):
            if len(self.numbers):
                raise ValueError(f"{len(self.numbers)} numbers for {len(self.labels)} images")
            object.__setattr__(self, "numbers", np.arange(len(self.labels)))

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: slice | NDArray[np.int64]) -> "Dataset":
        """The chosen images only."""
        return replace(
            self,
            images=self.images[chosen],
            labels=self.labels[chosen],
            numbers=self.numbers[chosen],
        )


def stratified(labels: NDArray[np.int64], split: Split) -> NDArray[np.int64]:
    """Indices of one split, in mixed order: of each class the same share, drawn by SPLIT_SEED."""
    generator = np.random.default_rng(SPLIT_SEED)
    train, test = [], []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        held_out = round(len(members) * TEST_SHARE)
        test.append(members[:held_out])
        train.append(members[held_out:])
    return generator.permutation(np.concatenate(test if split == "test" else train))
