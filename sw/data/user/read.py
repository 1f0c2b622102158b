"""A user's inputs, whatever kind of file or folder they are in."""

from pathlib import Path

import numpy as np
from rich.console import Console

from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.data.user import arrays, class_folder, event_list, idx_file, recordings
from sw.data.user.inputs import Takes, UserInputs

KINDS = "a folder of classes, .npz, .npy, an IDX file (-ubyte, .idx), .bin, .aedat or .aedat4"


def read(
    path: Path, takes: Takes, count: int | None = None, progress: Progress | None = None
) -> UserInputs:
    """The first `count` inputs (None: all) of a file or folder, as a network takes them.

    Raises `InputError` if they are missing, damaged, too large, or not what the network takes.
    """
    progress = progress or Progress(Console(), shown=False)
    if path.is_dir():
        found = class_folder.read(path, takes, count, progress)
    elif path.suffix == ".npz":
        found = arrays.read_npz(path, takes)
    elif path.suffix == ".npy":
        found = arrays.read_npy(path, takes)
    elif idx_file.is_idx(path):
        found = idx_file.read(path, takes)
    elif path.suffix in recordings.SUFFIXES:
        found = _recording(path, takes)
    elif not path.exists():
        raise InputError(f"cannot read {path}: no such file or folder")
    else:
        raise InputError(f"{path}: must be {KINDS}")
    return found if count is None else found.first(count)


def _recording(path: Path, takes: Takes) -> UserInputs:
    """One recording; there is no label."""
    values, late = event_list.binned([(str(path), recordings.read(path))], 1, takes)
    return UserInputs(np.asarray(values), True, None, event_list.notes(late, takes))
