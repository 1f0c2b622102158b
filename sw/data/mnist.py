"""MNIST and Fashion-MNIST from their IDX files, gzipped or not.

The format, big-endian: 0, 0, 8 (unsigned bytes), number of dimensions; each dimension's size in 32
bits; then the bytes, last dimension fastest. Source: http://yann.lecun.com/exdb/mnist/.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data.dataset import Dataset, Split
from sw.data.raw_file import wrong_size
from sw.files.bounded import read_at_most

PREFIX: dict[Split, str] = {"train": "train", "test": "t10k"}
IMAGES, LABELS = ("images", "idx3-ubyte"), ("labels", "idx1-ubyte")
# torchvision's and other folders that the files are found in, below the one that is given.
FOLDERS = {
    "mnist": ("", "raw", "MNIST/raw", "MNIST", "mnist"),
    "fashion-mnist": ("", "raw", "FashionMNIST/raw", "FashionMNIST", "fashion-mnist"),
}
UNSIGNED_BYTES = 8
SIDE = 28
MAX_IMAGES = 60_000
MAX_BYTES = 16 + MAX_IMAGES * SIDE * SIDE
CLASSES = {
    "mnist": tuple(str(digit) for digit in range(10)),
    "fashion-mnist": (
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
}


def load(name: str, split: Split, folder: Path) -> Dataset:
    """Images of 28 x 28 grey pixels, [n, 1, 28, 28], in the order of the files.

    Args:
        name: "mnist" or "fashion-mnist"; their files have the same names.
        split: "train" or "test".
        folder: where train-images-idx3-ubyte, t10k-labels-idx1-ubyte and so on are, with .gz or
            without, or with a dot before idx; or the one that torchvision's `MNIST/raw` is in.

    Raises:
        InputError: a file is missing, truncated, damaged or of another kind; it is named.
    """
    place, images_path = _first(name, split, folder)
    labels_path = _find(place, split, LABELS)
    if labels_path is None:
        raise _missing(place, split, LABELS)
    images, labels = read(images_path, 3), read(labels_path, 1)
    if images.shape[1:] != (SIDE, SIDE):
        raise InputError(
            f"{images_path} has images of {images.shape[1]} x {images.shape[2]} pixels,"
            f" must be {SIDE} x {SIDE}"
        )
    if len(labels) != len(images):
        raise InputError(
            f"{labels_path} has {len(labels)} labels for the {len(images)} images of {images_path}"
        )
    classes = CLASSES[name]
    if labels.max() >= len(classes):
        raise InputError(f"{labels_path} has a label {labels.max()}, must be 0 to 9")
    return Dataset(name, images[:, np.newaxis], labels.astype(np.int64), classes)


def _first(name: str, split: Split, folder: Path) -> tuple[Path, Path]:
    """The folder that has the images, and their file."""
    for inner in FOLDERS[name]:
        path = _find(folder / inner, split, IMAGES)
        if path is not None:
            return folder / inner, path
    raise _missing(folder, split, IMAGES)


def _find(folder: Path, split: Split, what: tuple[str, str]) -> Path | None:
    """The file under any of its usual names, of which some unpackers make a folder around it."""
    for name in (f"{PREFIX[split]}-{mark.join(what)}" for mark in "-."):
        for path in (folder / name, folder / f"{name}.gz", folder / name / name):
            if path.is_file():
                return path
    return None


def _missing(folder: Path, split: Split, what: tuple[str, str]) -> InputError:
    name = f"{PREFIX[split]}-{'-'.join(what)}"
    return InputError(f"folder {folder} has no file {name} or {name}.gz")


def read(path: Path, dimensions: int, limit: int = MAX_BYTES) -> NDArray[np.uint8]:
    """The array of an IDX file of at most `limit` bytes, once its header agrees with its size.

    Raises `InputError` if the file is missing, truncated, damaged or of another kind.
    """
    content = read_at_most(path, limit)
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, UNSIGNED_BYTES, dimensions]) or len(content) < start:
        raise InputError(f"{path} is no IDX file of {dimensions}-dimensional unsigned bytes")
    shape = [int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4)]
    if len(content) != start + math.prod(shape):
        raise wrong_size(path, len(content), start + math.prod(shape))
    if not shape[0]:
        raise InputError(f"{path} is empty: its header says that it has no images")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()  # may be written
