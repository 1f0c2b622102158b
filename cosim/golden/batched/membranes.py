"""The membranes of all cores on a device, for a batch of images."""

import torch
from torch import Tensor

from cosim.golden.cores.team import Team
from hw.spec import MEMBRANE_MAX, MEMBRANE_MIN


class Membranes:
    """int32 [images, cores, neurons], of as many neurons as ever were used; all 0 at power-up.

    `most` is what none of them exceeds in size.
    """

    def __init__(self, cores: int, images: int, device: torch.device) -> None:
        self._v = torch.zeros((images, cores, 0), dtype=torch.int32, device=device)
        self.most = 0

    def widen(self, neurons: int) -> None:
        """Room for so many neurons of each core."""
        more = neurons - self._v.shape[2]
        if more > 0:
            self._v = torch.nn.functional.pad(self._v, (0, more))

    def restart(self, cores: list[int]) -> None:
        """Those of some cores are 0."""
        self._v[:, cores] = 0
        if len(cores) == self._v.shape[1]:
            self.most = 0

    def of_core(self, core: int, neurons: int) -> Tensor:
        """A view of a core's, int32 [images, neurons]."""
        return self._v[:, core, :neurons]

    def of(self, team: Team, most: int) -> Tensor:
        """A team's, [images, cores, neurons], for sums of at most `most` in size.

        int32 where it holds these: a view, or else to be `put` back. int64 otherwise.
        """
        v = self._v[:, team.index, : team.neurons]
        return v if most <= MEMBRANE_MAX else v.long()

    def put(self, team: Team, v: Tensor, most: int) -> None:
        """What became of them: of at most `most` in size, and cut to 32 bits."""
        if v.dtype != self._v.dtype or not isinstance(team.index, slice):
            self._v[:, team.index, : team.neurons] = v
        self.most = max(self.most, min(most, -MEMBRANE_MIN))
