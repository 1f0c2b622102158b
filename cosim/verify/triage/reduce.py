"""A smaller failure that is the same one: the core that goes wrong, perhaps one that feeds it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage
from cosim.program.stimulus import Step, spike
from cosim.verify.triage.moments import Bits, Moments
from cosim.verify.triage.probe import BEFORE, Difference, Failure, golden_run
from hw.spec import FANOUT

MOST_FEEDERS = 3  # tried, each with a run of the RTL

Place = tuple[int, int]


def watched(failure: Failure) -> Moments:
    """What all cores consumed and fired, in a run of the golden model."""
    moments = Moments()
    golden_run(failure.program, failure.steps, moments)
    return moments


def smaller(failure: Failure, at: Difference) -> Iterator[Failure]:
    """Failures with fewer cores that may show the same difference, the smallest first.

    Ticks behind that difference are left out of all of them; the last one has all cores.
    """
    cut = replace(failure, steps=_until(failure.steps, max(at.tick, 0)))
    cores = {(core.x, core.y): core for core in failure.program.cores}
    if len(cores) > 1 and (at.x, at.y) in cores:
        moments = watched(cut)
        yield _only(cut, [cores[at.x, at.y]], moments)
        for feeder in _feeders(cores, at, moments)[:MOST_FEEDERS]:
            yield _only(cut, [cores[feeder], cores[at.x, at.y]], moments)
    if len(cut.steps) < len(failure.steps) or len(cores) <= 1:
        yield cut


def without_silent_axons(failure: Failure) -> Failure:
    """The same without the synapses of axons that no spike reaches, for which no sum is other.

    A big core of a network keeps some tenth of its synapses: a reader sees those that count.
    """
    moments = watched(failure)
    cores = []
    for core in failure.program.cores:
        reached = np.zeros((core.pages, core.synapses.shape[-1]), np.bool_)
        for taken in moments.consumed[core.x, core.y]:
            if taken is not None:
                reached[: len(taken)] |= taken[: core.pages]
        cores.append(replace(core, synapses=core.synapses & reached[:, None, None, :]))
    return replace(failure, program=replace(failure.program, cores=tuple(cores)))


def _until(steps: tuple[Step, ...], tick: int) -> tuple[Step, ...]:
    """The steps up to a tick, and one tick more: in it the difference may have consequences."""
    gos = np.cumsum([step.go for step in steps])
    return tuple(step for step, before in zip(steps, gos, strict=True) if before <= tick + 2)


def _feeders(cores: dict[Place, CoreImage], at: Difference, moments: Moments) -> list[Place]:
    """The other cores that sent spikes to a core about that tick, those that sent most first.

    Before the first tick, the nearest ones.
    """
    others = [place for place in cores if place != (at.x, at.y)]
    if at.tick == BEFORE:  # what is written to neighbours goes out once for all of them
        return sorted(others, key=lambda place: abs(place[0] - at.x) + abs(place[1] - at.y))
    sent = {}
    for place, core in cores.items():
        if place in others:
            fired = [moments.fired[place][tick] for tick in (at.tick - 1, at.tick) if tick >= 0]
            sent[place] = sum(len(_entries(core, who, at.x, at.y)) for who in fired)
    return sorted((place for place in sent if sent[place]), key=lambda place: -sent[place])


def _only(failure: Failure, kept: list[CoreImage], moments: Moments) -> Failure:
    """The same with these cores; what others sent to them comes from the host, spike by spike."""
    steps = []
    tick = BEFORE
    for step in failure.steps:
        if not step.go:
            steps.append(step)
            continue
        tick += 1
        more = [
            spike(axon, x=core.x, y=core.y, page=page)
            for core in kept
            for page, axon in _missing(core, kept, moments, tick)
        ]
        flits = np.concatenate([step.flits, np.array(more, np.uint64)])
        steps.append(replace(step, flits=flits))
    program = replace(failure.program, cores=tuple(kept), layers=(), inputs=None)
    return replace(failure, program=program, steps=tuple(steps))


def _missing(
    core: CoreImage, kept: list[CoreImage], moments: Moments, tick: int
) -> list[tuple[int, int]]:
    """Page and axon of all that a core consumes in a tick and that no core that is left sends."""
    taken = moments.consumed[core.x, core.y][tick]
    if taken is None:
        return []
    left: Bits = taken.copy()
    for sender in kept:
        if tick > 0:
            words = _entries(sender, moments.fired[sender.x, sender.y][tick - 1], core.x, core.y)
            page, axon = (FANOUT.get(words, name).astype(np.int64) for name in ("page", "axon"))
            there = page < len(left)
            left[page[there], axon[there]] = False
    return [(int(page), int(axon)) for page, axon in np.argwhere(left)]


def _entries(core: CoreImage, fired: NDArray[np.int64], x: int, y: int) -> NDArray[np.uint64]:
    """The FANOUT words of these neurons that lead to core (x, y)."""
    who = fired[fired < core.neurons]
    ranges = zip(core.fanout_start[who].tolist(), core.fanout_count[who].tolist(), strict=True)
    parts = [core.fanout[start : start + count] for start, count in ranges]
    words = np.concatenate([np.zeros(0, np.uint32), *parts]).astype(np.uint64)
    corner = {name: FANOUT.get(words, name) for name in ("x0", "y0", "x1", "y1", "host")}
    here = (corner["x0"] <= x) & (x <= corner["x1"]) & (corner["y0"] <= y) & (y <= corner["y1"])
    found: NDArray[np.uint64] = words[here & (corner["host"] == 0)]
    return found
