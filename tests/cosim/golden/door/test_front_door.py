"""What goes in and out at the front door of a golden model, and what it refuses."""

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read, write
from hw.spec import FLIT, Control, Counter, Kind, Region, Register
from tests.support.by_hand import CHIP, answers, core, reading, spikes


def test_replies() -> None:
    image = core([-5], threshold=[-1], trace=False)
    load = Step(configuration(Program(CHIP, (image,))), go=False)
    _, reply = answers(CHIP, [load, reading(Region.REGISTER, Register.PLANE_WEIGHT, 2)])
    # kind 3 | region 4 | offset 16 and 17 | data, signs extended
    assert sorted(reply.tolist()) == [
        3 << 62 | 4 << 47 | 16 << 32 | 0xFFFFFFFB,
        3 << 62 | 4 << 47 | 17 << 32,
    ]


@pytest.mark.parametrize(
    ("flit", "message"),
    [
        (read(Region.COUNTER, 2 * Counter.STALLS, 1, x=0, y=0), "counter 6 is not modelled"),
        (read(Region.FANOUT, 4095, 2, x=1, y=0), r"core \(1, 0\): nothing at FANOUT 4096"),
        (read(Region.SYNAPSE, 2, 1, x=0, y=0), "nothing at SYNAPSE 2"),
        (read(Region.SYNAPSE, 0, 1 << 31, x=0, y=0), "a READ of 2147483648 words"),
        (write(Region.REGISTER, 12, 0, x=0, y=0), "0x0 does not fit the word at REGISTER 12"),
        (write(Region.REGISTER, Register.PLANES, 9, x=0, y=0), "0x9 does not fit"),
        (write(Region.MEMBRANE, 0, 0, x=0, y=0), "region 3 cannot be written"),
        (spikes(64).flits[0], "axon 64 of 64"),
        (spikes(0, x=2).flits[0], "not one of this chip's"),
        (np.uint64(FLIT.pack(kind=Kind.HOST)), "a HOST flit from the host"),
    ],
)
def test_what_no_chip_can_take(flit: np.uint64, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GoldenChip(CHIP).run([Step(np.array([flit]), go=False)])


def test_no_steps_have_no_answers() -> None:
    assert GoldenChip(CHIP).run([]) == []
    assert GoldenChip(CHIP, images=2).run_images([[], []]) == [[], []]


def test_a_configuration_that_is_none() -> None:
    flits = np.array([write(Region.REGISTER, Register.NEURONS, 65, x=1, y=1)])
    with pytest.raises(ValueError, match=r"core \(1, 1\): 65 neurons x 1 planes x 1 pages"):
        GoldenChip(CHIP).run([Step(flits, go=True)])


def test_images_must_have_the_same_structure() -> None:
    chip = GoldenChip(CHIP, images=2)
    restart = control(CHIP, Control.RESTART)
    nothing = Step(np.zeros(0, np.uint64), go=False)
    with pytest.raises(ValueError, match="differ in number"):
        chip.run_images([[restart], []])
    with pytest.raises(ValueError, match="differ in go"):
        chip.run_images([[nothing], [Step(nothing.flits, go=True)]])
    with pytest.raises(ValueError, match="differ in more than spikes"):
        chip.run_images([[restart], [nothing]])
    for step in (reading(Region.REGISTER, 0, 1), Step(nothing.flits, go=True), spikes(0)):
        with pytest.raises(ValueError, match="takes WRITE flits only"):
            chip.run([step])
