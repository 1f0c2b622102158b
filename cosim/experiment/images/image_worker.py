"""The work of attacking a batch of images, in whichever process and on whichever machine."""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from cosim.experiment.code import code_hash
from cosim.experiment.images.image_file import ImageSet
from sw.attack.attacks import Attack, attacked
from sw.data.dataset import Dataset
from sw.jobs.worker_setup import alone
from sw.model.network import SpikingNetwork
from sw.train import checkpoint

FOLDERS = ("sw",)  # the code that attacks


@dataclass(frozen=True, eq=False)
class Batch:
    """Images to be attacked.

    Attributes:
        network: the checkpoint, as its file has it, whose quantised network's gradient is taken.
        attacks: by the name of the set that they make.
        data: the clean images.
        code: hash of the code that attacks, of who asks: whoever works must have the same.
    """

    network: bytes
    attacks: dict[str, Attack]
    data: Dataset
    code: str


class Made(NamedTuple):
    """A batch's images by set, and the seconds that they took."""

    sets: dict[str, ImageSet]
    seconds: float


def run(batch: Batch) -> Made:
    """Attacks a batch. Raises `InputError` if this process has other code than who asks."""
    with alone(batch.code, code_hash(FOLDERS)):
        start = time.monotonic()
        made = attacked(_network(batch.network), batch.data, batch.attacks)
        sets = {name: ImageSet(one.images, one.zero) for name, one in made.items()}
        return Made(sets, time.monotonic() - start)


@lru_cache(maxsize=2)
def _network(content: bytes) -> SpikingNetwork:
    return checkpoint.load_bytes(content).quantised_network
