"""CIFAR-10 and CIFAR-100 from their official files, in the binary or in the Python layout.

Source of both: https://www.cs.toronto.edu/~kriz/cifar.html. The binary layout is a row of records:
the label (of CIFAR-100 the coarse one, then the fine one), then 3072 pixels, channel by channel,
row by row. The Python layout is a pickled dictionary with "data", uint8 [n, 3072] in the same
order, and "labels" or "fine_labels"; it is read by `sw.data.safe_pickle`, which cannot run code.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data import safe_pickle
from sw.data.dataset import Dataset, Split
from sw.data.raw_file import read_exactly
from sw.files.bounded import read_at_most

BINARY, PYTHON = "cifar-10-batches-bin", "cifar-10-batches-py"
FILES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
IMAGES_PER_FILE = 10_000
FILES_100: dict[Split, tuple[str, ...]] = {"train": ("train",), "test": ("test",)}
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
# fmt: off
CLASSES_100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
    "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
    "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
    "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom",
    "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake",
    "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale",
    "willow_tree", "wolf", "woman", "worm",
)
# fmt: on
# The official ones have 31.0 million bytes for 10,000 images; as text, which protocols 0 to 2 make
# of bytes, one may take four ("\\xff"); CIFAR-100's also have each picture's file name.
PICKLE_BYTES = 4 * (PIXELS + 64)

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images [n, 3072], labels [n]


@dataclass(frozen=True)
class _Kind:
    """One of the two.

    Attributes:
        name, noun: as `sw.data.datasets.load` knows it, and as it is written.
        folders: that its files come in, binary and Python.
        files: of each part.
        parts: `IMAGES_PER_FILE` times so many images are in a file of each part.
        labels: bytes before the pixels; the last one is the label.
        key: of the labels in the Python layout.
        classes: their names.
    """

    name: str
    noun: str
    folders: tuple[str, str]
    files: dict[Split, tuple[str, ...]]
    parts: dict[Split, int]
    labels: int
    key: str
    classes: tuple[str, ...]


CIFAR_10 = _Kind(
    "cifar10", "CIFAR-10", (BINARY, PYTHON), FILES, {"train": 1, "test": 1}, 1, "labels", CLASSES
)
CIFAR_100 = _Kind(
    "cifar100",
    "CIFAR-100",
    ("cifar-100-binary", "cifar-100-python"),
    FILES_100,
    {"train": 5, "test": 1},
    2,
    "fine_labels",
    CLASSES_100,
)


def load(split: Split, folder: Path, kind: _Kind = CIFAR_10) -> Dataset:
    """50,000 training or 10,000 test images, [n, 3, 32, 32], in the order of the files.

    Args:
        split: "train" or "test".
        folder: with the official files, or with the folder that they come in; where both layouts
            are there, the binary one is taken.
        kind: CIFAR-10, or CIFAR-100 with its 100 fine labels.

    Raises:
        InputError: a file is missing, truncated, damaged or of another kind; it is named.
    """
    first, count = kind.files[split][0], kind.parts[split] * IMAGES_PER_FILE
    binary, python = kind.folders
    for place in (folder, folder / binary, folder / python):
        if (place / f"{first}.bin").is_file():
            batches = [_binary(place / f"{name}.bin", kind, count) for name in kind.files[split]]
            break
        if (place / first).is_file():
            batches = [_pickled(place / name, kind, count) for name in kind.files[split]]
            break
    else:
        raise InputError(
            f"folder {folder} has no {kind.noun}: there is neither {first}.bin (binary layout) nor"
            f" {first} (Python layout) in it, in {binary} or in {python}"
        )
    images = np.concatenate([images for images, _ in batches]).reshape(-1, *SHAPE)
    labels = np.concatenate([labels for _, labels in batches])
    return Dataset(kind.name, images, labels, kind.classes)


def _binary(path: Path, kind: _Kind, count: int) -> Batch:
    content = read_exactly(path, count * (kind.labels + PIXELS))
    records = np.frombuffer(content, np.uint8).reshape(count, kind.labels + PIXELS)
    labels = records[:, kind.labels - 1].astype(np.int64)
    return records[:, kind.labels :], _checked_labels(path, kind, labels)


def _pickled(path: Path, kind: _Kind, count: int) -> Batch:
    content = read_at_most(path, PICKLE_BYTES * count + (1 << 20))
    document = safe_pickle.read(path, content)
    if not isinstance(document, dict) or not {"data", kind.key} <= document.keys():
        raise InputError(
            f"{path} is no {kind.noun} batch: it must be a dictionary of data and {kind.key}"
        )
    images, labels = document["data"], _listed(document[kind.key])
    wanted = (count, PIXELS)
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape != wanted:
        raise InputError(f"{path}: data must be an array of unsigned bytes, {list(wanted)}")
    whole = isinstance(labels, list) and all(type(label) is int for label in labels)
    if not whole or len(labels) != count:
        raise InputError(f"{path}: {kind.key} must be {count} whole numbers, as a list or an array")
    most = len(kind.classes)
    in_range = [label if 0 <= label < most else most for label in labels]
    return images, _checked_labels(path, kind, np.array(in_range, dtype=np.int64))


def _listed(labels: Any) -> Any:
    """An array of n labels, or of n rows of one, as a list; anything else as it is."""
    if not isinstance(labels, np.ndarray):
        return labels
    return labels.reshape(-1).tolist() if labels.shape[1:] in ((), (1,)) else None


def _checked_labels(path: Path, kind: _Kind, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    wrong = np.flatnonzero(labels >= len(kind.classes))
    if len(wrong):
        raise InputError(
            f"{path}: the label of image {wrong[0]} is not 0 to {len(kind.classes) - 1}"
        )
    return labels
