"""Events of a camera, and the spikes that they are in the steps of a network.

The rule: step k has the events of  t0 + k tick <= t < t0 + (k + 1) tick, where t0 is the time of a
recording's first event. Several events of a pixel and a polarity in one step are one spike. Events
after the last step are left out, and counted. Channel 0 has polarity 1 (brighter), channel 1
polarity 0 (darker); a network of one channel gets both in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data.user.inputs import Takes

Numbers = NDArray[np.int64]
NANOSECONDS = 1e9
MAX_TIME = 1 << 52  # microseconds: a thousand of them fit 64 bits


@dataclass(frozen=True, eq=False)
class Events:
    """Events of one recording, int64 [n] each: column, row, time in microseconds, polarity."""

    x: Numbers
    y: Numbers
    t: Numbers
    p: Numbers


def binned(
    recordings: Iterable[tuple[str, Events]], count: int, takes: Takes
) -> tuple[NDArray[np.uint8], int]:
    """Spikes uint8 [count, T, C, H, W] of recordings, each with its name for messages.

    Also how many events came after the last step.

    Raises `InputError` if the network takes no such spikes, or for events out of order or place.
    """
    tick = _tick(takes)
    takes.check_room("events", count)
    spikes = np.zeros((count, takes.timesteps, *takes.shape), np.uint8)
    late = 0
    for into, (where, events) in zip(spikes, recordings, strict=True):
        _check(where, events, takes)
        start = int(events.t[0]) if len(events.t) else 0
        step = (events.t - start) * 1000 // tick
        seen = step < takes.timesteps
        late += len(step) - int(seen.sum())
        channel = 1 - events.p if takes.shape[0] == 2 else np.zeros_like(events.p)
        into[step[seen], channel[seen], events.y[seen], events.x[seen]] = 1
    return spikes, late


def notes(late: int, takes: Takes) -> tuple[str, ...]:
    """What is to be said of events that were left out."""
    if not late:
        return ()
    return (f"{late:,} events came after the last of {takes.timesteps} steps and were left out",)


def _tick(takes: Takes) -> int:
    """Nanoseconds of a step."""
    if not takes.spikes:
        raise InputError("the inputs are events, the network takes images")
    if takes.shape[0] > 2:
        raise InputError(f"events have 1 or 2 channels, the network takes {takes.shape[0]}")
    if takes.tick is None:
        raise InputError("events need the length of a step in seconds, such as --tick 0.01")
    if not 1e-6 <= takes.tick <= 1e6:
        raise InputError(f"a step of {takes.tick:g} s: must be 1e-6 to 1e6")
    return round(takes.tick * NANOSECONDS)


def _check(where: str, events: Events, takes: Takes) -> None:
    _, height, width = takes.shape
    for name, values, size in (("column", events.x, width), ("row", events.y, height)):
        if len(values) and not 0 <= values.min() <= values.max() < size:
            at = int(np.flatnonzero((values < 0) | (values >= size))[0])
            raise InputError(
                f"{where}: event {at} is in {name} {values[at]}, outside the network's inputs: "
                f"must be 0 to {size - 1}"
            )
    if len(events.p) and not 0 <= events.p.min() <= events.p.max() <= 1:
        raise InputError(f"{where}: a polarity is no 0 or 1")
    if len(events.t) and not 0 <= events.t.min() <= events.t.max() < MAX_TIME:
        raise InputError(f"{where}: a time is no number of microseconds from 0 on")
    back = np.flatnonzero(np.diff(events.t) < 0)
    if len(back):
        raise InputError(
            f"{where}: event {back[0] + 1} is before the one in front of it: events must be in "
            "order of time"
        )
