"""Runs a suite's attacks on a network, a block of images at a time; finished blocks are kept."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.attack.attacks import Attack, Attacked
from sw.attack.gradient.way import TRAINED, Way
from sw.attack.image_sets import BLOCK, batches
from sw.attack.suite.members import LARGEST, at_the_largest, members
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.files.sources import ROOT, below, fingerprint
from sw.files.store import Store
from sw.model.metrics import evaluate
from sw.model.network import SpikingNetwork

CLEAN = "clean"
Flags = NDArray[np.bool_]  # [images]
Told = Callable[[int], object]


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        suite: "quick" or "reliable".
        strengths: 1/255.
        seed: of the images and of all that attacks draw.
        checkpoint: SHA-256 of the network's file.
        folder: where finished blocks are kept; None: nowhere.
        way: of all attacks along a gradient.
    """

    suite: str
    strengths: tuple[int, ...]
    seed: int
    checkpoint: str
    folder: Path | None = None
    way: Way = TRAINED

    def attacks(self) -> dict[tuple[str, int], Attack]:
        """Every attack by its name and strength, the one of strength 255 last."""
        found = {
            (name, eps): attack
            for eps in self.strengths
            for name, attack in members(self.suite, eps, self.seed).items()
        }
        return found | {("apgd", LARGEST): at_the_largest(self.suite, self.seed)}


@dataclass(frozen=True, eq=False)
class Answers:
    """What came of a suite.

    Attributes:
        clean: the images that the network is right about as they are.
        right: those that it is still right about, by attack and strength.
        zero: those whose gradient was 0 at every pixel each time, by attack and strength.
        spikes: per hidden layer, of all clean images together.
    """

    clean: Flags
    right: dict[tuple[str, int], Flags]
    zero: dict[tuple[str, int], Flags]
    spikes: dict[str, int] = field(default_factory=dict)

    def worst(self, eps: int) -> Flags:
        """The images that no attack of this strength fools the network with."""
        stands = [right for (_, strength), right in self.right.items() if strength == eps]
        found: Flags = np.logical_and.reduce([self.clean, *stands])
        return found

    def accuracy(self, name: str, eps: int) -> float:
        """Per cent of all images, after an attack."""
        return 100 * float(self.right[name, eps].mean())


def work(plan: Plan, data: Dataset) -> int:
    """How many attacked images there are to do."""
    return (1 + len(plan.attacks())) * len(data)


def measure(
    network: SpikingNetwork, data: Dataset, plan: Plan, advance: Told, say: Callable[[str], object]
) -> Answers:
    """Attacks the network; blocks that are in the plan's folder are not done again.

    Args:
        network: quantised or float.
        data: the images, at least one.
        plan: which attacks.
        advance: is told of each number of images that are done.
        say: is told of a kept block that is damaged, which is done again.
    """
    blocks = _Blocks(network, plan, say)
    clean, spikes = np.zeros(len(data), np.bool_), dict[str, int]()
    for batch in batches(len(data), BLOCK):
        found = evaluate(network, data.images[batch])
        clean[batch] = found.predictions == data.labels[batch]
        spikes = {name: spikes.get(name, 0) + count for name, count in found.spikes.items()}
        advance(len(clean[batch]))
    right, zero = ({which: np.zeros(len(data), np.bool_) for which in plan.attacks()} for _ in "rz")
    for which, attack in plan.attacks().items():
        for batch, stands, flat in blocks.of(attack, data):
            right[which][batch], zero[which][batch] = stands, flat
            advance(len(stands))
    return Answers(clean, right, zero, spikes)


class _Blocks:
    """The blocks of an attack, kept or made."""

    def __init__(self, network: SpikingNetwork, plan: Plan, say: Callable[[str], object]) -> None:
        self._network, self._plan, self._say = network, plan, say
        self._code = fingerprint(below(ROOT / "sw" / "attack") + below(ROOT / "sw" / "model"), ())
        self._store = None if plan.folder is None else Store(plan.folder, "block")

    def of(self, attack: Attack, data: Dataset) -> Iterator[tuple[slice, Flags, Flags]]:
        """Each block's place, what stays right in it, and whose gradient was 0."""
        for batch in batches(len(data), BLOCK):
            part = data.take(batch)
            settings = self._settings(attack, part)
            kept = self._kept(settings)
            if kept is None:
                kept = self._made(attack, part)
                if self._store is not None:
                    self._store.save(settings, kept)
            yield batch, np.array(kept["right"], np.bool_), np.array(kept["zero"], np.bool_)

    def _settings(self, attack: Attack, part: Dataset) -> dict[str, Any]:
        images = hashlib.sha256(part.images.tobytes() + part.labels.tobytes())
        return {
            "attack": dataclasses.asdict(attack),
            "bits": self._network.weight_bits,
            "checkpoint": self._plan.checkpoint,
            "code": self._code,
            "images": images.hexdigest(),
            "numbers": part.numbers.tolist(),
            "way": dataclasses.asdict(self._plan.way),
        }

    def _kept(self, settings: dict[str, Any]) -> dict[str, Any] | None:
        if self._store is None:
            return None
        try:
            return self._store.load(settings)
        except InputError as error:
            self._say(f"{error}; it is done again")
            return None

    def _made(self, attack: Attack, part: Dataset) -> dict[str, Any]:
        [made] = attack.at([attack.eps], self._network, part, self._plan.way)
        return {"right": self._right(made, part).tolist(), "zero": made.zero.tolist()}

    def _right(self, made: Attacked, part: Dataset) -> Flags:
        found: Flags = evaluate(self._network, made.images).predictions == part.labels
        return found
