"""Currents counted bit by bit, and as a matrix product, against integer sums."""

import numpy as np
import pytest

from cosim.golden.synapses import COUNTED, Synapses

WEIGHTS = (-32768, 32767, -1, 1, 0, 2, -4096, 12288)


@pytest.mark.parametrize("axons", [16, 64, 1024])
@pytest.mark.parametrize("seed", range(12))
def test_currents_are_the_sums(seed: int, axons: int) -> None:
    """Any number of images, to either side of where the way of computing changes."""
    rng = np.random.default_rng(seed)
    pages, planes = int(rng.choice([1, 2, 8])), int(rng.integers(1, 9))
    neurons = int(rng.integers(1, 17))
    row = rng.random((pages, neurons, planes, axons)) < rng.choice([0.0, 0.1, 0.5, 1.0])
    weight = rng.choice(WEIGHTS, planes).astype(np.int64)
    synapses = Synapses(row, weight)
    spikes = rng.random((2 * COUNTED, pages * axons)) < rng.choice([0.0, 0.1, 1.0])
    arrived = spikes.reshape(-1, pages, axons).astype(np.int64)
    counts = np.einsum("bfa,fnpa->bnp", arrived, row.astype(np.int64))
    for images in (1, 2, COUNTED, COUNTED + 1, 2 * COUNTED):
        current, operations = synapses.integrate(spikes[:images])
        np.testing.assert_array_equal(current, (counts @ weight)[:images], err_msg=f"seed {seed}")
        np.testing.assert_array_equal(operations, counts.sum(axis=(1, 2))[:images])


def test_no_neurons() -> None:
    synapses = Synapses(np.zeros((1, 0, 2, 64), np.bool_), np.array([1, 2], np.int64))
    for images in (1, COUNTED + 1):
        current, operations = synapses.integrate(np.ones((images, 64), np.bool_))
        assert current.shape == (images, 0)
        assert not operations.any()
