"""`nc64c oracle`: what an attacker gains who has the chip, as a document."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from cosim.experiment.code import code_hash
from cosim.experiment.levels.subject import prepare
from cosim.experiment.oracle.chip import Chip, parse_chips
from cosim.experiment.oracle.desk import Desk
from cosim.experiment.oracle.pieces import Pieces
from cosim.experiment.oracle.rows import Row, parse_attacks, parse_draws, rows_of
from cosim.experiment.oracle.shown import Shown
from cosim.program.runner import Runner
from cosim.rtl.runner import verilated
from hw.spec import ChipShape
from sw.attack.attacks import check_pixels
from sw.attack.image_sets import batches, draw_images
from sw.attack.methods import BY_QUERIES
from sw.attack.methods.budget import MAX_STEPS, Budget
from sw.common.checks import check_range
from sw.common.device import device as find_device
from sw.common.machine import usable_cores
from sw.common.progress import Progress
from sw.data.dataset import Dataset
from sw.train import checkpoint

BLOCK = 50  # images that are attacked together
SCHEMA = 2
Document = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """The arguments of `nc64c oracle`. Raises `InputError` for one that there cannot be.

    Attributes:
        chips, attacks, draws: names and numbers with commas; see `chip` and `rows`.
        eps: how far a pixel may move, in 1/255.
        queries: that an attack may ask about an image.
        images, rtl_images: how many held-out ones, and how many of them go through the RTL.
    """

    checkpoint: Path
    data: Path | None
    out: Path
    shape: ChipShape
    chips: str
    attacks: str
    eps: int
    queries: int
    draws: str
    images: int
    rtl_images: int
    seed: int
    threads: int | None
    device: str
    command: str

    def __post_init__(self) -> None:
        parse_chips(self.chips)
        parse_attacks(self.attacks)
        check_range("eps", self.eps, 1, 255)
        check_range("queries", self.queries, 1, MAX_STEPS)
        parse_draws(self.draws)
        check_range("images", self.images, 1, 10**9)
        check_range("images in RTL", self.rtl_images, 0, self.images)


def run(order: Order, progress: Progress) -> Document:
    """Makes and shows all images; their figures as JSON. Raises `InputError`."""
    device = find_device(order.device)
    loaded = checkpoint.load(order.checkpoint)
    check_pixels(loaded.config)
    data = draw_images(loaded.config.dataset, order.images, order.seed, order.data)
    desk = Desk(prepare(loaded, order.shape), order.seed, device)
    torch.set_num_threads(order.threads or usable_cores())
    rtl = None
    if order.rtl_images:
        with progress.stage("Verilator build"):
            rtl = verilated(order.shape)
    common = {
        "code": code_hash(),
        "checkpoint": hashlib.sha256(order.checkpoint.read_bytes()).hexdigest(),
        "shape": asdict(order.shape),
    }
    work = _Work(order, desk, data, rtl, Pieces(order.out, common, progress.say))
    return {
        "schema_version": SCHEMA,
        "command": order.command,
        "network": loaded.config.name,
        "dataset": data.name,
        "images": len(data),
        "rtl_images": order.rtl_images,
        "eps": order.eps,
        "queries": order.queries,
        "draws": parse_draws(order.draws),
        "seed": order.seed,
        "labels": data.labels.tolist(),
        "chips": {name: work.on(name, chip, progress) for name, chip in work.chips.items()},
    }


@dataclass(frozen=True, eq=False)
class _Work:
    """All that is done with every block of images."""

    order: Order
    desk: Desk
    data: Dataset
    rtl: Runner | None
    pieces: Pieces

    @property
    def chips(self) -> dict[str, Chip]:
        return parse_chips(self.order.chips)

    def on(self, name: str, chip: Chip, progress: Progress) -> list[Document]:
        """What a chip makes of the clean images, and then of each row's."""
        attacks, draws = parse_attacks(self.order.attacks), parse_draws(self.order.draws)
        rows = [None, *rows_of(chip, attacks, draws)]
        found = []
        with progress.stage(name, len(rows) * len(self.data)) as advance:
            for row in rows:
                blocks = []
                for block in batches(len(self.data), BLOCK):
                    blocks.append(self._block(row, chip, block))
                    advance(len(blocks[-1][0].golden))
                found.append(_entry(row, blocks))
        return found

    def _block(self, row: Row | None, chip: Chip, block: slice) -> tuple[Shown, int]:
        """What a chip makes of a block, and how many queries its images took."""
        data = self.data.take(block)
        images, queries = data.images, 0
        if row is not None:
            steps = self.order.queries if row.attack in BY_QUERIES else None
            budget = Budget(self.order.eps, steps, self.order.seed)
            made = self.pieces.make(self.desk, row, chip, data, budget)
            images, queries = made.unpacked(images), made.queries
        in_rtl = min(max(self.order.rtl_images - block.start, 0), len(images))
        return self.pieces.show(self.desk, chip, images, self.rtl, in_rtl), queries


def _entry(row: Row | None, blocks: list[tuple[Shown, int]]) -> Document:
    shown = [each for each, _ in blocks]
    return {
        "attack": None if row is None else row.attack,
        "asked": None if row is None else row.asked,
        "draws": 0 if row is None else row.draws,
        "queries": sum(queries for _, queries in blocks),
        "golden": [answer for each in shown for answer in each.golden],
        "rtl": [answer for each in shown for answer in each.rtl],
        "compared_spikes": sum(each.spikes for each in shown),
        "compared_membranes": sum(each.membranes for each in shown),
        "mismatches": sum(each.mismatches for each in shown),
        "first_mismatch": next((each.first for each in shown if each.first), None),
    }
