"""The work of a cell: from what comes in to what goes out, without any file of the experiment.

So it can run in any process, and on any machine that has the data set.
"""

import dataclasses
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from sw.attack.robustness import measure
from sw.common.device import CPU
from sw.common.device import device as find_device
from sw.common.errors import InputError
from sw.data import datasets, spikes
from sw.data.dataset import Dataset
from sw.files.store import Result
from sw.model.metrics import accuracy, evaluate
from sw.model.network import SpikingNetwork
from sw.paper import presets
from sw.paper.cells import Cell, Task, Training, fingerprint
from sw.paper.presets import Scale
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint
from sw.train.loop import Diverged, TrainFiles, train

CLEAN = "clean"


@dataclass(frozen=True)
class Source:
    """Where the images come from.

    Attributes:
        scale: which images of which data set.
        folder: of the data set's files, None if it needs none.
        device: of the networks, see `sw.common.device`; no part of a cell's name.
    """

    scale: Scale
    folder: Path | None
    device: str = CPU


@dataclass(frozen=True)
class Job:
    """A task and what it needs.

    Attributes:
        task: what to do.
        source: of the images.
        networks: the checkpoints of a cell's networks: target, then attack model.
        state: where a training leaves its state after each epoch, to go on if it is killed; None:
            nowhere, as on another machine.
    """

    task: Task
    source: Source
    networks: tuple[bytes, ...] = ()
    state: Path | None = None


@dataclass(frozen=True)
class Done:
    """What a job gave: figures as JSON, and the checkpoint of a network that it trained."""

    result: Result
    network: bytes | None = None


def run(job: Job) -> Done:
    """Train or measure.

    Raises:
        InputError: the images are not those of the task, or the device is not there.
    """
    find_device(job.source.device)
    _, test_images = images(job.source)
    torch.set_num_threads(job.source.scale.threads)
    if isinstance(job.task, Training):
        return trained(job, job.task)
    check("test", test_images, job.task.images)
    return _measure(job, job.task, test_images)


@lru_cache(maxsize=2)
def images(source: Source) -> tuple[Dataset, Dataset]:
    """The training and the test images; raises `InputError`."""
    name = source.scale.dataset
    if name.partition(":")[0] == spikes.NAME:
        raise InputError("data set spikes: the paper's tables are of images, which it must have")
    train_images = datasets.load(name, "train", source.folder)
    return presets.parts(source.scale, train_images, datasets.load(name, "test", source.folder))


def trained(job: Job, task: Training, first: SpikingNetwork | None = None) -> Done:
    """Trains; what diverges is a result too (the paper's tables have gaps for it).

    Args:
        job: of the training.
        task: what `job` has as its task.
        first: see `sw.train.loop.train`.

    Raises:
        InputError: the images are not those of the task.
    """
    train_images, test_images = images(job.source)
    check("training", train_images, task.images)
    start = time.monotonic()
    try:
        networks = train(
            task.network,
            train_images,
            task.settings,
            files=_files(job),
            device=job.source.device,
            first=first,
        )
    except Diverged as error:
        return Done({"failed": str(error)})
    seconds = time.monotonic() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        checkpoint.save(path, networks, task.settings)
        network = path.read_bytes()
    try:
        checkpoint.load_bytes(network)  # as every cell of it will do
    except InputError as error:
        return Done({"failed": f"the trained network cannot be read back: {error}"})
    accuracies = {
        weights: accuracy(
            evaluate(model.to(job.source.device), test_images.images).predictions,
            test_images.labels,
        )
        for weights, model in (
            ("float", networks.float_network),
            ("quantised", networks.quantised_network),
        )
    }
    return Done({"seconds": round(seconds, 1), "accuracy": accuracies}, network)


def _measure(job: Job, task: Cell, test_images: Dataset) -> Done:
    chosen = [
        one_of(checkpoint.load_bytes(network), task).to(job.source.device)
        for network in job.networks
    ]
    start = time.monotonic()
    attacks = {f"{attack.method}_{attack.eps}": attack for attack in task.attacks}
    found = measure(chosen[0], test_images, attacks, *chosen[1:])
    sets = {CLEAN: found.clean, **found.attacked}
    return Done(
        {
            "images": len(test_images),
            "seconds": round(time.monotonic() - start, 1),
            "sets": {name: dataclasses.asdict(figures) for name, figures in sets.items()},
        }
    )


def one_of(loaded: Checkpoint, task: Cell) -> SpikingNetwork:
    """The one of a training's two networks that a cell is about."""
    quantised = task.weights == "quantised"
    return loaded.quantised_network if quantised else loaded.float_network


def _files(job: Job) -> TrainFiles | None:
    if job.state is None:
        return None
    return TrainFiles(job.state, job.state.with_suffix(".curve.jsonl"))


def check(what: str, dataset: Dataset, expected: str) -> None:
    """Raises `InputError` for other images than the task's; `what` they are for."""
    if fingerprint(dataset) != expected:
        raise InputError(
            f"the {what} images of {dataset.name} are not the same on every machine: the data set"
            " must be the same file for file"
        )
