"""The golden model: the whole chip at tick level in numpy, fed with the same flits as the RTL.

Flits reach all cores of their rectangle at once and no queue is ever full: what the NoC's timing
could change is nothing that `hw.spec` promises.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.golden.axons import AxonBuffers, by_box
from cosim.golden.core import GoldenCore, Shared
from cosim.program.stimulus import Step
from hw.formats import Format
from hw.spec import (
    AXON,
    FANOUT,
    FLIT,
    FULL_CHIP,
    ChipShape,
    Control,
    Kind,
    Region,
    Register,
)

Flits = NDArray[np.uint64]
Indices = NDArray[np.int64]


class Watcher(Protocol):
    """Is shown every core at every tick: before it, and who fired in it."""

    def before(self, core: GoldenCore, axons: NDArray[np.bool_] | None) -> None:
        """`axons` are those to be consumed, bool [images, pages * axons]; None: no spikes."""

    def after(self, core: GoldenCore, fired: NDArray[np.bool_] | None) -> None:
        """`fired` is bool [images, neurons]; None: no neuron was updated."""


class GoldenChip:
    """A chip for `images` images at once: all with one configuration, each with its own spikes.

    Raises `ValueError` for flits that no chip of this shape can take (a rectangle or an axon
    outside it, a word that is not there), and for what the model leaves out: the counters of cycles
    and routers.
    """

    def __init__(
        self, shape: ChipShape = FULL_CHIP, images: int = 1, watcher: Watcher | None = None
    ) -> None:
        shared: Shared = {}
        self._watcher = watcher
        self._shape = shape
        self._cores = [
            GoldenCore(shape, x, y, images, shared)
            for y in range(shape.rows)
            for x in range(shape.columns)
        ]
        self.power_up(images)

    def power_up(self, images: int) -> None:
        """A batch of so many images; the configuration stays, all else is as after power-up."""
        if images < 1:
            raise ValueError(f"golden model of {images} images: must be 1 or more")
        self._images = images
        for core in self._cores:
            core.power_up(images)
        pages = [core.pages for core in self._cores]
        self._axons = AxonBuffers(self._shape, images, pages)
        self._responses: list[tuple[Indices, Flits]] = []  # image and HOST flit, of this step

    def reset(self) -> None:
        """As the chip's reset pin: registers and all else as after power-up, memories stay."""
        for core in self._cores:
            core.reset()
        self.power_up(self._images)

    def run(self, steps: Sequence[Step]) -> list[Flits]:
        """The HOST flits (uint64 [n]) of each step.

        A model of several images takes WRITEs only in this way, which reach all of them.
        """
        if self._images == 1:
            return self.run_images([steps])[0]
        for step in steps:
            if step.go or (FLIT.get(step.flits, "kind") != Kind.WRITE).any():
                raise ValueError("run() of several images: takes WRITE flits only")
            self._obey(step.flits)
        return [np.zeros(0, np.uint64) for _ in steps]

    def run_images(self, images: Sequence[Sequence[Step]]) -> list[list[Flits]]:
        """The HOST flits of each image's each step.

        The images' steps may differ in their SPIKE flits only: same number, same `go`s, same other
        flits in the same order. Raises `ValueError` where they do not.
        """
        if len(images) != self._images:
            raise ValueError(f"{len(images)} images for a model of {self._images}")
        if len({len(steps) for steps in images}) != 1:
            raise ValueError("the images' steps differ in number")
        by_step = [self._step(steps) for steps in zip(*images, strict=True)]
        return [list(responses) for responses in zip(*by_step, strict=True)]

    # ------------------------------------------------------------ one step
    def _step(self, steps: Sequence[Step]) -> list[Flits]:
        """One step of all images: flits in their order, then a tick; responses per image."""
        if len({(step.go, step.reset_after) for step in steps}) != 1:
            raise ValueError("the images' steps differ in go or reset")
        flits = np.concatenate([step.flits for step in steps])
        image = np.repeat(np.arange(len(steps)), [len(step.flits) for step in steps])
        spike = FLIT.get(flits, "kind") == Kind.SPIKE
        if spike.all():
            self._take_spikes(flits, image)
        else:
            self._mixed(flits, image, spike)
        if steps[0].go:
            self._go()
        if steps[0].reset_after is not None:
            self.reset()
        return self._collect()

    def _mixed(self, flits: Flits, image: Indices, spike: NDArray[np.bool_]) -> None:
        """Spikes and other flits, in their order."""
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

    def _common(self, flits: Flits, image: Indices) -> Flits:
        """The flits of one image, where every image has the same ones."""
        counts = np.bincount(image, minlength=self._images)
        if (counts != counts[0]).any():
            raise ValueError("the images' steps differ in more than spikes")
        each = flits.reshape(self._images, counts[0])
        if (each != each[0]).any():
            raise ValueError("the images' steps differ in more than spikes")
        common: Flits = each[0]
        return common

    def _collect(self) -> list[Flits]:
        """This step's responses, per image."""
        responses, self._responses = self._responses, []
        image = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in responses)])
        flits = np.concatenate([np.zeros(0, np.uint64), *(part[1] for part in responses)])
        if len(responses) > 1:  # each of them is in the order of images
            order = np.argsort(image.astype(np.min_scalar_type(self._images)), kind="stable")
            flits = flits[order]
        ends = np.cumsum(np.bincount(image, minlength=self._images))
        return np.split(flits, ends[:-1])

    # ------------------------------------------------------------ the tick
    def _go(self) -> None:
        """Every core consumes what arrived; what they fire arrives for the next tick."""
        reports: list[Flits] = []
        reporting: list[NDArray[np.bool_]] = []
        sent: list[tuple[Indices, Flits]] = []  # image and fan-out entry
        for core, axons in zip(self._cores, self._axons.take(), strict=True):
            tick = core.now
            if self._watcher is not None:
                self._watcher.before(core, axons)
            fired = core.tick(axons)
            if self._watcher is not None:
                self._watcher.after(core, fired)
            if fired is not None and fired.any():
                sent.append(_sent(core, fired))
                neurons = core.config.reporting
                reports.append(_host_flits(core, Region.SPIKE, neurons, tick))
                reporting.append(fired[:, neurons])
        if reports:
            image, which = np.nonzero(np.hstack(reporting))
            self._responses.append((image, np.concatenate(reports)[which]))
            self._fan_out(*(np.concatenate(parts) for parts in zip(*sent, strict=True)))

    def _fan_out(self, image: Indices, words: Flits) -> None:
        """Deliver what all cores sent in a tick, once for each rectangle."""
        page, axon = (FANOUT.get(words, name).astype(np.int64) for name in ("page", "axon"))
        self._axons.deliver(image, _box(FANOUT, words), page, axon)

    def _take_spikes(self, flits: Flits, image: Indices) -> None:
        """SPIKE flits from the host."""
        word = FLIT.get(flits, "data")
        page, axon = (AXON.get(word, name).astype(np.int64) for name in ("page", "axon"))
        self._axons.deliver(image, _box(FLIT, flits), page, axon)

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
            for each in np.flatnonzero(np.bincount(region)):
                core.write(int(each), offset[region == each], data[region == each])
        pages = [core.pages for core in self._cores]
        if pages != self._axons.pages:
            self._axons.repage(pages)

    def _control(self, flits: Flits) -> None:
        for core, word in self._per_core(flits):
            for data in FLIT.get(flits[word], "data"):
                if Control.RESTART & int(data):
                    core.restart()
                    self._axons.drop(self._cores.index(core))
                if Control.CLEAR_COUNTERS & int(data):
                    core.clear_counters()
                    self._axons.spikes_in[self._cores.index(core)] = 0

    def _read(self, flits: Flits) -> None:
        for core, word in self._per_core(flits):
            spikes_in = self._axons.spikes_in[self._cores.index(core)]
            for region, start, count in zip(*self._fields(flits[word]), strict=True):
                if start + count > 1 << FLIT.fields["offset"].width:
                    raise ValueError(f"a READ of {count} words from {start}")
                offset = np.arange(start, start + count)
                words = core.read(int(region), offset, spikes_in)
                data = np.broadcast_to(words, (self._images, count))
                image = np.repeat(np.arange(self._images), count)
                offsets = np.tile(offset, self._images)
                self._responses.append((image, _host_flits(core, int(region), offsets, data)))

    def _per_core(self, flits: Flits) -> list[tuple[GoldenCore, Indices]]:
        """The cores that these flits reach, each with the flits' indices in order."""
        reached: dict[int, list[Indices]] = {}
        for cores, part in by_box(self._shape, _box(FLIT, flits)):
            for core in cores:
                reached.setdefault(core, []).append(part)
        return [
            (self._cores[core], np.sort(np.concatenate(parts)))
            for core, parts in sorted(reached.items())
        ]

    @staticmethod
    def _fields(flits: Flits) -> tuple[Indices, Indices, Indices]:
        region, offset, data = (
            FLIT.get(flits, name).astype(np.int64) for name in ("region", "offset", "data")
        )
        return region, offset, data


def _sent(core: GoldenCore, fired: NDArray[np.bool_]) -> tuple[Indices, Flits]:
    """Image and fan-out entry of a core's spikes (bool [images, neurons]) that go to cores."""
    config = core.config
    image, which = np.nonzero(fired[:, config.sender[config.onwards]])
    return image, config.entry[config.onwards][which]


def _box(words: Format, flits: Flits) -> tuple[Flits, ...]:
    return tuple(words.get(flits, name) for name in ("x0", "y0", "x1", "y1"))


def _host_flits(
    core: GoldenCore, region: int, offset: Indices, data: NDArray[np.int64] | int
) -> Flits:
    """A core's HOST flits, uint64 [n], for offset int64 [n] and data of as many words, or one."""
    words = np.broadcast_to(np.ravel(data), len(offset)).astype(np.uint64)
    place = {"kind": int(Kind.HOST), "region": region, "x0": core.x, "y0": core.y}
    flits: Flits = FLIT.pack(offset=offset.astype(np.uint64), data=words, **place)
    return flits
