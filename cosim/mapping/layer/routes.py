"""How spikes reach a layer: for each of its inputs the cores and axons that it feeds.

Both the host's input map and the fan-out of the layer before are read off these. OR pooling needs
nothing more: the four neurons of a pooled pixel have the destinations of that one input, and two
spikes on one axon are one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.layer.tiling import Plan, Tile
from cosim.program.program import InputMap, rectangles
from hw.spec import AXON, FANOUT, FLIT, ChipShape, Kind

CORNERS = ("x0", "y0", "x1", "y1")


class Routes:
    """Destinations of the inputs (flat C, H, W) of a planned and placed layer.

    `places` are the core numbers of each of the plan's tiles: a spike goes to all of these, in one
    multicast flit where they are a rectangle.
    """

    def __init__(self, plan: Plan, places: Sequence[Sequence[int]], shape: ChipShape) -> None:
        self._shape = plan.layer.input_shape
        inputs, axons, corners = [], [], []
        for tile, cores in zip(plan.tiles, places, strict=True):
            fed = self._inputs(tile)
            for rectangle in rectangles(frozenset(cores)):
                inputs.append(fed)
                axons.append(np.arange(len(fed)))
                corners.append(np.tile(np.array(rectangle, np.uint64), (len(fed), 1)))
        order = np.argsort(np.concatenate(inputs), kind="stable")
        page, axon = np.divmod(
            np.concatenate(axons)[order].astype(np.uint64), np.uint64(shape.axons)
        )
        self._input = np.concatenate(inputs)[order]
        self._address = {"page": page, "axon": axon}
        self._corners = dict(zip(CORNERS, np.concatenate(corners)[order].T, strict=True))
        self._count = np.bincount(self._input, minlength=int(np.prod(self._shape)))
        self._first = np.cumsum(self._count) - self._count

    def _inputs(self, tile: Tile) -> NDArray[np.int64]:
        """The inputs that feed a tile, in the order of its axons."""
        channels, height, width = self._shape
        row, column = np.arange(*tile.input_rows), np.arange(*tile.input_columns)
        channel = np.arange(channels)
        return ((channel[:, None, None] * height + row[:, None]) * width + column).ravel()

    def entries(self, inputs: NDArray[np.int64]) -> int:
        """Fan-out entries of a core whose neurons feed these inputs."""
        return int(self._count[np.unique(inputs)].sum())

    def fan_out(self, inputs: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
        """`CoreImage`'s fan-out for neurons that feed these inputs, int64 [neurons].

        Neurons that feed the same input share its entries.
        """
        fed, which = np.unique(inputs, return_inverse=True)
        count = self._count[fed]
        start = np.cumsum(count) - count
        within = np.arange(count.sum()) - np.repeat(start, count)
        entry = np.repeat(self._first[fed], count) + within
        fields = self._address | self._corners
        words = FANOUT.pack(**{name: values[entry] for name, values in fields.items()})
        return {
            "fanout_start": start[which],
            "fanout_count": count[which],
            "fanout": words.astype(np.uint32),
        }

    def input_map(self) -> InputMap:
        """For the first layer on the chip, which the host feeds."""
        flits = FLIT.pack(kind=int(Kind.SPIKE), data=AXON.pack(**self._address), **self._corners)
        return InputMap(self._shape, self._input, flits)
