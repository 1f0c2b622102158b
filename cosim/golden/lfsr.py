"""The cores' LFSR as a table: any run of its states is a part of it."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hw.spec import LFSR_BITS, LFSR_TAPS

PERIOD = (1 << LFSR_BITS) - 1


def lfsr_next(state: int) -> int:
    """One step: bit 0 is shifted out, and if it was 1 the rest is XORed with the taps."""
    return state >> 1 ^ (LFSR_TAPS if state & 1 else 0)


@cache
def _orbit() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All states but 0 in order from 1 on, twice, and each state's place in that order."""
    states = np.empty(PERIOD, np.int64)
    state = 1
    for step in range(PERIOD):
        states[step] = state
        state = lfsr_next(state)
    place = np.zeros(1 << LFSR_BITS, np.int64)
    place[states] = np.arange(PERIOD)
    twice = np.tile(states, 2)
    twice.flags.writeable = False  # runs of it are handed out
    return twice, place


def lfsr_run(state: int, steps: int) -> tuple[NDArray[np.int64], int]:
    """The `steps` states from `state` on (int64 [steps], to be read only), and the one behind them.

    At most `PERIOD` of them, more than a core has neurons.
    """
    if state == 0:
        return np.zeros(steps, np.int64), 0
    twice, place = _orbit()
    start = int(place[state])
    return twice[start : start + steps], int(twice[start + steps])
