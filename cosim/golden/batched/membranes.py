"""The membranes of all cores on a device, for a batch of images."""

import torch
from torch import Tensor

from cosim.golden.cores.team import Team


class Membranes:
    """int64 [images, cores, neurons], of as many neurons as ever were used; all 0 at power-up."""

    def __init__(self, cores: int, images: int, device: torch.device) -> None:
        self._v = torch.zeros((images, cores, 0), dtype=torch.int64, device=device)

    def widen(self, neurons: int) -> None:
        """Room for so many neurons of each core."""
        more = neurons - self._v.shape[2]
        if more > 0:
            self._v = torch.nn.functional.pad(self._v, (0, more))

    def restart(self, cores: list[int]) -> None:
        """Those of some cores are 0."""
        self._v[:, cores] = 0

    def of_core(self, core: int, neurons: int) -> Tensor:
        """A view of a core's, int64 [images, neurons]."""
        return self._v[:, core, :neurons]

    def of(self, team: Team) -> Tensor:
        """A team's, int64 [images, cores, neurons]: a view, or else to be `put` back."""
        return self._v[:, team.index, : team.neurons]

    def put(self, team: Team, v: Tensor) -> None:
        """What became of them."""
        if not isinstance(team.index, slice):
            self._v[:, team.index, : team.neurons] = v
