"""CIFAR-10 from its official files, in the binary or in the Python layout.

Source of both: https://www.cs.toronto.edu/~kriz/cifar.html. The binary layout is a row of records
of 3073 bytes: the label, then 3072 pixels, channel by channel, row by row. The Python layout is a
pickled dictionary with "data", uint8 [10000, 3072] in the same order, and "labels"; it is read by
`sw.data.safe_pickle`, which cannot run code.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data import safe_pickle
from sw.data.dataset import Dataset, Split
from sw.data.raw_file import read_at_most, read_exactly

BINARY, PYTHON = "cifar-10-batches-bin", "cifar-10-batches-py"
FILES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
IMAGES_PER_FILE = 10_000
SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
# The official ones have 31.0 million bytes; as text, which protocols 0 to 2 make of bytes, one may
# take four ("\\xff").
MAX_PICKLE_BYTES = 4 * IMAGES_PER_FILE * (PIXELS + 1) + (1 << 20)

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # images [n, 3072], labels [n]


def load(split: Split, folder: Path) -> Dataset:
    """50,000 training or 10,000 test images, [n, 3, 32, 32], in the order of the files.

    Args:
        split: "train" or "test".
        folder: with the official files, or with the folder that they come in; where both layouts
            are there, the binary one is taken.

    Raises:
        InputError: a file is missing, truncated, damaged or of another kind; it is named.
    """
    first = FILES[split][0]
    for place in (folder, folder / BINARY, folder / PYTHON):
        if (place / f"{first}.bin").is_file():
            batches = [_binary(place / f"{name}.bin") for name in FILES[split]]
            break
        if (place / first).is_file():
            batches = [_pickled(place / name) for name in FILES[split]]
            break
    else:
        raise InputError(
            f"folder {folder} has no CIFAR-10: there is neither {first}.bin (binary layout) nor"
            f" {first} (Python layout) in it, in {BINARY} or in {PYTHON}"
        )
    images = np.concatenate([images for images, _ in batches]).reshape(-1, *SHAPE)
    labels = np.concatenate([labels for _, labels in batches]).astype(np.int64)
    return Dataset("cifar10", images, labels, CLASSES)


def _binary(path: Path) -> Batch:
    content = read_exactly(path, IMAGES_PER_FILE * (1 + PIXELS))
    records = np.frombuffer(content, np.uint8).reshape(IMAGES_PER_FILE, 1 + PIXELS)
    return records[:, 1:], _checked_labels(path, records[:, 0].astype(np.int64))


def _pickled(path: Path) -> Batch:
    document = safe_pickle.read(path, read_at_most(path, MAX_PICKLE_BYTES))
    if not isinstance(document, dict) or not {"data", "labels"} <= document.keys():
        raise InputError(f"{path} is no CIFAR-10 batch: it must be a dictionary of data and labels")
    images, labels = document["data"], _listed(document["labels"])
    wanted = (IMAGES_PER_FILE, PIXELS)
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape != wanted:
        raise InputError(f"{path}: data must be an array of unsigned bytes, {list(wanted)}")
    whole = isinstance(labels, list) and all(type(label) is int for label in labels)
    if not whole or len(labels) != IMAGES_PER_FILE:
        raise InputError(
            f"{path}: labels must be {IMAGES_PER_FILE} whole numbers, as a list or an array"
        )
    in_range = [label if 0 <= label < len(CLASSES) else len(CLASSES) for label in labels]
    return images, _checked_labels(path, np.array(in_range, dtype=np.int64))


def _listed(labels: Any) -> Any:
    """An array of n labels, or of n rows of one, as a list; anything else as it is."""
    if not isinstance(labels, np.ndarray):
        return labels
    return labels.reshape(-1).tolist() if labels.shape[1:] in ((), (1,)) else None


def _checked_labels(path: Path, labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    wrong = np.flatnonzero(labels >= len(CLASSES))
    if len(wrong):
        raise InputError(f"{path}: the label of image {wrong[0]} is not 0 to 9")
    return labels.astype(np.uint8)
