"""What a network takes, and a user's inputs once they have that form."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape
from sw.common.errors import InputError

MAX_BYTES = 4 << 30  # of an array


@dataclass(frozen=True)
class Takes:
    """What a network takes.

    Attributes:
        spikes: spikes as they are; False: images.
        timesteps: T, steps per input.
        shape: C, H, W of an image, or of the spikes of a step.
        classes: how many there are, so labels are 0 to one less.
        tick: seconds of a step, into which events are binned; None: it was not said.
    """

    spikes: bool
    timesteps: int
    shape: Shape
    classes: int
    tick: float | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of one input."""
        return (self.timesteps, *self.shape) if self.spikes else self.shape

    def check_room(self, where: str, count: int) -> None:
        """Raises `InputError` if so many inputs would take too much memory."""
        size = count * math.prod(self.sizes)
        if size > MAX_BYTES:
            raise InputError(
                f"{where}: {count} inputs would take {size} bytes, at most {MAX_BYTES}: take fewer"
            )


@dataclass(frozen=True, eq=False)
class UserInputs:
    """Inputs of one kind.

    Attributes:
        values: uint8, images [n, C, H, W], or spikes 0 or 1 [n, T, C, H, W].
        spikes: whether these are spikes.
        labels: int64 [n]; None: there are none.
        notes: what was left out on the way, in sentences.
    """

    values: NDArray[np.uint8]
    spikes: bool
    labels: NDArray[np.int64] | None
    notes: tuple[str, ...] = ()

    def first(self, count: int) -> "UserInputs":
        """The first `count` of them."""
        labels = None if self.labels is None else self.labels[:count]
        return UserInputs(self.values[:count], self.spikes, labels, self.notes)


def checked_labels(
    where: str, labels: NDArray[np.generic] | None, count: int, takes: Takes
) -> NDArray[np.int64] | None:
    """Labels as int64. Raises `InputError` if they are not one for each input, in range."""
    if labels is None:
        return None
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise InputError(
            f"{where}: labels are {labels.dtype} {list(labels.shape)}, must be integers [{count}]"
        )
    if count and not 0 <= labels.min() <= labels.max() < takes.classes:
        raise InputError(
            f"{where}: labels are {labels.min()} to {labels.max()}, the network has "
            f"{takes.classes} classes: they must be 0 to {takes.classes - 1}"
        )
    return labels.astype(np.int64)
