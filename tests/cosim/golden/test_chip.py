"""The golden model against results computed by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.golden.cores.lfsr import lfsr_next, lfsr_run
from cosim.program.core_image import CoreImage
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, decode, read, read_membranes, write
from hw.spec import (
    AXON,
    FANOUT,
    FLIT,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    ChipShape,
    Control,
    Counter,
    Kind,
    Region,
    Register,
    ResetMode,
)

CHIP = ChipShape(2, 2, 64, 64)


def core(weights: Sequence[int] = (1,), **settings: Any) -> CoreImage:
    """Core (0, 0) with one neuron (or as many as `threshold` says), all of its synapses set."""
    threshold = np.array(settings.pop("threshold", [1000]), np.int32)
    fanout = np.array(settings.pop("fanout", []), np.uint32)
    n, pages = len(threshold), settings.get("pages", 1)
    settings = {"x": 0, "y": 0, "trace": True, "planes": len(weights), "neurons": n} | settings
    default: dict[str, Any] = {
        "synapses": np.ones((pages, n, len(weights), CHIP.axons), np.bool_),
        "bias": np.zeros(n, np.int32),
        "fanout_start": np.zeros(n, np.int64),
        "fanout_count": np.full(n, len(fanout), np.int64),
    }
    return CoreImage(
        plane_weights=tuple(weights),
        threshold=threshold,
        fanout=fanout,
        **(default | settings),
    )


def spikes(*axons: int, page: int = 0, x: int = 0, y: int = 0) -> Step:
    """A tick of core (x, y) with spikes on these axons."""
    words = [
        FLIT.pack(kind=Kind.SPIKE, data=AXON.pack(axon=a, page=page), x0=x, y0=y, x1=x, y1=y)
        for a in axons
    ]
    return Step(np.array(words, np.uint64), go=True)


def run(cores: CoreImage | Sequence[CoreImage], *ticks: Step) -> tuple[list[Any], list[Any]]:
    """Spikes [tick, core, neuron] and final membranes [core, neuron, value] of a fresh chip."""
    cores = [cores] if isinstance(cores, CoreImage) else cores
    program = Program(CHIP, tuple(cores))
    load = Step(configuration(program), go=False)
    steps = [load, control(CHIP, Control.RESTART), *ticks, read_membranes(program)]
    observed = decode(GoldenChip(CHIP).run(steps))
    return observed.spikes.tolist(), observed.membranes.tolist()


def membrane(image: CoreImage, *ticks: Step) -> int:
    """Of neuron 0 after these ticks."""
    value: int = run(image, *ticks)[1][0][2]
    return value


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
    observed = decode(GoldenChip(chip).run([*steps, read_membranes(program)]))
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


def test_spikes_arrive_in_the_next_tick() -> None:
    there = FANOUT.pack(axon=3, page=1, x0=1, y0=0, x1=1, y1=1)  # two cores
    itself = FANOUT.pack(axon=9)
    sender = core([5], threshold=[5], fanout=[there, itself])
    receivers = [core([2], pages=2, x=1, y=0), core([3], pages=2, x=1, y=1)]
    ticks = [spikes(0), spikes(), spikes()]
    assert run([sender, *receivers], *ticks[:1])[1] == [[0, 0, 0], [1, 0, 0], [9, 0, 0]]
    # Core 0 hears itself and fires again, each tick.
    fired, membranes = run([sender, *receivers], *ticks)
    assert fired == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    assert membranes == [[0, 0, 0], [1, 0, 4], [9, 0, 6]]


def test_restart_drops_what_arrived_before_it() -> None:
    image = core([5], threshold=[100])
    waiting = Step(spikes(0).flits, go=False)
    assert membrane(image, spikes(1), waiting, control(CHIP, Control.RESTART), spikes(2, 3)) == 10
    assert membrane(image, waiting, spikes(1)) == 10


def test_pages_are_those_at_arrival() -> None:
    """A spike that arrived stays when a page is added; one to a page not yet there is gone."""
    one, two = (
        Step(np.array([write(Region.REGISTER, Register.PAGE_SHIFT, s, x=0, y=0)]), go=False)
        for s in (0, 1)
    )
    both = np.concatenate([spikes(3).flits, spikes(4, page=1).flits])
    nothing = spikes()
    assert membrane(core([5], pages=2), one, Step(both, go=False), two, nothing) == 5
    assert membrane(core([5], pages=2), Step(both, go=False), nothing) == 10


def test_host_entries_and_trace() -> None:
    host = FANOUT.pack(host=1)
    assert run(core([5], threshold=[5], fanout=[host, host]), spikes(0))[0] == [[0, 0, 0]] * 3
    assert run(core([5], threshold=[5], fanout=[host], trace=False), spikes(0))[0] == [[0, 0, 0]]
    assert run(core([5], threshold=[5], trace=False), spikes(0))[0] == []


def _responses(image: CoreImage, *steps: Step) -> list[int]:
    load = Step(configuration(Program(CHIP, (image,))), go=False)
    responses = GoldenChip(CHIP).run([load, *steps])
    return sorted(FLIT.get(np.concatenate(responses), "data").tolist())


def _read(region: Region, offset: int, count: int) -> Step:
    return Step(np.array([read(region, offset, count, x=0, y=0)]), go=False)


@pytest.mark.parametrize(
    ("counter", "value"),
    [
        (Counter.TICKS, 3),
        (Counter.SPIKES_IN, 5),  # twice axon 0, one in each other tick; the page that is not: none
        (Counter.SPIKES_OUT, 2),
        (Counter.SYNAPTIC_OPS, 8),  # 2 neurons x 2 planes x 1 axon in 2 ticks
    ],
)
def test_counters(counter: Counter, value: int) -> None:
    image = core([5, -1], threshold=[4, 100], trace=False, last_tick=2)
    ticks = [spikes(0, 0), spikes(7), spikes(8, 9)]
    ticks[2] = Step(np.concatenate([ticks[2].flits, spikes(1, page=1).flits]), go=True)
    assert _responses(image, *ticks, _read(Region.COUNTER, 2 * counter, 2)) == [0, value]
    cleared = control(CHIP, Control.CLEAR_COUNTERS)
    assert _responses(image, *ticks, cleared, _read(Region.COUNTER, 2 * counter, 2)) == [0, 0]


def test_replies() -> None:
    image = core([-5], threshold=[-1], trace=False)
    chip = GoldenChip(CHIP)
    chip.run([Step(configuration(Program(CHIP, (image,))), go=False)])
    [reply] = chip.run([_read(Region.REGISTER, Register.PLANE_WEIGHT, 2)])
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
    for step in (_read(Region.REGISTER, 0, 1), Step(nothing.flits, go=True), spikes(0)):
        with pytest.raises(ValueError, match="takes WRITE flits only"):
            chip.run([step])
