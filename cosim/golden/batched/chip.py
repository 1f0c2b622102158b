"""The batched golden model: the chip for hundreds of images, fed with the same flits as all others.

All images of a batch have one configuration, tick and LFSR: weights and thresholds are there once,
and a core's neurons are updated for all images together, next to those of cores like it.
"""

from collections import defaultdict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.batched.arrivals import Arrival, Arrivals, Heard, spike_keys
from cosim.golden.batched.currents import Currents
from cosim.golden.batched.membranes import Membranes
from cosim.golden.batched.soma import Somas
from cosim.golden.cores.synapses import Synapses
from cosim.golden.cores.team import Team
from cosim.golden.door.boxes import Boxes, axon_of, box_of
from cosim.golden.door.front_door import Indices
from cosim.golden.door.memory_map import MappedChip
from hw.spec import FANOUT, FULL_CHIP, ChipShape

CPU = torch.device("cpu")
WEIGHTS = 1 << 30  # bytes of merged weights that are kept


class BatchedChip(MappedChip):
    """A chip for `images` images at once; of its weights at most `weights` bytes are kept."""

    def __init__(
        self,
        shape: ChipShape = FULL_CHIP,
        images: int = 1,
        device: torch.device = CPU,
        weights: int = WEIGHTS,
    ) -> None:
        super().__init__(shape)
        self._device = device
        self._currents = Currents(device, weights)
        self._somas: dict[Team, Somas] = {}
        self.power_up(images)

    def power_up(self, images: int) -> None:
        """A batch of so many images; the configuration stays, all else is as after power-up."""
        super().power_up(images)
        self._membranes = Membranes(self._shape.cores, images, self._device)
        self._arrivals = Arrivals(self._shape, self._state.spikes_in)

    # ------------------------------------------------------------ the tick
    def _go(self) -> None:
        """Every core consumes what arrived; what they fire arrives for the next tick."""
        teams = self._contents.teams(self._state.now)
        self._membranes.widen(self._contents.neurons)
        taken, alike = self._arrivals.take(self._contents.width)
        for team in teams:
            current = self._current(team, taken, alike)
            v = self._membranes.of(team)
            fired = self._soma(team).integrate_and_fire(v, current, self._state.noise(team))
            self._membranes.put(team, v)
            image, neuron = np.divmod(_places(fired), len(team.cores) * team.neurons)
            self._send(team, image, neuron)
        self._state.advance()
        image, words = self._taken_sent()
        self._arrive(image, box_of(FANOUT, words), axon_of(words))

    def _soma(self, team: Team) -> Somas:
        if team not in self._somas:
            self._somas[team] = Somas.of(team, self._device)
        return self._somas[team]

    def _current(
        self, team: Team, taken: list[Arrival], alike: dict[Heard, list[int]]
    ) -> Tensor | None:
        """I, int64 [images, cores, neurons]; None: no core of the team heard anything."""
        # Slots: cores that hear the same. Where others hold the same synapses, in one sum.
        stacks: dict[tuple[Synapses, ...], list[tuple[Heard, list[int]]]] = defaultdict(list)
        members = set(team.cores)
        for heard, cores in alike.items():
            if here := [core for core in cores if core in members]:
                stacks[tuple(self._contents.of(core)[1] for core in here)].append((heard, here))
        parts = [self._sum(synapses, taken, slots) for synapses, slots in stacks.items()]
        order = [core for slots in stacks.values() for _, cores in slots for core in cores]
        if not parts:
            return None
        if order == team.cores and len(parts) == 1:
            return parts[0]
        current = torch.zeros(
            (self._images, len(team.cores), team.neurons), dtype=torch.int64, device=self._device
        )
        place = {core: number for number, core in enumerate(team.cores)}
        index = torch.tensor([place[core] for core in order], device=self._device)
        return current.index_copy_(1, index, torch.cat(parts, dim=1))

    def _sum(
        self,
        synapses: tuple[Synapses, ...],
        taken: list[Arrival],
        slots: list[tuple[Heard, list[int]]],
    ) -> Tensor:
        """I of the slots' cores, slot by slot, int64 [images, slots * cores, neurons]."""
        width = synapses[0].axons
        keys = spike_keys(taken, [heard for heard, _ in slots], width)
        current, operations = self._currents.of(synapses, keys, self._images * len(slots))
        cores = [core for _, of_slot in slots for core in of_slot]
        self._state.synaptic_ops[cores] += operations.reshape(self._images, -1).T.cpu().numpy()
        return current.reshape(self._images, len(cores), -1)

    def _arrive(self, image: Indices, box: Boxes, axon: Indices) -> None:
        self._arrivals.add(image, box, axon, self._contents.width)

    # ------------------------------------------------------------ commands
    def _written(self) -> None:
        super()._written()
        self._somas.clear()

    def _restart(self, core: int) -> None:
        super()._restart(core)
        self._membranes.restart(core)
        self._arrivals.restart(core)

    def _membranes_of(self, core: int, neurons: int) -> NDArray[np.int64]:
        self._membranes.widen(neurons)
        return self._membranes.of_core(core, neurons).cpu().numpy()


def _places(fired: Tensor) -> NDArray[np.int64]:
    """Where a tensor is true, as places in all of it, int64 [n]."""
    if fired.device.type == "cpu":
        return np.flatnonzero(fired.numpy())
    places: NDArray[np.int64] = fired.flatten().nonzero().flatten().cpu().numpy()
    return places
