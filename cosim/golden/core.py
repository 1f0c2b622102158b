"""One core of the golden model: what a tick does to its neurons, by the rules of `hw.spec`.

Everything is batched over images: configuration, tick and LFSR are the same for all of them,
membranes and counters are each image's own.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cosim.golden.lfsr import lfsr_run
from cosim.golden.memory import Configuration, ConfigurationMemory
from cosim.golden.synapses import Synapses
from hw.spec import (
    COUNTER_BITS,
    DATA_BITS,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    REGISTERS,
    TICK_BITS,
    ChipShape,
    Counter,
    Region,
    Register,
    ResetMode,
)

WORD_MASK = (1 << DATA_BITS) - 1
Shared = dict[bytes, Synapses]  # of cores that hold the same ones


def saturate(v: NDArray[np.int64]) -> None:
    """Clip `v`, in its place, to what a membrane holds."""
    np.clip(v, MEMBRANE_MIN, MEMBRANE_MAX, out=v)


class GoldenCore:
    """Core (x, y) for a batch of images.

    `write` and `read` are its memory map, `tick` a `go`, `restart` and `clear_counters` what
    CONTROL asks for. Raises `ValueError` where `ConfigurationMemory` does, and for counters that
    the model does not have: they count cycles and routers.
    """

    def __init__(self, shape: ChipShape, x: int, y: int, images: int, shared: Shared) -> None:
        self.x, self.y = x, y
        self._dendrites = shape.dendrites
        self._memory = ConfigurationMemory(shape, x, y)
        self._shared = shared
        self._compiled: tuple[Configuration, Synapses] | None = None
        self.power_up(images)

    def power_up(self, images: int) -> None:
        """A batch of so many images; the configuration stays, all else is as after power-up."""
        self.now = 0
        self._images = images
        self._membrane = np.zeros((images, 0), np.int64)  # of as many neurons as ever were used
        self._lfsr = REGISTERS[Register.SEED].reset  # SEED itself counts at a RESTART
        self.clear_counters()

    def reset(self) -> None:
        """The registers are as after power-up; `power_up` does the rest."""
        self._memory.reset_registers()
        self._compiled = None

    @property
    def pages(self) -> int:
        return self._memory.pages

    @property
    def config(self) -> Configuration:
        return self._compile()[0]

    @property
    def rows(self) -> NDArray[np.bool_]:
        """The synapses of the neurons, bool [pages, neurons, planes, axons]."""
        return self._memory.rows()

    @property
    def membranes(self) -> NDArray[np.int64]:
        """A copy of them, int64 [images, neurons]."""
        neurons = self.config.neurons
        return self._membrane[:, :neurons].copy()

    @property
    def lfsr(self) -> int:
        """Its state."""
        return self._lfsr

    def _compile(self) -> tuple[Configuration, Synapses]:
        if self._compiled is None:
            config = self._memory.configuration()
            digest = self._memory.synapse_digest()
            if digest not in self._shared:
                self._shared[digest] = Synapses(self._memory.rows(), config.plane_weight)
            self._compiled = config, self._shared[digest]
        config = self._compiled[0]
        before = self._membrane.shape[1]
        if config.neurons > before:
            new = np.zeros((self._images, config.neurons - before), np.int64)
            self._membrane = np.hstack([self._membrane, new])
        return self._compiled

    # ------------------------------------------------------------ the tick
    def tick(self, axons: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Consume axon spikes (bool [images, pages * axons]; None: there are none).

        Who fired, bool [images, neurons]; None: nobody was to be updated.
        """
        config, synapses = self._compile()
        active = config.first_tick <= self.now < config.last_tick and config.neurons > 0
        self.now = (self.now + 1) & ((1 << TICK_BITS) - 1)
        self._ticks += 1
        if not active:
            return None
        current: NDArray[np.int64] | int = 0
        if axons is not None:
            current, operations = synapses.integrate(axons)
            self._synaptic_ops += operations
        fired = self._integrate_and_fire(config, current)
        self._spikes_out += fired.sum(axis=1)
        return fired

    def _integrate_and_fire(
        self, config: Configuration, current: NDArray[np.int64] | int
    ) -> NDArray[np.bool_]:
        lfsr, self._lfsr = lfsr_run(self._lfsr, config.neurons)
        v = self._membrane[:, : config.neurons]  # a view: what follows happens in the membrane
        if config.leak is not None:
            v -= v >> config.leak
        v += current
        v += config.bias
        saturate(v)
        fired: NDArray[np.bool_] = v >= config.threshold + (lfsr & config.noise_mask)
        if config.reset is ResetMode.ZERO:
            np.copyto(v, 0, where=fired)
        elif config.reset is ResetMode.SUBTRACT:
            np.subtract(v, config.threshold, out=v, where=fired)
            saturate(v)
        if config.floor > MEMBRANE_MIN:
            np.maximum(v, config.floor, out=v)
        return fired

    # ------------------------------------------------------------ commands
    def restart(self) -> None:
        """Tick 0, membranes 0, LFSR at its seed."""
        self.now = 0
        self._membrane[:] = 0
        self._lfsr = self._memory.seed

    def clear_counters(self) -> None:
        self._ticks = 0
        self._spikes_out = np.zeros(self._images, np.int64)
        self._synaptic_ops = np.zeros(self._images, np.int64)

    # ------------------------------------------------------------ memory map
    def write(self, region: int, offset: NDArray[np.int64], data: NDArray[np.int64]) -> None:
        """Store words, as `ConfigurationMemory.write`."""
        self._memory.write(region, offset, data)
        self._compiled = None

    def read(
        self, region: int, offset: NDArray[np.int64], spikes_in: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Words (unsigned 32 bits), int64 [1 or images, n]: [1, n] where all images agree.

        The core's inputs are counted outside it: `spikes_in`, int64 [images].
        """
        if region == Region.MEMBRANE:
            return self._read_membranes(offset)
        if region == Region.COUNTER:
            return self._read_counters(offset, spikes_in)
        return self._memory.read(region, offset)[None]

    def _read_membranes(self, offset: NDArray[np.int64]) -> NDArray[np.int64]:
        if (offset >= self._dendrites).any():
            raise ValueError(f"core ({self.x}, {self.y}): nothing at MEMBRANE {offset.max()}")
        words = np.zeros((self._images, len(offset)), np.int64)
        is_neuron = offset < self.config.neurons  # beyond them memory reads as 0
        words[:, is_neuron] = self._membrane[:, offset[is_neuron]] & WORD_MASK
        return words

    def _read_counters(
        self, offset: NDArray[np.int64], spikes_in: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        counters = {
            Counter.TICKS: np.full(self._images, self._ticks),
            Counter.SPIKES_IN: spikes_in,
            Counter.SPIKES_OUT: self._spikes_out,
            Counter.SYNAPTIC_OPS: self._synaptic_ops,
        }
        return counter_words(f"core ({self.x}, {self.y})", counters, offset)


def counter_words(
    core: str, counters: Mapping[Counter, NDArray[np.int64]], offset: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Words (unsigned 32 bits) at these offsets, int64 [images, n], of counters int64 [images].

    Raises `ValueError`, which names the core, for a counter that is not among them.
    """
    words = []
    for index, high in zip(*np.divmod(offset, COUNTER_BITS // DATA_BITS), strict=True):
        if index not in counters:
            raise ValueError(
                f"{core}: counter {index} is not modelled, only "
                + ", ".join(counter.name for counter in counters)
            )
        words.append(counters[index] >> (DATA_BITS * high) & WORD_MASK)
    return np.column_stack(words) if words else np.zeros((1, 0), np.int64)
