"""The golden model's synapses: the currents of a core's neurons as one exact matrix product."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT_FLOAT32 = 1 << 24  # whole numbers up to here are exact in 32-bit floats
FloatArray = NDArray[np.floating[Any]]


class Synapses:
    """A core's one-bit synapses, exact in floating point.

    `row` is bool [neurons, pages, planes, axons], `plane_weight` int64 [planes]. A neuron's weight
    from an axon is the sum of its planes' weights there. Take the largest power of two out of the
    plane weights, then no partial sum of a neuron, in whatever order, is larger than the sum of its
    weights' sizes: where that is below 2^24, 32-bit floats are exact. It is below 2^32 always
    (8192 axons x 8 planes x 2^15), where 64-bit floats are.

    One more column counts the synapses of each axon: at most 2^20 of them meet a spike.
    """

    def __init__(self, row: NDArray[np.bool_], plane_weight: NDArray[np.int64]) -> None:
        common = int(np.gcd.reduce(plane_weight))
        self._unit = common & -common if common else 1
        neurons, pages, _, axons = row.shape
        column = np.zeros((pages * axons, neurons + 1), np.int64)
        for plane, weight in enumerate((plane_weight // self._unit).tolist()):
            bits = row[:, :, plane].reshape(neurons, pages * axons).T
            column[:, :-1] += weight * bits
            column[:, -1] += bits.sum(axis=1)
        largest = np.abs(column).sum(axis=0).max(initial=0)
        dtype = np.float32 if largest <= EXACT_FLOAT32 else np.float64
        self._weight: FloatArray = column.astype(dtype)

    def integrate(self, axons: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For axons bool [images, pages * axons]: I, int64 [images, neurons], and how many
        synapses met a spike, int64 [images]."""
        product = (axons.astype(self._weight.dtype) @ self._weight).astype(np.int64)
        current, operations = product[:, :-1], product[:, -1]
        current *= self._unit
        return current, operations
