"""The batched golden model: the chip for hundreds of images, fed with the same flits as all others.

All images of a batch have one configuration, tick and LFSR: weights and thresholds are there once,
and a core's neurons are updated for all images together, next to those of cores like it.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.batched.arrivals import Arrivals, Heard, Slot, spike_places
from cosim.golden.batched.currents import Currents
from cosim.golden.batched.membranes import Membranes
from cosim.golden.batched.soma import Somas
from cosim.golden.batched.spikes import Spikes, ascending, parted, true_places
from cosim.golden.cores.synapses import Synapses
from cosim.golden.cores.team import Team
from cosim.golden.door.boxes import Boxes, axon_of, box_of
from cosim.golden.door.front_door import Indices
from cosim.golden.door.memory_map import MappedChip, divided
from hw.spec import FANOUT, FULL_CHIP, ChipShape

CPU = torch.device("cpu")
WEIGHTS = 1 << 30  # bytes of merged weights that are kept


class Stack(NamedTuple):
    """Cores of a team with the same synapses, core by core, in as many slots as hear something.

    `heard` is of each slot; `cores` are slot by slot, as many in each as there are `synapses`.
    """

    team: Team
    synapses: tuple[Synapses, ...]
    heard: list[Heard]
    cores: list[int]

    @property
    def width(self) -> int:
        return self.synapses[0].axons


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
        currents = self._team_currents(teams)
        before = self._membranes.most
        for team, current in zip(teams, currents, strict=True):
            self._tick(team, current, before)
        self._state.advance()
        image, words = self._taken_sent()
        self._arrive(image, box_of(FANOUT, words), axon_of(words))

    def _tick(self, team: Team, current: Tensor | None, before: int) -> None:
        """Updates a team's neurons, of membranes of at most `before` in size; says who fires."""
        soma = self._soma(team)
        most = soma.most(before)
        v = self._membranes.of(team, most)
        fired = true_places(soma.integrate_and_fire(v, current, self._state.noise(team)))
        self._membranes.put(team, v, most)
        image, neuron = divided(fired.cpu().numpy(), len(team.cores) * team.neurons)
        self._send(team, image, neuron)

    def _soma(self, team: Team) -> Somas:
        if team not in self._somas:
            self._somas[team] = Somas.of(team, self._device)
        return self._somas[team]

    def _team_currents(self, teams: list[Team]) -> list[Tensor | None]:
        """I of each team, whole numbers [images, cores, neurons]; None: no core heard anything."""
        taken, alike = self._arrivals.take(self._contents.width)
        stacks = [stack for team in teams for stack in _stacks(team, alike)]
        slots, ends = [], [0]
        for stack in stacks:
            step = len(stack.heard) * stack.width
            for number, heard in enumerate(stack.heard):
                slots.append(Slot(heard, ends[-1] + number * stack.width, step))
            ends.append(ends[-1] + self._images * step)
        places = ascending(spike_places(taken, slots, self._images), ends[-1], self._device)
        sums: dict[Team, list[tuple[list[int], Tensor]]] = defaultdict(list)
        for stack, place in zip(stacks, parted(places, ends), strict=True):
            spikes = Spikes(place, self._images * len(stack.heard), stack.width)
            sums[stack.team].append((stack.cores, self._sum(stack, spikes)))
        return [self._joined(team, sums[team]) for team in teams]

    def _sum(self, stack: Stack, spikes: Spikes) -> Tensor:
        """I of its cores, slot by slot, [images, slots * cores, neurons]."""
        current, operations = self._currents.of(stack.synapses, spikes)
        self._state.synaptic_ops[stack.cores] += (
            operations.reshape(self._images, -1).T.cpu().numpy()
        )
        return current.reshape(self._images, len(stack.cores), -1)

    def _joined(self, team: Team, parts: list[tuple[list[int], Tensor]]) -> Tensor | None:
        """The currents of a team's cores in order, of parts with those of some cores each."""
        if not parts:
            return None
        order = [core for cores, _ in parts for core in cores]
        found = torch.cat([part for _, part in parts], dim=1) if len(parts) > 1 else parts[0][1]
        if order == team.cores:
            return found
        size = (self._images, len(team.cores), team.neurons)
        current = torch.zeros(size, dtype=found.dtype, device=self._device)
        index = torch.tensor(np.searchsorted(team.cores, order), device=self._device)
        return current.index_copy_(1, index, found)

    def _arrive(self, image: Indices, box: Boxes, axon: Indices) -> None:
        self._arrivals.add(image, box, axon, self._contents.width)

    # ------------------------------------------------------------ commands
    def _written(self) -> None:
        super()._written()
        self._somas.clear()

    def _restart(self, cores: list[int]) -> None:
        super()._restart(cores)
        self._membranes.restart(cores)
        self._arrivals.restart(cores)

    def _membranes_of(self, core: int, neurons: int) -> NDArray[np.int64]:
        self._membranes.widen(neurons)
        return self._membranes.of_core(core, neurons).cpu().numpy().astype(np.int64)


def _stacks(team: Team, alike: dict[Heard, list[int]]) -> list[Stack]:
    """A team's cores that hear something; those of a slot hear the same."""
    held = dict(zip(team.cores, team.synapses, strict=True))
    stacks: dict[tuple[Synapses, ...], Stack] = {}
    for heard, cores in alike.items():
        if here := [core for core in cores if core in held]:
            synapses = tuple(held[core] for core in here)
            stack = stacks.setdefault(synapses, Stack(team, synapses, [], []))
            stack.heard.append(heard)
            stack.cores.extend(here)
    return list(stacks.values())
