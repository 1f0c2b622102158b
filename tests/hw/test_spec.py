"""Formats pinned by hand: a wrong one would fool RTL, golden model and test bench alike."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cosim.rtl.played import STEP_END
from hw import layouts, spec
from hw.formats import Format
from hw.spec import ChipShape, Counter, Kind, Region, Register


def test_the_full_chip() -> None:
    shape = spec.FULL_CHIP
    assert (shape.columns, shape.rows, shape.axons, shape.dendrites) == (8, 8, 1024, 1024)
    assert shape.cores * shape.dendrites == 65_536  # neurons
    assert shape.cores * shape.axons * shape.dendrites == 67_108_864  # synapses


def test_a_spike_flit() -> None:
    data = spec.AXON.pack(axon=0x155, page=5)
    assert data == 5 * 1024 + 0x155
    flit = spec.FLIT.pack(kind=Kind.SPIKE, x0=1, y0=2, x1=3, y1=4, data=data)
    assert flit == 4 << 59 | 3 << 56 | 2 << 53 | 1 << 50 | 0x1555


def test_a_write_flit() -> None:
    flit = spec.FLIT.pack(
        kind=Kind.WRITE, x0=7, y0=7, x1=7, y1=7, region=Region.REGISTER, offset=10, data=0xFFFFFFFF
    )
    assert flit == 0x7FFE000AFFFFFFFF


def test_a_host_flit() -> None:
    flit = spec.FLIT.pack(kind=Kind.HOST, x0=6, y0=5, region=Region.SPIKE, offset=1023, data=3)
    assert flit == 3 << 62 | 5 << 53 | 6 << 50 | 7 << 47 | 1023 << 32 | 3


def test_a_fanout_entry() -> None:
    entry = spec.FANOUT.pack(axon=1023, page=7, x0=1, y0=2, x1=3, y1=4, host=1)
    assert entry == 1 << 25 | 4 << 22 | 3 << 19 | 2 << 16 | 1 << 13 | 7 << 10 | 1023


def test_fanout_range_and_leak() -> None:
    assert spec.FANOUT_RANGE.pack(start=0x123, count=0x456) == 0x456123
    assert spec.LEAK.pack(shift=1, enable=1) == 0b100001


def test_numbers_of_the_memory_map() -> None:
    assert [r.value for r in Region] == list(range(8))
    assert (int(Register.PLANE_WEIGHT), int(Register.TRACE)) == (16, 11)
    assert [c.value for c in Counter] == list(range(7))
    assert spec.DENDRITES * spec.ROW_WORDS == 1 << spec.OFFSET_BITS


FORMATS = [
    spec.FLIT,
    spec.AXON,
    spec.AXON_GROUP,
    spec.FANOUT,
    spec.FANOUT_RANGE,
    spec.LEAK,
    STEP_END,
]
INTEGERS = (int, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)


def as_any(kind: type, value: int) -> Iterator[Any]:
    """`value` as a number of this kind, and as arrays of it, if the kind has it."""
    if kind is int or np.iinfo(kind).min <= value <= np.iinfo(kind).max:
        yield kind(value)
        if kind is not int:
            yield np.array(value, kind)
            yield np.array([0, value, 0], kind)


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_what_does_not_fit_is_refused(fmt: Format) -> None:
    """Whatever kind of number it is, alone or in an array, in every field of every format."""
    for field in fmt:
        for value in (-1, field.mask + 1, -(1 << 31), 1 << 62):
            if 0 <= value <= field.mask:
                continue
            for kind in INTEGERS:
                for number in as_any(kind, value):
                    message = rf"{fmt.name}.{field.name} = {value} does not fit {field.width} bits"
                    with pytest.raises(ValueError, match=message):
                        fmt.pack(**{field.name: number})


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_every_kind_of_number_gives_the_same_word(fmt: Format) -> None:
    """A narrow type neither overflows when it is shifted, nor changes its neighbours' sign."""
    for field in fmt:
        for value in (0, 1, field.mask):
            word = value << field.offset
            for kind in INTEGERS:
                for number in as_any(kind, value):
                    got = fmt.pack(**{field.name: number})
                    if getattr(number, "ndim", 0):
                        assert got.dtype == np.uint64
                        assert got.tolist() == [0, word, 0]
                    else:
                        assert (type(got), got) == (int, word)


@pytest.mark.parametrize("value", [1.0, np.float32(1), np.array([1.0]), "1", None])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        spec.AXON.pack(axon=value)


def test_registers() -> None:
    """Index, bits, sign, value after reset, range and when each may be written."""
    found = {
        index: (form.bits, form.signed, form.reset, form.least, form.most, form.accepted)
        for index, form in spec.REGISTERS.items()
    }
    idle, at_go, at_restart = 0, 1, 2
    weight = (16, True, 0, -0x8000, 0x7FFF, idle)
    assert found == {
        0: (2, False, 0, 0, 3, idle),  # CONTROL
        1: (4, False, 1, 0, 8, idle),  # PLANES
        2: (2, False, 0, 0, 3, idle),  # PAGE_SHIFT
        3: (11, False, 0, 0, 1024, idle),  # NEURONS
        4: (6, False, 0, 0, 63, idle),  # LEAK
        5: (2, False, 0, 0, 2, idle),  # RESET_MODE
        6: (16, False, 0, 0, 0xFFFF, idle),  # NOISE_MASK
        7: (16, False, 1, 0, 0xFFFF, at_restart),  # SEED
        8: (32, True, -0x80000000, -0x80000000, 0x7FFFFFFF, idle),  # FLOOR
        9: (32, False, 0, 0, 0xFFFFFFFF, at_go),  # FIRST_TICK
        10: (32, False, 0xFFFFFFFF, 0, 0xFFFFFFFF, at_go),  # LAST_TICK
        11: (1, False, 0, 0, 1, idle),  # TRACE
        **dict.fromkeys(range(16, 24), weight),  # PLANE_WEIGHT
    }
    names = (
        "CONTROL PLANES PAGE_SHIFT NEURONS LEAK RESET_MODE NOISE_MASK SEED FLOOR FIRST_TICK "
        "LAST_TICK TRACE PLANE_WEIGHT"
    )
    assert [which.name for which in Register] == names.split()
    assert [int(which) for which in Register] == [*range(12), 16]


@pytest.mark.parametrize("fmt", FORMATS[:-1], ids=lambda f: f.name)
def test_layouts_have_the_bits_of_the_formats(fmt: Format) -> None:
    layout = layouts.layout_of(fmt)
    assert layout.size == fmt.width
    for field in fmt:
        assert layout[field.name].offset == field.offset
        assert layout[field.name].width == field.width


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ({"columns": 9}, "chip columns = 9: must be 1 to 8"),
        ({"rows": 0}, "chip rows = 0: must be 1 to 8"),
        ({"axons": 100}, "chip axons = 100: must be 64, 128, 256, 512 or 1024"),
        ({"dendrites": 2048}, "chip dendrites = 2048: must be a power of two, 16 to 1024"),
    ],
)
def test_impossible_chips_are_refused(size: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ChipShape(**size)
