"""What a tick does to neurons of many images, on a device, by the rules of `hw.spec`."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.cores.team import Team
from hw.spec import MEMBRANE_MAX, MEMBRANE_MIN, ResetMode


@dataclass(frozen=True, eq=False)
class Somas:
    """A team's neurons on a device: int32 [cores, neurons], `floor` [cores, 1] or None."""

    team: Team
    threshold: Tensor
    bias: Tensor
    floor: Tensor | None

    @classmethod
    def of(cls, team: Team, device: torch.device) -> "Somas":
        def tensor(values: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(values.astype(np.int32)).to(device)

        floor = None if team.floor is None else tensor(team.floor)
        return cls(team, tensor(team.threshold), tensor(team.bias), floor)

    def most(self, before: int) -> int:
        """What no membrane, and no sum on the way to it, exceeds in size in a tick that begins with
        membranes of at most `before`, if nothing is cut. v - (v >> k) is the largest where v is."""
        leak = self.team.leak
        most = self._added + (before if leak is None else before - (before >> leak))
        return most if self.team.floor is None else max(most, _size(self.team.floor))

    @cached_property
    def _added(self) -> int:
        """What a tick adds at most; to subtract a threshold below 0 is to add."""
        added = max(each.most for each in self.team.synapses) + _size(self.team.bias)
        if self.team.reset is ResetMode.SUBTRACT:
            added += max(0, -int(self.team.threshold.min()))
        return added

    def integrate_and_fire(
        self, v: Tensor, current: Tensor | None, noise: NDArray[np.int64] | None
    ) -> Tensor:
        """One tick of membranes `v`, [images, cores, neurons], in their place: who fired.

        They are int64; or int32, where it holds all sums (`most`), and then nothing is to be cut.
        `current` is of the same shape, `noise` int64 [cores, neurons]; None: all 0.
        """
        cut = v.dtype == torch.int64
        threshold = self.threshold.to(v.dtype)
        if self.team.leak is not None:
            v -= v >> self.team.leak
        if current is not None:
            v += current
        v += self.bias.to(v.dtype)
        if cut:
            v.clamp_(MEMBRANE_MIN, MEMBRANE_MAX)
        if noise is None:
            fired = v >= threshold
        else:
            fired = v >= threshold.long() + torch.from_numpy(noise).to(threshold.device)
        if self.team.reset is ResetMode.ZERO:
            v *= ~fired
        elif self.team.reset is ResetMode.SUBTRACT:
            v -= fired * threshold
            if cut:
                v.clamp_(MEMBRANE_MIN, MEMBRANE_MAX)
        if self.floor is not None:
            torch.maximum(v, self.floor.to(v.dtype), out=v)
        return fired


def _size(values: NDArray[np.int64]) -> int:
    return int(np.abs(values).max(initial=0))
