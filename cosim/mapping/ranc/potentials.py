"""RANC's potentials tick by tick, by its own rules: do its 9 bits hold them?

RANC's potentials wrap beyond them and ours do not. The order of additions does not matter, for a
sum that wraps on the way and comes back is right.
"""

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.ranc.core_file import LEAST, MOST, RancCore, Reset
from cosim.mapping.ranc.network import RancNetwork
from sw.common.errors import InputError

SLACK = 64  # ticks that are waited for a packet that does not come


def ticks_needed(network: RancNetwork) -> int:
    """How many ticks it takes until all expected packets have come, or should have.

    Raises `InputError`, with tick, core and neuron, where a potential leaves RANC's 9 bits.
    """
    ranc = _Ranc(network)
    if network.a_group_a_tick:
        most = max(network.groups + network.latency, len(network.sent))
    else:
        most = len(network.sent) + len(network.expected) + SLACK
    left = sum(len(group) > 0 for group in network.expected)
    for tick in range(most):
        answers = ranc.tick(tick)
        left -= answers > 0 and tick >= network.latency
        if not network.a_group_a_tick and left <= 0 and tick + 1 >= len(network.sent):
            return tick + 1
    return most


class _Ranc:
    """The state of all cores that do anything."""

    def __init__(self, network: RancNetwork) -> None:
        self._network = network
        self._cores = {index: core for index, core in network.cores.items() if core.live.any()}
        self._weights = {i: core.synapses.astype(np.float32) for i, core in self._cores.items()}
        self._potential = {i: np.zeros(len(core.leak), np.int64) for i, core in self._cores.items()}
        self._spikes = self._nothing()

    def tick(self, tick: int) -> int:
        """Runs a tick; how many packets the output core gets."""
        spikes, self._spikes = self._spikes, self._nothing()
        if tick < len(self._network.sent):
            for index, axon in self._network.sent[tick].tolist():
                if index in spikes:
                    spikes[index][axon] = True
        return sum(self._core(tick, index, spikes[index]) for index in self._cores)

    def _core(self, tick: int, index: int, spikes: NDArray[np.bool_]) -> int:
        core = self._cores[index]
        summed = self._weights[index] @ spikes.astype(np.float32)  # exact: far below 2^24
        v = self._potential[index] + summed.astype(np.int64) + core.leak
        _check(tick, index, core, v)
        fired = v >= core.threshold
        linear = core.mode == Reset.LINEAR
        after = np.where(linear, v - core.threshold, core.reset)
        below = np.where(linear, v - core.negative, -core.reset)
        self._potential[index] = np.where(fired, after, np.where(v < core.negative, below, v))
        targets = self._network.grid.targets(index, core)
        for target, axon in zip(targets[fired].tolist(), core.axon[fired].tolist(), strict=True):
            if target in self._spikes:
                self._spikes[target][axon] = True
        return int(np.count_nonzero(fired & (targets == self._network.grid.output)))

    def _nothing(self) -> dict[int, NDArray[np.bool_]]:
        return {index: np.zeros(core.axons, np.bool_) for index, core in self._cores.items()}


def _check(tick: int, index: int, core: RancCore, v: NDArray[np.int64]) -> None:
    wrong = np.flatnonzero((v < LEAST) | (v > MOST))
    if len(wrong):
        neuron = int(wrong[0])
        raise InputError(
            f"{core.place}: core {index}, neuron {neuron}: its potential becomes {v[neuron]} in "
            f"tick {tick} and wraps, for RANC has {LEAST} to {MOST}; this chip does not wrap"
        )
