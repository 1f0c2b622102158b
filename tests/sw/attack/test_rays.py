"""RayS: it hears decisions only, keeps its budget, and finds the shortest way that it tried."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sw.attack.attacks import Attack
from sw.attack.draws import Numbers
from sw.attack.methods import rays
from sw.attack.methods.budget import Budget
from sw.attack.victim import FloatArray, Labels, Oracle
from sw.data.dataset import Dataset, Images
from sw.model.metrics import evaluate
from sw.train.checkpoint import Checkpoint

SHAPE = (1, 4, 4)
CLEAN = np.full((3, *SHAPE), 100, np.uint8)


class Plane:
    """An oracle that is fooled where pixels, weighed, have moved far enough; it counts."""

    def __init__(self, weights: NDArray[np.int64], needed: list[int], loud: float = 1.0) -> None:
        self._weights, self._needed, self._loud = weights, np.array(needed), loud
        self.labels = Labels(np.zeros(len(needed), np.int64), np.arange(len(needed)))
        self.asked = np.zeros(len(needed), np.int64)
        self.seen: list[Images] = []

    @property
    def numbers(self) -> Numbers:
        return self.labels.numbers

    def margins(self, images: Images, labels: Labels) -> FloatArray:
        self.asked[labels.numbers] += 1
        self.seen.append(images.copy())
        moved = images.astype(np.int64) - 100
        left = self._needed[labels.numbers] - (moved * self._weights).sum(axis=(1, 2, 3))
        return np.asarray(self._loud * left - 0.5, np.float32)


def oracle(loud: float = 1.0) -> Plane:
    """Up in the first half of the pixels and down in the other is the shortest way: 2, 5 and 9."""
    weights = np.repeat([1, -1], 8).reshape(SHAPE)
    return Plane(weights, [16 * length for length in (2, 5, 9)], loud)


def test_it_finds_the_shortest_way() -> None:
    plane: Oracle = oracle()
    found = rays.attack(plane, CLEAN, Budget(eps=5, steps=300))
    moved = found.astype(int) - 100
    up = np.repeat([1, -1], 8).reshape(SHAPE)
    # Enough is enough: any way of at most 5 ends it for the first two; the third has none.
    assert ((moved[:2] * up).sum(axis=(1, 2, 3)) >= [32, 80]).all()
    assert np.abs(moved).max() == 5
    assert np.array_equal(moved[2], 5 * up)


def test_only_decisions_count() -> None:
    quiet, loud = oracle(), oracle(loud=1000.0)
    budget = Budget(eps=5, steps=40)
    assert np.array_equal(rays.attack(quiet, CLEAN, budget), rays.attack(loud, CLEAN, budget))
    pairs = zip(quiet.seen, loud.seen, strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("queries", [1, 7, 100])
def test_the_budget_of_queries_is_kept(queries: int) -> None:
    plane = oracle()
    rays.attack(plane, CLEAN, Budget(eps=2, steps=queries))
    assert plane.asked.max() == queries  # the third image cannot be fooled with 2
    assert plane.asked.min() <= queries


def test_what_is_found_fools_the_network(committed: Checkpoint, held_out: Dataset) -> None:
    network, data = committed.quantised_network, held_out.take(slice(0, 30))
    attack = Attack("rays", 32, steps=60)
    found = attack(network, data)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - data.images).max() <= 32
    assert np.array_equal(found[7:12], attack(network, data.take(slice(7, 12))))
    right = evaluate(network, data.images).predictions == data.labels
    still = evaluate(network, found).predictions == data.labels
    assert right.sum() - still.sum() > 5
