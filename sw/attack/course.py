"""What became of images on their way through an attack: how many still stood, and when."""

import numpy as np
from numpy.typing import NDArray

from sw.attack.draws import Numbers

Classes = NDArray[np.int64]  # [n]
Flags = NDArray[np.bool_]  # [n]


class Course:
    """Of some images, through all starts of an attack.

    Args:
        numbers: of the images in their data set.
        classes: the true ones, whatever the attack goes for.

    Attributes:
        left: after each look at the network, how many images have not fooled it yet.
    """

    def __init__(self, numbers: Numbers, classes: Classes) -> None:
        self._rows = {number: row for row, number in enumerate(numbers.tolist())}
        self._classes = classes
        self._fooled = np.zeros(len(classes), np.bool_)
        self._zero: Flags | None = None
        self.left: list[int] = []

    @property
    def zero(self) -> Flags:
        """Whose gradient was 0 at every pixel each time it was taken; if it never was, none."""
        return np.zeros(len(self._classes), np.bool_) if self._zero is None else self._zero

    def answered(self, numbers: Numbers, answers: Classes) -> None:
        """What the network took these images for, as they now are."""
        rows = [self._rows[number] for number in numbers.tolist()]
        self._fooled[rows] |= answers != self._classes[rows]

    def looked(self, zero: Flags | None = None) -> None:
        """A look at the network is over; `zero`: of all images, whose gradient was 0."""
        self.left.append(int((~self._fooled).sum()))
        if zero is not None:
            self._zero = zero if self._zero is None else self._zero & zero
