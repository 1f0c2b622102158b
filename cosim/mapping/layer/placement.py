"""Where on the mesh cores go.

Cores that share an input tile should form one rectangle, so that one multicast flit reaches them
all; and a layer should be near the one before it, so that its spikes travel a short way. Layers are
placed in order and nothing is moved later. A tile's cores take the free rectangle of their number
that is nearest to the middle of the layer before (for the first layer: to the north-west corner, as
the host is in the west); where there is none, the largest rectangle that is free, and so on with
the rest. In this way no free core is ever lost.
"""

from collections.abc import Sequence

from cosim.program.core_image import core_number
from hw.spec import ChipShape

Place = tuple[int, int]  # column, row


def place(layers: Sequence[Sequence[int]], shape: ChipShape) -> list[list[tuple[int, ...]]]:
    """Core numbers for each layer's each tile, given how many cores each tile needs.

    The chip must have as many cores as all tiles together need.
    """
    free = {(x, y) for x in range(shape.columns) for y in range(shape.rows)}
    target = (0.0, 0.0)
    placed = []
    for tiles in layers:
        layer = []
        for count in tiles:
            layer.append(_take(free, count, target, shape))
            free -= set(layer[-1])
        everywhere = [core for tile in layer for core in tile]
        target = _middle(everywhere)
        placed.append([tuple(core_number(x, y) for x, y in tile) for tile in layer])
    return placed


def place_alike(size: int, count: int, shape: ChipShape) -> list[tuple[int, ...]]:
    """Core numbers of `count` places of `size` cores each, all of which the host feeds.

    Flat rectangles side by side, where so many fit: the port of every row then feeds as many of
    them. Otherwise as `place` does it. The chip must have `size` x `count` cores.
    """
    for height in range(1, shape.rows + 1):
        width, rest = divmod(size, height)
        if rest or width > shape.columns:
            continue
        corners = [
            (x, y)
            for y in range(0, shape.rows - height + 1, height)
            for x in range(0, shape.columns - width + 1, width)
        ]
        if len(corners) >= count:
            return [
                tuple(core_number(x + dx, y + dy) for dy in range(height) for dx in range(width))
                for x, y in corners[:count]
            ]
    return place([[size] * count], shape)[0]


def _take(
    free: set[Place], count: int, target: tuple[float, float], shape: ChipShape
) -> list[Place]:
    """The places of `count` cores, row by row within each rectangle."""
    taken: list[Place] = []
    while len(taken) < count:
        left = free - set(taken)
        area = count - len(taken)
        while not (found := _free_rectangles(left, area, shape)):
            area -= 1
        distance = [_distance(_middle(places), target) for places in found]
        taken += found[distance.index(min(distance))]  # the north-western one of equals
    return taken


def _free_rectangles(free: set[Place], area: int, shape: ChipShape) -> list[list[Place]]:
    """All rectangles of exactly so many cores that are free."""
    found = []
    for width in range(shape.columns, 0, -1):
        height, rest = divmod(area, width)
        if rest or height > shape.rows:
            continue
        for y0 in range(shape.rows - height + 1):
            for x0 in range(shape.columns - width + 1):
                places = [(x0 + x, y0 + y) for y in range(height) for x in range(width)]
                if free.issuperset(places):
                    found.append(places)
    return found


def _middle(places: Sequence[Place]) -> tuple[float, float]:
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])
