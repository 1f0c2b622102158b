"""Cores that are updated side by side, and what their neurons send."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.memory import Configuration
from cosim.golden.cores.synapses import Synapses, SynapseStack
from hw.spec import FLIT, MEMBRANE_MIN, ChipShape, Kind, Region, ResetMode

Indices = NDArray[np.int64]
Flits = NDArray[np.uint64]
Key = tuple[int, int, int, int | None, ResetMode]


def alike(config: Configuration) -> Key:
    """The same of two cores that can be in one team."""
    return config.planes, config.pages, config.neurons, config.leak, config.reset


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

    @cached_property
    def one_each(self) -> bool:
        """Whether every neuron sends one word: then `words` are in the order of neurons."""
        return bool((self.count == 1).all())

    def sent(self, neuron: Indices) -> tuple[Indices, Flits]:
        """Of spikes of these neurons: the spike's index and the word, for every word sent."""
        if self.one_each:
            return np.arange(len(neuron)), self.words[neuron]
        if not len(self.words):
            return np.zeros(0, np.int64), self.words
        count = self.count[neuron]
        which = np.repeat(np.arange(len(neuron)), count)
        within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        return which, self.words[self.start[neuron[which]] + within]


@dataclass(frozen=True, eq=False)
class Team:
    """Cores with as many planes, pages and neurons, one leak and one reset.

    A neuron's number in its team is that of its core, here, times `neurons`, plus its own.

    Attributes:
        cores: their numbers on the chip, ascending.
        threshold, bias: int64 [cores, neurons].
        floor: int64 [cores, 1]; None: no core has one.
        noise_mask: int64 [cores, 1]; None: no core has noise.
        synapses: of each core; the same object for the same ones.
        reports: HOST flits of each neuron, without the tick.
        fan_out: FANOUT words of each neuron that lead to cores.
    """

    cores: list[int]
    neurons: int
    leak: int | None
    reset: ResetMode
    threshold: Indices
    bias: Indices
    floor: Indices | None
    noise_mask: Indices | None
    synapses: tuple[Synapses, ...]
    reports: Table
    fan_out: Table

    @cached_property
    def index(self) -> slice | list[int]:
        """Its cores among all of them: a slice where they are side by side."""
        first, last = self.cores[0], self.cores[-1]
        return slice(first, last + 1) if last - first + 1 == len(self.cores) else self.cores

    @cached_property
    def stack(self) -> SynapseStack:
        return SynapseStack(self.synapses)


Held = tuple[Configuration, Synapses]  # by a core


def make_team(shape: ChipShape, cores: Sequence[int], held: Sequence[Held]) -> Team:
    """Of cores whose configurations are `alike`."""
    configs = [config for config, _ in held]
    first = configs[0]
    floor = np.array([[config.floor] for config in configs], np.int64)
    mask = np.array([[config.noise_mask] for config in configs], np.int64)
    return Team(
        cores=list(cores),
        neurons=first.neurons,
        leak=first.leak,
        reset=first.reset,
        threshold=np.stack([config.threshold for config in configs]),
        bias=np.stack([config.bias for config in configs]),
        floor=floor if (floor > MEMBRANE_MIN).any() else None,
        noise_mask=mask if mask.any() else None,
        synapses=tuple(synapses for _, synapses in held),
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
