"""What `nc64c train` does: a network and settings from its arguments, the training, its files."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from sw.common.checks import shown
from sw.common.device import CPU
from sw.common.device import device as find_device
from sw.common.errors import InputError
from sw.common.machine import usable_cores
from sw.common.progress import Progress
from sw.data import datasets, spikes
from sw.data.dataset import Dataset
from sw.data.spikes import SpikeForm
from sw.files import output
from sw.model import metrics
from sw.model.architectures import DIGITS, named
from sw.model.config.inputs import SPIKES
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork
from sw.train import checkpoint, description
from sw.train.checkpoint import Checkpoint
from sw.train.loop import Diverged, Trained, TrainFiles, threads
from sw.train.loop import train as train_network
from sw.train.settings import TrainSettings
from sw.train.training_state import Row

Accuracies = dict[str, float]  # per cent

STATE, CURVE = "state", "curve.jsonl"  # endings of the files beside a checkpoint


@dataclass(frozen=True)
class TrainTask:
    """The arguments of `nc64c train`.

    Attributes:
        dataset, folder: what is learnt, and where its files are.
        form: what is said of them, if they are spikes.
        out: the checkpoint; the learning curve and, until it is there, the state are beside it.
        network: its name; None: the data set's usual one.
        layers: a description of its layers instead (`sw.train.description`).
        width, fc_width, features: see `sw.model.architectures.named`.
        config: fields of `NetworkConfig` that differ from the defaults.
        settings: fields of `TrainSettings` that differ from the data set's recipe.
        device: see `sw.common.device`.
        start: a checkpoint, whose float network has the first weights; None: the seed draws them.
    """

    dataset: str
    folder: Path | None
    out: Path
    form: SpikeForm = field(default_factory=SpikeForm)
    network: str | None = None
    layers: Path | None = None
    width: float = 1.0
    fc_width: int | None = None
    features: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    device: str = CPU
    start: Path | None = None


def train(
    task: TrainTask,
    progress: Progress,
    refusal: Callable[[NetworkConfig], str | None] = lambda _: None,
) -> Accuracies:
    """Trains a network and saves it; its accuracy on the test images, float and quantised.

    `refusal` says, before the training, why the chip will not take such a network (None: it will).

    Raises:
        InputError: also if it diverged; the checkpoint then has the networks of the last whole
            epoch, if there was one.
    """
    device = find_device(task.device)
    _check_out(task)
    images = datasets.load(task.dataset, "train", task.folder, task.form, progress)
    config, settings = network_config(task, images), recipe(task)
    held_out = datasets.load(task.dataset, "test", task.folder, form_of(config), progress)
    first = None
    if task.start is not None:
        first = checkpoint.load(task.start).float_network
        settings = replace(settings, start=sha256(task.start.read_bytes()).hexdigest())
    refused = refusal(config)
    if refused is not None:
        progress.say(f"Warning: the chip will not take this network, only software will: {refused}")
    epochs = settings.epochs + settings.quantised_epochs
    work = epochs * (len(images) - settings.validation)
    files = TrainFiles(beside(task.out, STATE), beside(task.out, CURVE))
    try:
        with progress.stage("training", work) as advance:
            trained = train_network(
                config,
                images,
                settings,
                counted(work, advance),
                files,
                lambda row: progress.note(described(row, settings)),
                task.device,
                first,
            )
    except Diverged as error:
        if error.last_good is None:
            raise
        _save(task.out, error.last_good, settings)
        files.state.unlink(missing_ok=True)
        raise InputError(
            f"{error}; the networks after {len(error.last_good.curve)} epochs are in {task.out}"
        ) from error
    saved = _save(task.out, trained, settings)
    files.state.unlink(missing_ok=True)
    networks = {"float": saved.float_network, "quantised": saved.quantised_network}
    with threads(settings.threads):
        return {
            name: _accuracy(name, network.to(device), held_out, progress)
            for name, network in networks.items()
        }


def shrink(source: Path, out: Path) -> tuple[int, int]:
    """Writes a checkpoint again in its compact form; bytes before and after.

    Raises:
        InputError: there is no such checkpoint, it cannot be made compact, or the new one cannot be
            written.
    """
    output.check_file(out, source)
    loaded, before = checkpoint.load(source), source.stat().st_size
    _save(out, loaded, loaded.settings, compact=True)
    return before, out.stat().st_size


def network_config(task: TrainTask, images: Dataset) -> NetworkConfig:
    """The network for these images. Raises `InputError` if there is no such one."""
    *steps, channels, height, width = images.images.shape[1:]
    like = replace(
        DIGITS,
        dataset=images.name,
        input_shape=(channels, height, width),
        classes=images.classes,
        layers=(LayerSpec("fc", 1),),  # until there are others; they fit all images
        **task.config | _inputs(task, steps),
    )
    if task.layers is not None:
        if (task.network, task.width, task.fc_width, task.features) != (None, 1.0, None, None):
            raise InputError(
                f"description {task.layers}: says all layers, so there is no other network, width"
                " or features beside it"
            )
        return description.described(task.layers, like)
    name = task.network or ("digits" if _is("digits", images.name) else "vgg5")
    numbers = None if task.features is None else features(task.features)
    return named(name, like, width=task.width, fc_width=task.fc_width, features=numbers)


def _inputs(task: TrainTask, steps: list[int]) -> dict[str, Any]:
    """What the inputs are, as fields of the configuration; `steps` is T of spikes, or empty."""
    encoding = task.config.get("encoding")
    if not steps:
        if task.form.shape is not None or task.form.tick is not None:
            raise InputError(f"data set {task.dataset}: has images, so there is no shape or tick")
        if encoding in SPIKES:
            raise InputError(
                f"encoding {encoding}: data set {task.dataset} has images, must be --dataset spikes"
            )
        return {}
    if encoding not in (None, spikes.NAME):
        raise InputError(
            f"encoding {encoding}: spikes are inputs as they are, so there is none: leave it out"
        )
    return {"encoding": spikes.NAME, "timesteps": steps[0], "tick": task.form.tick}


def form_of(config: NetworkConfig) -> SpikeForm:
    """What data must be like to be a network's, if it takes spikes."""
    return SpikeForm(config.timesteps, config.input_shape, config.tick, config.classes)


