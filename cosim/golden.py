"""The golden model: the whole chip at tick level in numpy, fed with the same flits as the RTL.

Flits reach all cores of their rectangle at once and no queue is ever full: what the NoC's timing
could change is nothing that `hw.spec` promises.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.golden_core import GoldenCore
from cosim.stimulus import Phase
from hw.spec import (
    AXON,
    FANOUT,
    FLIT,
    FULL_CHIP,
    ChipShape,
    Control,
    Format,
    Kind,
    Region,
    Register,
)

Flits = NDArray[np.uint64]
Indices = NDArray[np.int64]


class GoldenChip:
    """A chip for `images` images at once: all with one configuration, each with its own spikes.

    Raises `ValueError` for flits that no chip of this shape can take (a rectangle or an axon
    outside it, a word that is not there), and for what the model leaves out: the counters of cycles
    and routers.
    """

    def __init__(self, shape: ChipShape = FULL_CHIP, images: int = 1) -> None:
        if images < 1:
            raise ValueError(f"golden model of {images} images: must be 1 or more")
        self._shape, self._images = shape, images
        self._cores = [
            GoldenCore(shape, x, y, images) for y in range(shape.rows) for x in range(shape.columns)
        ]
        self._pages: Indices
        self._first: Indices  # where each core's axons begin in `_arrived`, and the end
        self._arrived: NDArray[np.bool_]  # [images, axons of all cores]
        self._lay_out_axons()
        self._responses: list[tuple[Indices, Flits]] = []  # image and HOST flit, of this phase

    def run(self, phases: Sequence[Phase]) -> list[Flits]:
        """The HOST flits (uint64 [n]) of each phase.

        A model of several images takes WRITEs only in this way, which reach all of them.
        """
        if self._images == 1:
            return self.run_images([phases])[0]
        for phase in phases:
            if phase.go or (FLIT.get(phase.flits, "kind") != Kind.WRITE).any():
                raise ValueError("run() of several images: takes WRITE flits only")
            self._obey(phase.flits)
        return [np.zeros(0, np.uint64) for _ in phases]

    def run_images(self, images: Sequence[Sequence[Phase]]) -> list[list[Flits]]:
        """The HOST flits of each image's each phase.

        The images' phases may differ in their SPIKE flits only: same number, same `go`s, same other
        flits in the same order. Raises `ValueError` where they do not.
        """
        if len(images) != self._images:
            raise ValueError(f"{len(images)} images for a model of {self._images}")
        if len({len(phases) for phases in images}) != 1:
            raise ValueError("the images' phases differ in number")
        by_phase = [self._phase(phases) for phases in zip(*images, strict=True)]
        return [list(responses) for responses in zip(*by_phase, strict=True)]

    # ------------------------------------------------------------ one phase
    def _phase(self, phases: Sequence[Phase]) -> list[Flits]:
        """One phase of all images: flits in their order, then a tick; responses per image."""
        if len({phase.go for phase in phases}) != 1:
            raise ValueError("the images' phases differ in go")
        flits = np.concatenate([phase.flits for phase in phases])
        image = np.repeat(np.arange(len(phases)), [len(phase.flits) for phase in phases])
        spike = FLIT.get(flits, "kind") == Kind.SPIKE
        commands = self._common(flits[~spike], image[~spike])
        # How many of its image's commands stand before each flit.
        before = np.cumsum(~spike) - len(commands) * image
        done = 0
        for turn in np.unique(before[spike]):
            self._obey(commands[done:turn])
            now = spike & (before == turn)
            self._take_spikes(flits[now], image[now])
            done = turn
        self._obey(commands[done:])
        if phases[0].go:
            self._go()
        return self._collect()

    def _common(self, flits: Flits, image: Indices) -> Flits:
        """The flits of one image, where every image has the same ones."""
        counts = np.bincount(image, minlength=self._images)
        if (counts != counts[0]).any():
            raise ValueError("the images' phases differ in more than spikes")
        each = flits.reshape(self._images, counts[0])
        if (each != each[0]).any():
            raise ValueError("the images' phases differ in more than spikes")
        common: Flits = each[0]
        return common

    def _collect(self) -> list[Flits]:
        """This phase's responses, per image."""
        responses, self._responses = self._responses, []
        image = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in responses)])
        flits = np.concatenate([np.zeros(0, np.uint64), *(part[1] for part in responses)])
        order = np.argsort(image, kind="stable")
        ends = np.cumsum(np.bincount(image, minlength=self._images))
        return np.split(flits[order], ends[:-1])

    def _respond(self, image: Indices, core: GoldenCore, **fields: int | Flits) -> None:
        flits = FLIT.pack(kind=int(Kind.HOST), x0=core.x, y0=core.y, **fields)
        self._responses.append((image, flits))

    # ------------------------------------------------------------ the tick
    def _go(self) -> None:
        """Every core consumes what arrived; what they fire arrives for the next tick."""
        axons = self._arrived
        self._arrived = np.zeros_like(axons)
        for core, first, end in zip(self._cores, self._first[:-1], self._first[1:], strict=True):
            tick = core.now
            fired = core.tick(axons[:, first:end])
            if fired.any():
                self._send(core, fired, tick)

    def _send(self, core: GoldenCore, fired: NDArray[np.bool_], tick: int) -> None:
        """Fan out one core's spikes, bool [images, neurons]."""
        config = core.config
        to_host = FANOUT.get(config.entry, "host") == 1
        report = config.sender[to_host]
        if config.trace:
            report = np.concatenate([report, np.arange(config.neurons)])
        image, which = np.nonzero(fired[:, report])
        neuron = report[which].astype(np.uint64)
        self._respond(image, core, region=int(Region.SPIKE), offset=neuron, data=tick)

        entry, sender = config.entry[~to_host], config.sender[~to_host]
        copy, target = self._copies(FANOUT, entry)
        image, which = np.nonzero(fired[:, sender[copy]])
        self._deliver(
            image,
            target[which],
            FANOUT.get(entry, "page").astype(np.int64)[copy[which]],
            FANOUT.get(entry, "axon").astype(np.int64)[copy[which]],
        )

    # ------------------------------------------------------------ spikes
    def _lay_out_axons(self) -> None:
        """Empty axon buffers, those of all cores side by side, as many pages as each one has."""
        self._pages = np.array([core.pages for core in self._cores])
        self._first = np.concatenate([[0], np.cumsum(self._pages * self._shape.axons)])
        self._arrived = np.zeros((self._images, self._first[-1]), np.bool_)

    def _take_spikes(self, flits: Flits, image: Indices) -> None:
        """SPIKE flits from the host."""
        word = FLIT.get(flits, "data")
        copy, target = self._copies(FLIT, flits)
        page = AXON.get(word, "page").astype(np.int64)
        axon = AXON.get(word, "axon").astype(np.int64)
        self._deliver(image[copy], target, page[copy], axon[copy])

    def _deliver(self, image: Indices, target: Indices, page: Indices, axon: Indices) -> None:
        """Set axons (page, axon) of the target cores, and count; a page not there takes nothing."""
        if (axon >= self._shape.axons).any():
            raise ValueError(f"a spike for axon {axon.max()} of {self._shape.axons}")
        taken = page < self._pages[target]
        image, target = image[taken], target[taken]
        place = self._first[target] + page[taken] * self._shape.axons + axon[taken]
        self._arrived[image, place] = True
        both = image * len(self._cores) + target
        counts = np.bincount(both, minlength=self._images * len(self._cores))
        for core, count in zip(self._cores, counts.reshape(self._images, -1).T, strict=True):
            core.spikes_in += count

    def _copies(self, words: Format, flits: Flits) -> tuple[Indices, Indices]:
        """Multicast: each flit's index once for every core of its rectangle, and that core's."""
        x0, y0, x1, y1 = (
            words.get(flits, name).astype(np.int64) for name in ("x0", "y0", "x1", "y1")
        )
        if ((x0 > x1) | (y0 > y1) | (x1 >= self._shape.columns) | (y1 >= self._shape.rows)).any():
            raise ValueError("a flit's rectangle is not one of this chip's")
        width = x1 - x0 + 1
        area = width * (y1 - y0 + 1)
        flit = np.repeat(np.arange(len(flits)), area)
        nth = np.arange(len(flit)) - np.repeat(np.cumsum(area) - area, area)
        row, column = np.divmod(nth, width[flit])
        return flit, (y0[flit] + row) * self._shape.columns + x0[flit] + column

    # ------------------------------------------------------------ commands
    def _obey(self, flits: Flits) -> None:
        """WRITE and READ flits in order, runs of plain writes and of reads at a time."""
        if not len(flits):
            return
        kind, region = FLIT.get(flits, "kind"), FLIT.get(flits, "region")
        if (kind == Kind.HOST).any():
            raise ValueError("a HOST flit from the host")
        command = (region == Region.REGISTER) & (FLIT.get(flits, "offset") == Register.CONTROL)
        step = {0: self._write, 1: self._control, 2: self._read}
        which = np.where(kind == Kind.READ, 2, np.where(command, 1, 0))
        starts = np.flatnonzero(np.diff(which, prepend=-1))
        for start, run in zip(starts, np.split(flits, starts[1:]), strict=True):
            step[which[start]](run)

    def _write(self, flits: Flits) -> None:
        for core, word in self._per_core(flits):
            region, offset, data = self._fields(flits[word])
            for each in np.unique(region):
                core.write(int(each), offset[region == each], data[region == each])
        if any(core.pages != pages for core, pages in zip(self._cores, self._pages, strict=True)):
            self._repage()

    def _repage(self) -> None:
        """Lay the axon buffers out anew; spikes that arrived stay, but for pages that go."""
        before, first, pages = self._arrived, self._first, self._pages
        self._lay_out_axons()
        kept = np.minimum(pages, self._pages) * self._shape.axons
        for source, target, size in zip(first, self._first, kept, strict=False):
            self._arrived[:, target : target + size] = before[:, source : source + size]

    def _control(self, flits: Flits) -> None:
        for core, word in self._per_core(flits):
            for data in FLIT.get(flits[word], "data"):
                if Control.RESTART & int(data):
                    core.restart()
                    place = self._cores.index(core)
                    self._arrived[:, self._first[place] : self._first[place + 1]] = False
                if Control.CLEAR_COUNTERS & int(data):
                    core.clear_counters()

    def _read(self, flits: Flits) -> None:
        for core, word in self._per_core(flits):
            for region, start, count in zip(*self._fields(flits[word]), strict=True):
                if start + count > 1 << FLIT.fields["offset"].width:
                    raise ValueError(f"a READ of {count} words from {start}")
                offset = np.arange(start, start + count)
                data = np.broadcast_to(core.read(int(region), offset), (self._images, count))
                self._respond(
                    np.repeat(np.arange(self._images), count),
                    core,
                    region=int(region),
                    offset=np.tile(offset, self._images).astype(np.uint64),
                    data=data.ravel().astype(np.uint64),
                )

    def _per_core(self, flits: Flits) -> list[tuple[GoldenCore, Indices]]:
        """The cores that these flits reach, each with the flits' indices in order."""
        flit, target = self._copies(FLIT, flits)
        order = np.argsort(target, kind="stable")
        reached, starts = np.unique(target[order], return_index=True)
        parts = np.split(flit[order], starts[1:])
        return [(self._cores[core], part) for core, part in zip(reached, parts, strict=True)]

    @staticmethod
    def _fields(flits: Flits) -> tuple[Indices, Indices, Indices]:
        region, offset, data = (
            FLIT.get(flits, name).astype(np.int64) for name in ("region", "offset", "data")
        )
        return region, offset, data
