"""Data sets by name: images on the 1/255 grid, or spikes; with labels, train and test for good."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from sw.common.checks import check_choice
from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.data import cifar, digits, mnist, spikes
from sw.data.dataset import PARTS, Dataset, Split
from sw.data.spikes import SpikeForm

IN_PACKAGE = ("digits",)  # needs no folder
IN_FOLDER: dict[str, Callable[[Split, Path], Dataset]] = {
    "cifar10": cifar.load,
    "cifar100": lambda split, folder: cifar.load(split, folder, cifar.CIFAR_100),
    "mnist": lambda split, folder: mnist.load("mnist", split, folder),
    "fashion-mnist": lambda split, folder: mnist.load("fashion-mnist", split, folder),
}
IMAGES = (*IN_PACKAGE, *IN_FOLDER)
NAMES = (*IMAGES, spikes.NAME)


def load(
    name: str,
    split: Split,
    folder: Path | None = None,
    form: SpikeForm | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """A data set's training or test part; always the same images in the same order.

    Args:
        name: "digits", scikit-learn's handwritten digits (8 x 8, grey, part of the package);
            "cifar10" or "cifar100" (`sw.data.cifar`); "mnist" or "fashion-mnist"
            (`sw.data.mnist`); "spikes", a user's own (`sw.data.spikes`). Behind a colon some of
            its classes, by name or number: of "cifar100:apple,bear" only these, numbered from 0 in
            this order.
        split: "train" or "test".
        folder: where the files of a data set are that does not come with a package; of spikes, a
            file or a folder.
        form: what is known of spikes.
        progress: is told how the reading of many files goes, and what is left out of them.

    Raises:
        InputError: unknown name or split; no folder for a data set that needs one, or a folder for
            one that needs none; a file is missing, truncated or damaged (it is named).
    """
    whole, colon, chosen = name.partition(":")
    check_choice("unknown data set", whole, NAMES)
    if whole == spikes.NAME:
        if folder is None:
            raise InputError(f"data set {whole} needs a file or a folder: name it with --data")
        _check_split(name, split)
        form = form or SpikeForm()
        if colon:  # the form's classes are those that are chosen, the files have all
            form = replace(form, classes=None)
        found = spikes.load(split, folder, form, progress)
    else:
        found = _load(whole, split, folder)
    return _classes_of(found, name, chosen.split(",")) if colon else found


def _load(name: str, split: Split, folder: Path | None) -> Dataset:
    _check_split(name, split)
    if name in IN_PACKAGE:
        if folder is not None:
            raise InputError(f"data set {name} needs no folder, but got {folder}: leave it out")
        return digits.load(split)
    if folder is None:
        raise InputError(f"data set {name} needs a folder: name the one that its files are in")
    if not folder.is_dir():
        raise InputError(f"data set {name}: {folder} is no folder")
    return IN_FOLDER[name](split, folder)


def _check_split(name: str, split: Split) -> None:
    if split not in PARTS:
        raise InputError(f"unknown split {split!r} of {name}: must be train or test")


def _classes_of(whole: Dataset, name: str, chosen: list[str]) -> Dataset:
    """The images of some classes, in the order of the whole set, which their numbers are of."""
    known = {each: label for label, each in enumerate(whole.classes)}
    known |= {str(label): label for label in range(len(whole.classes))}
    for each in chosen:
        if each.strip() not in known:
            raise InputError(
                f"data set {name!r}: {each!r} is no class of it: must be of "
                f"{', '.join(whole.classes[:10])} or 0 to {len(whole.classes) - 1}"
            )
    labels = [known[each.strip()] for each in chosen]
    if len(set(labels)) < len(labels) or len(labels) < 2:
        raise InputError(f"data set {name!r}: must name two classes or more, each once")
    kept = whole.take(np.flatnonzero(np.isin(whole.labels, labels)))
    place = {label: number for number, label in enumerate(labels)}
    return replace(
        kept,
        name=name,
        labels=np.array([place[label] for label in kept.labels.tolist()], np.int64),
        classes=tuple(whole.classes[label] for label in labels),
    )
