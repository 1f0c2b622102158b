"""Core images and the flits that load them: packets pinned by hand, refusals, multicast."""

from typing import Any

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.program.core_image import CoreImage, core_number, core_xy
from cosim.program.program import InputMap, LayerMap, Program, configuration, host_port, rectangles
from cosim.program.stimulus import Step, read
from cosim.verify.random.programs import random_program
from hw.spec import FANOUT, FLIT, MEMBRANE_MIN, ChipShape, Kind, Region, Register, ResetMode

CHIP = ChipShape(3, 2, 64, 64)


def image(**changes: Any) -> CoreImage:
    """A core of 2 neurons, 2 planes."""
    synapses = np.zeros((1, 2, 2, 64), np.bool_)
    synapses[0, 0, 1, 33] = synapses[0, 1, 0, 63] = True
    settings: dict[str, Any] = {
        "x": 2,
        "y": 1,
        "planes": 2,
        "plane_weights": (3, -2),
        "neurons": 2,
        "synapses": synapses,
        "threshold": np.array([7, -1], np.int32),
        "bias": np.array([MEMBRANE_MIN, 5], np.int32),
        "fanout_start": np.array([0, 1]),
        "fanout_count": np.array([1, 2]),
        "fanout": np.array(
            [FANOUT.pack(axon=5, page=2, x0=1, y0=0, x1=2, y1=1), FANOUT.pack(host=1), 1], np.uint32
        ),
    }
    return CoreImage(**(settings | changes))


def flit(region: int, offset: int, data: int) -> int:
    """A WRITE to core (2, 1) by hand: kind, y1, x1, y0, x0, region, offset, data."""
    corners = 1 << 59 | 2 << 56 | 1 << 53 | 2 << 50
    return 1 << 62 | corners | region << 47 | offset << 32 | data


def test_the_flits_of_a_core() -> None:
    program = Program(CHIP, (image(leak=4, reset=ResetMode.SUBTRACT, floor=-1, trace=True),))
    flits = configuration(program)
    own = sorted(f for f in flits.tolist() if f >> 50 & 0xFFF == 0b001_010_001_010)
    registers = {1: 2, 2: 0, 3: 2, 4: 4 | 1 << 5, 5: 1, 6: 0, 7: 1, 8: 0xFFFFFFFF, 9: 0}
    registers |= {10: 0xFFFFFFFF, 11: 1, 16: 3, 17: 0xFFFFFFFE} | {18 + p: 0 for p in range(6)}
    neurons = [7, 0x80000000, 0 | 1 << 12, None, 0xFFFFFFFF, 5, 1 | 2 << 12]
    fanout = [5 | 2 << 10 | 1 << 13 | 0 << 16 | 2 << 19 | 1 << 22, 1 << 25, 1]
    rows = {0: 0, 1: 0, 32: 0, 33: 2, 64: 0, 65: 1 << 31, 96: 0, 97: 0}
    assert own == sorted(
        [
            *(flit(0, offset, data) for offset, data in rows.items()),
            *(flit(1, offset, data) for offset, data in enumerate(neurons) if data is not None),
            *(flit(2, offset, data) for offset, data in enumerate(fanout)),
            *(flit(4, offset, data) for offset, data in registers.items()),
        ]
    )
    # The other five cores are silenced: a row of three, and two.
    silenced = [f for f in flits.tolist() if f not in own]
    top = 1 << 62 | 2 << 56 | 4 << 47 | 3 << 32
    below = 1 << 62 | 1 << 59 | 1 << 56 | 1 << 53 | 4 << 47 | 3 << 32
    assert sorted(silenced) == sorted([top, below])


def test_what_cores_share_goes_out_once_per_rectangle() -> None:
    two = Program(CHIP, tuple(image(x=x, y=1) for x in (0, 1)))
    four = Program(CHIP, tuple(image(x=x, y=y) for x in (0, 1) for y in (0, 1)))
    one = len(configuration(Program(CHIP, (image(x=0, y=0),))))
    assert len(configuration(two)) == one
    assert len(configuration(four)) == one - 1  # one rectangle less to silence
    corners = Program(CHIP, (image(x=0, y=0), image(x=1, y=1)))
    assert len(configuration(corners)) > 2 * (one - 2)
    # A core that differs in one neuron's threshold shares all but that neuron.
    odd = image(x=1, y=1, threshold=np.array([8, -1], np.int32))
    assert len(configuration(Program(CHIP, (image(x=0, y=1), odd)))) == one + 3


