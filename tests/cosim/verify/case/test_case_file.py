"""The text of a case: an exact round trip, and one sentence for everything that is wrong in it."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from cosim.program.core_image import CoreImage
from cosim.program.handwritten import core, to_axons, to_host
from cosim.program.program import Program, configuration
from cosim.program.stimulus import BackPressure, Step, control, spike
from cosim.verify.case import case_file
from cosim.verify.case.case import Case
from cosim.verify.random.groups import in_groups
from cosim.verify.random.programs import random_program, random_steps
from hw.spec import AXON_GROUP, FLIT, ChipShape, Control, Kind, Region, ResetMode
from sw.common.errors import InputError

TINY = ChipShape(2, 2, 64, 32)
SHAPES = (
    ChipShape(1, 1, 64, 16),
    TINY,
    ChipShape(3, 2, 128, 64),
    ChipShape(4, 3, 64, 16),
    ChipShape(2, 1, 1024, 128),
)


def random_case(seed: int) -> Case:
    """Programs and steps at their extremes, flits without meaning among them."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, SHAPES[seed % len(SHAPES)])
    steps = random_steps(rng, program, ticks=4)
    if seed % 2:
        steps = list(in_groups(rng, program.shape, steps))
    steps.append(Step(configuration(program)[:300], go=False))
    steps.append(Step(rng.integers(0, 1 << 64, 50, np.uint64), go=False))
    steps += [Step(steps[1].flits, True, int(rng.integers(0, 1 << 16)))]
    pressure = BackPressure(int(rng.integers(0, 1 << 16)), int(rng.integers(0, 256)))
    steps[0] = replace(steps[0], back_pressure=pressure)
    return Case(program, tuple(steps), "seed\n\n  and more")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_round_trip_is_exact(seed: int) -> None:
    case = random_case(seed)
    text = case_file.dumps(case)
    again = case_file.loads(text, "text")
    assert_same(case, again)
    assert case_file.dumps(again) == text


def assert_same(case: Case, again: Case) -> None:
    assert again.comment == case.comment
    assert again.shape == case.shape
    for image, read in zip(case.program.cores, again.program.cores, strict=True):
        for field in fields(CoreImage):
            want, have = getattr(image, field.name), getattr(read, field.name)
            assert type(want) is type(have), field.name
            if isinstance(want, np.ndarray):
                assert want.dtype == have.dtype, field.name
                np.testing.assert_array_equal(want, have, field.name)
            else:
                assert want == have, field.name
    for step, read_step in zip(case.steps, again.steps, strict=True):
        assert read_step.flits.dtype == np.uint64
        np.testing.assert_array_equal(step.flits, read_step.flits)
        assert (step.go, step.reset_after) == (read_step.go, read_step.reset_after)
        assert step.back_pressure == read_step.back_pressure


def test_fan_out_that_is_shared_or_left_over() -> None:
    """Neurons of mapped programs share the entries of the table; some use none of it."""
    image = core(0, 0, np.ones((3, 64), bool), np.array([1, 2, 3]))
    shared = replace(
        image,
        fanout=np.array([to_axons(3, x=1, y=0), to_host(), to_host()], np.uint32),
        fanout_start=np.array([0, 0, 3000]),
        fanout_count=np.array([2, 1, 0]),
    )
    case = Case(Program(TINY, (shared,)), ())
    assert "entries 0 count 2" in case_file.dumps(case)
    assert_same(case, case_file.loads(case_file.dumps(case), "text"))


