"""What `nc64c robustness --suite` does: a checkpoint under a suite, as a document."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from sw.attack.attacks import check_pixels
from sw.attack.image_sets import draw_images, load_attacker
from sw.attack.suite.flags import RANDOM, flags
from sw.attack.suite.measure import Plan, measure, work
from sw.attack.suite.members import LARGEST, Choice
from sw.attack.suite.memory import check_memory
from sw.attack.suite.pages.document import Document, document, page
from sw.common.checks import check_range
from sw.common.device import CPU
from sw.common.device import device as find_device
from sw.common.errors import InputError
from sw.common.machine import usable_cores
from sw.common.progress import Progress
from sw.files import output
from sw.files.atomic import atomic_write
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork
from sw.train import checkpoint

BLOCKS = "blocks"  # folder of what is finished
FILE, PAGE, HTML = "robustness.json", "robustness.md", "robustness.html"


@dataclass(frozen=True)
class Machine:
    """Where it runs.

    Attributes:
        threads: of PyTorch; None: as many as cores.
        device: see `sw.common.device`.
    """

    threads: int | None = None
    device: str = CPU


@dataclass(frozen=True)
class Order:
    """The arguments of `nc64c robustness --suite`.

    Attributes:
        checkpoint: whose quantised network is attacked.
        folder: of the data set's files.
        choice: which attacks; it has no transfers yet.
        strengths: 1/255, each 1 to 254.
        images, seed: how many held-out images, drawn by the seed.
        transfers: other checkpoints, on whose quantised networks images are made as well.
        machine: where it runs.
    """

    checkpoint: Path
    folder: Path | None
    choice: Choice
    strengths: tuple[int, ...]
    images: int
    seed: int
    transfers: tuple[Path, ...] = ()
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        for eps in self.strengths:
            check_range("strength", eps, 1, LARGEST - 1)


def run(
    order: Order,
    out: Path | None,
    progress: Progress,
    show: Callable[[Document], str] | None = None,
) -> Document:
    """Runs the suite; its documents go to `out`, and finished blocks as they come.

    Args:
        order: what is to be done.
        out: a folder; None: nothing is kept.
        progress: is told how it goes.
        show: makes a page in HTML, which becomes one of the documents.

    Raises:
        InputError: a file, a strength, an attack, the device or the folder is wrong, or a batch
            does not fit into memory.
    """
    device = find_device(order.machine.device)
    network = checkpoint.load(order.checkpoint).quantised_network.to(device)
    _check(network.config, order)
    sources = _sources(order, network.config, device)
    data = draw_images(network.config.dataset, order.images, order.seed, order.folder)
    check_memory(network, min(order.choice.way.batch, len(data)), order.choice.times)
    torch.set_num_threads(order.machine.threads or usable_cores())
    folder = None if out is None else out / BLOCKS
    choice = replace(order.choice, transfers=tuple(sources))
    plan = Plan(choice, order.strengths, order.seed, _sha256(order.checkpoint), folder)
    with progress.stage(f"suite {choice.suite}", work(plan, data), "images") as advance:
        answers = measure(network, data, plan, (advance, progress.say), sources)
    found = document(plan, answers, data)
    found["flags"] = flags(answers, choice.members(), order.strengths, network.config)
    found["network"] = network.config.name
    if out is not None:
        with output.staged(out) as stage:
            atomic_write(stage / FILE, (json.dumps(found, indent=1) + "\n").encode())
            atomic_write(stage / PAGE, page(found).encode())
            if show is not None:
                atomic_write(stage / HTML, show(found).encode())
    return found


def _check(config: NetworkConfig, order: Order) -> None:
    check_pixels(config)
    order.choice.way.check(config)
    if order.choice.draws and config.encoding not in RANDOM:
        raise InputError(
            f"network {config.name}: encoding {config.encoding} draws nothing to expect over,"
            " leave --draws out"
        )


def _sources(
    order: Order, config: NetworkConfig, device: torch.device
) -> dict[str, SpikingNetwork]:
    """The networks of the transfers, by their checkpoints' SHA-256, in the order given."""
    found: dict[str, SpikingNetwork] = {}
    for path in order.transfers:
        network = load_attacker(path, config).quantised_network
        found[_sha256(path)] = network.to(device)
    return found


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
