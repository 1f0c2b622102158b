"""The reader of pickles: what it reads, and that it runs nothing."""

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.data.safe_pickle import read
from tests.support.pickles import python2_batch

PATH = Path("batch")
PIXELS = np.arange(60, dtype=np.uint8).reshape(5, 12)


def test_the_official_layout() -> None:
    raw = python2_batch(PIXELS, [3, 1, 4, 1, 5])
    document = read(PATH, raw)
    assert document.keys() == {"batch_label", "labels", "data"}
    assert document["labels"] == [3, 1, 4, 1, 5]
    assert np.array_equal(document["data"], PIXELS)
    same = pickle.loads(raw, encoding="latin-1")  # noqa: S301 - our own bytes, just made
    assert np.array_equal(same["data"], PIXELS), "the test's file must be a pickle"
    assert same["labels"] == document["labels"]


ALL_BYTES = np.arange(3072, dtype=np.uint16).astype(np.uint8).reshape(256, 12)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("key", [str, str.encode])
@pytest.mark.parametrize(
    "labels",
    [
        [0, -1, 300, 2**40],
        [np.int64(-7), np.uint8(200), np.int32(300)],
        np.array([5, -6, 700]),
        np.array([5, -6, 700], dtype=">i4"),
        np.array([5, 200], dtype=np.uint8),
    ],
)
def test_what_python_3_writes(protocol: int, order: Any, key: Any, labels: Any) -> None:
    written = {
        key("data"): np.asarray(ALL_BYTES, order=order),
        key("labels"): labels,
        key("name"): "\u20ac \xff",
        key("raw"): bytes(range(256)),
        key("none"): None,
        key("half"): 0.5,
        key("right"): True,
    }
    raw = pickle.dumps(written, protocol=protocol)
    document = read(PATH, raw)
    assert np.array_equal(document.pop("data"), ALL_BYTES)
    assert list(document.pop("labels")) == [int(label) for label in labels]
    assert document == {
        "name": "\u20ac \xff",
        "raw": bytes(range(256)),
        "none": None,
        "half": 0.5,
        "right": True,
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("new", [False, True])
def test_numpy_1_and_numpy_2_call_their_modules_differently(protocol: int, new: bool) -> None:
    raw = pickle.dumps({"data": ALL_BYTES, "labels": [np.int64(3)]}, protocol=protocol)
    for module in (b"multiarray", b"numeric"):  # each length stands before the name, if any does
        for core in (b"numpy._core.", b"numpy.core."):
            wanted = (b"numpy._core." if new else b"numpy.core.") + module
            size, length = (bytes([len(name)]) for name in (core + module, wanted))
            raw = raw.replace(b"\x8c" + size + core + module, b"\x8c" + length + wanted)
            raw = raw.replace(b"c" + core + module, b"c" + wanted)
    assert (b"numpy._core" in raw) == new
    document = read(PATH, raw)
    assert np.array_equal(document["data"], ALL_BYTES)
    assert document["labels"] == [3]


def test_a_text_of_protocol_0_by_python_2() -> None:
    raw = b"(dp0\nS'raw'\np1\nS'\\x00\\xff\\n\\'\xe9'\np2\nsS'n'\nI7\ns."
    assert read(PATH, raw) == {"raw": "\x00\xff\n'\xe9", "n": 7}
    for text in (b"S'half\n.", b"S\n.", b"Snone\n."):
        with pytest.raises(InputError, match="is damaged"):
            read(PATH, text)


@pytest.mark.parametrize("index", [2**20, 2**31 - 1])
def test_a_memo_entry_of_a_huge_number_takes_no_memory(index: int) -> None:
    raw = b"\x80\x02}r" + struct.pack("<I", index) + b"0j" + struct.pack("<I", index) + b"."
    with pytest.raises(InputError, match="it holds the opcode POP"):
        read(PATH, raw)
    assert read(PATH, raw.replace(b"0j", b"j")) == {}


@pytest.mark.parametrize("shape", [(2**40,), (2**62, 2**62), (-1, -1), (5, 13), ("5", 12)])
@pytest.mark.parametrize("protocol", [2, 5])
def test_a_shape_that_its_bytes_do_not_fill(shape: tuple[Any, ...], protocol: int) -> None:
    """An array of that shape cannot be made, so it is put together from its parts."""
    if protocol == 5:
        form: Any = _Call(_frombuffer(), b"\x01" * 60, np.dtype("u1"), shape, "C")
    else:
        form = _State(shape)
    raw = pickle.dumps({"data": form}, protocol=protocol)
    with pytest.raises(InputError, match="batch is damaged"):
        read(PATH, raw)


def _frombuffer() -> Any:
    """What numpy names in a pickle of protocol 5."""
    reduced: Any = PIXELS.__reduce_ex__(5)
    return reduced[0]


class _State:
    """Pickles as an array of 60 bytes and any shape."""

    def __init__(self, shape: tuple[Any, ...]) -> None:
        self.shape = shape

    def __reduce__(self) -> Any:
        reduced: Any = PIXELS.__reduce__()
        function, arguments, state = reduced
        return function, arguments, (state[0], self.shape, *state[2:])


class _Call:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    victim = tmp_path / "victim"
    raw = pickle.dumps({"data": _Call(Path.touch, victim)}, protocol=protocol)
    with pytest.raises(InputError, match=r"batch is refused: it holds .*only plain data and numpy"):
        read(PATH, raw)
    assert not victim.exists()
    pickle.loads(raw)  # noqa: S301 - what it would have done: an empty file in the test's folder
    assert victim.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
        b"(S'true'\nios\nsystem\n.",
        b"cnumpy\nndarray\n(tR.",
    ],
)
def test_calls_are_refused(raw: bytes) -> None:
    with pytest.raises(InputError, match=r"batch is refused: it holds (a call of|the opcode)"):
        read(PATH, raw)


def test_other_arrays_are_refused() -> None:
    for protocol in range(6):
        for array, kind in ((np.zeros(3), "f8"), (np.array(["a"]), "U1")):
            raw = pickle.dumps({"data": array}, protocol=protocol)
            with pytest.raises(InputError, match=f"it holds (an array of type {kind}|a call of)"):
                read(PATH, raw)


def test_memory_is_not_taken_again_and_again() -> None:
    text = b"X" + struct.pack("<I", 1000) + b"x" * 1000 + b"q\x01"
    raw = b"\x80\x02" + text + b"c_codecs\nencode\nh\x01X\x06\x00\x00\x00latin1\x86R" * 3 + b"."
    with pytest.raises(InputError, match="batch is refused: it holds the same bytes over and over"):
        read(PATH, raw)


@pytest.mark.parametrize("kept", [0, 1, 10, 100, 200, -1])
def test_truncated(kept: int) -> None:
    raw = python2_batch(PIXELS, [3, 1, 4, 1, 5])
    with pytest.raises(InputError, match="batch is damaged: it is no whole pickle of plain data"):
        read(PATH, raw[:kept])


def test_noise_is_refused_in_one_sentence() -> None:
    generator = np.random.default_rng(1)
    raw = bytearray(python2_batch(PIXELS, [3, 1, 4, 1, 5]))
    refused = 0
    for _ in range(2000):
        damaged = raw.copy()
        damaged[generator.integers(len(raw))] = generator.integers(256)
        try:
            read(PATH, bytes(damaged))
        except InputError:
            refused += 1
    assert 200 < refused < 2000
