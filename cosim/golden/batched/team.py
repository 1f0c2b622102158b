"""Cores that are updated side by side: what a tick does to their neurons, by `hw.spec`'s rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.boxes import Boxes, Flits, Indices, axon_of, box_of
from cosim.golden.memory import Configuration
from hw.spec import FANOUT, FLIT, MEMBRANE_MAX, MEMBRANE_MIN, ChipShape, Kind, Region, ResetMode

Key = tuple[int, int | None, ResetMode]


def alike(config: Configuration) -> Key:
    """The same of two cores that can be in one team."""
    return config.neurons, config.leak, config.reset


@dataclass(frozen=True, eq=False)
class Table:
    """What each neuron of a team sends: `words[start[n]]` and the `count[n]` - 1 behind it."""

    start: Indices
    count: Indices
    words: Flits

    @classmethod
    def of(cls, neurons: int, sender: Indices, words: Flits) -> "Table":
        """Of neuron numbers in a team, and what they send."""
        count = np.bincount(sender, minlength=neurons)
        order = np.argsort(sender, kind="stable")
        return cls(np.cumsum(count) - count, count, words[order])

    def sent(self, neuron: Indices) -> tuple[Indices, Flits]:
        """Of spikes of these neurons: the spike's index and the word, for every word sent."""
        count = self.count[neuron]
        which = np.repeat(np.arange(len(neuron)), count)
        within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        return which, self.words[self.start[neuron[which]] + within]


@dataclass(frozen=True, eq=False)
class Team:
    """Cores with as many neurons, one leak and one reset; `n` below is cores * neurons.

    Attributes:
        cores: their numbers, ascending.
        threshold, bias: int64 [cores, neurons].
        floor: int64 [cores, 1]; None: no core has one.
        noise_mask: int64 [cores, 1]; None: no core has noise.
        reports: HOST flits of each neuron, without the tick.
        fan_out: FANOUT words of each neuron that lead to cores.
    """

    cores: list[int]
    neurons: int
    leak: int | None
    reset: ResetMode
    threshold: Tensor
    bias: Tensor
    floor: Tensor | None
    noise_mask: NDArray[np.int64] | None
    reports: Table
    fan_out: Table

    def update(self, v: Tensor, current: Tensor | None, noise: Tensor | None) -> Tensor:
        """One tick of membranes `v`, int64 [images, cores, neurons], in their place: who fired.

        `current` is of the same shape; `noise` int64 [cores, neurons].
        """
        if self.leak is not None:
            v -= v >> self.leak
        if current is not None:
            v += current
        v += self.bias
        v.clamp_(MEMBRANE_MIN, MEMBRANE_MAX)
        fired = v >= (self.threshold if noise is None else self.threshold + noise)
        if self.reset is ResetMode.ZERO:
            v.masked_fill_(fired, 0)
        elif self.reset is ResetMode.SUBTRACT:
            v -= fired * self.threshold
            v.clamp_(MEMBRANE_MIN, MEMBRANE_MAX)
        if self.floor is not None:
            torch.maximum(v, self.floor, out=v)
        return fired


def team(
    shape: ChipShape, cores: Sequence[int], configs: Sequence[Configuration], device: torch.device
) -> Team:
    """Of cores whose configurations are `alike`."""
    first = configs[0]
    floor = np.array([[config.floor] for config in configs], np.int64)
    mask = np.array([[config.noise_mask] for config in configs], np.int64)

    def tensor(values: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device)

    return Team(
        cores=list(cores),
        neurons=first.neurons,
        leak=first.leak,
        reset=first.reset,
        threshold=tensor(np.stack([config.threshold for config in configs])),
        bias=tensor(np.stack([config.bias for config in configs])),
        floor=tensor(floor) if (floor > MEMBRANE_MIN).any() else None,
        noise_mask=mask if mask.any() else None,
        reports=_reports(shape, cores, configs),
        fan_out=_fan_out(configs),
    )


def _reports(shape: ChipShape, cores: Sequence[int], configs: Sequence[Configuration]) -> Table:
    number, words = [], []
    for place, (core, config) in enumerate(zip(cores, configs, strict=True)):
        y, x = divmod(core, shape.columns)
        fields = {"kind": int(Kind.HOST), "region": int(Region.SPIKE), "x0": x, "y0": y}
        words.append(FLIT.pack(offset=config.reporting.astype(np.uint64), **fields))
        number.append(place * config.neurons + config.reporting)
    neurons = len(configs) * configs[0].neurons
    return Table.of(neurons, np.concatenate(number), np.concatenate(words))


def _fan_out(configs: Sequence[Configuration]) -> Table:
    number = [
        place * config.neurons + config.sender[config.onwards]
        for place, config in enumerate(configs)
    ]
    words = [config.entry[config.onwards] for config in configs]
    neurons = len(configs) * configs[0].neurons
    return Table.of(neurons, np.concatenate(number), np.concatenate(words))


def targets(words: Flits) -> tuple[Boxes, Indices]:
    """Rectangles and AXON words of FANOUT words."""
    return box_of(FANOUT, words), axon_of(words)
