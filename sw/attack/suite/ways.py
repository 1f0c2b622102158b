"""What `nc64c robustness` does: a checkpoint's accuracy, and what FGSM costs it, by three ways."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import torch

from sw.attack.attacks import Attack, attacked, check_pixels
from sw.attack.gradient.way import TRAINED, Pixels, Way
from sw.attack.image_sets import draw_images, load_attacker
from sw.attack.set_names import zero_gradients
from sw.attack.suite.memory import check_memory
from sw.common.checks import check_range, shown
from sw.common.device import CPU
from sw.common.device import device as find_device
from sw.common.errors import InputError
from sw.common.machine import usable_cores
from sw.common.progress import Progress
from sw.data.dataset import Dataset
from sw.model.config.inputs import PIXEL_MAX
from sw.model.metrics import accuracy, adv_loss, evaluate
from sw.model.network import SpikingNetwork
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint

WEIGHTS = ("float", "quantised")


@dataclass(frozen=True)
class Task:
    """The arguments of `nc64c robustness`.

    Attributes:
        checkpoint: whose two networks are attacked.
        folder: of the data set's files.
        attacker: checkpoint of the attack model, of the same images; None: no transfer.
        images, seed: how many held-out images, drawn by the seed.
        strengths: of FGSM, 1/255.
        threads: of PyTorch; None: as many as cores.
        device: see `sw.common.device`.
        gradient: the way to that of white-box and transfer.
    """

    checkpoint: Path
    folder: Path | None
    attacker: Path | None
    images: int
    seed: int
    strengths: tuple[int, ...]
    threads: int | None = None
    device: str = CPU
    gradient: Way = TRAINED

    def __post_init__(self) -> None:
        for eps in self.strengths:
            check_range("strength", eps, 1, PIXEL_MAX)


class Row(TypedDict):
    """One network under one way of attack: per cent, and points lost at each strength."""

    weights: str
    way: str
    clean: float
    loss: dict[int, float]


def measure(task: Task, progress: Progress) -> list[Row]:
    """Both networks of a checkpoint under white-box, approximated and transfer FGSM.

    White-box: the network's own gradient, by autograd where its encoding has one; approximated: its
    own, by the paper's Eq. 8 to 12; transfer: the attack model's, float for float and quantised for
    quantised.

    Raises:
        InputError: a file, a strength or the device is wrong, or the attack model takes other
            images.
    """
    device = find_device(task.device)
    attacks = {str(eps): Attack("fgsm", eps) for eps in task.strengths}
    target = checkpoint.load(task.checkpoint)
    attacker = None if task.attacker is None else load_attacker(task.attacker, target.config)
    check_pixels(target.config)
    task.gradient.check(target.config)
    data = draw_images(target.config.dataset, task.images, task.seed, task.folder)
    for loaded in (target, attacker):
        if loaded is not None:
            batch = min(task.gradient.batch, len(data))
            check_memory(loaded.float_network.to(device), batch, task.gradient.times)
    torch.set_num_threads(task.threads or usable_cores())
    ways = 2 if attacker is None else 3
    rows: list[Row] = []
    work = len(WEIGHTS) * (1 + ways * len(attacks)) * len(data)
    with progress.stage("measuring", work) as advance:
        for weights in WEIGHTS:
            network = _chosen(target, weights).to(device)
            clean = _accuracy(network, data)
            advance(len(data))
            for way, source, how in _ways(weights, network, attacker, device):
                pixels = task.gradient.pixels if how is None else how
                gradient = replace(task.gradient, pixels=pixels)
                loss, found = {}, attacked(source, data, attacks, gradient)
                zero = {f"{weights}, {way}": int(next(iter(found.values())).zero.sum())}
                for sentence in zero_gradients(zero, len(data)):
                    progress.say(f"Warning: {sentence}")
                for name, made in found.items():
                    moved = replace(data, images=made.images)
                    loss[int(name)] = adv_loss(clean, _accuracy(network, moved))
                    advance(len(data))
                rows.append({"weights": weights, "way": way, "clean": clean, "loss": loss})
    return rows


def strengths(text: str) -> tuple[int, ...]:
    """Numbers from "2,8,16". Raises `InputError` if it is anything else."""
    parts = text.split(",")
    if not all(re.fullmatch(r"\s*\d{1,9}\s*", part, re.ASCII) for part in parts):
        raise InputError(f"strengths {shown(text)}: must be numbers in 1/255, such as 2,8,16")
    numbers = tuple(map(int, parts))
    if len(set(numbers)) != len(numbers):
        raise InputError(f"strengths {shown(text)}: one of them is there twice")
    return numbers


def _ways(
    weights: str, network: SpikingNetwork, attacker: Checkpoint | None, device: torch.device
) -> Iterator[tuple[str, SpikingNetwork, Pixels | None]]:
    """Each way's name, the network whose gradient it takes, and how."""
    yield "white-box", network, None
    yield "approximated", network, "approximated"
    if attacker is not None:
        yield "transfer", _chosen(attacker, weights).to(device), None


def _chosen(loaded: Checkpoint, weights: str) -> SpikingNetwork:
    return loaded.float_network if weights == "float" else loaded.quantised_network


def _accuracy(network: SpikingNetwork, data: Dataset) -> float:
    return accuracy(evaluate(network, data.images).predictions, data.labels)
