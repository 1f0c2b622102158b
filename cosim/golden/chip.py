"""The golden model: the whole chip at tick level in numpy, fed with the same flits as the RTL."""

import numpy as np
from numpy.typing import NDArray

from cosim.golden.axons import AxonBuffers
from cosim.golden.cores.membranes import Membranes
from cosim.golden.cores.soma import integrate_and_fire
from cosim.golden.cores.team import Team
from cosim.golden.door.boxes import Boxes, axon_of, box_of
from cosim.golden.door.front_door import Indices
from cosim.golden.door.memory_map import MappedChip, divided
from cosim.golden.watcher import Watched, Watcher
from hw.spec import FANOUT, FULL_CHIP, ChipShape

ROOM = 1 << 21  # bytes of the neurons and synapses of a team, times images: what caches hold


class GoldenChip(MappedChip):
    """A chip for `images` images at once: cores that are alike are updated side by side."""

    def __init__(
        self, shape: ChipShape = FULL_CHIP, images: int = 1, watcher: Watcher | None = None
    ) -> None:
        super().__init__(shape)
        self._watcher = watcher
        self.power_up(images)

    def power_up(self, images: int) -> None:
        """A batch of so many images; the configuration stays, all else is as after power-up."""
        super().power_up(images)
        self._membranes = Membranes(self._shape.cores, images)
        self._axons = AxonBuffers(self._shape, self._state.spikes_in, self._contents.width)

    # ------------------------------------------------------------ the tick
    def _go(self) -> None:
        """Every core consumes what arrived; what they fire arrives for the next tick."""
        teams = self._contents.teams(self._state.now, ROOM // self._images)
        self._membranes.widen(self._contents.neurons)
        if self._watcher is not None:
            self._show_cores(self._watcher)
        fired = [self._tick(team) for team in teams]
        if self._watcher is not None:
            self._show_spikes(self._watcher, teams, fired)
        self._state.advance()
        self._axons.clear()
        image, words = self._taken_sent()
        self._arrive(image, box_of(FANOUT, words), axon_of(words))

    def _tick(self, team: Team) -> NDArray[np.bool_]:
        """Who of a team fires, bool [cores, images, neurons]; it is told to the host."""
        current, axons = None, self._axons.of(team)
        if axons is not None:
            current, operations = team.stack.integrate(axons)
            self._state.synaptic_ops[team.index] += operations
        v = self._membranes.of(team)
        fired = integrate_and_fire(team, v, current, self._state.noise(team))
        self._membranes.put(team, v)
        row, neuron = divided(np.flatnonzero(fired), team.neurons)
        core, image = divided(row, self._images)
        self._send(team, image, core * team.neurons + neuron)
        return fired

    def _arrive(self, image: Indices, box: Boxes, axon: Indices) -> None:
        self._axons.deliver(image, box, axon)

    # ------------------------------------------------------------ commands
    def _written(self) -> None:
        super()._written()
        self._axons.repage(self._contents.width)

    def _restart(self, cores: list[int]) -> None:
        super()._restart(cores)
        self._membranes.restart(cores)
        self._axons.drop(cores)

    def _membranes_of(self, core: int, neurons: int) -> NDArray[np.int64]:
        self._membranes.widen(neurons)
        return self._membranes.of_core(core, neurons)

    # ------------------------------------------------------------ who watches
    def _show_cores(self, watcher: Watcher) -> None:
        for core, memory in enumerate(self._contents.memories):
            config = self._contents.of(core)[0]
            y, x = divmod(core, self._shape.columns)
            seen = Watched(
                x=x,
                y=y,
                tick=int(self._state.now[core]),
                config=config,
                memory=memory,
                membranes=self._membranes.of_core(core, config.neurons).copy(),
                lfsr=int(self._state.lfsr[core]),
            )
            watcher.before(seen, self._axons.of_core(core))

    def _show_spikes(
        self, watcher: Watcher, teams: list[Team], fired: list[NDArray[np.bool_]]
    ) -> None:
        of_core = {
            core: spikes
            for team, of_team in zip(teams, fired, strict=True)
            for core, spikes in zip(team.cores, of_team, strict=True)
        }
        for core in range(self._shape.cores):
            y, x = divmod(core, self._shape.columns)
            watcher.after(x, y, of_core.get(core))
