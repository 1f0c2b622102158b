"""The spikes that wait for the next tick, as lists: who hears them is found out at the tick.

Cores that hear the same spikes are found here, so that their currents are one sum over all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cosim.golden.door.boxes import BOXES, Boxes, Indices, cores_in, places
from hw.spec import ChipShape


@dataclass(eq=False)
class Arrival:
    """Spikes that came together, arrays [n].

    Attributes:
        row: the number of a spike's rectangle, among those here, * images + its image.
        place: page * axons + axon.
        last: the largest of them.
        listeners: cores of each rectangle.
        width: of each core, page * axons at arrival: what lies beyond was dropped at its door.
        gone: cores that were restarted since.
    """

    row: Indices
    place: Indices
    last: int
    listeners: list[list[int]]
    width: Indices
    gone: set[int] = field(default_factory=set)


class Source(NamedTuple):
    """What a core hears: of an arrival's spikes to a rectangle, those below a place."""

    arrival: int
    box: int
    below: int


Heard = tuple[Source, ...]


class Arrivals:
    """All that has arrived since the last tick; `spikes_in` counts it, int64 [cores, images]."""

    def __init__(self, shape: ChipShape, spikes_in: Indices) -> None:
        self._shape, self._spikes_in = shape, spikes_in
        self.waiting: list[Arrival] = []

    def add(self, image: Indices, box: Boxes, axon: Indices, width: Indices) -> None:
        """Spikes (arrays [n], `axon` AXON words) at cores that have so many axons now."""
        if not len(image):
            return
        place = places(self._shape, axon)
        boxes = np.flatnonzero(np.bincount(box))
        number = np.zeros(BOXES, np.int64)
        number[boxes] = np.arange(len(boxes)) * self._spikes_in.shape[1]
        listeners = [cores_in(self._shape, each) for each in boxes.tolist()]
        came = Arrival(number[box] + image, place, int(place.max()), listeners, width)
        self.waiting.append(came)
        self._count(came)

    def _count(self, came: Arrival) -> None:
        images = self._spikes_in.shape[1]
        for width in {int(came.width[core]) for cores in came.listeners for core in cores}:
            row = came.row if came.last < width else came.row[came.place < width]
            size = len(came.listeners) * images
            counts = np.bincount(row, minlength=size).reshape(-1, images)
            for cores, count in zip(came.listeners, counts, strict=True):
                for core in cores:
                    if came.width[core] == width:
                        self._spikes_in[core] += count

    def restart(self, cores: list[int]) -> None:
        """Some cores drop what they have."""
        for came in self.waiting:
            came.gone.update(cores)

    def take(self, width: Indices) -> tuple[list[Arrival], dict[Heard, list[int]]]:
        """What has arrived, and the cores by what they hear; then nothing waits any more.

        `width` is page * axons of each core now: spikes on pages that it has lost are dropped.
        """
        heard: dict[int, list[Source]] = {}
        for number, came in enumerate(self.waiting):
            below = np.minimum(came.width, width).tolist()
            for box, cores in enumerate(came.listeners):
                for core in cores:
                    if core not in came.gone:
                        heard.setdefault(core, []).append(Source(number, box, below[core]))
        alike: dict[Heard, list[int]] = {}
        for core in sorted(heard):
            alike.setdefault(tuple(heard[core]), []).append(core)
        taken, self.waiting = self.waiting, []
        return taken, alike


class Slot(NamedTuple):
    """Axons of cores that hear the same: image i's begin at place `first` + i * `step`."""

    heard: Heard
    first: int
    step: int


def spike_places(taken: list[Arrival], slots: Sequence[Slot], images: int) -> Indices:
    """The places in all slots where spikes are; two spikes on one axon have the same."""
    parts = [np.zeros(0, np.int64)]
    for number, came in enumerate(taken):
        turns: list[dict[int, tuple[Slot, Source]]] = []  # a rectangle may feed several slots
        feeds: dict[int, int] = {}
        for slot in slots:
            for source in slot.heard:
                if source.arrival == number:
                    turn = feeds.get(source.box, 0)
                    feeds[source.box] = turn + 1
                    if turn == len(turns):
                        turns.append({})
                    turns[turn][source.box] = slot, source
        parts += [_places(came, turn, images) for turn in turns]
    return np.concatenate(parts) if len(parts) != 2 else parts[1]


def _places(came: Arrival, feeds: dict[int, tuple[Slot, Source]], images: int) -> Indices:
    """Of an arrival's spikes that feed a slot, by rectangle."""
    first, below = np.zeros((2, len(came.listeners), images), np.int64)
    for box, (slot, source) in feeds.items():
        first[box] = slot.first + slot.step * np.arange(images)
        below[box] = source.below
    place = first.reshape(-1)[came.row] + came.place
    if below.min() > came.last:
        return place
    return place[came.place < below.reshape(-1)[came.row]]
