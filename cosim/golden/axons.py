"""The golden model's axon buffers: what has arrived at every core for its next tick."""

import numpy as np
from numpy.typing import NDArray

from cosim.golden.boxes import Boxes, Indices, by_box, places
from hw.spec import ChipShape


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

    def deliver(self, image: Indices, box: Boxes, axon: Indices) -> None:
        """Spikes (arrays [n]) for every core of their rectangles, and count them.

        A page that a core does not have takes nothing. Raises `ValueError` for an axon (`axon` are
        AXON words) or a rectangle that is none of the chip's.
        """
        if not len(image):
            return
        place = places(self._shape, axon)
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
