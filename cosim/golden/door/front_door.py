"""The door of a golden model: steps of many images, in; what the chip does with them, one by one.

Both golden models, numpy's and the batched one, are fed in this way. Flits reach all cores of their
rectangle at once and no queue is ever full: what the NoC's timing could change is nothing that
`hw.spec` promises.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.golden.door.boxes import Boxes, axon_of, box_of, by_box, cores_in
from cosim.program.packing import unpacked
from cosim.program.stimulus import Step
from hw.spec import FLIT, ChipShape, Control, Kind, Region, Register

Flits = NDArray[np.uint64]
Indices = NDArray[np.int64]


class FrontDoor(ABC):
    """A chip for `images` images at once: all with one configuration, each with its own spikes.

    Raises `ValueError` for flits that no chip of this shape can take (a rectangle or an axon
    outside it, a word that is not there), and for what the model leaves out: the counters of cycles
    and routers.
    """

    def __init__(self, shape: ChipShape) -> None:
        self._shape = shape
        self._images = 1
        self._responses: list[tuple[Indices, Flits]] = []  # image and HOST flit, of this step

    # ------------------------------------------------------------ what the chip does
    @abstractmethod
    def reset(self) -> None:
        """As the chip's reset pin: registers and all else as after power-up, memories stay."""

    @abstractmethod
    def power_up(self, images: int) -> None:
        """A batch of so many images; the configuration stays, all else is as after power-up."""

    @abstractmethod
    def _go(self) -> None:
        """One tick of all cores; what they tell the host goes to `_responses`."""

    @abstractmethod
    def _arrive(self, image: Indices, box: Boxes, axon: Indices) -> None:
        """Spikes (arrays [n]) for all cores of their rectangles; `axon` are AXON words."""

    @abstractmethod
    def _write_core(self, core: int, region: int, offset: Indices, data: Indices) -> None:
        """Store words of a core; cores are numbered row by row."""

    @abstractmethod
    def _written(self) -> None:
        """A run of writes is over."""

    @abstractmethod
    def _read_core(self, core: int, region: int, offset: Indices) -> Indices:
        """Words of a core, int64 [1 or images, n]: [1, n] where all images agree."""

    @abstractmethod
    def _restart(self, cores: list[int]) -> None:
        """RESTART of some cores."""

    @abstractmethod
    def _clear_counters(self, cores: list[int]) -> None:
        """CLEAR_COUNTERS of some cores."""

    # ------------------------------------------------------------ steps
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
        return [[of_step[image] for of_step in by_step] for image in range(len(images))]

    def _step(self, steps: Sequence[Step]) -> list[Flits]:
        """One step of all images: flits in their order, then a tick; responses per image."""
        if len({(step.go, step.reset_after) for step in steps}) != 1:
            raise ValueError("the images' steps differ in go or reset")
        flits = np.concatenate([step.flits for step in steps])
        image = np.repeat(np.arange(len(steps)), [len(step.flits) for step in steps])
        if _is_plain(flits):
            self._arrive(image, box_of(FLIT, flits), axon_of(flits))
        else:
            self._mixed(flits, image, FLIT.get(flits, "kind") == Kind.SPIKE)
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
        if self._images > 1:
            order = np.argsort(image.astype(np.min_scalar_type(self._images)), kind="stable")
            flits = flits[order]
        ends = np.cumsum(np.bincount(image, minlength=self._images))
        return np.split(flits, ends[:-1])

    def _take_spikes(self, flits: Flits, image: Indices) -> None:
        """SPIKE flits from the host."""
        flits, source = unpacked(flits)
        self._arrive(image[source], box_of(FLIT, flits), axon_of(flits))

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
                here = region == each
                self._write_core(core, int(each), offset[here], data[here])
        self._written()

    def _control(self, flits: Flits) -> None:
        boxes, data = box_of(FLIT, flits), FLIT.get(flits, "data")
        for box, command in zip(boxes.tolist(), data.tolist(), strict=True):
            cores = cores_in(self._shape, box)
            if Control.RESTART & command:
                self._restart(cores)
            if Control.CLEAR_COUNTERS & command:
                self._clear_counters(cores)

    def _read(self, flits: Flits) -> None:
        places, words = [], []  # core, region and offset of each word; [1 or images, words]
        for core, word in self._per_core(flits):
            for region, start, count in zip(*self._fields(flits[word]), strict=True):
                if start + count > 1 << FLIT.fields["offset"].width:
                    raise ValueError(f"a READ of {count} words from {start}")
                offset = np.arange(start, start + count)
                found = self._read_core(core, int(region), offset)
                words.append(np.broadcast_to(found, (self._images, count)))
                places.append((np.full(count, core), np.full(count, region), offset))
        where, regions, offsets = (np.concatenate(each) for each in zip(*places, strict=True))
        image = np.repeat(np.arange(self._images), len(where))
        y, x = np.divmod(where, self._shape.columns)
        place = FLIT.pack(kind=int(Kind.HOST), region=regions, offset=offsets, x0=x, y0=y)
        data = FLIT.pack(data=np.concatenate(words, axis=1).reshape(-1))
        self._responses.append((image, np.tile(place, self._images) | data))

    def _per_core(self, flits: Flits) -> list[tuple[int, Indices]]:
        """The cores that these flits reach, each with the flits' indices in order."""
        reached: dict[int, list[Indices]] = {}
        for cores, part in by_box(self._shape, box_of(FLIT, flits)):
            for core in cores:
                reached.setdefault(core, []).append(part)
        return [(core, np.sort(np.concatenate(parts))) for core, parts in sorted(reached.items())]

    @staticmethod
    def _fields(flits: Flits) -> tuple[Indices, Indices, Indices]:
        region, offset, data = (
            FLIT.get(flits, name).astype(np.int64) for name in ("region", "offset", "data")
        )
        return region, offset, data


def _is_plain(flits: Flits) -> bool:
    """Whether all are SPIKEs, and of one axon each: then no bit of kind and region is set."""
    some = int(np.bitwise_or.reduce(flits))
    return (FLIT.get(some, "kind"), FLIT.get(some, "region")) == (Kind.SPIKE, 0)
