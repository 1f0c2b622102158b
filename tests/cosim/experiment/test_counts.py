"""Counters from the chip's replies into a run's record: both words, every core, all sums."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.mapping.streamed import Schedule
from cosim.mapping.usage import chip_record
from cosim.program.program import Program
from cosim.program.stimulus import Phase
from cosim.rtl import simulation
from cosim.rtl.job import Job, Response
from cosim.rtl.simulation import run_jobs
from cosim.rtl.simulator.build import Simulator
from hw.spec import FLIT, ChipShape, Counter, Kind, Region
from tests.cosim.mapping.test_streamed import TINY_CHIP
from tests.support.subjects import SHAPE, FakeRtl, make_run_of, make_shards, make_subject

CHIP = ChipShape(3, 2, 64, 64)
NOTHING = np.zeros(0, np.uint64)


def value(process: int, x: int, y: int, counter: Counter) -> int:
    """Every one another, most of them beyond 32 bits; STALLS has its low word's highest bit."""
    if counter == Counter.TICKS:
        return process + 1
    if counter == Counter.STALLS:
        return 0xFFFF_FFFF - process
    return (process + 1) * (1 << 40) + (counter << 33) + 100 * y + 10 * x + counter


def replies(process: int) -> NDArray[np.uint64]:
    """All counters of all cores, as a chip sends them: in any order."""
    flits = []
    for y in range(CHIP.rows):
        for x in range(CHIP.columns):
            for counter in Counter:
                total = value(process, x, y, counter)
                for half, word in enumerate((total & 0xFFFF_FFFF, total >> 32)):
                    fields = {"region": int(Region.COUNTER), "offset": 2 * counter + half}
                    flits.append(FLIT.pack(kind=int(Kind.HOST), **fields, data=word, x0=x, y0=y))
    return np.random.default_rng(process).permutation(np.array(flits, np.uint64))


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_all_processes_counts_are_added_core_by_core(
    monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    """Five jobs of two phases; process p takes 100 + p cycles and p + 1 ticks."""

    def pretended(_: object, work: list[Job], on_done: object) -> list[Response]:
        found = []
        for process, job in enumerate(work):
            answers = [phase.flits for phase in job.phases[1:-1]]  # as they were asked
            phases = (NOTHING, *answers, replies(process))
            found.append(Response(phases, cycles=100 + process, ticks=process + 1))
        return found

    monkeypatch.setattr(simulation, "_run_processes", pretended)
    jobs = [
        [Phase(np.array([10 * job + part], np.uint64), go=True) for part in (0, 1)]
        for job in range(5)
    ]
    program = Program(CHIP, ())
    simulator = Simulator(CHIP, executable=None, flat=False, waves=False, build_s=0.0)  # type: ignore[arg-type]
    run = run_jobs(simulator, program, jobs, processes=processes)
    answers = [[phase.tolist() for phase in job] for job in run.responses]
    assert answers == [[[10 * job], [10 * job + 1]] for job in range(5)]
    assert run.cycles == sum(100 + process for process in range(processes))
    assert run.ticks == sum(process + 1 for process in range(processes))
    assert set(run.counters) == set(Counter)
    for counter, grid in run.counters.items():
        assert grid.tolist() == [
            [sum(value(p, x, y, counter) for p in range(processes)) for x in range(CHIP.columns)]
            for y in range(CHIP.rows)
        ], counter.name


@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_a_run_s_record_adds_up_its_shards_layers_and_rounds(shape: ChipShape) -> None:
    """The stand-in says the same of each call: core number times 10^counter; 1000 cycles a tick."""
    rtl_stub = FakeRtl()
    calls = 0

    def counted(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        return rtl_stub(*arguments)  # type: ignore[arg-type]

    subject = make_subject(shape)
    run = make_run_of(subject, counted, make_shards(103, sets=("clean",)))  # type: ignore[arg-type]
    rounds = 1
    if isinstance(subject.mapping, Schedule):
        rounds = sum(len(layer.rounds) for layer in subject.mapping.layers)
    assert calls == 2 * rounds  # 100 images and 3
    grid = np.arange(shape.cores).reshape(shape.rows, shape.columns)
    for counter in Counter:
        found = run["rtl"]["counters"][counter.name.lower()]
        assert found == (calls * grid * 10**counter).tolist(), counter.name
    assert run["rtl"]["cycles"] == 1000 * run["rtl"]["ticks"] > 0
    layers = run["rtl"]["layers"].values()
    if isinstance(subject.mapping, Schedule):
        assert sum(layer["cycles"] or 0 for layer in layers) == run["rtl"]["cycles"]
        assert sum(layer["ticks"] or 0 for layer in layers) == run["rtl"]["ticks"]
        total = calls * int(grid.sum())
        assert sum(layer["flits"] for layer in layers) == total * 10**Counter.FLITS
        assert sum(layer["synaptic_ops"] for layer in layers) == total * 10**Counter.SYNAPTIC_OPS
    else:
        for layer, mapped in zip(layers, subject.mapping.layers, strict=True):
            cores = np.unique(mapped.core)
            mine = calls * sum(int(grid[core >> 3, core & 7]) for core in cores)
            assert layer["flits"] == mine * 10**Counter.FLITS
            assert layer["synaptic_ops"] == mine * 10**Counter.SYNAPTIC_OPS
            assert layer["cycles"] is layer["ticks"] is None


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
            assert record["neurons"][y][x] == max(core.neurons for core in here)
            assert record["synapses"][y][x] == max(int(core.synapses.sum()) for core in here)
