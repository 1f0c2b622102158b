"""What all cores hold: their memories, and what these say, as teams and synapses."""

from collections import defaultdict

import numpy as np
import torch
from numpy.typing import NDArray

from cosim.golden.batched.team import Key, Team, alike, team
from cosim.golden.memory import Configuration, ConfigurationMemory
from cosim.golden.synapses import Synapses
from hw.spec import ChipShape


class Contents:
    """The memories of all cores, numbered row by row; what they say is kept until a write.

    Raises `ValueError` where `ConfigurationMemory` does.
    """

    def __init__(self, shape: ChipShape, device: torch.device) -> None:
        self._shape, self._device = shape, device
        self.memories = [
            ConfigurationMemory(shape, *reversed(divmod(core, shape.columns)))
            for core in range(shape.cores)
        ]
        self._compiled: list[tuple[Configuration, Synapses] | None] = [None] * shape.cores
        self._synapses: dict[bytes, Synapses] = {}
        self._teams: dict[tuple[int, ...], list[Team]] = {}
        self.width = self._widths()

    def _widths(self) -> list[int]:
        return [memory.pages * self._shape.axons for memory in self.memories]

    def write(
        self, core: int, region: int, offset: NDArray[np.int64], data: NDArray[np.int64]
    ) -> None:
        """Store words of a core."""
        self.memories[core].write(region, offset, data)
        self._compiled[core] = None

    def written(self) -> None:
        """A run of writes is over."""
        self._teams.clear()
        self.width = self._widths()

    def reset(self) -> None:
        """The registers as after power-up."""
        for memory in self.memories:
            memory.reset_registers()
        self._compiled = [None] * self._shape.cores
        self.written()

    def of(self, core: int) -> tuple[Configuration, Synapses]:
        """A core's configuration and its synapses: one object for all cores with the same ones."""
        found = self._compiled[core]
        if found is None:
            memory = self.memories[core]
            config, digest = memory.configuration(), memory.synapse_digest()
            if digest not in self._synapses:
                self._synapses[digest] = Synapses(memory.rows(), config.plane_weight)
            found = self._compiled[core] = config, self._synapses[digest]
        return found

    def teams(self, now: NDArray[np.int64]) -> list[Team]:
        """The cores that are updated in their ticks `now`, int64 [cores], as teams."""
        configs = [self.of(core)[0] for core in range(self._shape.cores)]
        active = tuple(
            core
            for core, config in enumerate(configs)
            if config.first_tick <= now[core] < config.last_tick and config.neurons
        )
        if active not in self._teams:
            groups: dict[Key, list[int]] = defaultdict(list)
            for core in active:
                groups[alike(configs[core])].append(core)
            self._teams[active] = [
                team(self._shape, cores, [configs[core] for core in cores], self._device)
                for cores in groups.values()
            ]
        return self._teams[active]

    @property
    def neurons(self) -> int:
        """The most neurons of a core."""
        return max(self.of(core)[0].neurons for core in range(self._shape.cores))
