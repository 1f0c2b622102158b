"""What flits do to the cores' memories, counters and membranes, the same for both golden models."""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.contents import Contents
from cosim.golden.cores.state import State
from cosim.golden.cores.team import Team
from cosim.golden.door.front_door import Flits, FrontDoor, Indices
from hw.spec import COUNTER_BITS, DATA_BITS, ChipShape, Counter, Region

WORD_MASK = (1 << DATA_BITS) - 1
COUNTER_WORDS = COUNTER_BITS // DATA_BITS


class MappedChip(FrontDoor):
    """A chip with all its cores' memories; where membranes and spikes are is left open."""

    def __init__(self, shape: ChipShape) -> None:
        super().__init__(shape)
        self._contents = Contents(shape)
        self._sent: list[tuple[Indices, Flits]] = []  # image and FANOUT word, in this tick

    def power_up(self, images: int) -> None:
        """A batch of so many images; the configuration stays, all else is as after power-up."""
        if images < 1:
            raise ValueError(f"golden model of {images} images: must be 1 or more")
        self._images = images
        self._state = State(self._shape.cores, images)
        self._responses = []

    def reset(self) -> None:
        """As the chip's reset pin: registers and all else as after power-up, memories stay."""
        self._contents.reset()
        self._written()
        self.power_up(self._images)

    @abstractmethod
    def _membranes_of(self, core: int, neurons: int) -> NDArray[np.int64]:
        """The membranes of a core's first neurons, int64 [images, neurons]."""

    # ------------------------------------------------------------ the tick
    def _send(self, team: Team, image: Indices, neuron: Indices) -> None:
        """Spikes of a team (`neuron` is the number in it): the host hears them now, and cores in
        the next tick."""
        core = neuron // team.neurons
        row = core * self._images + image
        count = np.bincount(row, minlength=len(team.cores) * self._images)
        self._state.spikes_out[team.index] += count.reshape(-1, self._images)
        which, words = team.reports.sent(neuron)
        tick = self._state.now[team.index].astype(np.uint64)
        self._responses.append((image[which], words | tick[core[which]]))
        which, words = team.fan_out.sent(neuron)
        self._sent.append((image[which], words))

    def _taken_sent(self) -> tuple[Indices, Flits]:
        """Image and FANOUT word of all that was sent to cores in this tick."""
        sent, self._sent = self._sent, []
        image = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in sent)])
        return image, np.concatenate([np.zeros(0, np.uint64), *(part[1] for part in sent)])

    # ------------------------------------------------------------ commands
    def _write_core(self, core: int, region: int, offset: Indices, data: Indices) -> None:
        self._contents.write(core, region, offset, data)

    def _written(self) -> None:
        self._contents.written()

    def _restart(self, cores: list[int]) -> None:
        self._state.restart(cores, [self._contents.memories[core].seed for core in cores])

    def _clear_counters(self, cores: list[int]) -> None:
        self._state.clear_counters(cores)

    def _read_core(self, core: int, region: int, offset: Indices) -> Indices:
        if region == Region.MEMBRANE:
            return self._read_membranes(core, offset)
        if region == Region.COUNTER:
            return self._read_counters(core, offset)
        return self._contents.memories[core].read(region, offset)[None]

    def _read_membranes(self, core: int, offset: Indices) -> Indices:
        if (offset >= self._shape.dendrites).any():
            raise ValueError(f"{self._name(core)}: nothing at MEMBRANE {offset.max()}")
        neurons = self._contents.of(core)[0].neurons
        words = np.zeros((self._images, len(offset)), np.int64)
        is_neuron = offset < neurons  # beyond them memory reads as 0
        membranes = self._membranes_of(core, neurons)
        words[:, is_neuron] = membranes[:, offset[is_neuron]] & WORD_MASK
        return words

    def _read_counters(self, core: int, offset: Indices) -> Indices:
        counters = {
            Counter.TICKS: np.full(self._images, self._state.ticks[core]),
            Counter.SPIKES_IN: self._state.spikes_in[core],
            Counter.SPIKES_OUT: self._state.spikes_out[core],
            Counter.SYNAPTIC_OPS: self._state.synaptic_ops[core],
        }
        words = []
        for index, high in zip(*np.divmod(offset, COUNTER_WORDS), strict=True):
            if index not in counters:
                raise ValueError(
                    f"{self._name(core)}: counter {index} is not modelled, only "
                    + ", ".join(counter.name for counter in counters)
                )
            words.append(counters[index] >> (DATA_BITS * high) & WORD_MASK)
        return np.column_stack(words) if words else np.zeros((1, 0), np.int64)

    def _name(self, core: int) -> str:
        y, x = divmod(core, self._shape.columns)
        return f"core ({x}, {y})"


def divided(number: Indices, by: int) -> tuple[Indices, Indices]:
    """As `np.divmod`, which for whole numbers takes several times as long."""
    quotient = number // by
    return quotient, number - quotient * by
