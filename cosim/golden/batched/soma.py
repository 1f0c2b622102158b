"""What a tick does to neurons of many images, on a device, by the rules of `hw.spec`."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.cores.team import Team
from hw.spec import MEMBRANE_MAX, MEMBRANE_MIN, ResetMode


@dataclass(frozen=True, eq=False)
class Somas:
    """A team's neurons on a device: int64 [cores, neurons], `floor` [cores, 1] or None."""

    team: Team
    threshold: Tensor
    bias: Tensor
    floor: Tensor | None

    @classmethod
    def of(cls, team: Team, device: torch.device) -> "Somas":
        def tensor(values: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(values).to(device)

        floor = None if team.floor is None else tensor(team.floor)
        return cls(team, tensor(team.threshold), tensor(team.bias), floor)

    def integrate_and_fire(
        self, v: Tensor, current: Tensor | None, noise: NDArray[np.int64] | None
    ) -> Tensor:
        """One tick of membranes `v`, int64 [images, cores, neurons], in their place: who fired.

        `current` is of the same shape, `noise` int64 [cores, neurons]; None: all 0.
        """
        threshold = self.threshold
        if self.team.leak is not None:
            v -= v >> self.team.leak
        if current is not None:
            v += current
        v += self.bias
        v.clamp_(MEMBRANE_MIN, MEMBRANE_MAX)
        if noise is None:
            fired = v >= threshold
        else:
            fired = v >= threshold + torch.from_numpy(noise).to(threshold.device)
        if self.team.reset is ResetMode.ZERO:
            v *= ~fired
        elif self.team.reset is ResetMode.SUBTRACT:
            v -= fired * threshold
            v.clamp_(MEMBRANE_MIN, MEMBRANE_MAX)
        if self.floor is not None:
            torch.maximum(v, self.floor, out=v)
        return fired
