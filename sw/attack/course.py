"""What became of images on their way through an attack: which fooled the network, and when."""

import numpy as np
from numpy.typing import NDArray

from sw.attack.draws import Numbers
from sw.data.dataset import Images

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
        self._fooling: dict[int, Images] = {}
        self._zero = np.ones(len(classes), np.bool_)
        self._sloped = np.zeros(len(classes), np.bool_)
        self.left: list[int] = []

    @property
    def zero(self) -> Flags:
        """Whose gradient was 0 at every pixel each time it was taken; if it never was, none."""
        return self._zero & self._sloped

    @property
    def standing(self) -> NDArray[np.int64]:
        """The rows of the images that have not fooled the network yet."""
        return np.array([row for row in self._rows.values() if row not in self._fooling], np.int64)

    def fooled(self, numbers: Numbers) -> Flags:
        """Which of these have."""
        return np.array([row in self._fooling for row in self._rows_of(numbers)], np.bool_)

    def fooling(self, numbers: Numbers, images: Images) -> Images:
        """These images, but those that fooled the network as they were when they first did."""
        found = images.copy()
        for place, row in enumerate(self._rows_of(numbers)):
            found[place] = self._fooling.get(row, found[place])
        return found

    def answered(self, numbers: Numbers, images: Images, answers: Classes) -> None:
        """What the network took these images for, as they now are."""
        rows = self._rows_of(numbers)
        for place in np.flatnonzero(answers != self._classes[rows]).tolist():
            self._fooling.setdefault(rows[place], images[place].copy())

    def sloped(self, numbers: Numbers, zero: Flags) -> None:
        """The gradient of these was taken, and was 0 or not."""
        rows = self._rows_of(numbers)
        self._zero[rows] &= zero
        self._sloped[rows] = True

    def looked(self) -> None:
        """A look at the network is over."""
        self.left.append(len(self._classes) - len(self._fooling))

    def _rows_of(self, numbers: Numbers) -> list[int]:
        return [self._rows[number] for number in numbers.tolist()]
