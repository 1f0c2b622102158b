"""A chip whose waves are recorded does in every cycle what it does unseen."""

from pathlib import Path

import numpy as np
import pytest

from cosim.program.stimulus import Step
from cosim.rtl.played import Trace
from cosim.rtl.runner import traced, verilator
from cosim.rtl.simulator.build import build
from cosim.verify.random.programs import SMALL, random_program, random_steps

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
    assert trace.file.stat().st_size > 0
