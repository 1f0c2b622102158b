"""What runs programs: the golden model, the RTL in a simulator, or a chip of a user's, alike.

A runner knows nothing of what is right. Whoever compares two of them gives both the same program
and the same stimuli.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cosim.program.program import Program
from cosim.program.stimulus import Step
from hw.spec import Counter

Stimulus = Sequence[Step]  # of one image, or one pass
Response = list[NDArray[np.uint64]]  # HOST flits of each step, in any order
Advance = Callable[[int], None]  # told how many stimuli more are finished


def unheard(_: int) -> None:
    """An `Advance` for whom nobody listens."""


@dataclass(frozen=True, eq=False)
class Totals:
    """What runs took, loading included.

    Attributes:
        cycles, ticks: of the chip's clock, and of the algorithm.
        wall_s: seconds.
        counters: int64 [mesh row, mesh column] of each counter of the cores.
    """

    cycles: int = 0
    ticks: int = 0
    wall_s: float = 0.0
    counters: Mapping[Counter, NDArray[np.int64]] = field(default_factory=dict)

    def __add__(self, other: Self) -> "Totals":
        counters = dict(self.counters)
        for counter, counts in other.counters.items():
            counters[counter] = counters[counter] + counts if counter in counters else counts
        return Totals(
            self.cycles + other.cycles,
            self.ticks + other.ticks,
            self.wall_s + other.wall_s,
            counters,
        )


@dataclass(frozen=True, eq=False)
class Run:
    """What a chip did: a response for each stimulus; `totals` where it has a clock, else zeros."""

    responses: list[Response]
    totals: Totals = field(default_factory=Totals)


class Runner(Protocol):
    """A chip, seen from outside."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        """Runs stimuli, one after the other, on a chip that holds the program.

        Each stimulus must begin with RESTART, or not depend on what was before it.
        """
