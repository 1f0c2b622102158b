"""Spikes that came to the wrong place: what the cores that send them have really sent."""

import tempfile
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cosim.program.stimulus import Step
from cosim.rtl.played import Trace
from cosim.verify.triage.moments import Moments
from cosim.verify.triage.probe import Difference, Failure, Make, golden_run
from cosim.verify.triage.waves.lanes import flit_of
from cosim.verify.triage.waves.wave import Wave
from hw.spec import AXON, FANOUT, FLIT, Kind


def sent_right(failure: Failure, steps: Sequence[Step], at: Difference, make: Make) -> bool | None:
    """Whether each core has sent in that tick what its fan-out says; None: none had to send."""
    moments = Moments()
    golden_run(failure.program, steps, moments)
    verdict = None
    for core in failure.program.cores[:2]:
        fired = moments.fired[core.x, core.y][max(at.tick, 0)]
        wanted: Tally[int] = Tally()
        for neuron in fired.tolist():
            start, count = int(core.fanout_start[neuron]), int(core.fanout_count[neuron])
            flits = map(flit_of, core.fanout[start : start + count].tolist())
            wanted.update(flit for flit in flits if flit is not None)
        if not wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="nc64c-") as name:
            trace = Trace(
                core.x, core.y, max(at.tick - 1, 0), at.tick + 1, Path(name, "sender.fst")
            )
            make(trace).run(replace(failure.program), [steps])
            if _sent(Wave(trace.file, trace.first), at.tick) != wanted:
                return False
        verdict = True
    return verdict


def _sent(wave: Wave, tick: int) -> "Tally[int]":
    """The SPIKE flits that a core hands to its router in a tick."""
    return Tally(wave.spikes("outbound", wave.cycles(tick)).tolist())


def to_missing_pages(failure: Failure, at: Difference) -> bool:
    """Whether any spike is sent to a page that the core does not have."""
    pages = {(core.x, core.y): core.pages for core in failure.program.cores}.get((at.x, at.y), 1)
    for core in failure.program.cores:
        words = core.fanout.astype(np.uint64)
        if (FANOUT.get(words, "page")[FANOUT.get(words, "host") == 0] >= pages).any():
            return True
    for step in failure.steps:
        flits = step.flits[FLIT.get(step.flits, "kind") == int(Kind.SPIKE)]
        if (AXON.get(FLIT.get(flits, "data"), "page") >= pages).any():
            return True
    return False
