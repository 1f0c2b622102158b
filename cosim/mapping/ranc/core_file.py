"""One core of RANC: its `csram_NNN.mem`, a word a neuron, and `tc_NNN.mem`, a type an axon."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.ranc.mem_file import number, read_words, signed
from hw.spec import AXONS, NEURONS
from sw.common.errors import InputError

POTENTIAL_BITS = 9  # of potential, weight, leak, thresholds, dx and dy alike
TYPES, TYPE_BITS = 4, 2  # of axons; a neuron has a weight for each
DELAY_BITS = 4
LEAST, MOST = -(1 << (POTENTIAL_BITS - 1)), (1 << (POTENTIAL_BITS - 1)) - 1

Numbers = NDArray[np.int64]


class Reset(IntEnum):
    """RANC's reset modes."""

    HARD = 0
    LINEAR = 1


@dataclass(frozen=True, eq=False)
class RancCore:
    """A core as RANC holds it; arrays int64 [neurons] if nothing else is said.

    Attributes:
        place: its file, for messages.
        types: of each axon, [axons].
        connected: bool [neurons, axons].
        potential: at the start.
        reset: what a hard reset sets.
        weights: by type of axon, [neurons, TYPES].
        threshold, negative: the positive and the negative threshold.
        mode: `Reset`.
        dx, dy, axon, delay: where a spike goes.
    """

    place: Path
    types: Numbers
    connected: NDArray[np.bool_]
    potential: Numbers
    reset: Numbers
    weights: Numbers
    leak: Numbers
    threshold: Numbers
    negative: Numbers
    mode: Numbers
    dx: Numbers
    dy: Numbers
    axon: Numbers
    delay: Numbers

    @property
    def axons(self) -> int:
        return len(self.types)

    @cached_property
    def synapses(self) -> Numbers:
        """The weight between each neuron and each axon, int64 [neurons, axons]."""
        return np.where(self.connected, self.weights[:, self.types], 0)

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """Which neurons are not at rest for ever, whatever arrives; bool [neurons]."""
        moved = np.any(self.synapses != 0, axis=1) | (self.leak != 0) | (self.potential != 0)
        return np.asarray(moved | (self.threshold <= 0) | (self.negative > 0), np.bool_)


def read_core(folder: Path, index: int) -> RancCore:
    """The core of this number. Raises `InputError`."""
    place, types_file = folder / f"csram_{index:03}.mem", folder / f"tc_{index:03}.mem"
    types = read_words(types_file)
    if types.shape[1] != TYPE_BITS:
        raise InputError(
            f"{types_file}: words have {types.shape[1]} bits, must have {TYPE_BITS}: types of axons"
        )
    axons = len(types)
    if not 2 <= axons <= AXONS:
        raise InputError(f"{types_file}: {axons} axons, must be 2 to {AXONS}")
    words = read_words(place)
    if not 1 <= len(words) <= NEURONS:
        raise InputError(f"{place}: {len(words)} neurons, must be 1 to {NEURONS}")
    widths = field_widths(axons)
    if words.shape[1] != sum(widths.values()):
        raise InputError(
            f"{place}: words have {words.shape[1]} bits, must have {sum(widths.values())} for the "
            f"{axons} axons of {types_file.name}"
        )
    ends = np.cumsum(list(widths.values()))
    fields = dict(zip(widths, np.split(words, ends[:-1], axis=1), strict=True))
    unsigned = {"mode", "axon", "delay"}
    return RancCore(
        place,
        number(types),
        fields.pop("connected")[:, ::-1],  # axon 0 is the last bit
        weights=np.column_stack([signed(fields.pop(f"weight {t}")) for t in range(TYPES)]),
        **{
            name: number(bits) if name in unsigned else signed(bits)
            for name, bits in fields.items()
        },
    )


def field_widths(axons: int) -> dict[str, int]:
    """The fields of a neuron's word and their bits, from the first to the last."""
    names = ("potential", "reset", *(f"weight {t}" for t in range(TYPES)))
    names = (*names, "leak", "threshold", "negative")
    return {
        "connected": axons,
        **dict.fromkeys(names, POTENTIAL_BITS),
        "mode": 1,
        **packet_widths(axons),
    }


def packet_widths(axons: int) -> dict[str, int]:
    """The fields of a packet, the last ones of a neuron's word."""
    axon_bits = (axons - 1).bit_length()
    return {"dx": POTENTIAL_BITS, "dy": POTENTIAL_BITS, "axon": axon_bits, "delay": DELAY_BITS}
