"""The batched golden model against numpy's: every HOST flit, spikes and membranes among them."""

from dataclasses import replace

import numpy as np
import pytest

from cosim.experiment.levels.resident import image_stimuli
from cosim.golden.batched.chip import BatchedChip
from cosim.golden.batched.runner import BatchedRunner
from cosim.golden.chip import GoldenChip
from cosim.golden.runner import GoldenRunner
from cosim.mapping.layer.routes import no_fan_out
from cosim.mapping.resident import map_network
from cosim.program.core_image import CoreImage
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read_membranes
from cosim.verify.random.programs import (
    program_after_program,
    random_program,
    random_steps,
    read_counters,
)
from cosim.verify.random.reconfiguration import Reconfiguration
from hw.spec import FLIT, FULL_CHIP, ChipShape, Control, Kind, ResetMode
from sw.attack.image_sets import draw_images
from sw.common.errors import InputError
from sw.files.paths import DIGITS_CHECKPOINT
from sw.integer.fold import fold
from sw.train import checkpoint
from tests.support.chips import assert_equal, thinned

SHAPES = (
    ChipShape(2, 2, 64, 64),
    ChipShape(1, 1, 64, 64),
    ChipShape(3, 1, 64, 32),
    ChipShape(1, 2, 128, 128),
    ChipShape(1, 1, 1024, 16),
)
IMAGES = 5


@pytest.mark.parametrize("seed", range(40))
def test_equals_numpy_on_random_programs(seed: int) -> None:
    """Of several images: counters are read as well."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    program = random_program(rng, shape)
    steps = [*random_steps(rng, program, ticks=4), read_counters(shape)]
    images = thinned(rng, steps, IMAGES)
    found = []
    for chip in (GoldenChip(shape, IMAGES), BatchedChip(shape, IMAGES)):
        chip.run([Step(configuration(program), go=False)])
        found.append(chip.run_images(images))
    for number, (expected, got) in enumerate(zip(*found, strict=True)):
        assert_equal(expected, got, f"seed {seed}, image {number}")


@pytest.mark.parametrize("seed", range(10))
def test_equals_numpy_while_it_is_reconfigured(seed: int) -> None:
    """Pages, neurons and weights change between ticks, with spikes under way."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[0]
    program = random_program(rng, shape)
    host = Reconfiguration(rng, program)
    steps = [Step(configuration(program), go=False)]
    for _ in range(10):
        steps += host.steps()
        steps += [s for s in random_steps(rng, program, 2, reconfigure=False) if s.go]
        steps.append(host.read_all())
    assert_equal(GoldenChip(shape).run(steps), BatchedChip(shape).run(steps), f"seed {seed}")


@pytest.mark.slow
def test_equals_numpy_on_the_full_chip() -> None:
    """Programs one after the other, and the digits network, which is resident."""
    steps = program_after_program(seed=1)
    assert_equal(GoldenChip().run(steps), BatchedChip().run(steps), "seed 1")
    trained = checkpoint.load(DIGITS_CHECKPOINT)
    network = fold(trained.quantised_network)
    program = map_network(network, FULL_CHIP)
    images = draw_images(trained.config.dataset, 20, seed=1).images
    stimuli = image_stimuli(program, network, images)
    expected = GoldenRunner().run(program, stimuli).responses
    got = BatchedRunner().run(program, stimuli).responses
    for number, (want, have) in enumerate(zip(expected, got, strict=True)):
        assert_equal(want, have, f"image {number}, drawn by seed 1")


@pytest.mark.parametrize("seed", range(5))
def test_cores_that_hear_the_same_are_summed_together(seed: int) -> None:
    """Alike cores in two slots, spikes twice on an axon, and weights beyond 32-bit floats."""
    rng = np.random.default_rng(seed)
    shape = ChipShape(4, 1, 64, 64)
    first = CoreImage(
        x=0,
        y=0,
        planes=3,
        plane_weights=(32767, -32768, 1 << seed),
        pages=1,
        neurons=20,
        reset=ResetMode.SUBTRACT,
        trace=True,
        synapses=rng.random((1, 20, 3, 64)) < 0.5,
        threshold=rng.integers(5, 1 << 20, 20, dtype=np.int32),
        bias=np.zeros(20, np.int32),
        **no_fan_out(20),
    )
    second = replace(first, synapses=rng.random((1, 20, 3, 64)) < 0.5)
    cores = [replace((first, second)[x % 2], x=x) for x in range(4)]
    program = Program(shape, tuple(cores))
    axon = rng.integers(0, 64, 90).astype(np.uint64)
    left = axon | np.uint64(FLIT.pack(kind=int(Kind.SPIKE), x0=0, x1=1))
    right = axon[:50] | np.uint64(FLIT.pack(kind=int(Kind.SPIKE), x0=2, x1=3))
    steps = [
        control(shape, Control.RESTART),
        Step(np.concatenate([left, right]), go=True),
        Step(left, go=True),
        read_membranes(program),
    ]
    images = thinned(rng, steps, 9)
    expected = GoldenRunner().run(program, images).responses
    for budget in (1 << 30, 80_000):
        got = BatchedRunner(budget=budget).run(program, images).responses
        for number, (want, have) in enumerate(zip(expected, got, strict=True)):
            assert_equal(want, have, f"seed {seed}, budget {budget}, image {number}")


def test_refuses_images_that_differ_in_more_than_spikes_and_too_small_a_budget() -> None:
    program = random_program(np.random.default_rng(1), SHAPES[0])
    restart = control(program.shape, Control.RESTART)
    one, other = [restart, read_membranes(program)], [restart, read_counters(program.shape)]
    with pytest.raises(ValueError, match="differ in more than spikes"):
        BatchedRunner().run(program, [one, other])
    sentence = r"one stimulus of this program takes [\d,]+ bytes of its 10: .* \(--golden numpy\)"
    with pytest.raises(InputError, match=sentence):
        BatchedRunner(budget=10).run(program, [one])
