"""The weights of cores that hear the same spikes, side by side, in two ways of adding them up."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from cosim.golden.batched.spikes import Spikes
from cosim.golden.cores.synapses import Synapses
from hw.spec import MEMBRANE_MAX

INT8_MOST = 127
DIGIT = 128  # the synapses of an axon are counted in two digits
INT8_PRODUCTS = ("avx512_vnni", "avx_vnni", "amx_int8")  # what processors call them

# I, int32 [rows, cores, neurons], int64 where that can be too small, and the synapses that met a
# spike, [rows, cores]; a row is an image of cores that hear the same.
Sums = tuple[Tensor, Tensor]


@cache
def has_int8(device: torch.device) -> bool:
    """Whether a product of whole numbers of 8 bits is fast there."""
    found = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(found.get(name) for name in INT8_PRODUCTS)


@dataclass(frozen=True, eq=False)
class Floats:
    """`rows` are floats [axons, cores * (neurons + 1)]; a core's last column counts synapses.

    All is exact: `Synapses.columns` says why no partial sum, in any order, is too large for them.
    """

    rows: Tensor
    cores: int
    whole: torch.dtype  # of I

    @classmethod
    def of(cls, synapses: Sequence[Synapses], device: torch.device) -> "Floats":
        parts = [each.columns() for each in synapses]
        rows = np.concatenate(parts, axis=1, dtype=np.result_type(*parts))
        return cls(torch.from_numpy(rows).to(device), len(parts), _whole(synapses))

    def multiplied(self, spikes: Spikes) -> Sums:
        """By a product with all weights."""
        return self._parted(spikes.matrix().to(self.rows.dtype) @ self.rows)

    def added(self, spikes: Spikes) -> Sums:
        """By adding the rows of the axons that spike."""
        axon, starts = spikes.by_row()
        bag = torch.nn.functional.embedding_bag
        return self._parted(bag(axon, self.rows, starts, mode="sum"))

    def _parted(self, sums: Tensor) -> Sums:
        parts = sums.view(len(sums), self.cores, -1)
        return parts[:, :, :-1].to(self.whole), parts[:, :, -1].to(self.whole)


@dataclass(frozen=True, eq=False)
class Bytes:
    """`rows` are int8 [axons, cores * (neurons + 2)]; a core's last columns count synapses.

    They are in units of each core, whole [cores, 1]. Products are of 32 bits: exact, for at most
    8192 axons x 128 x 127.
    """

    rows: Tensor
    unit: Tensor

    @classmethod
    def of(cls, synapses: Sequence[Synapses], device: torch.device) -> "Bytes | None":
        """None: a weight takes more than 8 bits of units."""
        parts = []
        for each in synapses:
            columns = each.columns()
            weights, counts = columns[:, :-1] / each.unit, columns[:, -1:]
            if np.abs(weights).max(initial=0) > INT8_MOST:
                return None
            parts += [weights, counts % DIGIT, counts // DIGIT]
        rows = np.concatenate([part.astype(np.int8) for part in parts], axis=1)
        unit = torch.tensor([[each.unit] for each in synapses], dtype=_whole(synapses))
        return cls(torch.from_numpy(rows).to(device), unit.to(device))

    def multiplied(self, spikes: Spikes) -> Sums:
        """By a product with all weights."""
        sums = torch._int_mm(spikes.matrix(), self.rows).view(spikes.rows, len(self.unit), -1)
        return sums[:, :, :-2] * self.unit, sums[:, :, -2] + DIGIT * sums[:, :, -1]


def _whole(synapses: Sequence[Synapses]) -> torch.dtype:
    """int32 where it holds every current."""
    return torch.int32 if all(each.most <= MEMBRANE_MAX for each in synapses) else torch.int64
