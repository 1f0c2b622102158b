"""A view of the golden model's cores while it runs, for whoever explains what it did."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.memory import Configuration, ConfigurationMemory


@dataclass(frozen=True, eq=False)
class Watched:
    """Core (x, y) before a tick.

    Attributes:
        tick: since its RESTART.
        memory: what it is configured by; the synapses are its `rows`.
        membranes: a copy, int64 [images, neurons].
        lfsr: its state.
    """

    x: int
    y: int
    tick: int
    config: Configuration
    memory: ConfigurationMemory
    membranes: NDArray[np.int64]
    lfsr: int


class Watcher(Protocol):
    """Is shown every core at every tick: all before it, and then who fired in it."""

    def before(self, core: Watched, axons: NDArray[np.bool_] | None) -> None:
        """`axons` are those to be consumed, bool [images, pages * axons]; None: no spikes."""

    def after(self, x: int, y: int, fired: NDArray[np.bool_] | None) -> None:
        """`fired` is bool [images, neurons]; None: no neuron was updated."""
