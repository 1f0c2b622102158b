"""A user's own inputs: an `.npz` file of images or of spikes, with labels if there are any."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError, reason

MAX_BYTES = 4 << 30  # of an array
DAMAGED = (  # what zipfile, zlib and numpy make of bytes that are not right
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
NAMES = ("spikes", "images", "labels")


@dataclass(frozen=True, eq=False)
class UserInputs:
    """Inputs of one kind.

    Attributes:
        values: uint8, images [n, C, H, W], or spikes 0 or 1 [n, T, C, H, W].
        spikes: whether these are spikes.
        labels: int64 [n]; None: there are none.
    """

    values: NDArray[np.uint8]
    spikes: bool
    labels: NDArray[np.int64] | None

    def first(self, count: int) -> "UserInputs":
        """The first `count` of them."""
        labels = None if self.labels is None else self.labels[:count]
        return UserInputs(self.values[:count], self.spikes, labels)


def read(path: Path) -> UserInputs:
    """Reads `images` or `spikes`, and `labels`; sizes are checked before memory is taken.

    Raises `InputError` if the file is missing, damaged or too large, or has other arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name: _array(path, archive, name) for name in _names(path, archive)}
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: is no .npz file, or is damaged ({error})") from error
    kinds = [name for name in ("spikes", "images") if name in found]
    if len(kinds) != 1:
        raise InputError(f"{path}: must have one array of images, or one of spikes")
    [kind] = kinds
    values = _values(path, kind, found[kind])
    return UserInputs(values, kind == "spikes", _labels(path, found.get("labels"), len(values)))


def _names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if sorted(names) != sorted(set(names) & set(NAMES)):
        raise InputError(
            f"{path}: has the arrays {', '.join(names)}, must be of {', '.join(NAMES)}"
        )
    return names


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    try:
        with archive.open(f"{name}.npy") as file:
            version = np.lib.format.read_magic(file)
            header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = header(file)
            size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if size > MAX_BYTES:
            raise InputError(f"{path}: {name} would take {size} bytes, at most {MAX_BYTES}")
        if dtype.kind not in "biu":
            raise InputError(f"{path}: {name} is {dtype}, must be uint8 or bool")
        with archive.open(f"{name}.npy") as file:
            array: NDArray[np.generic] = np.lib.format.read_array(file, allow_pickle=False)
            return array
    except DAMAGED as error:
        raise InputError(f"{path}: {name} is damaged ({error})") from error


def _values(path: Path, kind: str, array: NDArray[np.generic]) -> NDArray[np.uint8]:
    sizes, what = (5, "[n, T, C, H, W]") if kind == "spikes" else (4, "[n, C, H, W]")
    if array.ndim != sizes or not all(array.shape) or array.dtype not in (np.uint8, np.bool_):
        raise InputError(
            f"{path}: {kind} are {array.dtype} {list(array.shape)}, must be uint8 {what}"
        )
    values = array.astype(np.uint8)
    if kind == "spikes" and values.max() > 1:
        raise InputError(f"{path}: spikes are up to {values.max()}, must be 0 or 1")
    return values


def _labels(path: Path, array: NDArray[np.generic] | None, count: int) -> NDArray[np.int64] | None:
    if array is None:
        return None
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise InputError(f"{path}: labels are {array.dtype} {list(array.shape)}, must be [{count}]")
    return array.astype(np.int64)
