"""The membranes of all cores, for a batch of images."""

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.team import Team


class Membranes:
    """int64 [cores, images, neurons], of as many neurons as ever were used; all 0 at power-up."""

    def __init__(self, cores: int, images: int) -> None:
        self._v = np.zeros((cores, images, 0), np.int64)

    def widen(self, neurons: int) -> None:
        """Room for so many neurons of each core."""
        more = neurons - self._v.shape[2]
        if more > 0:
            self._v = np.pad(self._v, [(0, 0), (0, 0), (0, more)])

    def restart(self, cores: list[int]) -> None:
        """Those of some cores are 0."""
        self._v[cores] = 0

    def of_core(self, core: int, neurons: int) -> NDArray[np.int64]:
        """A view of a core's, int64 [images, neurons]."""
        return self._v[core, :, :neurons]

    def of(self, team: Team) -> NDArray[np.int64]:
        """A team's, int64 [cores, images, neurons]: a view, or else to be `put` back."""
        return self._v[team.index, :, : team.neurons]

    def put(self, team: Team, v: NDArray[np.int64]) -> None:
        """What became of them."""
        if not isinstance(team.index, slice):
            self._v[team.index, :, : team.neurons] = v
