"""What all cores hold: their memories, and what these say, as teams."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.memory import ConfigurationMemory
from cosim.golden.cores.synapses import Synapses
from cosim.golden.cores.team import Held, Key, Team, alike, make_team
from hw.spec import ChipShape

MEMBRANE_BYTES = 8  # of a neuron, in an array of int64


class Contents:
    """The memories of all cores, numbered row by row; what they say is kept until a write.

    Raises `ValueError` where `ConfigurationMemory` does.
    """

    def __init__(self, shape: ChipShape) -> None:
        self._shape = shape
        self.memories = [
            ConfigurationMemory(shape, *reversed(divmod(core, shape.columns)))
            for core in range(shape.cores)
        ]
        self._held: list[Held | None] = [None] * shape.cores
        self._synapses: dict[bytes, Synapses] = {}
        self.written()

    def write(
        self, core: int, region: int, offset: NDArray[np.int64], data: NDArray[np.int64]
    ) -> None:
        """Store words of a core."""
        self.memories[core].write(region, offset, data)
        self._held[core] = None

    def written(self) -> None:
        """A run of writes is over."""
        self._windows: NDArray[np.int64] | None = None
        self._teams: dict[tuple[bytes, int | None], list[Team]] = {}
        self.width = np.array([memory.pages * self._shape.axons for memory in self.memories])

    def reset(self) -> None:
        """The registers as after power-up."""
        for memory in self.memories:
            memory.reset_registers()
        self._held = [None] * self._shape.cores
        self.written()

    def of(self, core: int) -> Held:
        """A core's configuration and its synapses: one object for all cores with the same ones."""
        found = self._held[core]
        if found is None:
            memory = self.memories[core]
            config, digest = memory.configuration(), memory.synapse_digest()
            if digest not in self._synapses:
                self._synapses[digest] = Synapses(memory.rows(), config.plane_weight)
            found = self._held[core] = config, self._synapses[digest]
        return found

    @property
    def neurons(self) -> int:
        """The most neurons of a core."""
        return int(self._by_core()[0].max())

    def teams(self, now: NDArray[np.int64], room: int | None = None) -> list[Team]:
        """The cores that are updated in their ticks `now`, int64 [cores], as teams.

        A team's neurons and synapses take at most `room` bytes, unless it is one core.
        """
        neurons, first, last = self._by_core()
        active = (first <= now) & (now < last) & (neurons > 0)
        key = active.tobytes(), room
        if key not in self._teams:
            groups: dict[Key, list[int]] = defaultdict(list)
            for core in np.flatnonzero(active).tolist():
                groups[alike(self.of(core)[0])].append(core)
            self._teams[key] = [
                make_team(self._shape, part, [self.of(core) for core in part])
                for cores in groups.values()
                for part in self._parts(cores, room)
            ]
        return self._teams[key]

    def _parts(self, cores: list[int], room: int | None) -> Iterator[list[int]]:
        config, _ = self.of(cores[0])
        rows = config.planes * config.pages
        each = config.neurons * (MEMBRANE_BYTES + rows * self._shape.axons // 8)
        most = len(cores) if room is None else max(1, room // each)
        for start in range(0, len(cores), most):
            yield cores[start : start + most]

    def _by_core(self) -> NDArray[np.int64]:
        """Number of neurons, first and last tick of each core, int64 [3, cores]."""
        if self._windows is None:
            configs = [self.of(core)[0] for core in range(self._shape.cores)]
            self._windows = np.array(
                [(config.neurons, config.first_tick, config.last_tick) for config in configs]
            ).T
        return self._windows
