"""The attacker's desk: networks and chips to ask, and images made with what they answer."""

from dataclasses import dataclass, field

import torch

from cosim.experiment.levels.subject import Subject
from cosim.experiment.oracle.chip import Chip
from cosim.experiment.oracle.rows import CHIP, FLOAT, QUANTISED, Row
from cosim.experiment.oracle.victim import ChipVictim
from cosim.golden.batched.runner import BatchedRunner
from cosim.mapping.choose import Mapping
from sw.attack.methods import BY_QUERIES, METHODS
from sw.attack.methods.budget import Budget
from sw.attack.victim import Labels, Victim
from sw.data.dataset import Dataset, Images


@dataclass(frozen=True, eq=False)
class Desk:
    """Who can be asked.

    Attributes:
        subject: the network, in software and on a chip as it should be.
        seed: of stuck cells and noise.
        draws: how many other seeds of the noise are tried where its own is not known.
        device: of the golden model.
    """

    subject: Subject
    seed: int
    draws: int
    device: torch.device
    _mappings: dict[tuple[Chip, int], Mapping] = field(default_factory=dict)
    _runners: dict[Chip, BatchedRunner] = field(default_factory=dict)

    def make(self, row: Row, chip: Chip, data: Dataset, budget: Budget) -> tuple[Images, int]:
        """Images made as a row says, and how many queries that took."""
        labels = Labels(data.labels, data.numbers)
        if row.in_software:
            networks = {
                FLOAT: self.subject.float_network,
                QUANTISED: self.subject.quantised_network,
            }
            network = Victim(networks[row.asked], labels)
            return METHODS[row.attack](network, data.images, budget), network.queries
        seeds = [0] if row.asked == CHIP else range(1, self.draws + 1)
        draws = [self.mapping(chip, seed) for seed in seeds]
        victim = ChipVictim(self.subject.network, draws, self.golden(chip), labels)
        return BY_QUERIES[row.attack](victim, data.images, budget), victim.queries

    def mapping(self, chip: Chip, noise: int = 0) -> Mapping:
        """The network on a chip; `noise` 0 is its own, others are other seeds'."""
        if (chip, noise) not in self._mappings:
            seeds = (self.seed, None if not noise else self.seed + (noise << 32))
            self._mappings[chip, noise] = chip.mapping(self.subject.mapping, *seeds)
        return self._mappings[chip, noise]

    def golden(self, chip: Chip) -> BatchedRunner:
        """The golden model of a chip. One is kept: what it has loaded takes memory."""
        if chip not in self._runners:
            self._runners.clear()
            self._runners[chip] = BatchedRunner(self.device)
        return self._runners[chip]
