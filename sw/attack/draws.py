"""Random draws that belong to an image: the same ones wherever and with whomever it is attacked.

Philox is a generator that counts: its key and the start of its counter say all. The key is the seed
and what the draws are for, the counter starts at the image's number in its data set. So no two
images, purposes, strengths or seeds share a draw, and none depends on a batch or a machine.
"""

import math
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]  # [n], each image's number in its data set
HALF = 32  # bits of a draw that decide; the others would not fit the product with `values`


class Purpose(IntEnum):
    """What is drawn. A number that was given stays: other ones draw anew."""

    TARGET = 1  # the class that a targeted attack goes for
    STEP = 2  # the random step of R+FGSM
    START = 3  # the random start of PGD and APGD
    NOISE = 4  # up or down, of random noise
    STRIPES = 5  # where Square begins
    SQUARE = 6  # place and direction of Square's next square
    PLACES = 7  # the order in which spikes are changed at random


def draw(
    seed: int,
    purpose: Purpose,
    numbers: Numbers,
    values: int,
    shape: Sequence[int] = (),
    variant: int = 0,
) -> NDArray[np.int64]:
    """Whole numbers from 0 to `values` - 1, all equally likely, for each image of its own.

    Args:
        seed: 0 to 2^63 - 1.
        purpose: what for.
        numbers: of the images.
        values: 1 to 2^32. The likelihoods differ by at most `values` / 2^32.
        shape: of one image's draws.
        variant: such as the strength of an attack; another one draws anew.

    Returns:
        int64 [n, *shape].
    """
    words = math.prod(shape)
    drawn = np.empty((len(numbers), words), np.uint64)
    for row, number in zip(drawn, numbers.tolist(), strict=True):
        start = [0, 0, variant, number]  # the first word counts on
        row[:] = np.random.Philox(key=[seed, int(purpose)], counter=start).random_raw(words)
    scaled = (drawn >> np.uint64(HALF)) * np.uint64(values) >> np.uint64(HALF)
    return scaled.astype(np.int64).reshape(len(numbers), *shape)
