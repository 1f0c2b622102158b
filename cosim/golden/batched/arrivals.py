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
    """Spikes that came together: image, rectangle and place (page * axons + axon), arrays [n].

    Attributes:
        listeners: cores by rectangle.
        width: of each core, page * axons at arrival: what lies beyond was dropped at its door.
        gone: cores that were restarted since.
    """

    image: Indices
    box: Boxes
    place: Indices
    listeners: dict[int, list[int]]
    width: Indices
    gone: set[int] = field(default_factory=set)


class Source(NamedTuple):
    """What a core hears: of the arrival's spikes to a rectangle, those below a place."""

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
        boxes = np.flatnonzero(np.bincount(box)).tolist()
        listeners = {each: cores_in(self._shape, each) for each in boxes}
        came = Arrival(image, box, place, listeners, width)
        self.waiting.append(came)
        self._count(came)

    def _count(self, came: Arrival) -> None:
        last = int(came.place.max())
        widths = {came.width[core] for cores in came.listeners.values() for core in cores}
        for width in widths:
            taken = slice(None) if last < width else came.place < width
            number = np.cumsum(np.bincount(came.box) > 0) - 1  # of a rectangle, among those here
            flat = number[came.box[taken]] * self._spikes_in.shape[1] + came.image[taken]
            size = len(came.listeners) * self._spikes_in.shape[1]
            counts = np.bincount(flat, minlength=size).reshape(-1, self._spikes_in.shape[1])
            for cores, count in zip(came.listeners.values(), counts, strict=True):
                for core in cores:
                    if came.width[core] == width:
                        self._spikes_in[core] += count

    def restart(self, core: int) -> None:
        """A core drops what it has."""
        for came in self.waiting:
            came.gone.add(core)

    def take(self, width: Indices) -> tuple[list[Arrival], dict[Heard, list[int]]]:
        """What has arrived, and the cores by what they hear; then nothing waits any more.

        `width` is page * axons of each core now: spikes on pages that it has lost are dropped.
        """
        heard: dict[int, list[Source]] = {}
        for number, came in enumerate(self.waiting):
            for box, cores in came.listeners.items():
                for core in cores:
                    if core not in came.gone:
                        below = min(came.width[core], width[core])
                        heard.setdefault(core, []).append(Source(number, box, below))
        alike: dict[Heard, list[int]] = {}
        for core in sorted(heard):
            alike.setdefault(tuple(heard[core]), []).append(core)
        taken, self.waiting = self.waiting, []
        return taken, alike


def spike_keys(taken: list[Arrival], slots: Sequence[Heard], width: int) -> Indices:
    """(image * slots + slot) * width + place of each axon that spikes, int64 [n], ascending.

    A slot hears what `slots` says of it; two spikes on one axon are one.
    """
    parts = [
        _keys(came, [_of(number, heard) for heard in slots], width)
        for number, came in enumerate(taken)
    ]
    keys = np.concatenate(parts) if len(parts) != 1 else parts[0]
    if len(keys) > 1 and not (keys[1:] > keys[:-1]).all():
        keys = np.sort(keys)
        keys = keys[np.diff(keys, prepend=-1) > 0]
    return keys


def _of(arrival: int, heard: Heard) -> list[Source]:
    return [source for source in heard if source.arrival == arrival]


def _keys(came: Arrival, slots: list[list[Source]], width: int) -> Indices:
    """The same of one arrival, in its order. A rectangle may feed several slots: one turn each."""
    turns: list[tuple[Indices, Indices]] = []  # by rectangle: the slot that it feeds, and below
    feeds: dict[int, int] = {}
    for slot, sources in enumerate(slots):
        for source in sources:
            turn = feeds.get(source.box, 0)
            feeds[source.box] = turn + 1
            if turn == len(turns):
                turns.append((np.zeros(BOXES, np.int64), np.zeros(BOXES, np.int64)))
            turns[turn][0][source.box], turns[turn][1][source.box] = slot, source.below
    last = int(came.place.max())
    parts = []
    for slot_of, below in turns:
        key = (came.image * len(slots) + slot_of[came.box]) * width + came.place
        every = (below[list(came.listeners)] > last).all()
        parts.append(key if every else key[came.place < below[came.box]])
    return np.concatenate([np.zeros(0, np.int64), *parts]) if len(parts) != 1 else parts[0]
