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
from cosim.golden.cores.synapses import Synapses
from cosim.golden.cores.team import Team
from cosim.golden.door.boxes import Boxes, axon_of, box_of
from cosim.golden.door.front_door import Indices
from cosim.golden.door.memory_map import MappedChip
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
        for team, current in zip(teams, currents, strict=True):
            v = self._membranes.of(team)
            fired = self._soma(team).integrate_and_fire(v, current, self._state.noise(team))
            self._membranes.put(team, v)
            self._send(team, _places(fired))
        self._state.advance()
        image, words = self._taken_sent()
        self._arrive(image, box_of(FANOUT, words), axon_of(words))

    def _soma(self, team: Team) -> Somas:
        if team not in self._somas:
            self._somas[team] = Somas.of(team, self._device)
        return self._somas[team]

    def _team_currents(self, teams: list[Team]) -> list[Tensor | None]:
        """I of each team, whole numbers [cores, images, neurons]; None: no core heard anything."""
        taken, alike = self._arrivals.take(self._contents.width)
        stacks = [stack for team in teams for stack in _stacks(team, alike)]
        slots, end = [], 0
        for stack in stacks:
            for heard in stack.heard:
                slots.append(Slot(heard, end, stack.width))
                end += self._images * stack.width
        spikes = torch.zeros(end, dtype=torch.int8, device=self._device)
        places = spike_places(taken, slots, self._images)
        spikes.index_fill_(0, torch.from_numpy(places).to(self._device), 1)
        sums: dict[Team, list[tuple[list[int], Tensor]]] = defaultdict(list)
        start = 0
        for stack in stacks:
            size = len(stack.heard) * self._images * stack.width
            of_stack = spikes[start : start + size].view(-1, stack.width)
            sums[stack.team].append((stack.cores, self._sum(stack, of_stack)))
            start += size
        return [self._joined(team, sums[team]) for team in teams]

    def _sum(self, stack: Stack, spikes: Tensor) -> Tensor:
        """I of its cores, slot by slot, [slots * cores, images, neurons]."""
        current, operations = self._currents.of(stack.synapses, spikes)
        slots, cores = len(stack.heard), len(stack.synapses)
        ops = operations.view(slots, self._images, cores).swapaxes(1, 2).reshape(-1, self._images)
        self._state.synaptic_ops[stack.cores] += ops.cpu().numpy()
        by_core = current.view(slots, self._images, cores, -1).swapaxes(1, 2)
        return by_core.reshape(slots * cores, self._images, -1)

    def _joined(self, team: Team, parts: list[tuple[list[int], Tensor]]) -> Tensor | None:
        """The currents of a team's cores in order, of parts with those of some cores each."""
        if not parts:
            return None
        order = [core for cores, _ in parts for core in cores]
        found = torch.cat([part for _, part in parts]) if len(parts) > 1 else parts[0][1]
        if order == team.cores:
            return found
        size = (len(team.cores), self._images, team.neurons)
        current = torch.zeros(size, dtype=found.dtype, device=self._device)
        index = torch.tensor(np.searchsorted(team.cores, order), device=self._device)
        return current.index_copy_(0, index, found)

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


def _places(fired: Tensor) -> NDArray[np.int64]:
    """Where a tensor is true, as places in all of it, int64 [n]."""
    if fired.device.type == "cpu":
        return np.flatnonzero(fired.numpy())
    places: NDArray[np.int64] = fired.flatten().nonzero().flatten().cpu().numpy()
    return places
