"""Formats pinned by hand: a wrong one would fool RTL, golden model and test bench alike."""

import pytest

from hw import layouts, spec
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
    assert [r.value for r in Region] == [0, 1, 2, 3, 4, 5, 7]
    assert (int(Register.PLANE_WEIGHT), int(Register.TRACE)) == (16, 11)
    assert [c.value for c in Counter] == list(range(7))
    assert spec.DENDRITES * spec.ROW_WORDS == 1 << spec.OFFSET_BITS


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"FLIT.x0 = 8 does not fit 3 bits"):
        spec.FLIT.pack(x0=8)
    with pytest.raises(ValueError, match="does not fit"):
        spec.AXON.pack(axon=-1)


@pytest.mark.parametrize(
    "fmt", [spec.FLIT, spec.AXON, spec.FANOUT, spec.FANOUT_RANGE], ids=lambda f: f.name
)
def test_layouts_have_the_bits_of_the_formats(fmt: spec.Format) -> None:
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
