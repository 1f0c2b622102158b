"""How one layer is cut into cores: tiles of output pixels times groups of output channels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw.spec import MAX_PAGES, PAGE_COUNTS, ChipShape
from sw.common.errors import InputError
from sw.integer.arm import Arm
from sw.integer.network import IntegerLayer
from sw.model.geometry import POOLING, Span


@dataclass(frozen=True)
class Seen:
    """Input pixels `rows` x `columns` of one arm of a layer."""

    rows: Span
    columns: Span

    @property
    def pixels(self) -> int:
        return _length(self.rows) * _length(self.columns)


@dataclass(frozen=True)
class Tile:
    """Output pixels `rows` x `columns` of a layer, and the input pixels that they see by arm."""

    rows: Span
    columns: Span
    seen: tuple[Seen, ...]

    @property
    def pixels(self) -> int:
        return _length(self.rows) * _length(self.columns)

    def axons(self, layer: IntegerLayer) -> int:
        """How many inputs of the layer they are."""
        pairs = zip(layer.arms, self.seen, strict=True)
        return sum(arm.input_shape[0] * seen.pixels for arm, seen in pairs)


@dataclass(frozen=True)
class Plan:
    """A layer's cores: one for each tile and each group of output channels.

    The cores of one tile have the same axons, numbered alike: axon (c, y, x) of the tile's input
    is (c * input rows + y) * input columns + x, counted through the pages; the arms stand one
    behind the other.
    """

    layer: IntegerLayer
    plane_weights: tuple[int, ...]
    pages: int
    tiles: tuple[Tile, ...]
    groups: tuple[Span, ...]

    @property
    def cores(self) -> int:
        return len(self.tiles) * len(self.groups)

    @property
    def largest(self) -> int:
        """Neurons of the fullest core."""
        return max(map(_length, self.groups)) * max(tile.pixels for tile in self.tiles)


def plan_layer(
    layer: IntegerLayer, plane_weights: tuple[int, ...], shape: ChipShape, most_neurons: int
) -> Plan:
    """The plan with the fewest cores; of these, with the fewest tiles: fewest copies of spikes.

    Cores hold at most `most_neurons`. Raises `InputError` naming the layer and the resource where
    no tile is small enough.
    """
    planes = len(plane_weights)
    best: Plan | None = None
    for tiles in _tilings(layer):
        pages = _pages(tiles, layer, shape)
        if pages is None:
            continue
        pixels = max(tile.pixels for tile in tiles)
        rows = shape.dendrites // (planes * pages)  # neurons by their rows
        channels = min(rows, most_neurons) // pixels
        if not channels:
            continue
        groups = tuple(spans(layer.features, -(-layer.features // channels)))
        plan = Plan(layer, plane_weights, pages, tiles, groups)
        if best is None or (plan.cores, len(tiles)) < (best.cores, len(best.tiles)):
            best = plan
    if best is None:
        raise InputError(_why_none_fits(layer, shape, planes))
    return best


def sites(layer: IntegerLayer, tile: Tile, group: Span) -> NDArray[np.int64]:
    """A core's neurons, in order, as flat indices of the layer's output (C, H, W), int64 [n]."""
    _, height, width = layer.output_shape
    channel, row, column = (np.arange(*span) for span in (group, tile.rows, tile.columns))
    return ((channel[:, None, None] * height + row[:, None]) * width + column).ravel()


def pooled(layer: IntegerLayer, sites: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the spikes of these neurons go in the layer's pooled output, as flat indices."""
    if not layer.pool:
        return sites
    channel, row, column = np.unravel_index(sites, layer.output_shape)
    row, column = POOLING.output_over(row), POOLING.output_over(column)
    flat = np.ravel_multi_index((channel, row, column), layer.pooled_shape)
    return np.asarray(flat, np.int64)


def _tilings(layer: IntegerLayer) -> Iterator[tuple[Tile, ...]]:
    """All grids of tiles, each as even as it can be."""
    if layer.geometry is None:
        whole = [Seen((0, arm.input_shape[1]), (0, arm.input_shape[2])) for arm in layer.arms]
        yield (Tile((0, 1), (0, 1), tuple(whole)),)
        return
    _, high, wide = layer.output_shape
    for down in _useful_counts(high):
        for across in _useful_counts(wide):
            yield tuple(
                Tile(rows, columns, tuple(_seen(arm, rows, columns) for arm in layer.arms))
                for rows in spans(high, down)
                for columns in spans(wide, across)
            )


def _seen(arm: Arm, rows: Span, columns: Span) -> Seen:
    """The inputs under these output pixels of a convolution, without padding."""
    assert arm.window is not None
    _, height, width = arm.input_shape
    return Seen(
        arm.window.rows.inputs_within(rows, height),
        arm.window.columns.inputs_within(columns, width),
    )


def _useful_counts(size: int) -> list[int]:
    """Numbers of parts worth a try: for each size of the largest part the smallest number."""
    return sorted({-(-size // largest) for largest in range(1, size + 1)})


def spans(size: int, parts: int) -> Iterator[Span]:
    """`size` things in so many parts, whose sizes differ by one at most."""
    for part in range(parts):
        yield size * part // parts, size * (part + 1) // parts


def _pages(tiles: tuple[Tile, ...], layer: IntegerLayer, shape: ChipShape) -> int | None:
    """The fewest pages that hold the inputs of the largest tile; None: it has too many."""
    axons = max(tile.axons(layer) for tile in tiles)
    return next((pages for pages in PAGE_COUNTS if axons <= pages * shape.axons), None)


def _why_none_fits(layer: IntegerLayer, shape: ChipShape, planes: int) -> str:
    smallest = min(_tilings(layer), key=lambda tiles: max(tile.axons(layer) for tile in tiles))
    pages = _pages(smallest, layer, shape)
    if pages is None:
        axons = max(tile.axons(layer) for tile in smallest)
        return (
            f"layer {layer.name} needs {axons} axons for one neuron, "
            f"a core has {MAX_PAGES} pages x {shape.axons} = {MAX_PAGES * shape.axons}"
        )
    return (
        f"layer {layer.name} needs {planes} planes x {pages} pages = {planes * pages} dendrites "
        f"for one neuron, a core has {shape.dendrites}"
    )


def _length(span: Span) -> int:
    return span[1] - span[0]
