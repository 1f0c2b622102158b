"""The golden model: the whole chip at tick level in numpy, fed with the same flits as the RTL."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.golden.axons import AxonBuffers
from cosim.golden.boxes import Boxes, axon_of, box_of
from cosim.golden.core import GoldenCore, Shared
from cosim.golden.front_door import Flits, FrontDoor, Indices, host_flits
from hw.spec import FANOUT, FULL_CHIP, ChipShape, Region


class Watcher(Protocol):
    """Is shown every core at every tick: before it, and who fired in it."""

    def before(self, core: GoldenCore, axons: NDArray[np.bool_] | None) -> None:
        """`axons` are those to be consumed, bool [images, pages * axons]; None: no spikes."""

    def after(self, core: GoldenCore, fired: NDArray[np.bool_] | None) -> None:
        """`fired` is bool [images, neurons]; None: no neuron was updated."""


class GoldenChip(FrontDoor):
    """A chip for `images` images at once, core by core in numpy."""

    def __init__(
        self, shape: ChipShape = FULL_CHIP, images: int = 1, watcher: Watcher | None = None
    ) -> None:
        shared: Shared = {}
        self._watcher = watcher
        super().__init__(shape)
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
        self._responses = []

    def reset(self) -> None:
        """As the chip's reset pin: registers and all else as after power-up, memories stay."""
        for core in self._cores:
            core.reset()
        self.power_up(self._images)

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
                reports.append(host_flits(core.x, core.y, Region.SPIKE, neurons, tick))
                reporting.append(fired[:, neurons])
        if reports:
            image, which = np.nonzero(np.hstack(reporting))
            self._responses.append((image, np.concatenate(reports)[which]))
            self._fan_out(*(np.concatenate(parts) for parts in zip(*sent, strict=True)))

    def _fan_out(self, image: Indices, words: Flits) -> None:
        """Deliver what all cores sent in a tick, once for each rectangle."""
        self._arrive(image, box_of(FANOUT, words), axon_of(words))

    def _arrive(self, image: Indices, box: Boxes, axon: Indices) -> None:
        self._axons.deliver(image, box, axon)

    # ------------------------------------------------------------ commands
    def _write_core(self, core: int, region: int, offset: Indices, data: Indices) -> None:
        self._cores[core].write(region, offset, data)

    def _written(self) -> None:
        pages = [core.pages for core in self._cores]
        if pages != self._axons.pages:
            self._axons.repage(pages)

    def _read_core(self, core: int, region: int, offset: Indices) -> Indices:
        return self._cores[core].read(region, offset, self._axons.spikes_in[core])

    def _restart(self, core: int) -> None:
        self._cores[core].restart()
        self._axons.drop(core)

    def _clear_counters(self, core: int) -> None:
        self._cores[core].clear_counters()
        self._axons.spikes_in[core] = 0


def _sent(core: GoldenCore, fired: NDArray[np.bool_]) -> tuple[Indices, Flits]:
    """Image and fan-out entry of a core's spikes (bool [images, neurons]) that go to cores."""
    config = core.config
    image, which = np.nonzero(fired[:, config.sender[config.onwards]])
    return image, config.entry[config.onwards][which]
