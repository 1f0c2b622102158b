"""The golden model's axon buffers: what has arrived at every core for its next tick."""

import numpy as np
from numpy.typing import NDArray

from hw.spec import COORD_BITS, ChipShape

Flits = NDArray[np.uint64]
Indices = NDArray[np.int64]
COORD_MASK = (1 << COORD_BITS) - 1


class AxonBuffers:
    """One for each core and image, bool [images, pages * axons]; None while nothing has arrived.

    `pages` are those of each core. A buffer keeps the spikes of pages that its core lost until the
    next tick, which ignores them unless the core has the pages again. `spikes_in` counts what every
    core took, int64 [cores, images]. Cores are numbered row by row.
    """

    def __init__(self, shape: ChipShape, images: int, pages: list[int]) -> None:
        self._shape, self._images = shape, images
        self.pages = pages
        self.spikes_in = np.zeros((shape.cores, images), np.int64)
        self._arrived: list[NDArray[np.bool_] | None] = [None] * shape.cores

    def take(self) -> list[NDArray[np.bool_] | None]:
        """What has arrived on the pages that each core has now; the buffers are empty then."""
        taken, self._arrived = self._arrived, [None] * self._shape.cores
        return [
            None if buffer is None else buffer[:, : pages * self._shape.axons]
            for buffer, pages in zip(taken, self.pages, strict=True)
        ]

    def drop(self, core: int) -> None:
        """Empty one core's buffer."""
        self._arrived[core] = None

    def repage(self, pages: list[int]) -> None:
        """Other numbers of pages, from now on; spikes that have arrived stay."""
        for core, after in enumerate(pages):
            old = self._arrived[core]
            if old is not None and (more := after * self._shape.axons - old.shape[1]) > 0:
                new = np.zeros((self._images, more), np.bool_)
                self._arrived[core] = np.hstack([old, new])
        self.pages = pages

    def deliver(self, image: Indices, box: tuple[Flits, ...], page: Indices, axon: Indices) -> None:
        """Spikes (arrays [n]) for every core of their rectangles x0, y0, x1, y1, and count them.

        A page that a core does not have takes nothing. Raises `ValueError` for an axon or a
        rectangle that is none of the chip's.
        """
        if not len(image):
            return
        if (axon >= self._shape.axons).any():
            raise ValueError(f"a spike for axon {axon.max()} of {self._shape.axons}")
        place = page * self._shape.axons + axon
        for cores, part in by_box(self._shape, box):
            self._fill(cores, image[part], place[part])

    def _fill(self, cores: list[int], image: Indices, place: Indices) -> None:
        """The same spikes for several cores."""
        for pages in sorted({self.pages[core] for core in cores}):
            width = pages * self._shape.axons
            taken = place < width
            flat = image[taken] * width + place[taken]
            count = np.bincount(image[taken], minlength=self._images)
            for core in cores:
                if self.pages[core] == pages:
                    buffer = self._arrived[core]
                    if buffer is None:
                        buffer = self._arrived[core] = np.zeros((self._images, width), np.bool_)
                    if buffer.shape[1] == width:
                        buffer.reshape(-1)[flat] = True
                    else:  # of more pages, which the core has lost since
                        buffer[image[taken], place[taken]] = True
                    self.spikes_in[core] += count


def by_box(shape: ChipShape, box: tuple[Flits, ...]) -> list[tuple[list[int], Indices]]:
    """Flits by their rectangle x0, y0, x1, y1 (arrays [n]): its cores, and the flits' indices.

    Cores are numbered row by row, indices in order. Raises `ValueError` for a rectangle that is
    none of the chip's.
    """
    key = np.zeros(len(box[0]), np.uint16)
    for corner in box:
        key = (key << COORD_BITS | corner).astype(np.uint16)
    order = np.argsort(key, kind="stable")  # of 16 bits: a radix sort
    counts = np.bincount(key)
    boxes = np.flatnonzero(counts)
    parts = np.split(order, np.cumsum(counts[boxes])[:-1]) if len(boxes) else []
    return [
        (_cores(shape, number), part) for number, part in zip(boxes.tolist(), parts, strict=True)
    ]


def _cores(shape: ChipShape, box: int) -> list[int]:
    """The cores of a rectangle whose corners are one number."""
    x0, y0, x1, y1 = (box >> COORD_BITS * digit & COORD_MASK for digit in (3, 2, 1, 0))
    if x0 > x1 or y0 > y1 or x1 >= shape.columns or y1 >= shape.rows:
        raise ValueError("a flit's rectangle is not one of this chip's")
    return [y * shape.columns + x for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]
