"""Counters from the chip's replies into a run's record: both words, every core, all sums."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.mapping.streamed import Schedule
from cosim.mapping.usage import chip_record
from cosim.program.program import Program
from cosim.program.runner import Advance, Run, Stimulus, unheard
from cosim.program.stimulus import Step
from cosim.rtl.played import SimulatorInput, SimulatorOutput
from cosim.rtl.runner import RtlRunner
from hw.spec import FLIT, ChipShape, Counter, Kind, Region
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.subjects import SHAPE, FakeRtl, make_run_of, make_shards, make_subject

CHIP = ChipShape(3, 2, 64, 64)
NOTHING = np.zeros(0, np.uint64)


def value(x: int, y: int, counter: Counter) -> int:
    """Every one another, most of them beyond 32 bits; STALLS has its low word's highest bit."""
    if counter == Counter.TICKS:
        return 7
    if counter == Counter.STALLS:
        return 0xFFFF_FFFF
    return (1 << 40) + (counter << 33) + 100 * y + 10 * x + counter


def replies() -> NDArray[np.uint64]:
    """All counters of all cores, as a chip sends them: in any order."""
    flits = []
    for y in range(CHIP.rows):
        for x in range(CHIP.columns):
            for counter in Counter:
                total = value(x, y, counter)
                for half, word in enumerate((total & 0xFFFF_FFFF, total >> 32)):
                    fields = {"region": int(Region.COUNTER), "offset": 2 * counter + half}
                    flits.append(FLIT.pack(kind=int(Kind.HOST), **fields, data=word, x0=x, y0=y))
    return np.random.default_rng(1).permutation(np.array(flits, np.uint64))


def test_counters_are_those_of_every_core_and_both_words() -> None:
    """Five stimuli of two steps; what is played is what was asked."""

    def pretended(given: SimulatorInput, _: Advance) -> SimulatorOutput:
        answers = [step.flits for step in given.steps[1:-1]]
        return SimulatorOutput((NOTHING, *answers, replies()), cycles=100, ticks=7)

    stimuli = [
        [Step(np.array([10 * number + part], np.uint64), go=True) for part in (0, 1)]
        for number in range(5)
    ]
    run = RtlRunner(pretended).run(Program(CHIP, ()), stimuli)
    answers = [[step.tolist() for step in response] for response in run.responses]
    assert answers == [[[10 * number], [10 * number + 1]] for number in range(5)]
    assert (run.totals.cycles, run.totals.ticks) == (100, 7)
    assert set(run.totals.counters) == set(Counter)
    for counter, grid in run.totals.counters.items():
        assert grid.tolist() == [
            [value(x, y, counter) for x in range(CHIP.columns)] for y in range(CHIP.rows)
        ], counter.name


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_a_run_s_record_adds_up_its_shards_layers_and_rounds(shape: ChipShape) -> None:
    """The stand-in says the same of each call: core number times 10^counter; 1000 cycles a tick."""
    calls = 0

    class Counted(FakeRtl):
        def run(
            self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard
        ) -> Run:
            nonlocal calls
            calls += 1
            return super().run(program, stimuli, advance)

    subject = make_subject(shape)
    run = make_run_of(subject, Counted(), make_shards(103, sets=("clean",)))
    rounds = 1
    if isinstance(subject.mapping, Schedule):
        rounds = sum(len(layer.rounds) for layer in subject.mapping.layers)
    assert calls == 2 * rounds  # 100 images and 3
    grid = np.arange(shape.cores).reshape(shape.rows, shape.columns)
    for counter in Counter:
        found = run.rtl.counters[counter.name.lower()]
        assert found == (calls * grid * 10**counter).tolist(), counter.name
    assert run.rtl.cycles == 1000 * run.rtl.ticks > 0
    layers = run.rtl.layers.values()
    if isinstance(subject.mapping, Schedule):
        assert sum(layer.cycles or 0 for layer in layers) == run.rtl.cycles
        assert sum(layer.ticks or 0 for layer in layers) == run.rtl.ticks
        total = calls * int(grid.sum())
        assert sum(layer.flits for layer in layers) == total * 10**Counter.FLITS
        assert sum(layer.synaptic_ops for layer in layers) == total * 10**Counter.SYNAPTIC_OPS
    else:
        for layer, mapped in zip(layers, subject.mapping.layers, strict=True):
            cores = np.unique(mapped.core)
            mine = calls * sum(int(grid[core >> 3, core & 7]) for core in cores)
            assert layer.flits == mine * 10**Counter.FLITS
            assert layer.synaptic_ops == mine * 10**Counter.SYNAPTIC_OPS
            assert layer.cycles is layer.ticks is None


def test_a_streamed_core_s_use_is_that_of_its_fullest_program() -> None:
    mapping = make_subject(TINY_CHIP).mapping
    assert isinstance(mapping, Schedule)
    record = chip_record(mapping)
    cores = [
        core for layer in mapping.layers for part in layer.rounds for core in part.program.cores
    ]
    for y in range(TINY_CHIP.rows):
        for x in range(TINY_CHIP.columns):
            here = [core for core in cores if (core.x, core.y) == (x, y)]
            assert record.neurons[y][x] == max(core.neurons for core in here)
            assert record.synapses[y][x] == max(int(core.synapses.sum()) for core in here)
