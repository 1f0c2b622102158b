"""The cores' LFSR as a table: any run of its states in one indexing step."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hw.spec import LFSR_BITS, LFSR_TAPS


def lfsr_next(state: int) -> int:
    """One step: bit 0 is shifted out, and if it was 1 the rest is XORed with the taps."""
    return state >> 1 ^ (LFSR_TAPS if state & 1 else 0)


@cache
def _orbit() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All states but 0 in order from 1 on, and each state's place in that order."""
    states = np.empty((1 << LFSR_BITS) - 1, np.int64)
    state = 1
    for step in range(len(states)):
        states[step] = state
        state = lfsr_next(state)
    place = np.zeros(1 << LFSR_BITS, np.int64)
    place[states] = np.arange(len(states))
    return states, place


def lfsr_run(state: int, steps: int) -> tuple[NDArray[np.int64], int]:
    """The `steps` states from `state` on (int64 [steps]), and the one behind them."""
    if state == 0:
        return np.zeros(steps, np.int64), 0
    states, place = _orbit()
    run = states[(place[state] + np.arange(steps + 1)) % len(states)]
    return run[:-1], int(run[-1])
