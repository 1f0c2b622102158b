"""The images of a run's sets: made once, in blocks, kept in its folder, and found there again.

`OUT/images/SET-KEY.safetensors` holds a set, and KEY all that goes into it: the network whose
gradient is taken, the attack, the clean images, the code. Until all blocks of a set are made, each
is a file of its own, so that little is lost when a run is cut off. Blocks are cut by an image's
place in the sample, never by who works or by how many go through the RTL.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cosim.experiment.code import code_hash
from cosim.experiment.images import image_file
from cosim.experiment.images.image_file import ImageSet, ImageSets
from cosim.experiment.images.image_worker import FOLDERS, Batch, Made
from sw.attack.attacks import Attack
from sw.attack.image_sets import BLOCK, NO_ATTACKER, attack_of, batches, is_transfer
from sw.attack.set_names import CLEAN
from sw.common.errors import InputError, reason
from sw.common.progress import Progress
from sw.data.dataset import Dataset
from sw.files.store import key
from sw.jobs.engine import Engine

FOLDER = "images"
VERSION = 1  # counts up when the same settings come to mean other images


@dataclass(frozen=True, eq=False)
class Wanted:
    """The sets of a run.

    Attributes:
        names: of the sets.
        data: the clean images.
        network: the checkpoint of the network that is examined, as the file has it.
        attacker: that of the attack model, for sets that are made on it.
        seed: of what attacks draw.
    """

    names: tuple[str, ...]
    data: Dataset
    network: bytes
    attacker: bytes | None
    seed: int

    def source(self, name: str) -> bytes:
        """The checkpoint whose gradient a set takes. Raises `InputError` if there is none."""
        if not is_transfer(name):
            return self.network
        if self.attacker is None:
            raise InputError(NO_ATTACKER.format(name))
        return self.attacker

    def settings(self, name: str) -> dict[str, Any]:
        """All that goes into a set, as JSON has it."""
        data = self.data
        attack = None if name == CLEAN else asdict(attack_of(name, self.seed))
        arrays = {
            "images": data.images.tobytes(),
            "labels": data.labels.tobytes(),
            "numbers": data.numbers.tobytes(),
        }
        return {
            "kind": "images",
            "version": VERSION,
            "set": name,
            "network": None if attack is None else _digest(self.source(name)),
            "attack": attack,
            "dataset": data.name,
            "shape": list(data.images.shape),
            **{what: _digest(content) for what, content in arrays.items()},
            "code": code_hash(FOLDERS),
        }


class Files:
    """The sets of a run that are made already, and parts of others, in a folder.

    Args:
        folder: theirs; None: nothing is kept.
        wanted: the run's sets.
        progress: is told of damaged files.
    """

    def __init__(self, folder: Path | None, wanted: Wanted, progress: Progress) -> None:
        self._folder, self._wanted, self._progress = folder, wanted, progress
        self._settings = {name: wanted.settings(name) for name in wanted.names}
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"cannot make output folder {folder}: {reason(error)}") from error

    def load(self, name: str, block: slice | None = None) -> ImageSet | None:
        """A set, or a block of it, if it is kept; a damaged one is named, and not there."""
        path, settings = self._path(name, block), self._settings_of(name, block)
        if path is None or not path.exists():
            return None
        try:
            found, made = image_file.read(path)
            if made != settings or list(found.sets) != [name]:
                raise InputError(f"{image_file.FORMAT.noun} {path} is damaged: it is another set's")
        except InputError as error:
            self._progress.say(f"{error}; it is made again")
            return None
        return found.sets[name]

    def save(self, name: str, made: ImageSet, block: slice | None = None) -> None:
        """Keeps a set, or a block of it; a whole set's blocks are taken away."""
        path, data = self._path(name, block), self._wanted.data
        if path is None:
            return
        part = data if block is None else data.take(block)
        content = ImageSets(data.name, data.classes, part.labels, part.numbers, {name: made})
        image_file.write(path, content, self._settings_of(name, block))
        if block is None:
            for number in batches(len(data), BLOCK):
                left = self._path(name, number)
                assert left is not None
                left.unlink(missing_ok=True)

    def _path(self, name: str, block: slice | None) -> Path | None:
        if self._folder is None:
            return None
        ending = "safetensors" if block is None else f"{block.start:06d}.part"
        return self._folder / f"{name}-{key(self._settings[name])}.{ending}"

    def _settings_of(self, name: str, block: slice | None) -> dict[str, Any]:
        return self._settings[name] | ({} if block is None else {"block": block.start})


def make(
    wanted: Wanted, folder: Path | None, engine: Engine[Batch, Made], progress: Progress
) -> tuple[ImageSets, float]:
    """All sets of a run, and the seconds that attacks took, all processes together.

    Those that `folder` has are taken from there, the others made and kept in it.

    Raises `InputError` for a set that needs an attack model where there is none.
    """
    data = wanted.data
    files = Files(folder, wanted, progress)
    sets = {name: found for name in wanted.names if (found := files.load(name)) is not None}
    if CLEAN in wanted.names and CLEAN not in sets:
        sets[CLEAN] = ImageSet(data.images, np.zeros(len(data), np.bool_))
        files.save(CLEAN, sets[CLEAN])
    missing = [name for name in wanted.names if name not in sets]
    blocks = list(batches(len(data), BLOCK))
    parts = {
        (name, at): files.load(name, block) for name in missing for at, block in enumerate(blocks)
    }
    jobs = [
        (group, at)
        for group in _alike(wanted, missing)
        for at in range(len(blocks))
        if any(parts[name, at] is None for name in group)
    ]
    seconds = 0.0
    with progress.stage("attacks", sum(len(data.labels[blocks[at]]) for _, at in jobs)) as advance:
        for number, made in engine.run(
            [partial(_batch, wanted, group, blocks[at]) for group, at in jobs]
        ):
            _, at = jobs[number]
            for name, part in made.sets.items():
                parts[name, at] = part
                files.save(name, part, blocks[at])
            advance(len(part.images))
            seconds += made.seconds
    for name in missing:
        sets[name] = _joined([parts[name, at] for at in range(len(blocks))])
        files.save(name, sets[name])
    ordered = {name: sets[name] for name in wanted.names}
    return ImageSets(data.name, data.classes, data.labels, data.numbers, ordered), seconds


def _alike(wanted: Wanted, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Sets that differ in strength only: their attacks share the gradient."""
    groups: dict[tuple[bytes, Attack], list[str]] = {}
    for name in names:
        kind = wanted.source(name), replace(attack_of(name, wanted.seed), eps=0)
        groups.setdefault(kind, []).append(name)
    return [tuple(group) for group in groups.values()]


def _batch(wanted: Wanted, group: tuple[str, ...], block: slice) -> Batch:
    attacks = {name: attack_of(name, wanted.seed) for name in group}
    return Batch(wanted.source(group[0]), attacks, wanted.data.take(block), code_hash(FOLDERS))


def _joined(parts: Sequence[ImageSet | None]) -> ImageSet:
    whole = [part for part in parts if part is not None]
    return ImageSet(
        np.concatenate([part.images for part in whole]),
        np.concatenate([part.zero for part in whole]),
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
