"""A user's spikes as a data set of two parts: arrays, or recordings of event cameras, with labels.

A folder with `train` or `test` in it (each a folder of classes, an .npz or an .npy) says which is
which. Of one file, or one folder of classes, a quarter of each class is held out, always the same.
How events become spikes: `sw.data.user.event_list`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from sw.common.checks import MAX_FEATURES, Shape
from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.data.dataset import PARTS, Dataset, Split, stratified
from sw.data.user import arrays, class_folder
from sw.data.user.inputs import Takes
from sw.data.user.read import read

NAME = "spikes"
ARRAYS = (".npz", ".npy")


@dataclass(frozen=True)
class SpikeForm:
    """What is known of spikes before they are read.

    Attributes:
        timesteps: T; None: as many as the arrays have.
        shape: C, H, W of a step; None: that of the arrays.
        tick: seconds of a step, into which events are binned; None: they are no events.
        classes: the classes' names; None: those of the folders, or numbers.
    """

    timesteps: int | None = None
    shape: Shape | None = None
    tick: float | None = None
    classes: tuple[str, ...] | None = None


def load(split: Split, path: Path, form: SpikeForm, progress: Progress | None = None) -> Dataset:
    """One part: its `images` are spikes, uint8 0 or 1 [n, T, C, H, W].

    Raises `InputError` if files are missing or damaged, have no labels, or are of another form.
    """
    progress = progress or Progress(Console(), shown=False)
    source, whole = _source(path, split)
    found = read(source, _takes(source, form), progress=progress)
    for note in found.notes:
        progress.say(f"{source}: {note}")
    if found.labels is None:
        raise InputError(f"{source}: has no labels, which a data set needs")
    classes = _classes(source, found.labels, form)
    values, labels = found.values, found.labels
    if whole:
        chosen = stratified(labels, split)
        values, labels = values[chosen], labels[chosen]
    if not len(labels):
        raise InputError(f"{source}: has too few inputs of a class for a part to {split} with")
    return Dataset(NAME, values, labels, classes)


def _source(path: Path, split: Split) -> tuple[Path, bool]:
    """Where a part is, and whether the other one is there too."""
    if not path.is_dir():
        return path, True
    found = {part: _part(path, part) for part in PARTS}
    here = found[split]
    if here is not None:
        return here, False
    if any(found.values()):
        raise InputError(f"folder {path}: has a part to train or test with, but no {split}")
    return path, True


def _part(folder: Path, part: Split) -> Path | None:
    names = (part, part.capitalize())
    places = [folder / f"{name}{ending}" for name in names for ending in ("", *ARRAYS)]
    there = [place for place in places if (place.is_file() if place.suffix else place.is_dir())]
    if len(there) > 1 and not there[0].samefile(there[1]):
        listed = " and ".join(place.name for place in there)
        raise InputError(f"folder {folder}: has {listed}, must have one of them")
    return there[0] if there else None


def _takes(source: Path, form: SpikeForm) -> Takes:
    """What is to be read: as the form says, and else as the array in the file is."""
    timesteps, shape = form.timesteps, form.shape
    is_array = source.suffix in ARRAYS and not source.is_dir()
    sizes = arrays.spike_sizes(source) if is_array else None
    if sizes is not None:
        if shape is None and len(sizes) != 5:
            raise InputError(f"{source}: spikes are {list(sizes)}, must be [n, T, C, H, W]")
        timesteps = sizes[1] if timesteps is None else timesteps
        shape = (sizes[2], sizes[3], sizes[4]) if shape is None else shape
    if shape is None:
        raise InputError(
            f"{source}: events need the size of the sensor, channels x height x width, such as"
            " --shape 2x34x34"
        )
    if timesteps is None:
        raise InputError(f"{source}: events need a number of steps, such as --timesteps 30")
    classes = MAX_FEATURES if form.classes is None else len(form.classes)
    return Takes(True, timesteps, shape, classes, form.tick)


def _classes(source: Path, labels: NDArray[np.int64], form: SpikeForm) -> tuple[str, ...]:
    """The classes' names. Raises `InputError` if a folder has others than the form says."""
    if not source.is_dir():
        return form.classes or tuple(map(str, range(int(labels.max(initial=0)) + 1)))
    names = class_folder.class_names(source)
    if form.classes is not None and names != form.classes:
        raise InputError(
            f"folder {source}: its classes are {', '.join(names[:10])}, must be"
            f" {', '.join(form.classes[:10])}, as those that were learnt"
        )
    return names
