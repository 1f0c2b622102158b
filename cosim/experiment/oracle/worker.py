"""A block of images, made as a row says and shown to a chip, in whichever process it falls to."""

import hashlib
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from cosim.experiment.code import code_hash
from cosim.experiment.levels.single import Single, single
from cosim.experiment.levels.subject import prepare
from cosim.experiment.oracle.chip import parse_chips
from cosim.experiment.oracle.desk import Desk
from cosim.experiment.oracle.order import Order
from cosim.experiment.oracle.pieces import NotKept, Pieces
from cosim.experiment.oracle.rows import Row
from cosim.experiment.oracle.shown import Shown
from cosim.program.runner import Runner
from cosim.rtl.choice import runner_of
from sw.attack.attacks import check_pixels
from sw.attack.image_sets import draw_images
from sw.attack.methods import BY_QUERIES
from sw.attack.methods.budget import Budget
from sw.common.device import device as find_device
from sw.data.dataset import Dataset, Images
from sw.jobs.worker_setup import alone
from sw.train import checkpoint


@dataclass(frozen=True)
class Task:
    """Images `first` to `end` of the order's, as a row makes them (None: clean), on a chip.

    `code` is the hash of the code of who asks.
    """

    order: Order
    chip: str
    row: Row | None
    first: int
    end: int
    code: str


class Done(NamedTuple):
    """What a chip made of a block, how many queries its images took, and what there is to say."""

    shown: Shown
    queries: int
    said: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bench:
    """All that it takes to do the tasks of an order; `said` are sentences for who asked.

    The RTL is built when it is first asked for.
    """

    order: Order
    name: str
    desk: Desk
    data: Dataset
    pieces: Pieces
    said: list[str]

    def do(self, task: Task) -> Done:
        images, queries = self._made(task)
        in_rtl = min(max(self.order.rtl_images - task.first, 0), len(images))
        chip = parse_chips(self.order.chips)[task.chip]
        shown = self.pieces.show(self.desk, chip, images, lambda: _rtl(self.order), in_rtl)
        said, self.said[:] = tuple(self.said), []
        return Done(shown, queries, said)

    def kept(self, task: Task) -> Done | None:
        """What came of a task when it was done before; None: some of it is not kept."""
        pieces = replace(self.pieces, say=lambda _: None, working=False)
        try:
            return replace(self, pieces=pieces, said=[]).do(task)
        except NotKept:
            return None

    def again(self, task: Task, shown: Shown) -> Single:
        """The stimulus of a task's first mismatch."""
        assert shown.place is not None
        mapping = self.desk.mapping(parse_chips(self.order.chips)[task.chip])
        return single(mapping, self.desk.subject.network, self._made(task)[0], shown.place)

    def _made(self, task: Task) -> tuple[Images, int]:
        """The images of a task, and how many queries they took."""
        data = self.data.take(slice(task.first, task.end))
        if task.row is None:
            return data.images, 0
        steps = self.order.queries if task.row.attack in BY_QUERIES else None
        budget = Budget(self.order.eps, steps, self.order.seed)
        chip = parse_chips(self.order.chips)[task.chip]
        made = self.pieces.make(self.desk, task.row, chip, data, budget)
        return made.unpacked(data.images), made.queries


def run(task: Task) -> Done:
    """A task, unless its pieces are there.

    Raises:
        InputError: this process has other code than the one that asks.
        Mismatch: the RTL hangs.
        SimulationError: the simulator ended early.
    """
    with alone(task.code, code_hash()):
        return bench(task.order).do(task)


@lru_cache(maxsize=1)
def bench(order: Order) -> Bench:
    """Loads what an order asks for. Raises `InputError`."""
    device = find_device(order.device)
    loaded = checkpoint.load(order.checkpoint)
    check_pixels(loaded.config)
    data = draw_images(loaded.config.dataset, order.images, order.seed, order.data)
    common = {
        "code": code_hash(),
        "checkpoint": hashlib.sha256(order.checkpoint.read_bytes()).hexdigest(),
        "shape": asdict(order.shape),
        "simulated": order.rtl.settings,
    }
    said: list[str] = []
    pieces = Pieces(order.out, common, said.append)
    desk = Desk(prepare(loaded, order.shape), order.seed, device)
    return Bench(order, loaded.config.name, desk, data, pieces, said)


@lru_cache(maxsize=1)
def _rtl(order: Order) -> Runner:
    return runner_of(order.rtl, order.shape)
