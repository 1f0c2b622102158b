"""Blocks of images, made and shown: each is done once, and kept in a folder when it is finished."""

import base64
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cosim.experiment.levels.results import Chips
from cosim.experiment.oracle.chip import Chip
from cosim.experiment.oracle.desk import Desk
from cosim.experiment.oracle.rows import Row
from cosim.experiment.oracle.shown import Shown, show
from cosim.program.runner import Runner
from sw.attack.methods.budget import Budget
from sw.common.typed import plain
from sw.data.dataset import Dataset, Images
from sw.files.store import Piece, Settings, Store

FOLDER = "pieces"


@dataclass(frozen=True)
class Made:
    """Images as text (base64 of zlib), and how many queries they took."""

    images: str
    queries: int

    @classmethod
    def of(cls, images: Images, queries: int) -> "Made":
        return cls(base64.b64encode(zlib.compress(images.tobytes())).decode(), queries)

    def unpacked(self, like: Images) -> Images:
        """The images, of the shape of others. Raises `ValueError` where they are not."""
        unpacking = zlib.decompressobj()
        found = unpacking.decompress(base64.b64decode(self.images), like.nbytes)
        return np.frombuffer(bytearray(found), np.uint8).reshape(like.shape)


class NotKept(Exception):
    """A piece is not there, or is damaged, and none is to be made."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """What is done, and what is not yet.

    Attributes:
        out: the folder in which pieces are kept.
        common: what goes into all of them.
        say: is told of a piece that is damaged.
        working: what is not there is made; False: it raises `NotKept`.
    """

    out: Path
    common: Settings
    say: Callable[[str], object]
    working: bool = True

    def make(self, desk: Desk, row: Row, chip: Chip, data: Dataset, budget: Budget) -> Made:
        """Images as a row says; those made in software are the same for all chips."""
        settings = {
            "row": asdict(row),
            "clean": _digest(data.images),
            "numbers": data.numbers.tolist(),
            "budget": asdict(budget),
            "chip": None if row.for_any_chip else asdict(chip),
            "desk": None if row.for_any_chip else desk.seed,
        }
        return self._once(settings, Made, lambda: Made.of(*desk.make(row, chip, data, budget)))

    def show(
        self, desk: Desk, chip: Chip, images: Images, rtl: Callable[[], Runner], count: int
    ) -> Shown:
        """What a chip makes of images, the first `count` of them in RTL too."""
        settings = {
            "shown": _digest(images),
            "chip": asdict(chip),
            "desk": desk.seed,
            "rtl": count,
        }

        def work() -> Shown:
            chips = Chips(desk.golden(chip), rtl() if count else None)
            return show(desk.mapping(chip), desk.subject.network, images, chips, count)

        return self._once(settings, Shown, work)

    def _once(self, settings: Settings, kind: type[Piece], work: Callable[[], Piece]) -> Piece:
        settings = {"kind": kind.__name__, **self.common, **settings}
        store = Store(self.out / FOLDER, "piece")
        kept = store.found(settings, kind, self.say)
        if kept is not None:
            return kept
        if not self.working:
            raise NotKept
        done = work()
        store.save(settings, plain(done))
        return done


def _digest(images: Images) -> str:
    return hashlib.sha256(images.tobytes()).hexdigest()
