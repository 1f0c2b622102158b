"""The golden model's axon buffers: what has arrived at every core for its next tick."""

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.team import Team
from cosim.golden.door.boxes import Boxes, Indices, by_box, places, single_core
from hw.spec import ChipShape


class AxonBuffers:
    """One for each core and image; cores are numbered row by row.

    `width` is page * axons of each core, int64 [cores]. A buffer keeps the spikes of pages that its
    core lost until the next tick, which ignores them unless the core has the pages again.
    `spikes_in` counts what every core took, int64 [cores, images].
    """

    def __init__(self, shape: ChipShape, spikes_in: Indices, width: Indices) -> None:
        self._shape, self._spikes_in, self._width = shape, spikes_in, width
        self._arrived = np.zeros((*spikes_in.shape, int(width.max())), np.bool_)
        self._heard = np.zeros(shape.cores, np.bool_)  # the cores at which anything has arrived

    def of_core(self, core: int) -> NDArray[np.bool_] | None:
        """A view of what a core consumes, bool [images, pages * axons]; None: nothing came."""
        return self._arrived[core, :, : self._width[core]] if self._heard[core] else None

    def of(self, team: Team) -> NDArray[np.bool_] | None:
        """The same of a team, bool [cores, images, pages * axons]; None: nothing came to any."""
        if not self._heard[team.index].any():
            return None
        return self._arrived[team.index, :, : self._width[team.cores[0]]]

    def clear(self) -> None:
        """All of it is consumed."""
        self._arrived[self._heard] = False
        self._heard[:] = False

    def drop(self, cores: list[int]) -> None:
        """Empty some cores' buffers."""
        self._arrived[cores] = False
        self._heard[cores] = False

    def repage(self, width: Indices) -> None:
        """Other numbers of pages, from now on; spikes that have arrived stay."""
        more = int(width.max()) - self._arrived.shape[2]
        if more > 0:
            self._arrived = np.pad(self._arrived, [(0, 0), (0, 0), (0, more)])
        self._width = width

    def deliver(self, image: Indices, box: Boxes, axon: Indices) -> None:
        """Spikes (arrays [n]) for every core of their rectangles, and count them.

        A page that a core does not have takes nothing. Raises `ValueError` for an axon (`axon` are
        AXON words) or a rectangle that is none of the chip's.
        """
        if not len(image):
            return
        place = places(self._shape, axon)
        core = single_core(self._shape)[box]
        several = core < 0
        if not several.any():
            self._fill(core, image, place)
            return
        alone = ~several
        self._fill(core[alone], image[alone], place[alone])
        image, place = image[several], place[several]
        for cores, part in by_box(self._shape, box[several]):
            here = np.array(cores)[:, None]
            self._fill(here, image[part], place[part])

    def _fill(self, core: Indices, image: Indices, place: Indices) -> None:
        """Spikes for one core each; or for several, int64 [cores, 1], the same ones."""
        images, most = self._arrived.shape[1:]
        row = core * images + image
        flat = row * most + place
        taken = place < self._width[core]
        if not taken.all():
            row, flat = row[taken], flat[taken]
        self._arrived.reshape(-1)[flat] = True
        count = np.bincount(row.reshape(-1), minlength=self._spikes_in.size)
        self._spikes_in += count.reshape(self._spikes_in.shape)
        self._heard[core] = True
