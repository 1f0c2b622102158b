"""Chips that go wrong in one round: the golden model with a fault put into its responses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.golden.runner import GoldenRunner
from cosim.program.program import Program
from cosim.program.runner import Advance, Response, Run, Stimulus, Totals, unheard
from hw.spec import FLIT, Counter, Kind, Region

GOLDEN = GoldenRunner()
Responses = list[Response]  # of a round, by pass
Fault = Callable[[Responses], None]


@dataclass
class Spoiled:
    """The golden model, whose `call`-th round is spoiled by `fault`."""

    call: int
    fault: Fault
    calls: int = 0

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        responses = GOLDEN.run(program, stimuli, advance).responses
        if self.calls == self.call:
            self.fault(responses)
        self.calls += 1
        counters = {counter: np.ones((1, 1), np.int64) for counter in Counter}
        return Run(responses, Totals(cycles=1, ticks=1, wall_s=1.0, counters=counters))


def host(region: Region, offset: int, data: int) -> NDArray[np.uint64]:
    """A HOST flit of core (0, 0)."""
    fields = {"region": int(region), "offset": offset, "data": data}
    return np.array([FLIT.pack(kind=int(Kind.HOST), **fields)], np.uint64)


def is_(region: Region, flits: NDArray[np.uint64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = FLIT.get(flits, "region") == int(region)
    return found


def lose_a_spike(job: int) -> Fault:
    def fault(responses: Responses) -> None:
        number = next(n for n, flits in enumerate(responses[job]) if is_(Region.SPIKE, flits).any())
        responses[job][number] = responses[job][number][1:]

    return fault


def repeat_a_spike(job: int) -> Fault:
    def fault(responses: Responses) -> None:
        number = next(n for n, flits in enumerate(responses[job]) if is_(Region.SPIKE, flits).any())
        flits = responses[job][number]
        responses[job][number] = np.concatenate([flits, flits[-1:]])

    return fault


def send(job: int, flit: NDArray[np.uint64]) -> Fault:
    """One flit more, in the first tick."""

    def fault(responses: Responses) -> None:
        responses[job][1] = np.concatenate([responses[job][1], flit])

    return fault


def lose_membrane(job: int, which: int) -> Fault:
    """One of the membranes read at the end."""

    def fault(responses: Responses) -> None:
        assert is_(Region.MEMBRANE, responses[job][-1]).all()
        responses[job][-1] = np.delete(responses[job][-1], which)

    return fault


def change_membrane(job: int) -> Fault:
    def fault(responses: Responses) -> None:
        responses[job][-1] = responses[job][-1] ^ (np.arange(len(responses[job][-1])) == 7)

    return fault


def nothing(_: Responses) -> None:
    """No fault."""
