"""What `nc64c robustness --suite` does: a checkpoint under a suite, as a document."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sw.attack.attacks import check_pixels
from sw.attack.gradient.way import TRAINED, Way
from sw.attack.image_sets import draw_images
from sw.attack.suite.flags import flags
from sw.attack.suite.measure import Answers, Plan, measure, work
from sw.attack.suite.members import LARGEST, SUITES, members
from sw.common.checks import check_range
from sw.common.device import CPU
from sw.common.device import device as find_device
from sw.common.intervals import wilson
from sw.common.machine import usable_cores
from sw.common.progress import Progress
from sw.common.templates import environment, markdown
from sw.data.dataset import Dataset
from sw.files import output
from sw.files.atomic import atomic_write
from sw.train import checkpoint

SCHEMA = 1
BLOCKS = "blocks"  # folder of what is finished
FILE, PAGE, TEMPLATE = "robustness.json", "robustness.md", "suite.md.j2"
Document = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """The arguments of `nc64c robustness --suite`.

    Attributes:
        checkpoint: whose quantised network is attacked.
        folder: of the data set's files.
        suite: see `members`.
        strengths: 1/255, each 1 to 254.
        images, seed: how many held-out images, drawn by the seed.
        threads: of PyTorch; None: as many as cores.
        device: see `sw.common.device`.
        way: to a gradient.
    """

    checkpoint: Path
    folder: Path | None
    suite: str
    strengths: tuple[int, ...]
    images: int
    seed: int
    threads: int | None = None
    device: str = CPU
    way: Way = TRAINED

    def __post_init__(self) -> None:
        members(self.suite, 0, self.seed)
        for eps in self.strengths:
            check_range("strength", eps, 1, LARGEST - 1)


def run(order: Order, out: Path | None, progress: Progress) -> Document:
    """Runs the suite; its JSON and its page go to `out`, and finished blocks as they come.

    Raises:
        InputError: a file, a strength, the suite, the device or the folder is wrong.
    """
    device = find_device(order.device)
    network = checkpoint.load(order.checkpoint).quantised_network.to(device)
    content = hashlib.sha256(order.checkpoint.read_bytes())
    check_pixels(network.config)
    data = draw_images(network.config.dataset, order.images, order.seed, order.folder)
    torch.set_num_threads(order.threads or usable_cores())
    folder = None if out is None else out / BLOCKS
    plan = Plan(order.suite, order.strengths, order.seed, content.hexdigest(), folder, order.way)
    with progress.stage(f"suite {order.suite}", work(plan, data), "images") as advance:
        answers = measure(network, data, plan, advance, progress.say)
    found = _document(order, plan, answers, data)
    found["intervals"] = _intervals(found)
    found["flags"] = flags(answers, order.strengths, network.config)
    found["network"] = network.config.name
    if out is not None:
        with output.staged(out) as stage:
            atomic_write(stage / FILE, (json.dumps(found, indent=1) + "\n").encode())
            atomic_write(stage / PAGE, page(found).encode())
    return found


def page(found: Document) -> str:
    """The document as Markdown: flags first, then the worst case, then each attack."""
    templates = environment("sw.attack.suite", ".")
    return markdown(templates, TEMPLATE, cell=_cell, cells=_cells, **found)


def _cell(share: float, ends: list[float]) -> str:
    """A figure and its interval."""
    return f"{share:.1f} ({ends[0]:.1f} to {ends[1]:.1f})"


def _cells(shares: dict[str, float], ends: dict[str, list[float]]) -> list[str]:
    """Those of a row, by strength."""
    return [_cell(share, ends[eps]) for eps, share in shares.items()]


def _document(order: Order, plan: Plan, answers: Answers, data: Dataset) -> Document:
    """Per cent of the images that are right: as they are, after each attack, and after all."""
    share = 100 / len(data)
    return {
        "schema": SCHEMA,
        "suite": order.suite,
        "gradient": order.way.name,
        "checkpoint_sha256": plan.checkpoint,
        "dataset": data.name,
        "images": len(data),
        "seed": order.seed,
        "strengths": list(order.strengths),
        "clean": share * int(answers.clean.sum()),
        "attacks": {
            name: {str(eps): answers.accuracy(name, eps) for eps in order.strengths}
            for name in SUITES[order.suite]
        },
        "worst": {str(eps): share * int(answers.worst(eps).sum()) for eps in order.strengths},
        "right_at_255": answers.accuracy("apgd", LARGEST),
    }


def _intervals(found: Document) -> dict[str, Any]:
    """Wilson's intervals of 95 % of the same figures, in the same places."""

    def ends(share: float) -> list[float]:
        count: int = found["images"]
        return [100 * end for end in wilson(round(share * count / 100), count)]

    def by_strength(shares: dict[str, float]) -> dict[str, list[float]]:
        return {eps: ends(share) for eps, share in shares.items()}

    return {
        "clean": ends(found["clean"]),
        "attacks": {name: by_strength(shares) for name, shares in found["attacks"].items()},
        "worst": by_strength(found["worst"]),
    }
