"""Currents counted bit by bit, and as a matrix product, against integer sums."""

import numpy as np
import pytest

from cosim.golden.cores.synapses import COUNTED, Synapses, SynapseStack

WEIGHTS = (-32768, 32767, -1, 1, 0, 2, -4096, 12288)


@pytest.mark.parametrize("axons", [16, 64, 1024])
@pytest.mark.parametrize("seed", range(12))
def test_currents_are_the_sums(seed: int, axons: int) -> None:
    """Of several cores, two with the same synapses; any number of images, to either side of where
    the way of computing changes."""
    rng = np.random.default_rng(seed)
    pages, planes = int(rng.choice([1, 2, 8])), int(rng.integers(1, 9))
    neurons, cores = int(rng.integers(1, 17)), int(rng.integers(1, 4))
    size = (cores, pages, neurons, planes, axons)
    row = rng.random(size) < rng.choice([0.0, 0.1, 0.5, 1.0])
    weight = rng.choice(WEIGHTS, (cores, planes)).astype(np.int64)
    synapses = [Synapses(*each) for each in zip(row, weight, strict=True)]
    of_core = [*range(cores), 0]
    stack = SynapseStack([synapses[core] for core in of_core])
    spikes = rng.random((cores + 1, 2 * COUNTED, pages * axons)) < rng.choice([0.0, 0.1, 1.0])
    arrived = spikes.reshape(cores + 1, -1, pages, axons).astype(np.int64)
    counts = np.einsum("cifa,cfnpa->cinp", arrived, row[of_core].astype(np.int64))
    sums = np.einsum("cinp,cp->cin", counts, weight[of_core])
    for images in (1, 2, COUNTED, COUNTED + 1, 2 * COUNTED):
        current, operations = stack.integrate(spikes[:, :images])
        np.testing.assert_array_equal(current, sums[:, :images], err_msg=f"seed {seed}")
        np.testing.assert_array_equal(operations, counts.sum(axis=(2, 3))[:, :images])


def test_no_neurons() -> None:
    synapses = Synapses(np.zeros((1, 0, 2, 64), np.bool_), np.array([1, 2], np.int64))
    for images in (1, COUNTED + 1):
        current, operations = SynapseStack([synapses]).integrate(np.ones((1, images, 64), np.bool_))
        assert current.shape == (1, images, 0)
        assert not operations.any()
