"""The currents of cores that hear the same spikes: rows of weights, added up where axons spike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.cores.synapses import Synapses


@dataclass(frozen=True, eq=False)
class Merged:
    """Weights of cores with as many neurons side by side.

    Attributes:
        rows: floats [page * axons, cores * (neurons + 1)]; a core's last column counts synapses.
        unit: of each core: its weights are so many times the numbers in `rows`.
    """

    rows: Tensor
    unit: list[int]


class Currents:
    """Sums of weights on a device; what was merged is kept, up to `most` bytes of it."""

    def __init__(self, device: torch.device, most: int) -> None:
        self._device, self._most = device, most
        self._kept: dict[tuple[Synapses, ...], Merged] = {}

    def of(
        self, synapses: Sequence[Synapses], keys: NDArray[np.int64], rows: int
    ) -> tuple[Tensor, Tensor]:
        """I, int64 [rows, cores, neurons], and the synapses that met a spike, int64 [rows, cores].

        `keys` are row * (page * axons) + place of each axon that spikes, int64 [n], ascending; a
        row is an image, or a slot of one.

        These are sums of floats, and exact: `Synapses.columns` says why no partial sum, in any
        order, is too large for them.
        """
        merged = self._merged(tuple(synapses))
        width = len(merged.rows)
        starts = np.searchsorted(keys, np.arange(rows) * width)
        axon = torch.from_numpy(keys % width).to(self._device)
        offsets = torch.from_numpy(starts).to(self._device)
        sums = torch.nn.functional.embedding_bag(axon, merged.rows, offsets, mode="sum")
        whole = sums.to(torch.int64).view(rows, len(synapses), -1)
        current, operations = whole[:, :, :-1], whole[:, :, -1]
        if set(merged.unit) != {1}:
            current = current * torch.tensor(merged.unit, device=self._device)[:, None]
        return current, operations

    def _merged(self, synapses: tuple[Synapses, ...]) -> Merged:
        if synapses not in self._kept:
            parts = [each.columns() for each in synapses]
            dtype = np.result_type(*(column for column, _ in parts))
            rows = np.concatenate([column for column, _ in parts], axis=1, dtype=dtype)
            taken = sum(each.rows.nbytes for each in self._kept.values()) + rows.nbytes
            if taken > self._most:
                self._kept.clear()
            unit = [unit for _, unit in parts]
            self._kept[synapses] = Merged(torch.from_numpy(rows).to(self._device), unit)
        return self._kept[synapses]
