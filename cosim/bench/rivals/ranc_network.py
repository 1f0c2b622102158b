"""A network of cores that send to each other, for our chip and for RANC's simulator alike.

Cores are full: as many neurons as axons, half of the synapses set, each of weight 1. Every neuron
sends to an axon of its own, drawn among all cores; one core's place is RANC's output, our host.
Axons to which no neuron sends hear the host.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage, core_number
from cosim.program.handwritten import core, to_axons, to_host
from cosim.program.program import Program
from cosim.program.runner import Response
from cosim.program.stimulus import Step, decode, spike
from hw.spec import ChipShape, ResetMode

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Network:
    """The cores of a chip but its last one, row by row.

    Attributes:
        synapses: bool [cores, neurons, axons].
        leak: added to every membrane in each tick, int64 [cores, neurons].
        threshold: of all neurons; a neuron that fires subtracts it.
        core, axon: where each neuron sends, int64 [cores, neurons]; the last core is the output.
        sent: what the host sends before each tick, rows of core and axon, int64 [n, 2].
    """

    shape: ChipShape
    synapses: NDArray[np.bool_]
    leak: Numbers
    threshold: int
    core: Numbers
    axon: Numbers
    sent: tuple[Numbers, ...]

    @property
    def output(self) -> int:
        """Number of the core that is the output."""
        return self.shape.cores - 1

    def xy(self, core: int) -> tuple[int, int]:
        return core % self.shape.columns, core // self.shape.columns

    @cached_property
    def program(self) -> Program:
        """The same for our chip."""
        return Program(self.shape, tuple(self._image(number) for number in range(self.output)))

    def steps(self, ticks: int, first: int = 0) -> list[Step]:
        """So many ticks, of which the first takes what is sent before tick `first`."""
        return [
            Step(self._flits[(first + tick) % len(self.sent)], go=True) for tick in range(ticks)
        ]

    def outputs(self, response: Response, ticks: int) -> NDArray[np.bool_]:
        """Which axons of the output spiked in each tick, bool [ticks, axons]."""
        tick, place, neuron = decode(response).spikes.T
        order = {core_number(*self.xy(number)): number for number in range(self.output)}
        number = np.array([order[each] for each in place.tolist()], np.int64)
        found = np.zeros((ticks, self.shape.axons), np.bool_)
        found[tick, self.axon[number, neuron]] = True
        return found

    @cached_property
    def _flits(self) -> list[NDArray[np.uint64]]:
        return [
            np.array([spike(axon, **_place(*self.xy(to))) for to, axon in each.tolist()], np.uint64)
            for each in self.sent
        ]

    def _image(self, number: int) -> CoreImage:
        fan_out = []
        for to, axon in zip(self.core[number].tolist(), self.axon[number].tolist(), strict=True):
            ours = to_axons(axon, **_place(*self.xy(to)))
            fan_out.append([to_host() if to == self.output else ours])
        neurons = len(self.leak[number])
        return core(
            *self.xy(number),
            self.synapses[number],
            np.full(neurons, self.threshold, np.int64),
            bias=self.leak[number],
            fan_out=fan_out,
            reset=ResetMode.SUBTRACT,
        )


def draw(shape: ChipShape, activity: float, ticks: int, seed: int) -> Network:
    """A network of which about this share of the neurons fires in each tick, once it has begun.

    Half of what makes a neuron fire comes from others, half is its leak, which differs, so that
    neurons do not fire together. `ticks` is how many the host's spikes are drawn for.
    """
    rng = np.random.default_rng(seed)
    neurons = axons = shape.axons
    cores = shape.cores - 1
    places = rng.permutation(shape.cores * axons)
    to, free = places[: cores * neurons], places[cores * neurons :]
    free = np.sort(free[free < cores * axons])
    heard = [free[rng.random(len(free)) < activity] for _ in range(ticks)]
    return Network(
        shape,
        rng.random((cores, neurons, axons)) < 0.5,
        rng.integers(0, round(activity * axons) + 1, (cores, neurons)),
        axons,
        (to // axons).reshape(cores, neurons),
        (to % axons).reshape(cores, neurons),
        tuple(np.column_stack(np.divmod(each, axons)) for each in heard),
    )


def _place(x: int, y: int) -> dict[str, int]:
    return {"x": x, "y": y}
