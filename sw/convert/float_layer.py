"""A layer of another framework in floats, as its file says it and as the chip can have it."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.convert.decisions import Fires
from sw.convert.linear_map import LinearMap
from sw.integer.network import MAX_LEAK, Reset

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
        reset: what a spike does to v: it becomes 0, loses the threshold, or stays.
        fires: where v >= threshold ("at"), or v > threshold ("above").
        late: the threshold is lost in the next step, after its leak.
        pool: 2 x 2 maximum pooling of the spikes follows.
    """

    name: str
    sources: tuple[str, ...]
    drive: LinearMap
    keep: float
    threshold: NDArray[np.float64]
    spiking: bool
    reset: Reset = "zero"
    fires: Fires = "at"
    late: bool = False
    pool: bool = False

    def immediate(self, *, approximate: bool) -> tuple["FloatLayer", str | None]:
        """The layer as the chip resets it, and a note, if that is another way.

        Raises `InputError` if it is another way and none is to stand for it.
        """
        if not self.late or self.keep == 1:
            return replace(self, late=False), None
        chip = f"the chip loses it before the leak, so {self.keep:g} of it is lost by then"
        if not approximate:
            raise InputError(
                f"layer {self.name}: a spike loses the threshold after the leak of the next step, "
                f"{chip}: take that as near with approximate, or train with a reset to zero"
            )
        return replace(self, late=False), f"a spike lost the threshold after the leak; {chip}"

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
