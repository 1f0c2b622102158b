"""The attacker's desk: networks and chips to ask, and images made with what they answer."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch

from cosim.experiment.levels.subject import Subject
from cosim.experiment.oracle.chip import Chip
from cosim.experiment.oracle.rows import FLOAT, Row
from cosim.experiment.oracle.threshold_noise import noisy
from cosim.experiment.oracle.victim import ChipVictim
from cosim.golden.batched.runner import BatchedRunner
from cosim.mapping.choose import Mapping
from sw.attack.attacks import SURROGATE
from sw.attack.gradient.way import PAPER, Way
from sw.attack.methods import BY_QUERIES, METHODS
from sw.attack.methods.budget import Budget
from sw.attack.victim import Labels, Victim
from sw.data.dataset import Dataset, Images
from sw.model.network import still


@dataclass(frozen=True, eq=False)
class Desk:
    """Who can be asked.

    Attributes:
        subject: the network, in software and on a chip as it should be.
        seed: of stuck cells and noise.
        device: of the golden model.
    """

    subject: Subject
    seed: int
    device: torch.device
    _mappings: dict[tuple[Chip, int], Mapping] = field(default_factory=dict)
    _runners: dict[Chip, BatchedRunner] = field(default_factory=dict)

    def make(self, row: Row, chip: Chip, data: Dataset, budget: Budget) -> tuple[Images, int]:
        """Images made as a row says, and how many queries that took."""
        labels = Labels(data.labels, data.numbers)
        if row.on_chip:
            draws = [self.mapping(chip, seed) for seed in range(1, row.draws + 1)]
            asked = draws or [self.mapping(chip)]
            oracle = ChipVictim(self.subject.network, asked, self.golden(chip), labels)
            return BY_QUERIES[row.attack](oracle, data.images, budget), oracle.queries
        network = self.subject.quantised_network
        if row.asked == FLOAT:
            network = self.subject.float_network
        way = Way(surrogate=SURROGATE.get(row.attack, PAPER), draws=row.draws)
        victim = Victim(network, labels, way)
        with still(network), self._noise(row, chip, len(data)):
            return METHODS[row.attack](victim, data.images, budget), victim.queries

    def mapping(self, chip: Chip, noise: int = 0) -> Mapping:
        """The network on a chip; `noise` 0 is its own, others are other seeds'."""
        if (chip, noise) not in self._mappings:
            self._mappings[chip, noise] = self._mapped(chip, noise)
        return self._mappings[chip, noise]

    def _mapped(self, chip: Chip, noise: int) -> Mapping:
        seeds = (self.seed, None if not noise else self.seed + (noise << 32))
        return chip.mapping(self.subject.mapping, *seeds)

    def _noise(self, row: Row, chip: Chip, images: int) -> AbstractContextManager[None]:
        """The network in software with a chip's noise, if a row's images are made with it."""
        if row.for_any_chip:
            return nullcontext()
        whole = chip.same_without_faults  # which are not known in software
        network = self.subject.quantised_network
        return noisy(network, lambda draw: self._mapped(whole, draw), images)

    def golden(self, chip: Chip) -> BatchedRunner:
        """The golden model of a chip. One is kept: what it has loaded takes memory."""
        if chip not in self._runners:
            self._runners.clear()
            self._runners[chip] = BatchedRunner(self.device)
        return self._runners[chip]
