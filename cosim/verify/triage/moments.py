"""Everything that decides what a tick does to a core, kept from a run of the golden model."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.memory import Configuration
from cosim.golden.watcher import Watched

Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Moment:
    """A core at a `go`.

    Attributes:
        tick: of the core, since its RESTART.
        rows: bool [pages, neurons, planes, axons].
        membrane: int64 [neurons], before the tick.
        axons: bool [pages, axons], to be consumed.
    """

    x: int
    y: int
    tick: int
    config: Configuration
    rows: Bits
    membrane: NDArray[np.int64]
    lfsr: int
    axons: Bits


class Moments:
    """Watches a golden model of one image; ticks are counted over the whole run.

    `consumed` and `fired` are {(x, y): by tick}, `moment` is that of core `place` in tick `tick`.
    """

    def __init__(self, place: tuple[int, int] | None = None, tick: int = 0) -> None:
        self._place, self._tick = place, tick
        self.moment: Moment | None = None
        self.consumed: dict[tuple[int, int], list[Bits | None]] = defaultdict(list)
        self.fired: dict[tuple[int, int], list[NDArray[np.int64]]] = defaultdict(list)

    def before(self, core: Watched, axons: Bits | None) -> None:
        place = (core.x, core.y)
        taken = None if axons is None else axons[0].reshape(core.config.pages, -1).copy()
        if place == self._place and len(self.consumed[place]) == self._tick:
            rows = core.memory.rows()
            empty = np.zeros((rows.shape[0], rows.shape[-1]), np.bool_)
            self.moment = Moment(
                x=core.x,
                y=core.y,
                tick=core.tick,
                config=core.config,
                rows=rows,
                membrane=core.membranes[0],
                lfsr=core.lfsr,
                axons=empty if taken is None else taken,
            )
        self.consumed[place].append(taken)

    def after(self, x: int, y: int, fired: Bits | None) -> None:
        who = np.zeros(0, np.int64) if fired is None else np.flatnonzero(fired[0])
        self.fired[x, y].append(who)