def test_it_reads_like_a_test() -> None:
    synapses = np.zeros((3, 64), bool)
    synapses[:, [3, 4, 5, 9]] = True
    image = core(
        1,
        0,
        synapses,
        np.array([5, 7, 7]),
        (-2,),
        fan_out=[[to_axons(1, x=0, y=0, x1=1, y1=1, page=2), to_host()], [], []],
        reset=ResetMode.SUBTRACT,
        leak=3,
    )
    steps = (
        control(TINY, Control.RESTART),
        Step(np.array([spike(axon, x=1, y=0) for axon in (3, 4, 4)], np.uint64), True, 12),
    )
    case = Case(Program(TINY, (image,)), steps, "two lines\nof comment")
    assert case_file.dumps(case).splitlines() == [
        "nc64c case 1",
        "# two lines",
        "# of comment",
        "chip 2x2 axons 64 dendrites 32",
        "core 1,0",
        "  plane-weights -2",
        "  leak 3",
        "  reset subtract",
        "  neuron 0 threshold 5 bias 0",
        "    synapses axons 3-5 9",
        "    to axon 1 page 2 of 0,0-1,1",
        "    to host",
        "  neuron 1-2 threshold 7 bias 0",
        "    synapses axons 3-5 9",
        "steps",
        "control restart to 0,0-1,1",
        "wait",
        "spike axons 3-4 to 1,0",
        "spike axons 4 to 1,0",
        "tick reset after 12 cycles",
    ]


def test_spikes_that_travel_together() -> None:
    """In one flit, also a single one; without any, or with more in the flit, it has no words."""
    where = AXON_GROUP.pack(group=1, page=2)
    maps = (0x8000_0003, 1, 0)
    flits = [flit(kind=Kind.SPIKE, region=Region.AXONS, offset=where, data=bits) for bits in maps]
    odd = flit(kind=Kind.SPIKE, region=Region.AXONS, offset=1 << 14, data=1)
    case = Case(Program(TINY, ()), (Step(np.array([*flits, odd], np.uint64), go=True),))
    lines = case_file.dumps(case).splitlines()[-5:]
    assert lines == [
        "spike together page 2 axons 32-33 63 to 0,0",
        "spike together page 2 axons 32 to 0,0",
        f"flit {flits[2]:#x}",
        f"flit {odd:#x}",
        "tick",
    ]
    assert_same(case, case_file.loads(case_file.dumps(case), "text"))


def flit(**fields: int) -> int:
    return int(FLIT.pack(**{name: int(value) for name, value in fields.items()}))


GOOD = """nc64c case 1
chip 2x2 axons 64 dendrites 32
core 0,0
  plane-weights 1 2
  pages 2
  neuron 0 threshold 5 bias 0
    synapses page 1 plane 1 axons 7
    to axon 1 of 1,0
  neuron 1-3 threshold 5 bias 0
steps
spike axons 7 to 0,0
tick reset after 3 cycles
wait
"""


