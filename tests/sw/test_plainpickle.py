"""The reader of pickles: what it reads, and that it runs nothing."""

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sw.errors import InputError
from sw.plainpickle import read

PATH = Path("batch")
PIXELS = np.arange(60, dtype=np.uint8).reshape(5, 12)


def python2_batch(images: np.ndarray[Any, np.dtype[np.uint8]], labels: list[int]) -> bytes:
    """The official file's opcodes: protocol 2 as Python 2 wrote it, with byte strings."""

    def text(value: str) -> bytes:
        return b"U" + bytes([len(value)]) + value.encode()

    def whole(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    rows, columns = images.shape
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text("b") + b"\x87R"
        b"(K\x01" + whole(rows) + whole(columns) + b"\x86cnumpy\ndtype\n" + text("u1") + b"K\x00"
        b"K\x01\x87R(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<i", images.size) + images.tobytes() + b"tb"
    )
    listed = b"]q\x05(" + b"".join(whole(label) for label in labels) + b"e"
    return (
        b"\x80\x02}q\x01(" + text("batch_label") + text("testing batch 1 of 1") + text("labels")
        + listed + text("data") + array + b"u."
    )  # fmt: skip


def test_the_official_layout() -> None:
    raw = python2_batch(PIXELS, [3, 1, 4, 1, 5])
    document = read(PATH, raw)
    assert document.keys() == {"batch_label", "labels", "data"}
    assert document["labels"] == [3, 1, 4, 1, 5]
    assert np.array_equal(document["data"], PIXELS)
    same = pickle.loads(raw, encoding="latin-1")  # noqa: S301 - our own bytes, just made
    assert np.array_equal(same["data"], PIXELS), "the test's file must be a pickle"
    assert same["labels"] == document["labels"]


@pytest.mark.parametrize("protocol", [1, 2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_copies_by_python_3(protocol: int, order: Any) -> None:
    written = {b"data": np.asarray(PIXELS, order=order), b"labels": [0, -1, 300], "name": None}
    document = read(PATH, pickle.dumps(written, protocol=protocol))
    assert np.array_equal(document["data"], PIXELS)
    assert document["labels"] == [0, -1, 300]
    assert document["name"] is None


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
    raw = pickle.dumps({"data": np.zeros(3)}, protocol=2)
    with pytest.raises(InputError, match="batch is refused: it holds an array of type f8"):
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
