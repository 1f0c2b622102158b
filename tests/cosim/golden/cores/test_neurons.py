"""What a tick does to a neuron, computed by hand, in both golden models."""

from typing import Any

import numpy as np
import pytest

from cosim.golden.cores.lfsr import lfsr_next, lfsr_run
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, decode, read_membranes
from hw.spec import MEMBRANE_MAX, MEMBRANE_MIN, ChipShape, ResetMode
from tests.support.by_hand import answers, core, membrane, run, spikes


def test_weighted_sum_of_planes_and_pages() -> None:
    synapses = np.zeros((2, 1, 3, 64), np.bool_)
    synapses[0, 0, 0, 5] = synapses[0, 0, 1, 5] = True  # 8 - 3 from axon 5 of page 0
    synapses[1, 0, 2, 63] = True  # 100 from axon 63 of page 1
    image = core([8, -3, 100], pages=2, synapses=synapses)
    assert membrane(image, spikes(5)) == 5
    assert membrane(image, spikes(5, 5, 6)) == 5  # twice is once, axon 6 is not connected
    both = np.concatenate([spikes(5).flits, spikes(63, page=1).flits])
    assert membrane(image, Step(both, go=True)) == 105
    assert membrane(image, spikes(5, page=1), spikes(63), spikes(5, page=2)) == 0


def test_bias_saturates_upwards_once_per_tick() -> None:
    image = core([32767], threshold=[MEMBRANE_MAX], bias=np.array([MEMBRANE_MAX], np.int32))
    # 2^31 - 1 + 64 * 32767 is cut to 2^31 - 1, which reaches the threshold.
    assert run(image, spikes(*range(64))) == ([[0, 0, 0]], [[0, 0, 0]])
    # One exact sum: the negative input outweighs what would have been cut first.
    image = core([-32768], bias=np.array([MEMBRANE_MAX], np.int32), reset=ResetMode.NONE)
    assert membrane(image, spikes(), spikes(*range(64))) == MEMBRANE_MAX
    image = core([-32768], threshold=[MEMBRANE_MAX], bias=np.array([100], np.int32), leak=0)
    assert membrane(image, spikes(0)) == 100 - 32768


def test_the_sum_is_not_cut_in_between() -> None:
    """From MAX - 10 (the floor): + 2097088 - 100 is over, whatever is added first."""
    bias, floor = np.array([-100], np.int32), MEMBRANE_MAX - 10
    image = core([32767], threshold=[MEMBRANE_MAX], bias=bias, floor=floor, reset=ResetMode.NONE)
    assert membrane(image, spikes(), spikes(*range(64))) == MEMBRANE_MAX


@pytest.mark.parametrize(
    ("weights", "pages", "axons", "expected"),
    [
        ([32767], 1, 1023, 33520641),  # odd and over 2^24: not a 32-bit float
        ([-32768, 1], 1, 1023, -33520641),
        ([-32768] * 8, 8, 1024, MEMBRANE_MIN),  # 8192 x 8 x -2^15 is just -2^31
        ([32767] * 8, 8, 1024, 2147418112),
    ],
)
def test_full_scale_is_exact(weights: list[int], pages: int, axons: int, expected: int) -> None:
    chip = ChipShape(1, 1, 1024, 64)
    synapses = np.ones((pages, 1, len(weights), 1024), np.bool_)
    image = core(weights, pages=pages, synapses=synapses, reset=ResetMode.NONE)
    program = Program(chip, (image,))
    fed = [spikes(*range(axons), page=page).flits for page in range(pages)]
    steps = [Step(configuration(program), go=False), Step(np.concatenate(fed), go=True)]
    observed = decode(answers(chip, [*steps, read_membranes(program)]))
    assert observed.membranes.tolist() == [[0, 0, expected]]


def test_saturates_downwards() -> None:
    image = core([-32768], bias=np.array([MEMBRANE_MIN], np.int32))
    assert membrane(image, spikes(*range(64))) == MEMBRANE_MIN
    assert membrane(image, spikes(), spikes()) == MEMBRANE_MIN


def test_subtract_with_negative_threshold() -> None:
    image = core([7], threshold=[-10], reset=ResetMode.SUBTRACT)
    assert run(image, spikes()) == ([[0, 0, 0]], [[0, 0, 10]])  # 0 >= -10; 0 + 10
    assert membrane(image, spikes(), spikes(1)) == 27  # 10 + 7, + 10
    image = core(threshold=[MEMBRANE_MIN], bias=np.array([5], np.int32), reset=ResetMode.SUBTRACT)
    assert membrane(image, spikes()) == MEMBRANE_MAX  # 5 + 2^31 does not fit


