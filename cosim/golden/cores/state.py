"""What a batch of images changes in the cores, beside membranes: ticks, LFSRs and counters."""

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.lfsr import lfsr_after, lfsr_runs
from cosim.golden.cores.team import Team
from hw.spec import REGISTERS, TICK_BITS, Register


class State:
    """All of it as after power-up. Cores are numbered row by row.

    Attributes:
        now, lfsr: each core's tick, and its LFSR's state, int64 [cores].
        ticks: int64 [cores].
        spikes_in, spikes_out, synaptic_ops: int64 [cores, images].
    """

    def __init__(self, cores: int, images: int) -> None:
        self.now = np.zeros(cores, np.int64)
        # SEED itself counts at a RESTART
        self.lfsr = np.full(cores, REGISTERS[Register.SEED].reset, np.int64)
        self.ticks = np.zeros(cores, np.int64)
        self.spikes_in = np.zeros((cores, images), np.int64)
        self.spikes_out = np.zeros((cores, images), np.int64)
        self.synaptic_ops = np.zeros((cores, images), np.int64)

    def restart(self, cores: list[int], seeds: list[int]) -> None:
        """Tick 0, LFSRs at their seeds."""
        self.now[cores] = 0
        self.lfsr[cores] = seeds

    def clear_counters(self, cores: list[int]) -> None:
        self.ticks[cores] = 0
        for counter in (self.spikes_in, self.spikes_out, self.synaptic_ops):
            counter[cores] = 0

    def advance(self) -> None:
        """The tick is over, for cores that were updated and for all others."""
        self.now = (self.now + 1) & ((1 << TICK_BITS) - 1)
        self.ticks += 1

    def noise(self, team: Team) -> NDArray[np.int64] | None:
        """The LFSRs of a team make their steps: int64 [cores, neurons], masked; None: all 0."""
        states = self.lfsr[team.index].copy()
        self.lfsr[team.index] = lfsr_after(states, team.neurons)
        if team.noise_mask is None:
            return None
        return lfsr_runs(states, team.neurons) & team.noise_mask
