"""Training: first in float, then from there with quantised weights in the forward pass."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sw.checks import check_range
from sw.data import Dataset
from sw.errors import InputError
from sw.model import NetworkConfig, SpikingNetwork, as_input

Progress = Callable[[int, int, float, float], None]  # step, total, loss, accuracy in per cent


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained (AdamW, one-cycle learning rate; Algorithm 2 for the second part).

    Attributes:
        seed: of the first weights and of the images' order.
        epochs, quantised_epochs: passes over the images in float, then with K bits.
        rate, quantised_rate: the highest learning rate of either part.
        batch: images per step.
        weight_decay: AdamW's.
        threads: of PyTorch; another number adds up in another order, and so trains other weights.
            One is also the fastest for a network as small as that of the digits.

    Raises:
        InputError: a value is out of range.
    """

    seed: int = 1
    epochs: int = 40
    quantised_epochs: int = 15
    rate: float = 5e-3
    quantised_rate: float = 1e-3
    batch: int = 64
    weight_decay: float = 1e-3
    threads: int = 1

    def __post_init__(self) -> None:
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_range("epochs", self.epochs, 1, 100_000)
        check_range("quantised epochs", self.quantised_epochs, 0, 100_000)
        check_range("threads", self.threads, 1, 1024)
        check_range("batch", self.batch, 2, 1_000_000)
        for what, value in (("rate", self.rate), ("quantised rate", self.quantised_rate)):
            if not 0 < value < math.inf:
                raise InputError(f"{what} is {value}: must be above 0")
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"weight decay is {self.weight_decay}: must be 0 or more")


@dataclass(frozen=True)
class Trained:
    """The float network, and the one with K bits that was trained on from it."""

    float_network: SpikingNetwork
    quantised_network: SpikingNetwork


def train(
    config: NetworkConfig,
    dataset: Dataset,
    settings: TrainSettings,
    progress: Progress | None = None,
) -> Trained:
    """Train both networks; the same arguments give the same weights.

    Args:
        config: the network.
        dataset: the training images.
        settings: how.
        progress: called after every step of either part, as one count.

    Raises:
        InputError: the images do not fit the network, or the loss is no longer a number.
    """
    if dataset.images.shape[1:] != config.input_shape or dataset.classes != config.classes:
        raise InputError(
            f"network {config.name} takes images of {config.input_shape} in"
            f" {len(config.classes)} classes, but {dataset.name} has"
            f" {dataset.images.shape[1:]} in {len(dataset.classes)}"
        )
    generator = torch.Generator().manual_seed(settings.seed)
    per_epoch = math.ceil(len(dataset) / settings.batch)
    total = per_epoch * (settings.epochs + settings.quantised_epochs)
    network = SpikingNetwork(config)
    network.reset(settings.seed)
    parts = (
        (None, settings.epochs, settings.rate),
        (config.weight_bits, settings.quantised_epochs, settings.quantised_rate),
    )
    trained, first = [], 0
    with _threads(settings.threads):
        for bits, epochs, rate in parts:
            network = copy.deepcopy(network)
            network.weight_bits = bits
            counted = _counted(progress, first, total)
            _part(network, dataset, settings, epochs, rate, generator, counted)
            first += per_epoch * epochs
            trained.append(network.eval())
    return Trained(*trained)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """PyTorch with this many threads, and then as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _part(
    network: SpikingNetwork,
    dataset: Dataset,
    settings: TrainSettings,
    epochs: int,
    rate: float,
    generator: torch.Generator,
    progress: Progress | None,
) -> None:
    """Train a network as it stands, in place."""
    steps = epochs * math.ceil(len(dataset) / settings.batch)
    if not steps:
        return
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps)
    for step, (images, labels) in enumerate(_batches(dataset, settings, epochs, generator), 1):
        scores = network(images)
        loss = F.cross_entropy(scores, labels)
        if not loss.isfinite():
            raise InputError(
                f"training diverged: the loss is {loss.item()} at step {step} of {steps}"
                f" ({_weights(network)}); try a learning rate below {rate:g}"
            )
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if progress is not None:
            right = (scores.argmax(1) == labels).float().mean().item()
            progress(step, steps, loss.item(), 100 * right)


def _weights(network: SpikingNetwork) -> str:
    bits = network.weight_bits
    return "float weights" if bits is None else f"weights of {bits} bits"


def _counted(progress: Progress | None, first: int, total: int) -> Progress | None:
    """The caller's progress, told of a part's steps as steps of the whole."""
    if progress is None:
        return None
    return lambda step, _steps, loss, accuracy: progress(first + step, total, loss, accuracy)


def _batches(
    dataset: Dataset, settings: TrainSettings, epochs: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Images in 0..1 and labels; each epoch all of them in a new order."""
    images, labels = as_input(dataset.images), torch.from_numpy(dataset.labels)
    for _ in range(epochs):
        order = torch.randperm(len(labels), generator=generator)
        for chosen in torch.split(order, settings.batch):
            yield images[chosen], labels[chosen]
