"""A data set in memory, and the two parts that every one has."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Dataset:
    """Images and their labels.

    Attributes:
        name: what `sw.data.load` knows it by.
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
