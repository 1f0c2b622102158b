"""Images of an IDX file, of any size, and their labels from the file beside it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data import mnist
from sw.data.user.inputs import MAX_BYTES, Takes, UserInputs, checked_labels


def is_idx(path: Path) -> bool:
    """Whether a file has the name of an IDX file."""
    name = path.name.removesuffix(".gz")
    return name.endswith("-ubyte") or path.suffix == ".idx" or name.endswith(".idx")


def read(path: Path, takes: Takes) -> UserInputs:
    """Grey images, IDX of three dimensions; labels are in the file named alike.

    That is `t10k-labels-idx1-ubyte` for `t10k-images-idx3-ubyte`, if there is one.

    Raises `InputError` if a file is missing, truncated or damaged, or has images of another size.
    """
    images = mnist.read(path, 3, MAX_BYTES)
    if takes.spikes or (1, *images.shape[1:]) != takes.shape:
        kind = "spikes" if takes.spikes else "images"
        raise InputError(
            f"{path} has grey images of {images.shape[1]} x {images.shape[2]}, the network takes "
            f"{kind} of {' x '.join(map(str, takes.shape))}"
        )
    return UserInputs(images[:, None], False, _labels(path, len(images), takes))


def _labels(path: Path, count: int, takes: Takes) -> NDArray[np.int64] | None:
    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    if beside == path or not beside.is_file():
        return None
    return checked_labels(str(beside), mnist.read(beside, 1, MAX_BYTES), count, takes)
