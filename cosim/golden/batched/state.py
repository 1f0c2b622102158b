"""What a batch of images changes in the cores: membranes, ticks, LFSRs and counters."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.batched.team import Team
from cosim.golden.lfsr import lfsr_run
from hw.spec import REGISTERS, TICK_BITS, Register


class State:
    """All of it as after power-up. Cores are numbered row by row.

    Attributes:
        membrane: int64 [images, cores, neurons], of as many neurons as ever were used.
        now: each core's tick, int64 [cores].
        lfsr: each core's state.
        ticks: int64 [cores].
        spikes_out, synaptic_ops: int64 [cores, images].
    """

    def __init__(self, cores: int, images: int, device: torch.device) -> None:
        self.membrane = torch.zeros((images, cores, 0), dtype=torch.int64, device=device)
        self.now = np.zeros(cores, np.int64)
        self.lfsr = [REGISTERS[Register.SEED].reset] * cores  # SEED itself counts at a RESTART
        self.ticks = np.zeros(cores, np.int64)
        self.spikes_out = np.zeros((cores, images), np.int64)
        self.synaptic_ops = np.zeros((cores, images), np.int64)

    def widen(self, neurons: int) -> None:
        """Room for so many neurons of each core."""
        more = neurons - self.membrane.shape[2]
        if more > 0:
            self.membrane = torch.nn.functional.pad(self.membrane, (0, more))

    def restart(self, core: int, seed: int) -> None:
        """Tick 0, membranes 0, LFSR at its seed."""
        self.now[core] = 0
        self.membrane[:, core] = 0
        self.lfsr[core] = seed

    def clear_counters(self, core: int) -> None:
        self.ticks[core] = self.spikes_out[core] = self.synaptic_ops[core] = 0

    def advance(self) -> None:
        """The tick is over, for cores that were updated and for all others."""
        self.now = (self.now + 1) & ((1 << TICK_BITS) - 1)
        self.ticks += 1

    def noise(self, team: Team) -> NDArray[np.int64] | None:
        """The LFSRs of a team make their steps: int64 [cores, neurons], masked; None: all 0."""
        drawn = []
        for core in team.cores:
            states, self.lfsr[core] = lfsr_run(self.lfsr[core], team.neurons)
            drawn.append(states)
        return None if team.noise_mask is None else np.stack(drawn) & team.noise_mask

    def of(self, team: Team) -> Tensor:
        """A team's membranes, int64 [images, cores, neurons]: a view, or else to be `put` back."""
        return self.membrane[:, _index(team.cores), : team.neurons]

    def put(self, team: Team, membrane: Tensor) -> None:
        """What became of them."""
        index = _index(team.cores)
        if not isinstance(index, slice):
            self.membrane[:, index, : team.neurons] = membrane


def _index(cores: list[int]) -> slice | list[int]:
    """These cores, as a slice where they are side by side."""
    side_by_side = cores[-1] - cores[0] + 1 == len(cores)
    return slice(cores[0], cores[-1] + 1) if side_by_side else cores
