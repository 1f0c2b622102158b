"""A golden core's configuration memories: written and read word by word, and what they mean."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hw.spec import (
    DATA_BITS,
    FANOUT,
    FANOUT_ENTRIES,
    FANOUT_RANGE,
    LEAK,
    NEURON_STRIDE,
    PAGE_COUNTS,
    REGISTERS,
    ROW_WORDS,
    ChipShape,
    NeuronWord,
    Region,
    Register,
    RegisterFormat,
    ResetMode,
)

WORD_MASK = (1 << DATA_BITS) - 1


def _by_register(value: Callable[[RegisterFormat], int], none: int) -> NDArray[np.int64]:
    """A number of each register, by its index; `none` where nothing is stored."""
    stored = {which: form for which, form in REGISTERS.items() if which != Register.CONTROL}
    return np.array(
        [value(stored[i]) if i in stored else none for i in range(max(REGISTERS) + 1)], np.int64
    )


# The largest word that a register takes, and its word after reset. A signed register takes any
# word and extends the sign of its low bits; the others keep a word as it is.
_REGISTER_MOST = _by_register(lambda form: WORD_MASK if form.signed else form.most, none=-1)
_REGISTER_RESET = _by_register(lambda form: form.reset & WORD_MASK, none=0)
_REGISTER_BITS = _by_register(lambda form: form.bits if form.signed else DATA_BITS, none=DATA_BITS)


@dataclass(frozen=True, eq=False)
class Configuration:
    """A core's configuration as numbers.

    `plane_weight` is int64 [planes], `threshold` and `bias` int64 [neurons]. Fan-out: neuron
    `sender[i]` (int64 [entries]) has the FANOUT word `entry[i]` (uint64 [entries]).
    """

    planes: int
    pages: int
    neurons: int
    leak: int | None
    reset: ResetMode
    noise_mask: int
    floor: int
    first_tick: int
    last_tick: int
    trace: bool
    plane_weight: NDArray[np.int64]
    threshold: NDArray[np.int64]
    bias: NDArray[np.int64]
    sender: NDArray[np.int64]
    entry: NDArray[np.uint64]

    @cached_property
    def onwards(self) -> NDArray[np.bool_]:
        """The fan-out entries that lead to cores, bool [entries]; the others lead to the host."""
        to_cores: NDArray[np.bool_] = FANOUT.get(self.entry, "host") == 0
        return to_cores

    @cached_property
    def reporting(self) -> NDArray[np.int64]:
        """The neurons whose spikes the host sees, once for every time it does."""
        return np.concatenate(
            [self.sender[~self.onwards], np.arange(self.neurons if self.trace else 0)]
        )


class ConfigurationMemory:
    """Synapses, neuron parameters, fan-out table and registers of core (x, y), after power-up.

    Raises `ValueError` for words that are not there or values that do not fit, and for a
    configuration that is none: hardware would do something then, but nothing defined.
    """

    def __init__(self, shape: ChipShape, x: int, y: int) -> None:
        self._shape = shape
        self._name = f"core ({x}, {y})"
        self._words: dict[int, NDArray[np.int64]] = {
            Region.SYNAPSE: np.zeros(shape.dendrites * ROW_WORDS, np.int64),
            Region.NEURON: np.zeros(shape.dendrites * NEURON_STRIDE, np.int64),
            Region.FANOUT: np.zeros(FANOUT_ENTRIES, np.int64),
            Region.REGISTER: _REGISTER_RESET.copy(),
        }

    def reset_registers(self) -> None:
        """The registers as after power-up; the memories stay."""
        self._words[Region.REGISTER] = _REGISTER_RESET.copy()

    def write(self, region: int, offset: NDArray[np.int64], data: NDArray[np.int64]) -> None:
        """Store words (unsigned 32 bits in int64 [n]) at these offsets; the later one counts."""
        if region not in self._words:
            raise ValueError(f"{self._name}: region {region} cannot be written")
        self._check(region, offset)
        most = self._most(region, offset)
        if (data > most).any():
            wrong = int(np.flatnonzero(data > most)[0])
            raise ValueError(
                f"{self._name}: {int(data[wrong]):#x} does not fit the word at "
                f"{Region(region).name} {int(offset[wrong])}"
            )
        if region == Region.REGISTER:
            data = _signed(data, _REGISTER_BITS[offset]) & WORD_MASK
        self._words[region][offset] = data

    def read(self, region: int, offset: NDArray[np.int64]) -> NDArray[np.int64]:
        """The words (unsigned 32 bits in int64 [n]) at these offsets.

        CONTROL, gaps between the registers and a neuron's fourth word read as 0, plane weights
        with their sign.
        """
        self._check(region, offset)
        return self._words[region][offset]

    def _check(self, region: int, offset: NDArray[np.int64]) -> None:
        wrong = offset >= len(self._words[region])
        if region == Region.SYNAPSE:
            wrong |= offset % ROW_WORDS >= self._shape.row_words
        if wrong.any():
            where = int(offset[np.flatnonzero(wrong)[0]])
            raise ValueError(f"{self._name}: nothing at {Region(region).name} {where}")

    @staticmethod
    def _most(region: int, offset: NDArray[np.int64]) -> NDArray[np.int64]:
        """Largest value of the words at these offsets."""
        if region == Region.REGISTER:
            return _REGISTER_MOST[offset]
        if region == Region.FANOUT:
            return np.full(len(offset), (1 << FANOUT.width) - 1)
        most = np.full(len(offset), WORD_MASK)
        if region == Region.NEURON:
            most[offset % NEURON_STRIDE == NeuronWord.FANOUT] = (1 << FANOUT_RANGE.width) - 1
            most[offset % NEURON_STRIDE > NeuronWord.FANOUT] = -1
        return most

    @property
    def pages(self) -> int:
        return PAGE_COUNTS[int(self._words[Region.REGISTER][Register.PAGE_SHIFT])]

    @property
    def seed(self) -> int:
        return int(self._words[Region.REGISTER][Register.SEED])

    def configuration(self) -> Configuration:
        """What the memories say; only the rows and words of the N neurons count."""
        register = self._words[Region.REGISTER]
        planes, neurons = int(register[Register.PLANES]), int(register[Register.NEURONS])
        rows = neurons * planes * self.pages
        if planes == 0 or rows > self._shape.dendrites:
            raise ValueError(
                f"{self._name}: {neurons} neurons x {planes} planes x {self.pages} pages: "
                f"must be 1 plane or more, and at most {self._shape.dendrites} rows"
            )
        leak = int(register[Register.LEAK])
        neuron = self._words[Region.NEURON].reshape(-1, NEURON_STRIDE)[:neurons]
        weight = register[Register.PLANE_WEIGHT : Register.PLANE_WEIGHT + planes]
        sender, entry = self._fan_out(neuron[:, NeuronWord.FANOUT])
        return Configuration(
            planes=planes,
            pages=self.pages,
            neurons=neurons,
            leak=LEAK.get(leak, "shift") if LEAK.get(leak, "enable") else None,
            reset=ResetMode(register[Register.RESET_MODE]),
            noise_mask=int(register[Register.NOISE_MASK]),
            floor=int(_signed(register[Register.FLOOR], DATA_BITS)),
            first_tick=int(register[Register.FIRST_TICK]),
            last_tick=int(register[Register.LAST_TICK]),
            trace=bool(register[Register.TRACE]),
            plane_weight=_signed(weight, DATA_BITS),
            threshold=_signed(neuron[:, NeuronWord.THRESHOLD], DATA_BITS),
            bias=_signed(neuron[:, NeuronWord.BIAS], DATA_BITS),
            sender=sender,
            entry=entry,
        )

    def rows(self) -> NDArray[np.bool_]:
        """The synapses of the N neurons, bool [pages, neurons, planes, axons]."""
        register = self._words[Region.REGISTER]
        size = (self.pages, int(register[Register.NEURONS]), int(register[Register.PLANES]))
        bits = np.unpackbits(self._row_words().view(np.uint8), axis=1, bitorder="little")
        return bits.view(np.bool_).reshape(*size, self._shape.axons)

    def synapse_digest(self) -> bytes:
        """The same for two cores of a chip if their currents are."""
        register = self._words[Region.REGISTER]
        size = register[[Register.PLANES, Register.PAGE_SHIFT, Register.NEURONS]]
        weights = register[Register.PLANE_WEIGHT :]
        parts = (size, weights, self._row_words())
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()

    def _row_words(self) -> NDArray[np.uint32]:
        """The rows of the N neurons, little-endian [rows, words]."""
        register = self._words[Region.REGISTER]
        rows = int(register[Register.NEURONS] * register[Register.PLANES]) * self.pages
        words = self._words[Region.SYNAPSE].reshape(-1, ROW_WORDS)
        return words[:rows, : self._shape.row_words].astype("<u4")

    def _fan_out(self, ranges: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        start, count = FANOUT_RANGE.get(ranges, "start"), FANOUT_RANGE.get(ranges, "count")
        if (start + count > FANOUT_ENTRIES).any():
            raise ValueError(
                f"{self._name}: a neuron's fan-out runs beyond {FANOUT_ENTRIES} entries"
            )
        sender = np.repeat(np.arange(len(ranges)), count)
        within = np.arange(len(sender)) - np.repeat(np.cumsum(count) - count, count)
        entry = self._words[Region.FANOUT][np.repeat(start, count) + within]
        return sender, entry.astype(np.uint64)


def _signed(word: NDArray[np.int64], bits: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """The low `bits` bits of each word as a signed number."""
    sign = np.int64(1) << np.int64(bits - 1)
    return ((word + sign) & (2 * sign - 1)) - sign