def _is(name: str, dataset: str) -> bool:
    """Whether a data set is this one, or some of its classes."""
    return dataset.partition(":")[0] == name


def recipe(task: TrainTask) -> TrainSettings:
    """How: that of the digits' checkpoint for digits, else that of docs/training.md."""
    if _is("digits", task.dataset):
        return TrainSettings(**task.settings)
    usual: dict[str, Any] = {
        "epochs": 16,
        "quantised_epochs": 6,
        "batch": 128,
        "threads": usable_cores(),
        "augment": not _is(spikes.NAME, task.dataset),
        "fast": True,
    }
    return TrainSettings(**usual | task.settings)


def described(row: Row, settings: TrainSettings) -> str:
    """A row of the learning curve as a line."""
    epochs = settings.epochs if row["part"] == "float" else settings.quantised_epochs
    accuracies = f"accuracy {row['accuracy']:.1f} %"
    if row["validation"] is not None:
        accuracies += f", validation {row['validation']:.1f} %"
    if "robust" in row:
        accuracies += f", robust {row['robust']:.1f} %"
    return (
        f"{row['part']} {row['epoch']}/{epochs}: loss {row['loss']:.3f}, {accuracies},"
        f" rate {row['rate']:.1e}, {row['seconds'] / 60:.1f} min"
    )


def beside(out: Path, ending: str) -> Path:
    """A file next to the checkpoint that no other one has: lam0.5 has lam0.5.state."""
    return out.with_name(f"{out.name}.{ending}")


def features(text: str) -> tuple[int, ...]:
    """Numbers from 64-128-128-256. Raises `InputError` if it is anything else."""
    parts = text.split("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        raise InputError(f"features {shown(text)}: must be numbers, such as 64-128-128-256")
    return tuple(map(int, parts))


def counted(work: int, advance: Callable[[int], None]) -> Callable[[int, int, float, float], None]:
    """Tells a progress bar of images, from steps; a training that goes on starts where it was."""
    done = 0

    def count(step: int, total: int, _loss: float, _accuracy: float) -> None:
        nonlocal done
        now = step * work // total
        advance(now - done)
        done = now

    return count


def _check_out(task: TrainTask) -> None:
    """The checkpoint must have a name of its own, and be none of the files that are read."""
    for ending in (STATE, CURVE):
        if task.out.name.endswith(f".{ending}"):
            raise InputError(
                f"output file {task.out}: a name that ends with .{ending} is for what a training"
                " leaves beside its checkpoint; give another one, such as net.safetensors"
            )
    for out in (task.out, beside(task.out, STATE), beside(task.out, CURVE)):
        output.check_file(out, task.start)
        output.check_file(out, task.layers)


def _save(
    path: Path, networks: Trained | Checkpoint, settings: TrainSettings, *, compact: bool = False
) -> Checkpoint:
    """Writes a checkpoint and reads it back; what is there is what is returned."""
    checkpoint.save(path, networks, settings, compact=compact)
    return checkpoint.load(path)


def _accuracy(name: str, network: SpikingNetwork, images: Dataset, progress: Progress) -> float:
    """Per cent of right answers; says which layers are silent: there is nothing to attack then."""
    found = metrics.evaluate(network, images.images)
    silent = [layer for layer, spikes in found.spikes.items() if not spikes]
    if silent:
        progress.say(
            f"Warning: the {name} network is dead: no neuron of {', '.join(silent)} fires on any"
            " held-out image; try lower thresholds"
        )
    return metrics.accuracy(found.predictions, images.labels)
