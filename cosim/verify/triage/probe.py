"""Where two chips first part: both are read after every tick, on a run of the failing stimulus."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cosim.golden.chip import GoldenChip
from cosim.golden.watcher import Watcher
from cosim.program.program import Program, configuration
from cosim.program.runner import Response, Runner
from cosim.program.stimulus import Step, read
from cosim.rtl.played import Trace
from hw.spec import DATA_BITS, FLIT, MAX_PLANES, NEURON_STRIDE, Counter, Region, Register

Make = Callable[[Trace | None], Runner]  # the RTL's runner; with a trace it records waves
COUNTED = (Counter.TICKS, Counter.SPIKES_IN, Counter.SPIKES_OUT, Counter.SYNAPTIC_OPS)
BEFORE = -1  # the tick of what is read before the first one
VALUES = (Region.MEMBRANE, Region.REGISTER, Region.NEURON, Region.FANOUT, Region.SYNAPSE)
SIGNED = (Region.MEMBRANE,)


@dataclass(frozen=True, eq=False)
class Failure:
    """A program and the stimulus (`steps`) with which the RTL is not the golden model.

    `what` says which image or pass it is, `found` what differed, both in words.
    """

    program: Program
    steps: tuple[Step, ...]
    what: str
    found: str

    @property
    def ticks(self) -> int:
        return sum(step.go for step in self.steps)


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same: a word that was read, or a number of spikes.

    Attributes:
        tick: counted over the whole stimulus; of a word, the tick after which it was read.
        offset: in its region; of a spike, the neuron.
        expected, got: of a word its value, of a spike how many came; None: no answer.
    """

    tick: int
    x: int
    y: int
    region: Region
    offset: int
    expected: int | None
    got: int | None


@dataclass(frozen=True, eq=False)
class Probed:
    """Both chips' responses to a stimulus with its readings, and what differs, in order of time."""

    steps: tuple[Step, ...]
    ticks: tuple[int, ...]  # of each step
    golden: Response
    rtl: Response

    @property
    def differences(self) -> list[Difference]:
        found: list[Difference] = []
        for tick, ours, theirs in zip(self.ticks, self.golden, self.rtl, strict=True):
            if not np.array_equal(np.sort(ours), np.sort(theirs)):
                found += _differences(tick, ours, theirs)
        return sorted(found, key=lambda each: (each.tick, each.y, each.x, each.region, each.offset))

    def words(
        self, response: Response, x: int, y: int, region: Region
    ) -> dict[int, dict[int, int]]:
        """By tick, what a core answered: its words by their offset."""
        found: dict[int, dict[int, int]] = defaultdict(dict)
        for tick, flits in zip(self.ticks, response, strict=True):
            here = (FLIT.get(flits, "x0") == x) & (FLIT.get(flits, "y0") == y)
            mine = flits[here & (FLIT.get(flits, "region") == int(region))]
            for flit in mine.tolist():
                found[tick][FLIT.get(flit, "offset")] = _value(region, FLIT.get(flit, "data"))
        return found


def probe(failure: Failure, rtl: Runner, watcher: Watcher | None = None) -> Probed:
    """Runs golden model and RTL with readings of all cores after each tick.

    Raises what the runner raises, such as `Mismatch` for an RTL that hangs.
    """
    steps, ticks = readings(failure)
    # A runner that keeps chips by program has one for this run alone.
    program = replace(failure.program)
    got = rtl.run(program, [steps]).responses[0]
    return Probed(steps, ticks, golden_run(failure.program, steps, watcher), got)


def golden_run(program: Program, steps: Sequence[Step], watcher: Watcher | None) -> Response:
    """The golden model's response from power-up; `watcher` sees its ticks."""
    chip = GoldenChip(program.shape, watcher=watcher)
    chip.run([Step(configuration(program), go=False)])
    return chip.run(steps)


def readings(failure: Failure) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    """The stimulus with readings, and the tick that each step belongs to."""
    program = failure.program
    state, settings = _state(program), _settings(program)
    steps: list[Step] = []
    ticks: list[int] = []
    tick = BEFORE
    for step in failure.steps:
        if step.go and tick == BEFORE:
            steps += [settings, state]
            ticks += [tick, tick]
        tick += step.go
        steps.append(step)
        ticks.append(tick)
        if step.go:
            steps.append(state)
            ticks.append(tick)
    return tuple(steps), tuple(ticks)


def _state(program: Program) -> Step:
    """Membranes and counters."""
    flits = []
    for core in program.cores:
        flits.append(read(Region.MEMBRANE, 0, core.neurons, x=core.x, y=core.y))
        flits += [read(Region.COUNTER, 2 * each, 1, x=core.x, y=core.y) for each in COUNTED]
    return Step(np.array(flits, np.uint64), go=False)


def _settings(program: Program) -> Step:
    """Registers, neuron words and fan-out."""
    flits = []
    for core in program.cores:
        words = [
            (Region.REGISTER, Register.PLANE_WEIGHT + MAX_PLANES),
            (Region.NEURON, core.neurons * NEURON_STRIDE),
            (Region.FANOUT, len(core.fanout)),
        ]
        flits += [read(region, 0, count, x=core.x, y=core.y) for region, count in words if count]
    return Step(np.array(flits, np.uint64), go=False)


def _differences(
    tick: int, ours: NDArray[np.uint64], theirs: NDArray[np.uint64]
) -> list[Difference]:
    expected, got = Tally(ours.tolist()), Tally(theirs.tolist())
    values: dict[tuple[int, int, Region, int], list[int | None]] = {}
    found = []
    for flit, side in _either(expected, got):
        x, y, offset = (FLIT.get(flit, name) for name in ("x0", "y0", "offset"))
        region = (
            Region(FLIT.get(flit, "region")) if FLIT.get(flit, "region") in set(Region) else None
        )
        if region is None or region == Region.SPIKE:
            counts = expected[flit], got[flit]
            if side == 0 or not expected[flit]:
                found.append(Difference(tick, x, y, Region.SPIKE, offset, *counts))
            continue
        pair = values.setdefault((x, y, region, offset), [None, None])
        pair[side] = _value(region, FLIT.get(flit, "data"))
    found += [Difference(tick, *place, *pair) for place, pair in values.items()]
    return found


def _either(expected: "Tally[int]", got: "Tally[int]") -> Iterator[tuple[int, int]]:
    """The flits of which one side has more: 0 is the golden model's."""
    for flit in expected - got:
        yield flit, 0
    for flit in got - expected:
        yield flit, 1


def _value(region: Region, data: int) -> int:
    return data - (1 << DATA_BITS) if region in SIGNED and data >> (DATA_BITS - 1) else data
