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
        for team, current in zip(teams, currents, strict=True):
            v = self._membranes.of(team)
            fired = self._soma(team).integrate_and_fire(v, current, self._state.noise(team))
            self._membranes.put(team, v)
            image, neuron = divided(_places(fired), len(team.cores) * team.neurons)
            self._send(team, image, neuron)
        self._state.advance()
        image, words = self._taken_sent()
        self._arrive(image, box_of(FANOUT, words), axon_of(words))

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
        places = spike_places(taken, slots, self._images)
        spikes = torch.zeros(ends[-1], dtype=torch.int8, device=self._device)
        spikes.index_fill_(0, torch.from_numpy(places).to(self._device), 1)
        share = len(places) / max(ends[-1], 1)
        of_stacks = torch.split(spikes, np.diff(ends).tolist())
        sums: dict[Team, list[tuple[list[int], Tensor]]] = defaultdict(list)
        for stack, of_stack in zip(stacks, of_stacks, strict=True):
            sums[stack.team].append((stack.cores, self._sum(stack, of_stack, share)))
        return [self._joined(team, sums[team]) for team in teams]

    def _sum(self, stack: Stack, spikes: Tensor, share: float) -> Tensor:
        """I of its cores, slot by slot, [images, slots * cores, neurons]."""
        rows = spikes.view(-1, stack.width)
        current, operations = self._currents.of(stack.synapses, rows, share)
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
