"""The cores' LFSRs as a table: any run of their states is a part of it."""

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
    """All states but 0 in order from 1 on, twice, and zeros behind; each state's place in it."""
    states = np.empty(PERIOD, np.int64)
    state = 1
    for step in range(PERIOD):
        states[step] = state
        state = lfsr_next(state)
    place = np.empty(1 << LFSR_BITS, np.int64)
    place[states] = np.arange(PERIOD)
    place[0] = 2 * PERIOD  # from where on all are 0, as they are from the state 0 on
    return np.concatenate([states, states, np.zeros(PERIOD + 1, np.int64)]), place


def lfsr_run(state: int, steps: int) -> tuple[NDArray[np.int64], int]:
    """The `steps` states from `state` on (int64 [steps]), and the one behind them.

    At most `PERIOD` of them, more than a core has neurons.
    """
    one = np.array([state])
    return lfsr_runs(one, steps)[0], int(lfsr_after(one, steps)[0])


def lfsr_runs(states: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """The same of several LFSRs (int64 [n]): int64 [n, steps]."""
    orbit, place = _orbit()
    runs: NDArray[np.int64] = orbit[place[states][:, None] + np.arange(steps)]
    return runs


def lfsr_after(states: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """Where several LFSRs are after so many steps, int64 [n]."""
    orbit, place = _orbit()
    after: NDArray[np.int64] = orbit[place[states] + steps]
    return after
