"""A folder with a folder for each class, of pictures or of recordings.

Classes are numbered in the order of their names: as numbers if all are, else as text. Files are
taken in turns, the first of each class, then the second of each: so the first n are of all classes.
"""

import warnings
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError, reason
from sw.common.progress import Progress
from sw.data.user import event_list, recordings
from sw.data.user.inputs import Takes, UserInputs, checked_labels

PICTURES = (".png", ".jpg", ".jpeg")
Found = list[tuple[Path, int]]  # files and their labels


def read(folder: Path, takes: Takes, count: int | None, progress: Progress) -> UserInputs:
    """The first `count` files (None: all) as inputs.

    Raises `InputError` if there are none, or one cannot be read or is of another size.
    """
    files = _files(folder, recordings.SUFFIXES if takes.spikes else PICTURES)[:count]
    takes.check_room(str(folder), len(files))
    array = np.array([label for _, label in files], np.int64)
    labels = checked_labels(f"folder {folder}", array, len(files), takes)
    with progress.stage(f"read {folder.name}", len(files), "files") as advance:

        def paths() -> Iterator[Path]:
            for path, _ in files:
                yield path
                advance(1)

        if takes.spikes:
            each = ((str(path), recordings.read(path)) for path in paths())
            values, late = event_list.binned(each, len(files), takes)
            return UserInputs(values, True, labels, event_list.notes(late, takes))
        images = np.empty((len(files), *takes.shape), np.uint8)
        for into, path in zip(images, paths(), strict=True):
            into[:] = _picture(path, takes)
    return UserInputs(images, False, labels)


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of the classes, in their order. Raises `InputError` if it cannot be read."""
    try:
        names = [each.name for each in folder.iterdir() if each.is_dir()]
    except OSError as error:
        raise InputError(f"cannot read folder {folder}: {reason(error)}") from error
    as_numbers = all(name.isascii() and name.isdecimal() for name in names)
    return tuple(sorted(names, key=lambda name: (int(name), name) if as_numbers else (0, name)))


def _files(folder: Path, suffixes: tuple[str, ...]) -> Found:
    names = class_names(folder)
    try:
        found = [
            [
                (path, label)
                for path in sorted((folder / name).iterdir())
                if path.suffix.lower() in suffixes
            ]
            for label, name in enumerate(names)
        ]
    except OSError as error:
        raise InputError(f"cannot read folder {folder}: {reason(error)}") from error
    turns = chain.from_iterable(zip_longest(*found))
    files = [each for each in turns if each is not None]
    if not files:
        raise InputError(
            f"folder {folder}: must have a folder for each class, with files "
            f"{', '.join(suffixes)} in it"
        )
    return files


def _picture(path: Path, takes: Takes) -> NDArray[np.uint8]:
    """A picture, grey or in colour as the network takes it: uint8 [C, H, W]."""
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError("pictures need pip install 'nc64c[data]'") from error
    channels, height, width = takes.shape
    if channels not in (1, 3):
        raise InputError(f"pictures are grey or in colour, the network takes {channels} channels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "JPEG")) as picture:
                if picture.size != (width, height):
                    raise InputError(
                        f"{path}: is {picture.size[0]} x {picture.size[1]} pixels, the network "
                        f"takes {width} x {height}"
                    )
                pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read picture {path}: {reason(error)}") from error
    except Exception as error:  # whatever its reader makes of a file that is not right
        line = " ".join(str(error).split())[:200]
        raise InputError(f"picture {path} is damaged: {line}") from error
    return np.asarray(pixels.reshape(height, width, channels).transpose(2, 0, 1), np.uint8)
