"""How spikes reach a layer: for each of its inputs the cores and axons that it feeds.

Both the host's input map and the fan-out of the layer before are read off these. OR pooling needs
nothing more: the four neurons of a pooled pixel have the destinations of that one input, and two
spikes on one axon are one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.layer.tiling import Plan, Seen
from cosim.program.program import InputMap, rectangles
from hw.spec import AXON, CORNERS, FANOUT, FLIT, ChipShape, Kind
from sw.common.checks import Shape


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Where the inputs of one arm of a layer arrive.

    Attributes:
        shape: C, H, W of the inputs.
        input, axon: flat index of an input, and its axon counted through the pages, int64 [n].
        corners: the rectangle of cores that it goes to, uint64 [n, 4].
    """

    shape: Shape
    input: NDArray[np.int64]
    axon: NDArray[np.int64]
    corners: NDArray[np.uint64]

    def of_channels(self, first: int, channels: int) -> "Arrivals":
        """Those of some channels, counted from the first of them."""
        pixels = int(np.prod(self.shape[1:]))
        here = self.input - first * pixels
        chosen = (here >= 0) & (here < channels * pixels)
        shape = (channels, *self.shape[1:])
        return Arrivals(shape, here[chosen], self.axon[chosen], self.corners[chosen])


class FanOut(TypedDict):
    """The fields of a `CoreImage` that are its fan-out."""

    fanout_start: NDArray[np.int64]
    fanout_count: NDArray[np.int64]
    fanout: NDArray[np.uint32]


def no_fan_out(neurons: int) -> FanOut:
    """The fan-out of neurons whose spikes go nowhere but to the host, as a trace."""
    nowhere = np.zeros(neurons, np.int64)
    return FanOut(fanout_start=nowhere, fanout_count=nowhere, fanout=np.zeros(0, np.uint32))


def arrivals(plan: Plan, places: Sequence[Sequence[int]]) -> tuple[Arrivals, ...]:
    """Of each arm of a planned and placed layer.

    `places` are the core numbers of each of the plan's tiles: a spike goes to all of these, in one
    multicast flit where they are a rectangle.
    """
    boxes = [rectangles(frozenset(cores)) for cores in places]
    found = []
    before = [0] * len(plan.tiles)  # axons of the arms before
    for number, arm in enumerate(plan.layer.arms):
        inputs, axons, corners = [], [], []
        for at, (tile, box) in enumerate(zip(plan.tiles, boxes, strict=True)):
            fed = _inputs(arm.input_shape, tile.seen[number])
            inputs += [fed] * len(box)
            axons += [before[at] + np.arange(len(fed))] * len(box)
            corners += [np.tile(np.array(each, np.uint64), (len(fed), 1)) for each in box]
            before[at] += len(fed)
        every = np.concatenate(inputs), np.concatenate(axons), np.concatenate(corners)
        found.append(Arrivals(arm.input_shape, *every))
    return tuple(found)


def _inputs(shape: Shape, seen: Seen) -> NDArray[np.int64]:
    """The inputs that a tile sees, in the order of its axons."""
    channels, height, width = shape
    row, column = np.arange(*seen.rows), np.arange(*seen.columns)
    channel = np.arange(channels)
    return ((channel[:, None, None] * height + row[:, None]) * width + column).ravel()


class Routes:
    """Destinations of a layer's pooled spikes, or of the network's inputs (flat C, H, W).

    `parts` are where they arrive in each layer that takes them, all of one shape.
    """

    def __init__(self, parts: Sequence[Arrivals], shape: ChipShape) -> None:
        self._shape = parts[0].shape
        inputs = np.concatenate([part.input for part in parts])
        order = np.argsort(inputs, kind="stable")
        axons = np.concatenate([part.axon for part in parts])[order].astype(np.uint64)
        page, axon = np.divmod(axons, np.uint64(shape.axons))
        corners = np.concatenate([part.corners for part in parts])[order]
        self._input = inputs[order]
        self._address = {"page": page, "axon": axon}
        self._corners = dict(zip(CORNERS, corners.T, strict=True))
        self._count = np.bincount(self._input, minlength=int(np.prod(self._shape)))
        self._first = np.cumsum(self._count) - self._count

    def entries(self, inputs: NDArray[np.int64]) -> int:
        """Fan-out entries of a core whose neurons feed these inputs."""
        return int(self._count[np.unique(inputs)].sum())

    def fan_out(self, inputs: NDArray[np.int64]) -> FanOut:
        """The fan-out of neurons that feed these inputs, int64 [neurons].

        Neurons that feed the same input share its entries.
        """
        fed, which = np.unique(inputs, return_inverse=True)
        count = self._count[fed]
        start = np.cumsum(count) - count
        within = np.arange(count.sum()) - np.repeat(start, count)
        entry = np.repeat(self._first[fed], count) + within
        fields = self._address | self._corners
        words = FANOUT.pack(**{name: values[entry] for name, values in fields.items()})
        return FanOut(
            fanout_start=start[which],
            fanout_count=count[which],
            fanout=words.astype(np.uint32),
        )

    def input_map(self) -> InputMap:
        """Of what the host streams in."""
        flits = FLIT.pack(kind=int(Kind.SPIKE), data=AXON.pack(**self._address), **self._corners)
        return InputMap(self._shape, self._input, flits)
