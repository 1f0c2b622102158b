"""Training: first in float, then from there with quantised weights in the forward pass.

With a state file (`sw.train.training_state`) a training that was killed goes on after its last
whole epoch, and comes to the same weights, on one kind of processor.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import Tensor

from sw.common.device import CPU
from sw.common.device import device as find_device
from sw.common.errors import InputError
from sw.data.augment import ONE_SIDED, crop_and_flip
from sw.data.dataset import Dataset
from sw.model.config.network import NetworkConfig
from sw.model.metrics import accuracy, evaluate
from sw.model.network import SpikingNetwork
from sw.train import health, training_state
from sw.train.adversarial import check, lesson, robust_accuracy
from sw.train.settings import TrainSettings
from sw.train.training_state import Part, Row, TrainingState

Progress = Callable[[int, int, float, float], None]  # step, total, loss, accuracy in per cent
Epoch = Callable[[Row], None]  # a row of the learning curve


@dataclass(frozen=True)
class Trained:
    """The float network, and the one with K bits that was trained on from it; how it went.

    Attributes:
        curve: a row per epoch: part, epoch, loss, accuracy, validation, rate, seconds; and robust,
            the accuracy under attack, of an adversarial training.
    """

    float_network: SpikingNetwork
    quantised_network: SpikingNetwork
    curve: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class TrainFiles:
    """What a training leaves as it goes, after each epoch.

    Attributes:
        state: all that it takes to go on; read if it is there.
        curve: the learning curve so far, a JSON object per epoch and line.
    """

    state: Path
    curve: Path


class Diverged(InputError):
    """The loss, a gradient, a weight or a membrane is no finite number any more.

    Attributes:
        last_good: the networks after the last whole epoch; None if there was none.
    """

    def __init__(self, sentence: str, last_good: Trained | None) -> None:
        super().__init__(sentence)
        self.last_good = last_good


def train(
    config: NetworkConfig,
    dataset: Dataset,
    settings: TrainSettings,
    progress: Progress | None = None,
    files: TrainFiles | None = None,
    epoch: Epoch | None = None,
    device: str = CPU,
    first: SpikingNetwork | None = None,
) -> Trained:
    """Train a network; with the same number of threads, the same on each run.

    That holds on one kind of processor and one version of PyTorch: others round in another order.

    Args:
        config: the network; its input shape and classes must be the data set's.
        dataset: the training part.
        settings: how.
        progress: called after each step, with steps counted over both parts.
        files: where to leave the state and the curve; None: nowhere.
        epoch: called after each epoch, with its row of the learning curve.
        device: see `sw.common.device`. What is drawn is drawn on the CPU, the same for every
            device; the weights still differ, as every device adds up in its own order.
        first: its weights, and what its batch norm has measured, are those to start with; None:
            they are drawn by the seed. `settings.start` is to say where it comes from, so that a
            state file tells such trainings apart.

    Returns:
        Both networks, in evaluation mode, on the CPU.

    Raises:
        InputError: the data set does not fit the network, nor the first weights, the state file is
            not of this training, or there is no such device.
        Diverged: with the step at which it did.
    """
    if dataset.images.shape[1:] != config.input_sizes or dataset.classes != config.classes:
        kind = "spikes" if config.takes_spikes else "images"
        raise InputError(
            f"network {config.name} takes {kind} of {config.input_sizes} in"
            f" {len(config.classes)} classes, but {dataset.name} has"
            f" {dataset.images.shape[1:]} in {len(dataset.classes)}"
        )
    if settings.adversarial is not None:
        check(config)
    place = find_device(device)
    learnt, validation = _divided(dataset, settings)
    run = training_state.start(config, settings, dataset, first)
    if files is not None and files.state.exists():
        training_state.load(files.state, run)
    run.network.to(place)
    with threads(settings.threads):
        while run.part is not None:
            _part(run, run.part, learnt, validation, progress, files, epoch)
            run.next_part()
    assert run.float_network is not None
    return Trained(run.float_network, run.network.cpu(), run.curve)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """PyTorch with this many threads, and then as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _divided(dataset: Dataset, settings: TrainSettings) -> tuple[Dataset, Dataset]:
    """What is learnt from, and what is held out of it."""
    if len(dataset) - settings.validation < 2:
        raise InputError(
            f"validation images: are {settings.validation}, but {dataset.name} has {len(dataset)}"
            " images to train with: must leave at least 2"
        )
    if not settings.validation:
        return dataset, dataset.take(slice(0))
    generator = torch.Generator().manual_seed(settings.seed)
    order = torch.randperm(len(dataset), generator=generator).numpy()
    return dataset.take(order[settings.validation :]), dataset.take(order[: settings.validation])


