"""A chip whose waves are recorded does what it does unseen, and the waves show it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cosim.program.stimulus import Step
from cosim.rtl.played import Trace
from cosim.rtl.runner import traced, verilator
from cosim.rtl.simulator.build import build
from cosim.verify.random.programs import SMALL, random_program, random_steps
from cosim.verify.triage.moments import Moments
from cosim.verify.triage.probe import Difference, golden_run
from cosim.verify.triage.rules import Rule, outcome
from cosim.verify.triage.stages import first_stage
from cosim.verify.triage.waves.wave import Wave
from hw.spec import Region
from tests.support.bugs import SHAPE, busy_failure

pytestmark = pytest.mark.rtl

TICKS = 4
TILES = [(x, y) for x in range(SMALL.columns) for y in range(SMALL.rows)]


@pytest.mark.parametrize(("x", "y"), TILES)
@pytest.mark.parametrize(("first", "last"), [(0, 1), (2, 3), (0, TICKS)])
def test_recording_a_tile_changes_nothing(
    x: int, y: int, first: int, last: int, tmp_path: Path
) -> None:
    """Responses, also those of the ticks not recorded, and the number of cycles."""
    seed = 8 * TILES.index((x, y)) + first
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    program = random_program(rng, SMALL)
    steps: list[Step] = random_steps(rng, program, ticks=TICKS)
    trace = Trace(x, y, first, last, tmp_path / "waves.fst")
    unseen = verilator(build(SMALL)).run(program, [steps])
    seen = traced(SMALL, trace).run(program, [steps])
    for mine, theirs in zip(unseen.responses[0], seen.responses[0], strict=True):
        assert np.array_equal(np.sort(mine), np.sort(theirs))
    assert seen.totals.cycles == unseen.totals.cycles


def test_the_waves_show_each_neuron_as_the_golden_model_has_it(tmp_path: Path) -> None:
    """Axons, counts, current, sum, noise, compare and reset, of every core in every tick."""
    failure = busy_failure()
    seen = 0
    for core in failure.program.cores:
        trace = Trace(core.x, core.y, 0, failure.ticks, tmp_path / f"{core.x}_{core.y}.fst")
        traced(SHAPE, trace).run(replace(failure.program), [failure.steps])
        wave = Wave(trace.file, trace.first)
        assert list(wave.begins()) == list(range(failure.ticks))
        for tick in range(failure.ticks):
            watcher = Moments((core.x, core.y), tick)
            golden_run(failure.program, failure.steps, watcher)
            assert watcher.moment is not None
            if tick:
                arrived = wave.arrived(tick, *watcher.moment.axons.shape)
                assert arrived is not None
                assert (arrived == watcher.moment.axons).all()
            active = core.first_tick <= watcher.moment.tick < core.last_tick
            assert active == bool(wave.visits(tick))
            for neuron in range(core.neurons * active):
                at = Difference(tick, core.x, core.y, Region.MEMBRANE, neuron, None, None)
                parts = first_stage(wave, at, watcher.moment, outcome(watcher.moment))
                # All is right as far as a wave goes: READS are what is left.
                assert parts is not None
                assert parts.rule is Rule.READS, parts
            seen += len(wave.visits(tick))
    assert seen > 0
