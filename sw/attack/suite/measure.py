"""Runs a suite's attacks on a network, a block of images at a time; finished blocks are kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sw.attack.image_sets import batches
from sw.attack.suite.blocks import Block, Blocks, Kept
from sw.attack.suite.members import LARGEST, STRONGEST, Choice, Member, at_the_largest
from sw.attack.suite.vanishing import vanishing
from sw.data.dataset import Dataset
from sw.model.metrics import evaluate
from sw.model.network import SpikingNetwork

Flags = NDArray[np.bool_]  # [images]
Which = tuple[str, int]  # an attack's name, and its strength
Told = Callable[[int], object]


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        choice: which attacks.
        strengths: 1/255.
        seed: of the images and of all that attacks draw.
        checkpoint: SHA-256 of the network's file.
        folder: where finished blocks are kept; None: nowhere.
    """

    choice: Choice
    strengths: tuple[int, ...]
    seed: int
    checkpoint: str
    folder: Path | None = None

    def attacks(self) -> dict[Which, Member]:
        """Every attack by its name and strength, the one of strength 255 last."""
        found = {
            (name, eps): replace(member, attack=replace(member.attack, eps=eps, seed=self.seed))
            for eps in self.strengths
            for name, member in self.choice.members().items()
        }
        return found | {(STRONGEST, LARGEST): at_the_largest(self.choice, self.seed)}


@dataclass(frozen=True, eq=False)
class Answers:
    """What came of a suite.

    Attributes:
        clean: the images that the network is right about as they are.
        right: those that it is still right about, by attack and strength.
        zero: those whose gradient was 0 at every pixel each time, by attack and strength.
        left: how many images still stood after each look, by attack and strength.
        spikes: per hidden layer, of all clean images together.
        faded: per hidden layer, the clean images whose gradient does not reach it.
    """

    clean: Flags
    right: dict[Which, Flags]
    zero: dict[Which, Flags]
    left: dict[Which, list[int]] = field(default_factory=dict)
    spikes: dict[str, int] = field(default_factory=dict)
    faded: dict[str, int] = field(default_factory=dict)

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
    network: SpikingNetwork,
    data: Dataset,
    plan: Plan,
    told: tuple[Told, Callable[[str], object]],
    sources: Mapping[str, SpikingNetwork] | None = None,
) -> Answers:
    """Attacks the network; blocks that are in the plan's folder are not done again.

    Args:
        network: quantised or float.
        data: the images, at least one.
        plan: which attacks.
        told: what is told of each number of images that are done, and of a kept block that is
            damaged, which is done again.
        sources: the other networks of the plan's transfers, by their checkpoints' SHA-256.
    """
    advance, say = told
    blocks = Blocks(network, sources or {}, Kept(plan.checkpoint, plan.folder, say))
    answers = _clean(network, data, plan, advance)
    for which, member in plan.attacks().items():
        made: list[Block] = []
        for batch in batches(len(data), plan.choice.way.batch):
            made.append(blocks.of(member, data.take(batch)))
            advance(len(made[-1].right))
        answers.right[which] = np.concatenate([block.right for block in made])
        answers.zero[which] = np.concatenate([block.zero for block in made])
        answers.left[which] = _together([block.left for block in made])
    return answers


def _clean(network: SpikingNetwork, data: Dataset, plan: Plan, advance: Told) -> Answers:
    """The images as they are."""
    answers = Answers(np.zeros(len(data), np.bool_), {}, {})
    for batch in batches(len(data), plan.choice.way.batch):
        part = data.take(batch)
        found = evaluate(network, part.images)
        answers.clean[batch] = found.predictions == part.labels
        for counts, more in (
            (answers.spikes, found.spikes),
            (answers.faded, vanishing(network, part, plan.choice.way)),
        ):
            for name, count in more.items():
                counts[name] = counts.get(name, 0) + count
        advance(len(part))
    return answers


def _together(left: list[list[int]]) -> list[int]:
    """The sum of several blocks' counts; one that ended early stays as it ended."""
    longest = max(map(len, left))
    return [sum(each[min(look, len(each) - 1)] for each in left if each) for look in range(longest)]
