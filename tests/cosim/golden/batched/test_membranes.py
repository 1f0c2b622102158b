"""Sums in 32 bits as long as these hold them, in 64 bits from then on: as numpy's, always in 64."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from cosim.golden.batched.chip import BatchedChip
from cosim.golden.batched.soma import Somas
from cosim.golden.chip import GoldenChip
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read_membranes
from hw.spec import MEMBRANE_MAX, MEMBRANE_MIN, Control, ResetMode
from tests.support.by_hand import CHIP, core, spikes
from tests.support.chips import assert_equal

BIAS = [1 << 28, -(1 << 28), 1 << 20, -1, MEMBRANE_MAX, MEMBRANE_MIN]
THRESHOLD = [MEMBRANE_MAX, 5, -(1 << 27), MEMBRANE_MIN, 1 << 30, -7]


def widths(monkeypatch: pytest.MonkeyPatch) -> "set[torch.dtype]":
    """The types in which membranes are updated from now on."""
    found: set[torch.dtype] = set()
    plain = Somas.integrate_and_fire

    def noted(self: Somas, v: torch.Tensor, *others: object) -> torch.Tensor:
        found.add(v.dtype)
        return plain(self, v, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(Somas, "integrate_and_fire", noted)
    return found


@pytest.mark.parametrize(
    ("reset", "leak", "floor"),
    list(product(ResetMode, (None, 0, 1, 31), (MEMBRANE_MIN, -100, MEMBRANE_MAX - 3))),
)
@pytest.mark.parametrize("noise", [0, 0xFFFF])
def test_equals_numpy_to_the_ends_of_a_membrane(
    reset: ResetMode, leak: int | None, floor: int, noise: int
) -> None:
    """Twelve ticks, all membranes read after each, of which a RESTART of some cores is one."""
    image = core(
        [32767, -32768],
        threshold=THRESHOLD,
        bias=np.array(BIAS, np.int32),
        synapses=np.random.default_rng(1).random((1, 6, 2, CHIP.axons)) < 0.5,
        **{"reset": reset, "leak": leak, "floor": floor, "noise_mask": noise},
    )
    mild = replace(image, x=1, bias=np.array(BIAS, np.int32) >> 8)
    program = Program(CHIP, (image, mild))
    steps = [Step(configuration(program), go=False), control(CHIP, Control.RESTART)]
    for tick in range(12):
        if tick == 8:
            steps.append(control(replace(CHIP, columns=1), Control.RESTART))
        steps += [spikes(*range(tick, 64, 3), x=tick % 2), read_membranes(program)]
    assert_equal(GoldenChip(CHIP).run(steps), BatchedChip(CHIP).run(steps), "batched")


def test_32_bits_until_they_could_be_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 3/8 x 2^30 and a little more a tick they are in the sixth, up to a RESTART of all."""
    found = widths(monkeypatch)
    image = core([1], threshold=[MEMBRANE_MAX], bias=np.array([3 << 27], np.int32))
    chip = BatchedChip(CHIP)
    chip.run([Step(configuration(Program(CHIP, (image,))), go=False)])
    for _ in range(2):
        chip.run([control(CHIP, Control.RESTART)])
        for width in [torch.int32] * 5 + [torch.int64] * 2:
            found.clear()
            chip.run([spikes()])
            assert found == {width}
