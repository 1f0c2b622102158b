"""Arrays of a user: `.npz` with images, spikes or events, and `.npy` with one of the first two."""

import zipfile
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError, reason
from sw.data.user import event_list
from sw.data.user.event_list import Events
from sw.data.user.inputs import MAX_BYTES, Takes, UserInputs, checked_labels

DAMAGED = (  # what zipfile, zlib and numpy make of bytes that are not right
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
EVENTS = ("x", "y", "t", "p")
NAMES = ("spikes", "images", "labels", *EVENTS, "recording")
Array = NDArray[Any]


def read_npz(path: Path, takes: Takes) -> UserInputs:
    """Reads `images`, or `spikes`, or events `x`, `y`, `t`, `p`; and `labels`.

    Events of several recordings have `recording`, each one's number, which never falls.

    Raises `InputError` if the file is missing, damaged or too large, or has other arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name: _member(path, archive, name) for name in _names(path, archive)}
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: is no .npz file, or is damaged ({error})") from error
    kinds = [name for name in ("spikes", "images", "x") if name in found]
    if len(kinds) != 1 or (kinds != ["x"] and {*EVENTS, "recording"} & found.keys()):
        raise InputError(
            f"{path}: must have one array of images, or one of spikes, or events x, y, t, p"
        )
    if kinds == ["x"]:
        return _events(path, found, takes)
    [kind] = kinds
    return _inputs(str(path), kind == "spikes", found[kind], found.get("labels"), takes)


def spike_sizes(path: Path) -> tuple[int, ...] | None:
    """The shape of a file's spikes, of which nothing more is read; None: an .npz without spikes.

    Raises `InputError` if the file is missing or damaged.
    """
    try:
        if path.suffix == ".npy":
            return _header(str(path), lambda: path.open("rb"))[0]
        with zipfile.ZipFile(path) as archive:
            if "spikes" not in _names(path, archive):
                return None
            return _header(f"{path}: spikes", lambda: archive.open("spikes.npy"))[0]
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: is no .npz file, or is damaged ({error})") from error


def read_npy(path: Path, takes: Takes) -> UserInputs:
    """Reads images or spikes, and labels of `NAME_labels.npy` beside it, if there is one.

    Raises `InputError` if a file is missing, damaged or too large, or has another array.
    """
    beside = path.with_name(f"{path.stem}_labels.npy")
    labels = _file(beside) if beside.is_file() else None
    return _inputs(str(path), takes.spikes, _file(path), labels, takes)


def _file(path: Path) -> Array:
    try:
        return _array(str(path), lambda: path.open("rb"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error


def _names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if sorted(names) != sorted(set(names) & set(NAMES)):
        raise InputError(
            f"{path}: has the arrays {', '.join(names)}, must be of {', '.join(NAMES)}"
        )
    return names


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> Array:
    return _array(f"{path}: {name}", lambda: archive.open(f"{name}.npy"))


def _array(where: str, opened: Callable[[], IO[bytes]]) -> Array:
    """An array of an .npy file, once its header says that it is of numbers and not too large."""
    shape, dtype = _header(where, opened)
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size > MAX_BYTES:
        raise InputError(f"{where} would take {size} bytes, at most {MAX_BYTES}")
    if dtype.kind not in "biuf":
        raise InputError(f"{where} is {dtype}, must be numbers")
    try:
        with opened() as file:
            array: Array = np.lib.format.read_array(file, allow_pickle=False)
            return array
    except DAMAGED as error:
        raise InputError(f"{where} is damaged ({error})") from error


def _header(
    where: str, opened: Callable[[], IO[bytes]]
) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and type of the array of an .npy file."""
    try:
        with opened() as file:
            version = np.lib.format.read_magic(file)
            header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = header(file)
            return shape, dtype
    except DAMAGED as error:
        raise InputError(f"{where} is damaged ({error})") from error


def _inputs(
    where: str, spikes: bool, array: Array, labels: Array | None, takes: Takes
) -> UserInputs:
    kind = "spikes" if spikes else "images"
    if spikes != takes.spikes:
        takes_kind = "spikes" if takes.spikes else "images"
        raise InputError(f"{where}: has {kind}, the network takes {takes_kind}")
    shaped = _shaped(where, kind, array, takes)
    values = _spikes(where, shaped) if spikes else _pixels(where, shaped)
    return UserInputs(values, spikes, checked_labels(where, labels, len(values), takes))


def _shaped(where: str, kind: str, array: Array, takes: Takes) -> Array:
    """With all sizes; those of C, H and W that are 1 may be left out of the file."""
    channels, height, width = takes.shape
    short: list[tuple[int, ...]] = [(channels,)] if (height, width) == (1, 1) else []
    short += [(height, width)] if channels == 1 else []
    steps = takes.sizes[:-3]
    allowed = [takes.sizes, *((*steps, *each) for each in short)]
    if not array.size or array.shape[1:] not in allowed:
        wanted = ", ".join(map(str, takes.sizes))
        raise InputError(
            f"{where}: {kind} are {array.dtype} {list(array.shape)}, must be [n, {wanted}]"
        )
    return array.reshape(len(array), *takes.sizes)


def _spikes(where: str, array: Array) -> NDArray[np.uint8]:
    if not np.all((array == 0) | (array == 1)):
        worst = array[(array != 0) & (array != 1)].flat[0]
        raise InputError(f"{where}: a spike is {worst}, must be 0 or 1")
    return np.asarray(array, np.uint8)


def _pixels(where: str, array: Array) -> NDArray[np.uint8]:
    """Of floats 0 to 1, the nearest 1/255."""
    if array.dtype == np.uint8:
        return np.asarray(array)
    if array.dtype.kind != "f":
        raise InputError(f"{where}: images are {array.dtype}, must be uint8, or floats of 0 to 1")
    if not np.all((array >= 0) & (array <= 1)):
        raise InputError(
            f"{where}: pixels are {array.min():g} to {array.max():g}: floats must be 0 to 1"
        )
    return np.asarray(np.rint(array * 255), np.uint8)


def _events(path: Path, found: dict[str, Array], takes: Takes) -> UserInputs:
    missing = [name for name in EVENTS if name not in found]
    if missing:
        raise InputError(f"{path}: has events without {', '.join(missing)}")
    columns = {name: array for name, array in found.items() if name != "labels"}
    sizes = {array.shape for array in columns.values()}
    for name, array in columns.items():
        if array.ndim != 1 or len(sizes) > 1 or array.dtype.kind not in "biu":
            raise InputError(
                f"{path}: {name} is {array.dtype} {list(array.shape)}, must be integers, as many "
                "as there are events (t in microseconds)"
            )
    number = columns.get("recording", np.zeros(len(found["x"]), np.int64)).astype(np.int64)
    if len(number) and (np.any(np.diff(number) < 0) or number[0] < 0):
        raise InputError(f"{path}: recording must be numbers from 0 on that never fall")
    labels = found.get("labels")
    count = len(labels) if labels is not None and labels.ndim else int(number.max(initial=0)) + 1
    if number.max(initial=0) >= count:
        raise InputError(f"{path}: has {count} labels, but events of recording {number.max()}")
    takes.check_room(str(path), count)
    cuts = np.searchsorted(number, np.arange(count + 1))
    events = [
        Events(*(columns[name][first:end].astype(np.int64) for name in EVENTS))
        for first, end in pairwise(cuts.tolist())
    ]
    wheres = (f"{path}, recording {at}" for at in range(count))
    values, late = event_list.binned(zip(wheres, events, strict=True), count, takes)
    kept = checked_labels(str(path), labels, count, takes)
    return UserInputs(values, True, kept, event_list.notes(late, takes))
