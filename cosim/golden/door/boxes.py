"""Where spikes go: the rectangle of a flit or a fan-out entry as one number, and its axon."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hw.formats import Format
from hw.spec import AXON, AXON_BITS, COORD_BITS, CORNERS, FANOUT, FLIT, ChipShape

Flits = NDArray[np.uint64]
Indices = NDArray[np.int64]
Boxes = NDArray[np.uint16]  # x0, y0, x1, y1, the first one lowest
BOXES = 1 << COORD_BITS * len(CORNERS)
COORD_MASK = (1 << COORD_BITS) - 1

# Both formats have a rectangle's corners side by side, and its axon as AXON has it.
for _words in (FLIT, FANOUT):
    _first = _words.fields[CORNERS[0]].offset
    assert [_words.fields[name].offset - _first for name in CORNERS] == [
        COORD_BITS * number for number in range(len(CORNERS))
    ]
assert all(FANOUT.fields[field.name] == field for field in AXON)
assert FLIT.fields["data"].offset == 0


def box_of(words: Format, flits: Flits) -> Boxes:
    """The rectangles of FLITs or FANOUT words."""
    corners = flits >> np.uint64(words.fields[CORNERS[0]].offset)
    return corners.astype(np.uint16) & np.uint16(BOXES - 1)


def axon_of(flits: Flits) -> Indices:
    """The AXON words of SPIKE flits or FANOUT words, int64 [n]."""
    return (flits & np.uint64((1 << AXON.width) - 1)).astype(np.int64)


def places(shape: ChipShape, axon: Indices) -> Indices:
    """Of AXON words: page * axons + axon. Raises `ValueError` for an axon beyond the chip's."""
    if shape.axons == 1 << AXON_BITS:
        return axon
    page, number = axon >> AXON_BITS, axon & ((1 << AXON_BITS) - 1)
    if (number >= shape.axons).any():
        raise ValueError(f"a spike for axon {number.max()} of {shape.axons}")
    return page * shape.axons + number


def by_box(shape: ChipShape, box: Boxes) -> list[tuple[list[int], Indices]]:
    """Flits by their rectangle: its cores, and the flits' indices in order.

    Raises `ValueError` for a rectangle that is none of the chip's.
    """
    order = np.argsort(box, kind="stable")  # of 16 bits: a radix sort
    counts = np.bincount(box)
    boxes = np.flatnonzero(counts)
    parts = np.split(order, np.cumsum(counts[boxes])[:-1]) if len(boxes) else []
    return [
        (cores_in(shape, number), part) for number, part in zip(boxes.tolist(), parts, strict=True)
    ]


def cores_in(shape: ChipShape, box: int) -> list[int]:
    """The cores of a rectangle, numbered row by row. Raises `ValueError` as `by_box`."""
    x0, y0, x1, y1 = (box >> COORD_BITS * digit & COORD_MASK for digit in range(len(CORNERS)))
    if x0 > x1 or y0 > y1 or x1 >= shape.columns or y1 >= shape.rows:
        raise ValueError("a flit's rectangle is not one of this chip's")
    return [y * shape.columns + x for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]


@cache
def single_core(shape: ChipShape) -> Indices:
    """By rectangle, int64 [BOXES]: the core that it is; -1 for several, and for none."""
    x0, y0, x1, y1 = (
        np.arange(BOXES) >> COORD_BITS * digit & COORD_MASK for digit in range(len(CORNERS))
    )
    one = (x0 == x1) & (y0 == y1) & (x1 < shape.columns) & (y1 < shape.rows)
    return np.where(one, y0 * shape.columns + x0, -1)
