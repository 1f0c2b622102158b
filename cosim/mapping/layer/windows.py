"""How a streamed layer is cut: tiles that are all alike, so that every one has the same weights.

Tiles divide the layer's output evenly. Where there are several in a direction, each sees the
pixels under its window, also those beyond the border: the axons there never get a spike. Axons are
numbered relative to the tile, so a core can do any tile of its output channels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cosim.mapping.layer.tiling import Seen, Tile
from hw.spec import PAGE_COUNTS, ChipShape
from sw.integer.arm import Arm
from sw.integer.network import IntegerLayer

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True)
class Windows:
    """`down` x `across` tiles of `height` x `width` output pixels of a layer."""

    layer: IntegerLayer
    down: int
    across: int

    @property
    def height(self) -> int:
        return self.layer.output_shape[1] // self.down

    @property
    def width(self) -> int:
        return self.layer.output_shape[2] // self.across

    @property
    def tiles(self) -> int:
        return self.down * self.across

    @property
    def pixels(self) -> int:
        """Output pixels of a tile."""
        return self.height * self.width

    @property
    def axons(self) -> int:
        """Inputs of a tile, axon (c, y, x) of them, arm by arm."""
        return self.tile.axons(self.layer)

    @property
    def tile(self) -> Tile:
        """The north-western one, which stands for all; beyond the border it sees padding."""
        outputs = (0, self.height), (0, self.width)
        return Tile(*outputs, tuple(self._seen(arm) for arm in self.layer.arms))

    def _seen(self, arm: Arm) -> Seen:
        _, height, width = arm.input_shape
        rows, columns = (0, height), (0, width)
        if arm.window is not None:
            rows = arm.window.rows.inputs_of((0, self.height)) if self.down > 1 else rows
            columns = arm.window.columns.inputs_of((0, self.width)) if self.across > 1 else columns
        return Seen(rows, columns)

    def pages(self, shape: ChipShape) -> int | None:
        """The fewest pages that hold a tile's inputs; None: they are too many."""
        return next((pages for pages in PAGE_COUNTS if self.axons <= pages * shape.axons), None)

    def cut(self, spikes: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Input spikes of each arm, bool [n, T, C, H, W], by tile: [n tiles, T, axons]."""
        parts = [
            self._cut(arm, seen, each)
            for arm, seen, each in zip(self.layer.arms, self.tile.seen, spikes, strict=True)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def _cut(self, arm: Arm, seen: Seen, spikes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        north, west = -seen.rows[0], -seen.columns[0]  # padding that the tiles see
        padded = np.pad(spikes, ((0, 0),) * 3 + ((north, north), (west, west)))
        size = north + seen.rows[1], west + seen.columns[1]
        every = sliding_window_view(padded, size, axis=(3, 4))
        if arm.window is not None:
            down = self.height * arm.window.rows.stride
            across = self.width * arm.window.columns.stride
            every = every[:, :, :, ::down, ::across]
        # Now [n, T, C, down, across, y, x].
        jobs = _reordered(every, 0, 3, 4, 1, 2, 5)
        return jobs.reshape(len(spikes) * self.tiles, spikes.shape[1], -1)

    def join(self, values: NDArray[Value]) -> NDArray[Value]:
        """Such as spikes, of all tiles as images: [n tiles, T, C, pixels] to [n, T, C, H, W]."""
        _, steps, channels, _ = values.shape
        tiles = (self.down, self.across, steps, channels, self.height, self.width)
        images = _reordered(np.ascontiguousarray(values).reshape(-1, *tiles), 0, 3, 4, 1, 5, 2)
        return images.reshape(-1, steps, *self.layer.output_shape)


def _reordered(values: NDArray[Value], *axes: int) -> NDArray[Value]:
    """A copy with its axes in this order, but for the last one, whose values move together."""
    together = values.view(f"V{values.itemsize * values.shape[-1]}")[..., 0]
    return np.ascontiguousarray(together.transpose(axes)).view(values.dtype)


def all_windows(layer: IntegerLayer) -> Iterator[Windows]:
    """All ways to cut a layer, from one tile on."""
    _, height, width = layer.output_shape
    for down in _divisors(height):
        for across in _divisors(width):
            yield Windows(layer, down, across)


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]