def test_the_good_text_is_good() -> None:
    case = case_file.loads(GOOD, "good")
    assert case.program.cores[0].neurons == 4
    assert [step.go for step in case.steps] == [True, False]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("nc64c case 1", "nc64c case 2", "version '2', this nc64c reads version 1"),
        ("nc64c case 1", "import os", "is no case file of nc64c"),
        ("chip 2x2", "chip 9x9", "line 2: mesh '9x9': must be columns x rows"),
        ("axons 64 d", "axons 65 d", "line 2: chip axons = 65: must be 64"),
        ("core 0,0", "core 0,0-1,1", "line 3: a core has one place"),
        ("core 0,0", "core 2,0", "core (2, 0): x = 2, must be 0 to 1"),
        ("core 0,0", "core 9,0", "line 3: '9,0' is no core"),
        ("  plane-weights 1 2\n", "", "line 5: a core's `plane-weights` stand before"),
        ("weights 1 2", "weights 1 40000", "line 4: a plane weight is '40000', must be"),
        ("pages 2", "pages 3", "line 6: pages = 3, must be one of"),
        ("pages 2", "pages 2\n  pages 2", "line 6: `pages` is there twice"),
        ("pages 2", "pages 2\n  colour 2", "line 6: `colour` is no register"),
        ("pages 2", "reset never", "line 5: reset is `never`, must be one of zero"),
        ("neuron 0 t", "neuron 1 t", "line 6: neuron 1 stands where neuron 0 must stand"),
        ("neuron 1-3", "neuron 1-999", "line 9: neuron is 1-999, must lie within 0 to 7"),
        ("threshold 5 bias 0\n    s", "threshold 5\n    s", "line 6: `bias` is missing"),
        ("threshold 5 bias 0\n    s", "threshold 1e9 bias 0\n    s", "line 6: threshold is '1e9'"),
        ("plane 1 axons 7", "plane 2 axons 7", "line 7: plane is '2', must be a whole number"),
        ("plane 1 axons 7", "plane 1 axons 64", "line 7: axon is 64, must lie within 0 to 63"),
        ("plane 1 axons 7", "plane 1 axons 7 6", "line 7: axon 6 does not come after 7"),
        ("to axon 1 of 1,0", "to axon 1 of 3,0", "core (0, 0): fan-out entry 0"),
        ("to axon 1 of 1,0", "to axon 1", "line 8: `of` is missing at its end"),
        ("to axon 1 of 1,0", "entries 0 count 2", "core (0, 0): end of a neuron's fan-out = 2"),
        ("steps\n", "", "line 10: `spike` is no line of a neuron"),
        ("spike axons 7 to 0,0", "spike axons 7 to 0,0 now", "line 11: 'now' is one word too many"),
        (
            "spike axons 7 to 0,0",
            "spike together axons 31-32 to 0,0",
            "line 11: axons 31 and 32 cannot travel together: a flit has those of one group of 32",
        ),
        ("spike axons 7 to 0,0", "sleep", "line 11: `sleep` is nothing that a step can have"),
        ("spike axons 7 to 0,0", "write x 1 to 0,0", "line 11: `x` cannot be written"),
        ("spike axons 7 to 0,0", "write floor to 0,0", "line 11: floor is 'to', must be"),
        ("spike axons 7 to 0,0", "read spike 0 count 1 from 0,0", "line 11: `spike` is no memory"),
        ("spike axons 7 to 0,0", "control halt to 0,0", "line 11: `control` needs a command"),
        ("spike axons 7 to 0,0", "back-pressure seed 1 share 256", "line 11: share is '256'"),
        ("after 3", "after 70000", "line 12: cycles is '70000', must be"),
        ("cycles\nwait", "cycles\nspike axons 1 to 0,0", "line 13: this last step has no end"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as raised:
        case_file.loads(GOOD.replace(old, new, 1), "bad.txt")
    assert sentence in str(raised.value)
    assert str(raised.value).startswith("bad.txt")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("lines", range(GOOD.count("\n")))
def test_a_file_that_was_cut_off(lines: int) -> None:
    text = "\n".join(GOOD.splitlines()[:lines])
    if lines in (10, 12):  # before the first step, and behind one, nothing is missing
        case_file.loads(text, "cut")
        return
    with pytest.raises(InputError):
        case_file.loads(text, "cut")


def test_any_change_of_a_character_is_a_case_or_a_sentence() -> None:
    """Never another exception, whatever stands in a file."""
    rng = np.random.default_rng(5)
    letters = "019-, xaz\n#é\0"
    refused = 0
    for _ in range(2000):
        place = int(rng.integers(0, len(GOOD)))
        text = GOOD[:place] + letters[rng.integers(0, len(letters))] + GOOD[place + 1 :]
        try:
            case_file.loads(text, "changed")
        except InputError:
            refused += 1
    assert 500 < refused < 2000


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "case.txt"
    case = random_case(1)
    case_file.save(path, case)
    assert_same(case, case_file.load(path))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is no text"):
        case_file.load(path)
    with pytest.raises(InputError, match=r"cannot read .*: no such file"):
        case_file.load(tmp_path / "none.txt")
    with pytest.raises(InputError, match="cannot write"):
        case_file.save(tmp_path / "none" / "case.txt", case)


def test_a_step_that_there_cannot_be() -> None:
    nothing = np.zeros(0, np.uint64)
    with pytest.raises(ValueError, match="without a tick"):
        Step(nothing, go=False, reset_after=3)
    with pytest.raises(ValueError, match="must be 0 to 65535"):
        Step(nothing, go=True, reset_after=1 << 16)
    with pytest.raises(ValueError, match="share = 256"):
        BackPressure(0, 256)
    assert FLIT.width == 64