def _part(
    run: TrainingState,
    part: Part,
    learnt: Dataset,
    validation: Dataset,
    progress: Progress | None,
    files: TrainFiles | None,
    epoch: Epoch | None,
) -> None:
    """Train on from where the run stands to the end of its part; both files after each epoch."""
    per_epoch = len(_batch_sizes(len(learnt), run.settings.batch))
    first, steps = run.steps_before(per_epoch), part.epochs * per_epoch
    total = per_epoch * (run.settings.epochs + run.settings.quantised_epochs)
    run.prepare(per_epoch)
    if run.settings.fast:
        run.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run.network.compiled = run.settings.fast
    while run.epoch < part.epochs:
        started, losses, right = monotonic(), 0.0, 0.0
        run.network.train()
        run.network.timesteps = _timesteps(run)
        for step, (images, labels) in enumerate(_batches(run, learnt), run.epoch * per_epoch + 1):
            run.network.draw = first + step
            loss, correct, fault = _step(run, images, labels)
            if fault is not None:
                raise _diverged(run, part, step, steps, fault)
            losses, right = losses + loss * len(labels), right + correct
            if progress is not None:
                progress(first + step, total, loss, 100 * correct / len(labels))
        run.network.draw, run.network.timesteps = 0, run.config.timesteps
        fault = health.of_membranes(run.network, _some(run, learnt))
        if fault is not None:
            raise _diverged(run, part, (run.epoch + 1) * per_epoch, steps, fault)
        run.epoch += 1
        row: Row = {
            "part": part.name,
            "epoch": run.epoch,
            "loss": losses / len(learnt),
            "accuracy": 100 * right / len(learnt),
            "validation": _accuracy(run.network, validation),
            "rate": run.optimiser.param_groups[0]["lr"],
            "seconds": round(monotonic() - started, 3),
        } | _robust(run, validation)
        run.curve.append(row)
        run.remember()
        if files is not None:
            training_state.save(files.state, run)
            training_state.save_curve(files.curve, run.curve)
        if epoch is not None:
            epoch(row)
    run.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    run.network.compiled = False
    run.network.eval()


def _timesteps(run: TrainingState) -> int:
    """Steps per image in the coming epoch: fewer in the first ones of the float part."""
    short = run.number == 0 and run.epoch < run.settings.short_epochs
    return math.ceil(run.config.timesteps / 2) if short else run.config.timesteps


def _step(run: TrainingState, images: Tensor, labels: Tensor) -> tuple[float, int, str | None]:
    """One step down the gradient; the loss, the right answers, and what is no number, in words."""
    with torch.autocast(images.device.type, torch.bfloat16) if run.settings.fast else nullcontext():
        scores, loss = lesson(run.network, images, labels, run.settings)
    fault = None if loss.isfinite() else f"the loss is {loss.item()}"
    if fault is None:
        run.optimiser.zero_grad()
        torch.autograd.backward(loss)
        fault = health.of_gradients(run.network)
    if fault is None:
        run.optimiser.step()
        run.schedule.step()
        fault = health.of_weights(run.network)
    return loss.item(), int((scores.argmax(1) == labels).sum()), fault


def _batches(run: TrainingState, dataset: Dataset) -> Iterator[tuple[Tensor, Tensor]]:
    """An epoch: all inputs in a new order, as the network takes them, and their labels."""
    device = run.network.chain[0].weight.device
    images = torch.from_numpy(dataset.images).to(device)
    labels = torch.from_numpy(dataset.labels).to(device)
    flip = dataset.name not in ONE_SIDED
    order = torch.randperm(len(labels), generator=run.generator).to(device)
    for chosen in torch.split(order, _batch_sizes(len(labels), run.settings.batch)):
        values = images[chosen]
        if run.settings.augment:
            moved = crop_and_flip(values.flatten(1, -3), run.generator, flip=flip)
            values = moved.reshape(values.shape)
        yield run.network.inputs_of(values), labels[chosen]


def _batch_sizes(count: int, batch: int) -> list[int]:
    """Images of each step of an epoch. One that is left over goes with the batch before it.

    Batch norm cannot measure a spread of one image's neurons over a single step.
    """
    sizes = [batch] * (count // batch)
    if count % batch == 1 and sizes:
        sizes[-1] += 1
    elif count % batch:
        sizes.append(count % batch)
    return sizes


def _some(run: TrainingState, dataset: Dataset) -> Tensor:
    """A batch of inputs as they are, on the network's device."""
    values = torch.from_numpy(np.ascontiguousarray(dataset.images[: run.settings.batch]))
    return run.network.inputs_of(values.to(run.network.chain[0].weight.device))


def _accuracy(network: SpikingNetwork, images: Dataset) -> float | None:
    """Per cent of right answers, in float32; None of no images."""
    if not len(images):
        return None
    return accuracy(evaluate(network, images.images).predictions, images.labels)


def _robust(run: TrainingState, images: Dataset) -> Row:
    """Per cent of right answers under attack, of a training that is to raise it."""
    how = run.settings.adversarial
    if how is None or not len(images):
        return {}
    return {"robust": robust_accuracy(run.network, images, how, run.settings.seed)}


def _diverged(run: TrainingState, part: Part, step: int, steps: int, fault: str) -> Diverged:
    kept = run.last_good
    return Diverged(
        f"training diverged: {fault} at step {step} of {steps} ({part.weights});"
        f" try a learning rate below {part.rate:g}, or thresholds nearer to 1",
        None if kept is None else Trained(*kept, run.curve),
    )
