"""Spikes between cores and to the host, and what is counted, computed by hand in both models."""

import numpy as np
import pytest

from cosim.program.core_image import CoreImage
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, write
from hw.spec import FANOUT, FLIT, Control, Counter, Region, Register
from tests.support.by_hand import CHIP, answers, core, membrane, reading, run, spikes


def test_spikes_arrive_in_the_next_tick() -> None:
    there = FANOUT.pack(axon=3, page=1, x0=1, y0=0, x1=1, y1=1)  # two cores
    itself = FANOUT.pack(axon=9)
    sender = core([5], threshold=[5], fanout=[there, itself])
    receivers = [core([2], pages=2, x=1, y=0), core([3], pages=2, x=1, y=1)]
    ticks = [spikes(0), spikes(), spikes()]
    assert run([sender, *receivers], *ticks[:1])[1] == [[0, 0, 0], [1, 0, 0], [9, 0, 0]]
    # Core 0 hears itself and fires again, each tick.
    fired, membranes = run([sender, *receivers], *ticks)
    assert fired == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    assert membranes == [[0, 0, 0], [1, 0, 4], [9, 0, 6]]


def test_restart_drops_what_arrived_before_it() -> None:
    image = core([5], threshold=[100])
    waiting = Step(spikes(0).flits, go=False)
    assert membrane(image, spikes(1), waiting, control(CHIP, Control.RESTART), spikes(2, 3)) == 10
    assert membrane(image, waiting, spikes(1)) == 10


def test_pages_are_those_at_arrival() -> None:
    """A spike that arrived stays when a page is added; one to a page not yet there is gone."""
    one, two = (
        Step(np.array([write(Region.REGISTER, Register.PAGE_SHIFT, s, x=0, y=0)]), go=False)
        for s in (0, 1)
    )
    both = np.concatenate([spikes(3).flits, spikes(4, page=1).flits])
    nothing = spikes()
    assert membrane(core([5], pages=2), one, Step(both, go=False), two, nothing) == 5
    assert membrane(core([5], pages=2), Step(both, go=False), nothing) == 10


def test_host_entries_and_trace() -> None:
    host = FANOUT.pack(host=1)
    assert run(core([5], threshold=[5], fanout=[host, host]), spikes(0))[0] == [[0, 0, 0]] * 3
    assert run(core([5], threshold=[5], fanout=[host], trace=False), spikes(0))[0] == [[0, 0, 0]]
    assert run(core([5], threshold=[5], trace=False), spikes(0))[0] == []


def _responses(image: CoreImage, *steps: Step) -> list[int]:
    load = Step(configuration(Program(CHIP, (image,))), go=False)
    responses = answers(CHIP, [load, *steps])
    return sorted(FLIT.get(np.concatenate(responses), "data").tolist())


@pytest.mark.parametrize(
    ("counter", "value"),
    [
        (Counter.TICKS, 3),
        (Counter.SPIKES_IN, 5),  # twice axon 0, one in each other tick; the page that is not: none
        (Counter.SPIKES_OUT, 2),
        (Counter.SYNAPTIC_OPS, 8),  # 2 neurons x 2 planes x 1 axon in 2 ticks
    ],
)
def test_counters(counter: Counter, value: int) -> None:
    image = core([5, -1], threshold=[4, 100], trace=False, last_tick=2)
    ticks = [spikes(0, 0), spikes(7), spikes(8, 9)]
    ticks[2] = Step(np.concatenate([ticks[2].flits, spikes(1, page=1).flits]), go=True)
    assert _responses(image, *ticks, reading(Region.COUNTER, 2 * counter, 2)) == [0, value]
    cleared = control(CHIP, Control.CLEAR_COUNTERS)
    assert _responses(image, *ticks, cleared, reading(Region.COUNTER, 2 * counter, 2)) == [0, 0]
