"""The golden model's synapses: the currents of a core's neurons, exactly.

Few images go the chip's own way, rows of bits AND spikes, counted; many are one matrix product.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT_FLOAT32 = 1 << 24  # whole numbers up to here are exact in 32-bit floats
COUNTED = 4  # images at most whose synapses are counted: from there on the product is faster
WORD = np.uint64
FloatArray = NDArray[np.floating[Any]]
Currents = tuple[NDArray[np.int64], NDArray[np.int64]]


class Synapses:
    """A core's one-bit synapses.

    `row` is bool [pages, neurons, planes, axons], `plane_weight` int64 [planes]. A neuron's weight
    from an axon is the sum of its planes' weights there. `packed` are the rows as bits of words,
    uint64 [words, planes, neurons].
    """

    def __init__(self, row: NDArray[np.bool_], plane_weight: NDArray[np.int64]) -> None:
        self.plane_weight = plane_weight
        pages, neurons, planes, axons = row.shape
        self._shape = planes, neurons, pages * axons
        lines = _packed(row.transpose(2, 1, 0, 3).reshape(self._shape))
        self.packed = np.ascontiguousarray(np.moveaxis(lines, 2, 0))

    @property
    def axons(self) -> int:
        """Those of all pages."""
        _, _, axons = self._shape
        return int(axons)

    @property
    def neurons(self) -> int:
        _, neurons, _ = self._shape
        return int(neurons)

    def multiply(self, axons: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        """For axons bool [images, pages * axons]: I, whole floats [images, neurons], and how many
        synapses met a spike, [images]."""
        product = axons.astype(self._columns.dtype) @ self._columns
        return product[:, :-1], product[:, -1]

    @cached_property
    def _columns(self) -> FloatArray:
        return self.columns()

    @cached_property
    def unit(self) -> int:
        """The largest power of two in all plane weights."""
        common = int(np.gcd.reduce(self.plane_weight))
        return common & -common if common else 1

    @cached_property
    def most(self) -> int:
        """What no current exceeds in size: all axons spike, and all planes' weights add up."""
        synapses = np.bitwise_count(self.packed).sum(axis=0, dtype=np.int64)  # [planes, neurons]
        return int((np.abs(self.plane_weight) @ synapses).max(initial=0))

    def columns(self) -> FloatArray:
        """A column of weights per neuron: whole floats [pages * axons, neurons + 1].

        No partial sum of a neuron, in whatever order, is larger than the sum of its weights' sizes,
        and all are multiples of the unit: where that is at most 2^24 units, 32-bit floats are
        exact. It is below 2^32 always (8192 axons x 8 planes x 2^15), where 64-bit floats are.

        The last column counts the synapses of each axon: at most 2^20 of them meet a spike.
        """
        _, neurons, axons = self._shape
        column = np.zeros((axons, neurons + 1), np.int64)
        for plane, weight in enumerate(self.plane_weight.tolist()):
            bits = _unpacked(self.packed[:, plane].T, axons).T
            column[:, :-1] += weight * bits
            column[:, -1] += bits.sum(axis=1)
        largest = np.abs(column[:, :-1]).sum(axis=0).max(initial=0)
        exact = largest <= EXACT_FLOAT32 * self.unit
        return column.astype(np.float32 if exact else np.float64)


class SynapseStack:
    """The synapses of several cores with as many neurons, planes and axons each."""

    def __init__(self, synapses: Sequence[Synapses]) -> None:
        self._synapses = synapses
        self._plane_weight = np.stack([each.plane_weight for each in synapses])

    def integrate(self, axons: NDArray[np.bool_]) -> Currents:
        """For axons bool [cores, images, pages * axons]: I, int64 [cores, images, neurons], and
        how many synapses met a spike, int64 [cores, images]."""
        return self._count(axons) if axons.shape[1] <= COUNTED else self._multiply(axons)

    @cached_property
    def _packed(self) -> NDArray[np.uint64]:
        """[words, cores, planes, neurons]: counts of all neurons are added up side by side."""
        return np.stack([each.packed for each in self._synapses], axis=1)

    def _count(self, axons: NDArray[np.bool_]) -> Currents:
        spikes = np.moveaxis(_packed(axons), 2, 0)[..., None, None]  # [words, cores, images, 1, 1]
        met = self._packed[:, :, None] & spikes
        counts = np.bitwise_count(met).sum(axis=0, dtype=np.uint16)
        current = (self._plane_weight[:, None, None] @ counts)[:, :, 0]
        return current, counts.sum(axis=(2, 3), dtype=np.int64)

    def _multiply(self, axons: NDArray[np.bool_]) -> Currents:
        cores, images, _ = axons.shape
        current = np.empty((cores, images, self._synapses[0].neurons), np.int64)
        operations = np.empty((cores, images), np.int64)
        for core, each in enumerate(self._synapses):
            current[core], operations[core] = each.multiply(axons[core])
        return current, operations


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """The last axis as bits of words, the first one lowest; what is missing of a word is 0."""
    in_bytes = np.packbits(bits, axis=-1, bitorder="little")
    missing = -in_bytes.shape[-1] % np.dtype(WORD).itemsize
    if missing:
        in_bytes = np.pad(in_bytes, [(0, 0)] * (bits.ndim - 1) + [(0, missing)])
    return np.ascontiguousarray(in_bytes).view(WORD)


def _unpacked(words: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    """What `_packed` packed, of so many bits."""
    in_bytes = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(in_bytes, axis=-1, count=bits, bitorder="little").astype(np.bool_)
