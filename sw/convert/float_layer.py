"""A layer of another framework in floats, as its file says it and as the chip can have it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.convert.linear_map import LinearMap
from sw.integer.network import MAX_LEAK

NEAR = 1e-6


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """Neurons and what leads to them; per step  v = keep v + weights x inputs + bias.

    Attributes:
        sources: the layers whose spikes come in, or `sw.integer.network.INPUT`.
        drive: of all sources' channels one after the other, gains included.
        keep: the share of v that a step leaves, 0 to 1.
        threshold: float64 [out].
        spiking: False: it integrates.
    """

    name: str
    sources: tuple[str, ...]
    drive: LinearMap
    keep: float
    threshold: NDArray[np.float64]
    spiking: bool

    def leak(self, *, approximate: bool) -> tuple[int | None, str | None]:
        """The shift that keeps this share, None for all of it; and a note, if it is another one.

        Raises `InputError` if there is no such shift, and none is to stand for it.
        """
        if self.keep == 1:
            return None, None
        lost = 1 - self.keep
        exact = -math.log2(lost)
        shift = round(exact)
        if abs(exact - shift) < NEAR and 0 <= shift <= MAX_LEAK:
            return shift, None
        shift = min(max(shift, 0), MAX_LEAK)
        note = f"leak {self.keep:g} -> {1 - 2.0**-shift:g}: the chip keeps 1 - 2^-k of a membrane"
        if not approximate:
            raise InputError(
                f"layer {self.name}: keeps {self.keep:g} of a membrane a step, the chip 1 - 2^-k: "
                f"choose dt so that dt / tau is a power of two, or take {1 - 2.0**-shift:g} with "
                "--approximate"
            )
        return shift, note