@pytest.mark.parametrize("seed", range(5))
def test_read_back(seed: int) -> None:
    """Every word of every core arrives, multicast or not: against the images, word by word."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, CHIP)
    program = Program(CHIP, (*program.cores[:-2], *_twins(program.cores[0], program.cores[-2:])))
    chip = GoldenChip(CHIP)
    chip.run([Step(configuration(program), go=False)])
    for core in program.cores:
        for f, n, p in np.ndindex(core.synapses.shape[:3]):
            row, bits = (f * core.neurons + n) * core.planes + p, core.synapses[f, n, p]
            words = [sum(int(b) << i for i, b in enumerate(part)) for part in np.split(bits, 2)]
            assert _words(chip, core, Region.SYNAPSE, 32 * row, 2) == words, seed
        for n in range(core.neurons):
            fanout = int(core.fanout_start[n]) | int(core.fanout_count[n]) << 12
            words = [int(core.threshold[n]) % 2**32, int(core.bias[n]) % 2**32, fanout]
            assert _words(chip, core, Region.NEURON, 4 * n, 3) == words, seed
        assert _words(chip, core, Region.FANOUT, 0, len(core.fanout)) == core.fanout.tolist()
        weights = [weight % 2**32 for weight in core.plane_weights]
        assert _words(chip, core, Region.REGISTER, Register.PLANE_WEIGHT, core.planes) == weights


def _twins(core: CoreImage, places: tuple[CoreImage, ...]) -> list[CoreImage]:
    return [CoreImage(**(vars(core) | {"x": place.x, "y": place.y})) for place in places]


def _words(chip: GoldenChip, core: CoreImage, region: Region, offset: int, count: int) -> list[int]:
    step = Step(np.array([read(region, offset, count, x=core.x, y=core.y)]), go=False)
    [replies] = chip.run([step])
    order = np.argsort(FLIT.get(replies, "offset"))
    words: list[int] = FLIT.get(replies, "data")[order].tolist()
    return words


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": 3}, r"core \(3, 1\): x = 3, must be 0 to 2"),
        ({"y": 2}, "y = 2, must be 0 to 1"),
        ({"planes": 9}, "planes = 9, must be 1 to 8"),
        ({"pages": 3}, r"pages = 3, must be one of \(1, 2, 4, 8\)"),
        ({"neurons": 65}, "neurons = 65, must be 0 to 64"),
        ({"pages": 8, "neurons": 5}, "neurons x planes x pages = 80, must be 0 to 64"),
        ({"plane_weights": (1,)}, "1 plane weights for 2"),
        ({"plane_weights": (1, 32768)}, "plane weight = 32768, must be -32768 to 32767"),
        ({"plane_weights": (1, -32769)}, "plane weight = -32769"),
        ({"leak": 32}, "leak = 32, must be 0 to 31"),
        ({"noise_mask": 1 << 16}, "noise mask = 65536"),
        ({"seed": -1}, "seed = -1"),
        ({"floor": MEMBRANE_MIN - 1}, "floor = -2147483649"),
        ({"last_tick": 1 << 32}, "last tick = 4294967296"),
        ({"bias": np.zeros(2, np.int64)}, r"bias is int64 \(2,\), must be int32 \(2,\)"),
        ({"threshold": np.zeros(3, np.int32)}, r"threshold is int32 \(3,\)"),
        ({"synapses": np.zeros((1, 2, 2, 65), np.bool_)}, r"must be bool \(1, 2, 2, 64\)"),
        ({"fanout": np.zeros(4097, np.uint32)}, "fan-out entries = 4097, must be 0 to 4096"),
        ({"fanout_start": np.array([0, 2])}, "end of a neuron's fan-out = 4, must be 0 to 3"),
        ({"fanout_count": np.array([0, -1])}, "count = -1"),
    ],
)
def test_refusals(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Program(CHIP, (image(**changes),))


@pytest.mark.parametrize(
    "entry",
    [
        FANOUT.pack(x0=1, x1=0),
        FANOUT.pack(y0=1, y1=0),
        FANOUT.pack(x1=3),
        FANOUT.pack(y1=2),
        FANOUT.pack(axon=64),
        1 << 26,
    ],
)
def test_fanout_refusals(entry: int) -> None:
    words = np.array([0, entry, 0], np.uint32)
    with pytest.raises(ValueError, match="fan-out entry 1 = "):
        Program(CHIP, (image(fanout=words),))


def test_two_images_for_a_core() -> None:
    with pytest.raises(ValueError, match="two core images for one core"):
        Program(CHIP, (image(), image()))


def test_rectangles() -> None:
    assert rectangles(frozenset()) == ()
    every = frozenset(range(64))
    assert rectangles(every) == ((0, 0, 7, 7),)
    assert rectangles(every - {0}) == ((1, 0, 7, 7), (0, 1, 0, 7))
    assert rectangles(frozenset([9, 10, 17, 18, 26])) == ((1, 1, 2, 2), (2, 3, 2, 3))
    assert core_number(2, 3) == 26
    assert core_xy(26) == (2, 3)


@pytest.mark.parametrize("seed", range(20))
def test_rectangles_cover_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cores = frozenset(np.flatnonzero(rng.random(64) < rng.random()).tolist())
    covered = [
        core_number(x, y)
        for x0, y0, x1, y1 in rectangles(cores)
        for x in range(x0, x1 + 1)
        for y in range(y0, y1 + 1)
    ]
    assert sorted(covered) == sorted(cores), seed


def test_host_port_is_the_first_row() -> None:
    flits = np.array([FLIT.pack(y0=y, y1=7, kind=Kind.WRITE) for y in (0, 3, 7)], np.uint64)
    assert host_port(flits).tolist() == [0, 3, 7]


def test_input_map() -> None:
    inputs = InputMap((1, 1, 3), np.array([0, 2, 2]), np.array([10, 20, 21], np.uint64))
    assert inputs.flits(np.array([[[True, True, False]]])).tolist() == [10]
    assert inputs.flits(np.array([[[False, True, True]]])).tolist() == [20, 21]
    with pytest.raises(ValueError, match=r"input spikes are bool \(3,\), must be bool \(1, 1, 3\)"):
        inputs.flits(np.ones(3, np.bool_))


def test_ticks_of_a_pipeline() -> None:
    place = np.zeros((1, 1, 1), np.int64)
    layers = tuple(LayerMap(f"fc{i}", i, place, place + i) for i in range(3))
    assert Program(CHIP, (), layers, timesteps=4).ticks == 6
    sites = layers[2].site(np.array([0, 0, 9, 0]), np.array([2, 1, 2, 5000]))
    assert sites.tolist() == [0, -1, -1, -1]
