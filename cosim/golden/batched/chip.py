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
from cosim.golden.batched.contents import Contents
from cosim.golden.batched.currents import Currents
from cosim.golden.batched.state import State
from cosim.golden.batched.team import Team, targets
from cosim.golden.boxes import Boxes, Indices
from cosim.golden.core import counter_words
from cosim.golden.front_door import FrontDoor
from cosim.golden.synapses import Synapses
from hw.spec import DATA_BITS, FULL_CHIP, ChipShape, Counter, Region

WORD_MASK = (1 << DATA_BITS) - 1
CPU = torch.device("cpu")
WEIGHTS = 1 << 30  # bytes of merged weights that are kept


class BatchedChip(FrontDoor):
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
        self._contents = Contents(shape, device)
        self._currents = Currents(device, weights)
        self.power_up(images)

    def power_up(self, images: int) -> None:
        """A batch of so many images; the configuration stays, all else is as after power-up."""
        if images < 1:
            raise ValueError(f"golden model of {images} images: must be 1 or more")
        self._images = images
        self._state = State(self._shape.cores, images, self._device)
        self._arrivals = Arrivals(self._shape, images)
        self._responses = []

    def reset(self) -> None:
        """As the chip's reset pin: registers and all else as after power-up, memories stay."""
        self._contents.reset()
        self.power_up(self._images)

    # ------------------------------------------------------------ the tick
    def _go(self) -> None:
        """Every core consumes what arrived; what they fire arrives for the next tick."""
        teams = self._contents.teams(self._state.now)
        self._state.widen(self._contents.neurons)
        taken, alike = self._arrivals.take(self._contents.width)
        for team in teams:
            v, noise = self._state.of(team), self._state.noise(team)
            current = self._current(team, taken, alike)
            fired = team.update(
                v, current, None if noise is None else torch.from_numpy(noise).to(self._device)
            )
            self._state.put(team, v)
            self._send(team, _places(fired))
        self._state.advance()

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

    def _send(self, team: Team, fired: Indices) -> None:
        """Spikes of a team, as places in [images, cores, neurons], to the host and to cores."""
        image, number = np.divmod(fired, len(team.cores) * team.neurons)
        core = number // team.neurons
        of_each = np.bincount(
            image * len(team.cores) + core, minlength=self._images * len(team.cores)
        )
        self._state.spikes_out[team.cores] += of_each.reshape(self._images, -1).T
        which, words = team.reports.sent(number)
        tick = self._state.now[team.cores].astype(np.uint64)
        self._responses.append((image[which], words | tick[core[which]]))
        which, words = team.fan_out.sent(number)
        self._arrive(image[which], *targets(words))

    def _arrive(self, image: Indices, box: Boxes, axon: Indices) -> None:
        self._arrivals.add(image, box, axon, self._contents.width)

    # ------------------------------------------------------------ commands
    def _write_core(self, core: int, region: int, offset: Indices, data: Indices) -> None:
        self._contents.write(core, region, offset, data)

    def _written(self) -> None:
        self._contents.written()

    def _restart(self, core: int) -> None:
        self._state.restart(core, self._contents.memories[core].seed)
        self._arrivals.restart(core)

    def _clear_counters(self, core: int) -> None:
        self._state.clear_counters(core)
        self._arrivals.spikes_in[core] = 0

    def _read_core(self, core: int, region: int, offset: Indices) -> Indices:
        if region == Region.MEMBRANE:
            return self._read_membranes(core, offset)
        if region == Region.COUNTER:
            return self._read_counters(core, offset)
        return self._contents.memories[core].read(region, offset)[None]

    def _read_membranes(self, core: int, offset: Indices) -> Indices:
        y, x = divmod(core, self._shape.columns)
        if (offset >= self._shape.dendrites).any():
            raise ValueError(f"core ({x}, {y}): nothing at MEMBRANE {offset.max()}")
        neurons = self._contents.of(core)[0].neurons
        self._state.widen(neurons)
        words = np.zeros((self._images, len(offset)), np.int64)
        is_neuron = offset < neurons  # beyond them memory reads as 0
        membranes = self._state.membrane[:, core, :neurons].cpu().numpy()
        words[:, is_neuron] = membranes[:, offset[is_neuron]] & WORD_MASK
        return words

    def _read_counters(self, core: int, offset: Indices) -> Indices:
        state = self._state
        counters = {
            Counter.TICKS: np.full(self._images, state.ticks[core]),
            Counter.SPIKES_IN: self._arrivals.spikes_in[core],
            Counter.SPIKES_OUT: state.spikes_out[core],
            Counter.SYNAPTIC_OPS: state.synaptic_ops[core],
        }
        y, x = divmod(core, self._shape.columns)
        return counter_words(f"core ({x}, {y})", counters, offset)


def _places(fired: Tensor) -> NDArray[np.int64]:
    """Where a tensor is true, as places in all of it, int64 [n]."""
    if fired.device.type == "cpu":
        return np.flatnonzero(fired.numpy())
    places: NDArray[np.int64] = fired.flatten().nonzero().flatten().cpu().numpy()
    return places
