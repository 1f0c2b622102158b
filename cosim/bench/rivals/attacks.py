"""What `nc64c bench attack` does: steps of PGD on one network, by us and by libraries."""

import importlib
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from sw.attack.attacks import Attack
from sw.common.checks import check_choice, check_range
from sw.common.errors import InputError
from sw.common.machine import processor, usable_cores, versions
from sw.data.dataset import Dataset, Images
from sw.model.network import SpikingNetwork, as_input
from sw.train import checkpoint

OURS, LIBRARIES = "nc64c", ("torchattacks", "foolbox")
EPS, ALPHA = 8, 2  # 1/255; all have a random start
Run = Callable[[], object]


@dataclass(frozen=True)
class Order:
    """The arguments of `nc64c bench attack`.

    Attributes:
        checkpoint: whose quantised network is attacked.
        rivals: names of libraries, by commas.
        images: random ones, attacked together.
        steps: of PGD, each one pass forward and one back.
        repeats: turns of each.
        threads: of PyTorch; None: as many as cores.
    """

    checkpoint: Path
    rivals: str
    images: int
    steps: int
    repeats: int
    threads: int | None

    def __post_init__(self) -> None:
        for what in ("images", "steps", "repeats"):
            check_range(what, getattr(self, what), 1, 10_000)


def run(order: Order) -> dict[str, Any]:
    """Milliseconds of a step and image of each; they take turns, after one that is not timed.

    Raises:
        InputError: a library is unknown or not installed, or the checkpoint cannot be read.
    """
    network = checkpoint.load(order.checkpoint).quantised_network.eval()
    torch.set_num_threads(order.threads or usable_cores())
    generator = np.random.default_rng(1)
    config = network.config
    images = generator.integers(0, 256, (order.images, *config.input_shape), np.uint8)
    labels = generator.integers(0, len(config.classes), order.images)
    others = [name.strip() for name in order.rivals.split(",") if name.strip()]
    contestants = {OURS: _ours(network, images, labels, order.steps)}
    contestants |= {name: _rival(name, network, images, labels, order.steps) for name in others}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(order.repeats + 1):
        for name, attack in contestants.items():
            start = perf_counter()
            attack()
            seconds[name].append(perf_counter() - start)
    work = order.steps * order.images
    cost = {name: 1000 * statistics.median(times[1:]) / work for name, times in seconds.items()}
    return {
        "network": config.name,
        "images": order.images,
        "steps": order.steps,
        "repeats": order.repeats,
        "threads": torch.get_num_threads(),
        "ms_per_step_and_image": cost,
        "ms_per_step_and_image_best": {
            name: 1000 * min(times[1:]) / work for name, times in seconds.items()
        },
        "times_as_fast_as": {name: cost[name] / cost[OURS] for name in others},
        "cpu": processor(),
        "versions": versions() | _versions(others),
    }


def _ours(
    network: SpikingNetwork, images: Images, classes: np.ndarray[Any, Any], steps: int
) -> Run:
    data = Dataset("random", images, classes, network.config.classes)
    pgd = Attack("pgd", EPS, steps=steps)  # its usual step is a quarter of EPS
    return lambda: pgd(network, data)


def _rival(
    name: str,
    network: SpikingNetwork,
    images: Images,
    classes: np.ndarray[Any, Any],
    steps: int,
) -> Run:
    """As its documentation has it."""
    check_choice("unknown library", name, LIBRARIES)
    try:
        library: Any = importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"library {name} is not installed: install it, or leave it out of --rivals"
        ) from error
    pixels, labels = as_input(images), torch.from_numpy(classes)
    eps, alpha = EPS / 255, ALPHA / 255
    if name == "torchattacks":
        pgd_of_theirs = library.PGD(network, eps, alpha, steps, random_start=True)
        return lambda: pgd_of_theirs(pixels, labels)
    model = library.PyTorchModel(network, bounds=(0, 1))
    linf = library.attacks.LinfPGD(abs_stepsize=alpha, steps=steps, random_start=True)
    wanted = library.criteria.Misclassification(labels)
    return lambda: linf.run(model, pixels, wanted, epsilon=eps)


def _versions(libraries: Sequence[str]) -> dict[str, str]:
    return {name: version(name) for name in libraries}
