"""The two levels of an experiment that are the chip, golden model and RTL: what they give."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.compare.chips import Comparison
from cosim.experiment.levels.answers import Answer
from cosim.program.program import Program
from cosim.program.stimulus import Phase
from hw.spec import Counter
from sw.common.progress import Advance

BATCH = 50  # images at once, of algorithm and golden model

Responses = Sequence[Sequence[NDArray[np.uint64]]]  # HOST flits per job and phase


class RtlRun(Protocol):
    """What the RTL gives back; `counters` [mesh row, mesh column] are summed over all jobs."""

    @property
    def responses(self) -> Responses: ...
    @property
    def cycles(self) -> int: ...
    @property
    def ticks(self) -> int: ...
    @property
    def wall_s(self) -> float: ...
    @property
    def counters(self) -> Mapping[Counter, NDArray[np.int64]]: ...


RunRtl = Callable[[Program, Sequence[Sequence[Phase]], Advance], RtlRun]


@dataclass
class RtlTotals:
    """All RTL runs of an experiment together, without their responses."""

    cycles: int = 0
    ticks: int = 0
    wall_s: float = 0.0
    counters: dict[Counter, NDArray[np.int64]] = field(default_factory=dict)

    def add(self, run: RtlRun) -> None:
        self.cycles += run.cycles
        self.ticks += run.ticks
        self.wall_s += run.wall_s
        for counter, counts in run.counters.items():
            self.counters[counter] = self.counters.get(counter, 0) + counts


@dataclass
class ChipResult:
    """One set of images on the chip: answers by level and image, and what differed."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: {"golden": [], "rtl": []})
    comparison: Comparison = field(default_factory=Comparison)
    mapping_mismatches: int = 0
