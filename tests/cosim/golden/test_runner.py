"""The golden model kept and used again: power-up, shared synapses, batches of jobs."""

from dataclasses import replace

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.golden.runner import GoldenRunner
from cosim.mapping.layer.routes import no_fan_out
from cosim.program.core_image import CoreImage
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, decode, read_membranes
from cosim.verify.random.programs import random_program, random_steps
from hw.spec import FLIT, ChipShape, Control, Kind, ResetMode
from tests.support.chips import assert_equal

SHAPE = ChipShape(3, 2, 64, 64)


def loaded(program: Program, images: int = 1) -> GoldenChip:
    chip = GoldenChip(program.shape, images)
    chip.run([Step(configuration(program), go=False)])
    return chip


@pytest.mark.parametrize("seed", range(5))
def test_power_up_forgets_all_but_the_configuration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(rng, SHAPE)
    before, after = (random_steps(rng, program, ticks=3, reconfigure=False) for _ in range(2))
    chip = loaded(program, images=2)
    chip.run_images([before, before])
    chip.power_up(1)
    expected = loaded(program).run(after)
    assert_equal(expected, chip.run(after), f"seed {seed}")


def test_cores_share_synapses_only_with_the_same_weights() -> None:
    """Three cores of the same rows; one has other plane weights, one other thresholds."""
    rng = np.random.default_rng(3)
    synapses = rng.random((2, 8, 3, 64)) < 0.5
    one = CoreImage(
        x=0,
        y=0,
        planes=3,
        plane_weights=(4, 2, -3),
        pages=2,
        neurons=8,
        reset=ResetMode.NONE,
        trace=True,
        synapses=synapses,
        threshold=rng.integers(5, 60, 8, dtype=np.int32),
        bias=np.zeros(8, np.int32),
        **no_fan_out(8),
    )
    other = replace(one, x=1, plane_weights=(-4, 2, 5))
    third = replace(one, x=2, threshold=one.threshold[::-1].copy())
    everywhere = FLIT.pack(kind=int(Kind.SPIKE), x1=2)
    axons = np.flatnonzero(rng.random(64) < 0.6).astype(np.uint64)
    tick = Step(axons | np.uint64(everywhere), go=True)
    together = Program(SHAPE, (one, other, third))
    steps = [tick, tick, read_membranes(together)]
    found = decode(loaded(together).run(steps))
    apart = [
        decode(loaded(Program(SHAPE, (core,))).run([*steps[:2], read_membranes(together)]))
        for core in together.cores
    ]
    for number, alone in enumerate(apart):
        for of_all, of_one in zip(found, alone, strict=True):
            column = 1 if of_all is found.spikes else 0
            mine = (rows[rows[:, column] == number] for rows in (of_all, of_one))
            assert np.array_equal(*mine)
    membranes = [rows.membranes[rows.membranes[:, 0] == n, 2] for n, rows in enumerate(apart)]
    assert len({values.tobytes() for values in membranes}) == 2  # without reset, by weights only
    assert len(found.spikes) > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_runs_jobs_of_two_programs_in_any_batches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    programs = [random_program(rng, SHAPE) for _ in range(2)]
    restart = control(SHAPE, Control.RESTART)
    runs = GoldenRunner(batch=3)
    for program in (*programs, programs[0]):
        ticks = [step for step in random_steps(rng, program, ticks=9) if step.go]
        jobs = [[restart, *ticks[n : n + 1 + n % 2], read_membranes(program)] for n in range(7)]
        answers = runs.run(program, jobs).responses
        for number, (job, answer) in enumerate(zip(jobs, answers, strict=True)):
            assert_equal(loaded(program).run(job), answer, f"seed {seed}, job {number}")
