"""What one attack makes of one block of images: made, or found as it was kept."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sw.attack.suite.members import Member
from sw.data.dataset import Dataset
from sw.files.sources import ROOT, below, fingerprint
from sw.files.store import Store
from sw.model.metrics import evaluate
from sw.model.network import SpikingNetwork


class Block(NamedTuple):
    """Of some images.

    Attributes:
        right: those that the network is right about after the attack, bool [n].
        zero: those whose gradient was 0 at every pixel each time, bool [n].
        left: how many had not fooled the network on which they are made, after each look at it.
    """

    right: NDArray[np.bool_]
    zero: NDArray[np.bool_]
    left: list[int]


class Kept(NamedTuple):
    """Where blocks are kept.

    Attributes:
        checkpoint: SHA-256 of the victim's file.
        folder: None: nowhere.
        say: is told of a block that is damaged.
    """

    checkpoint: str
    folder: Path | None
    say: Callable[[str], object]


class Blocks:
    """The blocks of a victim.

    Args:
        network: the victim.
        sources: other networks on which images are made, by their checkpoints' SHA-256.
        kept: where the blocks are.
    """

    def __init__(
        self, network: SpikingNetwork, sources: Mapping[str, SpikingNetwork], kept: Kept
    ) -> None:
        self._network, self._sources, self._kept = network, sources, kept
        self._code = fingerprint(below(ROOT / "sw" / "attack") + below(ROOT / "sw" / "model"), ())
        self._store = None if kept.folder is None else Store(kept.folder, "block")

    def of(self, member: Member, part: Dataset) -> Block:
        """What an attack makes of these images; a damaged block is made again."""
        settings = self._settings(member, part)
        found = None if self._store is None else self._store.found(settings, dict, self._kept.say)
        if found is None:
            found = self._made(member, part)
            if self._store is not None:
                self._store.save(settings, found)
        right, zero = (np.array(found[name], np.bool_) for name in ("right", "zero"))
        return Block(right, zero, found["left"])

    def _settings(self, member: Member, part: Dataset) -> dict[str, Any]:
        images = hashlib.sha256(part.images.tobytes() + part.labels.tobytes())
        return {
            "bits": self._network.weight_bits,
            "checkpoint": self._kept.checkpoint,
            "code": self._code,
            "images": images.hexdigest(),
            "member": dataclasses.asdict(member),
            "numbers": part.numbers.tolist(),
        }

    def _made(self, member: Member, part: Dataset) -> dict[str, Any]:
        source = self._network if member.source is None else self._sources[member.source]
        [made] = member.attack.at([member.attack.eps], source, part, member.way)
        right = evaluate(self._network, made.images).predictions == part.labels
        return {
            "right": right.tolist(),
            "zero": made.zero.tolist(),
            "left": made.course.left,
        }
