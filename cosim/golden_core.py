"""One core of the golden model: what a tick does to its neurons, by the rules of `hw.spec`.

Everything is batched over images: configuration, tick and LFSR are the same for all of them,
membranes and counters are each image's own.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.golden_memory import Configuration, ConfigurationMemory
from cosim.lfsr import lfsr_run
from hw.spec import (
    COUNTER_BITS,
    DATA_BITS,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    TICK_BITS,
    ChipShape,
    Counter,
    Region,
    ResetMode,
)

WORD_MASK = (1 << DATA_BITS) - 1
EXACT_FLOAT32 = 1 << 24  # whole numbers up to here are exact in 32-bit floats
FloatArray = NDArray[np.floating[Any]]


def saturate(v: NDArray[np.int64]) -> NDArray[np.int64]:
    """`v` clipped to what a membrane holds."""
    return np.clip(v, MEMBRANE_MIN, MEMBRANE_MAX)


class Synapses:
    """A core's one-bit synapses as one matrix product, exact in floating point.

    A neuron's weight from an axon is the sum of its planes' weights there. Take the largest power
    of two out of the plane weights, then no partial sum of a neuron, in whatever order, is larger
    than the sum of its weights' sizes: where that is below 2^24, 32-bit floats are exact. It is
    below 2^32 always (8192 axons x 8 planes x 2^15), where 64-bit floats are.
    """

    def __init__(self, config: Configuration) -> None:
        common = int(np.gcd.reduce(config.plane_weight))
        self._unit = common & -common if common else 1
        weight = np.einsum("nfpa,p->fan", config.row, config.plane_weight // self._unit)
        weight = weight.reshape(config.pages * config.row.shape[3], config.neurons)
        largest = np.abs(weight).sum(axis=0).max(initial=0)
        dtype = np.float32 if largest <= EXACT_FLOAT32 else np.float64
        self._weight: FloatArray = weight.astype(dtype)
        self._rows: NDArray[np.float32] = (
            config.row.sum(axis=(0, 2), dtype=np.int64).ravel().astype(np.float32)
        )

    def current(self, axons: NDArray[np.bool_]) -> NDArray[np.int64]:
        """I, int64 [images, neurons], for axons bool [images, pages * axons]."""
        product: FloatArray = axons.astype(self._weight.dtype) @ self._weight
        return product.astype(np.int64) * self._unit

    def operations(self, axons: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Synapses that met a spike, int64 [images]: at most 2^20, exact in 32-bit floats."""
        return (axons.astype(np.float32) @ self._rows).astype(np.int64)


class GoldenCore:
    """Core (x, y) for a batch of images.

    `write` and `read` are its memory map, `tick` a `go`, `restart` and `clear_counters` what
    CONTROL asks for. Raises `ValueError` where `ConfigurationMemory` does, and for counters that
    the model does not have: they count cycles and routers.
    """

    def __init__(self, shape: ChipShape, x: int, y: int, images: int) -> None:
        self.x, self.y = x, y
        self.spikes_in = np.zeros(images, np.int64)
        self.now = 0
        self._dendrites = shape.dendrites
        self._memory = ConfigurationMemory(shape, x, y)
        self._membrane = np.zeros((images, 0), np.int64)  # of as many neurons as ever were used
        self._lfsr = self._memory.seed
        self.clear_counters()
        self._compiled: tuple[Configuration, Synapses] | None = None

    @property
    def pages(self) -> int:
        return self._memory.pages

    @property
    def config(self) -> Configuration:
        return self._compile()[0]

    def _compile(self) -> tuple[Configuration, Synapses]:
        if self._compiled is None:
            config = self._memory.configuration()
            self._compiled = config, Synapses(config)
            images, before = self._membrane.shape
            if config.neurons > before:
                new = np.zeros((images, config.neurons - before), np.int64)
                self._membrane = np.hstack([self._membrane, new])
        return self._compiled

    # ------------------------------------------------------------ the tick
    def tick(self, axons: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Consume axon spikes (bool [images, pages * axons]); who fired: bool [images, neurons]."""
        config, synapses = self._compile()
        fired = np.zeros((len(axons), config.neurons), np.bool_)
        if config.first_tick <= self.now < config.last_tick and config.neurons:
            fired = self._integrate_and_fire(config, synapses.current(axons))
            self._synaptic_ops += synapses.operations(axons)
            self._spikes_out += fired.sum(axis=1)
        self.now = (self.now + 1) & ((1 << TICK_BITS) - 1)
        self._ticks += 1
        return fired

    def _integrate_and_fire(
        self, config: Configuration, current: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        lfsr, self._lfsr = lfsr_run(self._lfsr, config.neurons)
        v = self._membrane[:, : config.neurons]
        leaked = v if config.leak is None else v - (v >> config.leak)
        v = saturate(leaked + current + config.bias)
        fired = v >= config.threshold + (lfsr & config.noise_mask)
        if config.reset is ResetMode.ZERO:
            v = np.where(fired, 0, v)
        elif config.reset is ResetMode.SUBTRACT:
            v = np.where(fired, saturate(v - config.threshold), v)
        self._membrane[:, : config.neurons] = np.maximum(v, config.floor)
        return fired

    # ------------------------------------------------------------ commands
    def restart(self) -> None:
        """Tick 0, membranes 0, LFSR at its seed."""
        self.now = 0
        self._membrane[:] = 0
        self._lfsr = self._memory.seed

    def clear_counters(self) -> None:
        self._ticks = 0
        self.spikes_in[:] = 0
        self._spikes_out = np.zeros_like(self.spikes_in)
        self._synaptic_ops = np.zeros_like(self.spikes_in)

    # ------------------------------------------------------------ memory map
    def write(self, region: int, offset: NDArray[np.int64], data: NDArray[np.int64]) -> None:
        """Store words, as `ConfigurationMemory.write`."""
        self._memory.write(region, offset, data)
        self._compiled = None

    def read(self, region: int, offset: NDArray[np.int64]) -> NDArray[np.int64]:
        """Words (unsigned 32 bits), int64 [1 or images, n]: [1, n] where all images agree."""
        if region == Region.MEMBRANE:
            return self._read_membranes(offset)
        if region == Region.COUNTER:
            return self._read_counters(offset)
        return self._memory.read(region, offset)[None]

    def _read_membranes(self, offset: NDArray[np.int64]) -> NDArray[np.int64]:
        if (offset >= self._dendrites).any():
            raise ValueError(f"core ({self.x}, {self.y}): nothing at MEMBRANE {offset.max()}")
        words = np.zeros((len(self.spikes_in), len(offset)), np.int64)
        is_neuron = offset < self.config.neurons  # beyond them memory reads as 0
        words[:, is_neuron] = self._membrane[:, offset[is_neuron]] & WORD_MASK
        return words

    def _read_counters(self, offset: NDArray[np.int64]) -> NDArray[np.int64]:
        counters = {
            Counter.TICKS: np.full_like(self.spikes_in, self._ticks),
            Counter.SPIKES_IN: self.spikes_in,
            Counter.SPIKES_OUT: self._spikes_out,
            Counter.SYNAPTIC_OPS: self._synaptic_ops,
        }
        words = []
        for index, high in zip(*np.divmod(offset, COUNTER_BITS // DATA_BITS), strict=True):
            if index not in counters:
                raise ValueError(
                    f"core ({self.x}, {self.y}): counter {index} is not modelled, only "
                    + ", ".join(counter.name for counter in counters)
                )
            words.append(counters[index] >> (DATA_BITS * high) & WORD_MASK)
        return np.column_stack(words) if words else np.zeros((1, 0), np.int64)