@pytest.mark.parametrize(
    ("mode", "left"), [(ResetMode.ZERO, 0), (ResetMode.SUBTRACT, 2), (ResetMode.NONE, 7)]
)
def test_reset_modes_and_the_threshold_itself(mode: ResetMode, left: int) -> None:
    assert run(core([7], threshold=[5], reset=mode), spikes(0)) == ([[0, 0, 0]], [[0, 0, left]])
    assert run(core([7], threshold=[7], reset=mode), spikes(0))[0] == [[0, 0, 0]]
    assert run(core([7], threshold=[8], reset=mode), spikes(0)) == ([], [[0, 0, 7]])


def test_floor_comes_last() -> None:
    image = core([7], threshold=[5], floor=3)
    assert run(image, spikes(0)) == ([[0, 0, 0]], [[0, 0, 3]])  # after the reset to 0
    assert membrane(core([-7], floor=-5), spikes(0)) == -5
    image = core([-7], floor=-5, threshold=[-6])
    assert run(image, spikes(0)) == ([], [[0, 0, -5]])  # -7 is compared, -5 is kept
    assert run(core([-7], floor=-5, first_tick=1), spikes(0))[1] == [[0, 0, 0]]


def test_leak_rounds_down() -> None:
    """v - (v >> k): -5 >> 1 is -3, 5 >> 1 is 2."""
    assert membrane(core([-5], leak=1), spikes(0), spikes()) == -2
    assert membrane(core([5], leak=1), spikes(0), spikes()) == 3
    assert membrane(core([-1], leak=31), spikes(0), spikes()) == 0
    assert membrane(core([1], leak=31), spikes(0), spikes()) == 1
    assert membrane(core([9], leak=0), spikes(0), spikes()) == 0
    assert membrane(core([9], leak=None), spikes(0), spikes(1)) == 18


def test_threshold_noise() -> None:
    """Seed 1 goes 1, 0xB400, 0x5A00, 0x2D00; masked with 0xFF00: 0, 0xB400, 0x5A00, 0x2D00."""
    lfsr = [0x0000, 0xB400, 0x5A00, 0x2D00]
    settings: dict[str, Any] = {"noise_mask": 0xFF00, "reset": ResetMode.NONE}
    bias = np.array(lfsr, np.int32)
    fired, _ = run(core(threshold=[0] * 4, bias=bias, **settings), spikes())
    assert fired == [[0, 0, n] for n in range(4)]
    fired, _ = run(core(threshold=[1] * 4, bias=bias, **settings), spikes())
    assert fired == []
    # Steps go on from tick to tick, but not outside the window.
    one = core(
        threshold=[0], bias=np.array([0x5A00], np.int32), first_tick=1, last_tick=3, **settings
    )
    assert run(one, spikes(), spikes())[0] == [[1, 0, 0]]
    assert run(one, spikes(), spikes(), spikes())[0] == [[1, 0, 0], [2, 0, 0]]
    silent = core(threshold=[0], bias=np.array([0], np.int32), seed=0, noise_mask=0xFFFF)
    assert run(silent, spikes(), spikes())[0] == [[0, 0, 0], [1, 0, 0]]
    # All ones added to the largest threshold is out of reach, and does not wrap.
    top = np.array([MEMBRANE_MAX], np.int32)
    out_of_reach = core(threshold=top, bias=top, noise_mask=0xFFFF, seed=0xFFFF)
    assert run(out_of_reach, spikes(0)) == ([], [[0, 0, MEMBRANE_MAX]])


def test_lfsr() -> None:
    states, after = lfsr_run(1, 5)
    assert states.tolist() == [1, 0xB400, 0x5A00, 0x2D00, 0x1680]
    assert after == 0x0B40
    assert lfsr_run(0xACE1, 3)[0].tolist() == [0xACE1, 0xE270, 0x7138]
    states, after = lfsr_run(0, 3)
    assert (states.tolist(), after) == ([0, 0, 0], 0)
    state, period = lfsr_next(1), 1
    while state != 1:
        state, period = lfsr_next(state), period + 1
    assert period == 65535
    states, after = lfsr_run(0xACE1, 65535)
    assert after == 0xACE1
    assert len(set(states.tolist())) == 65535


def test_window_holds_the_state_and_drops_spikes() -> None:
    image = core(
        [5], threshold=[9], bias=np.array([1], np.int32), leak=1, first_tick=1, last_tick=3
    )
    assert membrane(image, spikes(0)) == 0
    assert membrane(image, spikes(0), spikes()) == 1  # tick 0's spike is gone
    assert membrane(image, spikes(), spikes(0), spikes()) == 4  # 6, then 6 - 3 + 1
    assert membrane(image, spikes(), spikes(0), spikes(), spikes(0), spikes()) == 4
