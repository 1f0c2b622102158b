"""Image sets as a file: what networks and chips are shown, made once and shown anywhere again.

An attack is float arithmetic: another processor or library may move a pixel. So attacked images are
not made where they are needed but kept, with a checksum for every array, and whoever reads the file
has the same bytes.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.record.chip_facts import Count, Record
from sw.common.errors import InputError
from sw.common.typed import Misfit, plain, typed
from sw.data.dataset import Images
from sw.files import tensorfile
from sw.model.config.network import NetworkConfig

FORMAT = tensorfile.Format("file of images", "nc64c-images-1")
NAME = re.compile(r"[A-Za-z0-9_]{1,40}")  # of a set
DTYPES = {"images": "U8", "zero": "U8", "predictions": "I64"}


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one set.

    Attributes:
        images: uint8 [n, C, H, W]; of spikes, [n, T, C, H, W].
        zero: bool [n], those whose attack found a gradient of 0 everywhere
            (`sw.attack.attacks.Attacked`).
    """

    images: Images
    zero: NDArray[np.bool_]

    @property
    def sha256(self) -> str:
        """Of the pixels, in the order of the array."""
        return _digest(self.images)


@dataclass(frozen=True, eq=False)
class ImageSets:
    """The same images in several sets.

    Attributes:
        dataset, classes: what they are images of.
        labels: int64 [n], an index into `classes`.
        numbers: int64 [n], each image's number in the data set's test part.
        sets: by name.
    """

    dataset: str
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    numbers: NDArray[np.int64]
    sets: dict[str, ImageSet]

    def __len__(self) -> int:
        return len(self.labels)

    def choose(self, names: Sequence[str]) -> "ImageSets":
        """These sets only."""
        return replace(self, sets={name: self.sets[name] for name in names})

    def first(self, count: int) -> "ImageSets":
        """The first images only."""
        return replace(
            self,
            labels=self.labels[:count],
            numbers=self.numbers[:count],
            sets={
                name: ImageSet(one.images[:count], one.zero[:count])
                for name, one in self.sets.items()
            },
        )


class Document(Record, frozen=True, kw_only=True):
    """What a file says of itself; `made` is what the images were made of, as its writer has it.

    `predictions` names the sets that come with a network's answers, `sha256` is of every array.
    """

    dataset: str
    classes: list[str]
    images: Count
    shape: list[Count]
    sets: list[str]
    predictions: list[str]
    sha256: dict[str, str]
    made: dict[str, Any]


def write(
    path: Path,
    content: ImageSets,
    made: dict[str, Any],
    predictions: Mapping[str, NDArray[np.int64]] | None = None,
) -> None:
    """Writes sets, and a network's answers to some of them, int64 [n] by set.

    Raises `InputError` if it cannot be written, or would be larger than what is read.
    """
    arrays: dict[str, tensorfile.Array] = {"labels": content.labels, "numbers": content.numbers}
    for name, one in content.sets.items():
        arrays |= {f"{name}.images": one.images, f"{name}.zero": one.zero.astype(np.uint8)}
    predictions = predictions or {}
    arrays |= {f"{name}.predictions": answers for name, answers in predictions.items()}
    size = sum(array.nbytes for array in arrays.values())
    if size > tensorfile.MAX_FILE_BYTES // 2:
        raise InputError(f"{path} would have {size} bytes: take fewer sets or images")
    document = Document(
        dataset=content.dataset,
        classes=list(content.classes),
        images=len(content),
        shape=list(next(iter(content.sets.values())).images.shape[1:]),
        sets=list(content.sets),
        predictions=list(predictions),
        sha256={name: _digest(array) for name, array in arrays.items()},
        made=made,
    )
    tensorfile.write(path, FORMAT, plain(document), arrays)


def read(path: Path) -> tuple[ImageSets, dict[str, Any]]:
    """The sets of a file, and what they were made of.

    Raises `InputError` if it cannot be read, is none of `write`, or is damaged.
    """
    damaged = f"{FORMAT.noun} {path} is damaged"
    try:
        document = typed(tensorfile.read_document(path, FORMAT), Document)
    except Misfit as error:
        raise InputError(f"{damaged} at {error}: make it again") from error
    sets, shape = document.sets, document.shape
    if not sets or len(set(sets)) < len(sets) or not all(map(NAME.fullmatch, sets)):
        raise InputError(f"{damaged}: its sets are {', '.join(sets) or 'none'}")
    if document.images < 1 or len(shape) not in (3, 4) or min(shape) < 1:
        raise InputError(f"{damaged}: it has {document.images} images of size {shape}")
    arrays = tensorfile.read_tensors(path, FORMAT, _layout(document))
    for name, array in arrays.items():
        if document.sha256.get(name) != _digest(array):
            raise InputError(f"{damaged}: {name} is not what was written")
    labels, numbers = arrays["labels"], arrays["numbers"]
    if not 0 <= labels.min() <= labels.max() < len(document.classes) or numbers.min() < 0:
        raise InputError(f"{damaged}: labels or numbers are out of range")
    found = {
        name: ImageSet(arrays[f"{name}.images"], arrays[f"{name}.zero"].astype(np.bool_))
        for name in sets
    }
    classes = tuple(document.classes)
    return ImageSets(document.dataset, classes, labels, numbers, found), document.made


def check_fits(path: Path, content: ImageSets, config: NetworkConfig) -> None:
    """Raises `InputError` unless a file's images are such as a network takes."""
    shape = next(iter(content.sets.values())).images.shape[1:]
    theirs = content.dataset, shape, content.classes
    ours = config.dataset, config.input_sizes, config.classes
    if theirs != ours:
        raise InputError(
            f"{FORMAT.noun} {path} has images {shape} of {content.dataset}, "
            f"{len(content.classes)} classes: network {config.name} takes {config.input_sizes} "
            f"of {config.dataset}, {len(config.classes)} classes"
        )


def _layout(document: Document) -> tensorfile.Layout:
    count, shape = document.images, tuple(document.shape)
    kinds = {"images": (count, *shape), "zero": (count,)}
    layout: tensorfile.Layout = {"labels": ("I64", (count,)), "numbers": ("I64", (count,))}
    for name in document.sets:
        layout |= {f"{name}.{kind}": (DTYPES[kind], size) for kind, size in kinds.items()}
    for name in document.predictions:
        layout[f"{name}.predictions"] = (DTYPES["predictions"], (count,))
    return layout


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
