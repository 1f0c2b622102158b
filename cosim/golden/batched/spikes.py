"""Spikes at the axons of some rows, on a device: as a list, and as a matrix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Spikes:
    """`place` are row * axons + axon, int64 [n], ascending and none twice."""

    place: Tensor
    rows: int
    axons: int

    @property
    def share(self) -> float:
        """How many of all axons spike."""
        return len(self.place) / max(self.rows * self.axons, 1)

    def matrix(self) -> Tensor:
        """int8 [rows, axons]."""
        size = self.rows * self.axons
        spikes = torch.zeros(size, dtype=torch.int8, device=self.place.device)
        return spikes.index_fill_(0, self.place, 1).view(self.rows, self.axons)

    def by_row(self) -> tuple[Tensor, Tensor]:
        """The axons that spike, row after row, int64 [n], and where each row begins, [rows]."""
        first = torch.arange(self.rows + 1, device=self.place.device) * self.axons
        starts = torch.searchsorted(self.place, first)
        return self.place - first[:-1].repeat_interleave(starts.diff()), starts[:-1]


def ascending(places: NDArray[np.int64], size: int, device: torch.device) -> Tensor:
    """Places below `size` on a device, ascending and none twice: most often, they come so."""
    found = torch.from_numpy(places).to(device)
    if (places[1:] > places[:-1]).all():
        return found
    taken = torch.zeros(size, dtype=torch.bool, device=device)
    return true_places(taken.index_fill_(0, found, True))


def parted(places: Tensor, ends: Sequence[int]) -> Iterator[Tensor]:
    """Ascending places, cut at `ends`, the first of which is 0: each part from its own 0 on."""
    cuts = torch.searchsorted(places, torch.tensor(ends, device=places.device)).tolist()
    for start, first, end in zip(ends, cuts, cuts[1:], strict=False):
        yield places[first:end] - start


def true_places(values: Tensor) -> Tensor:
    """Where a tensor of bools is true, as places in all of it, int64 [n]."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(values.numpy()))
    return values.flatten().nonzero().flatten()
