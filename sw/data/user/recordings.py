"""Files of event cameras as event lists: N-MNIST's `.bin`, AEDAT 2, 3.1 and 4.

N-MNIST: five bytes an event, column, row, then polarity in the highest bit and 23 bits of
microseconds; row 240 says that the time has overflowed by 2^13. AEDAT 2: header lines that begin
with #, then address and microseconds, 32 bits each, big-endian. AEDAT 3.1: header lines up to
#!END-HEADER, then packets of 28 bytes and their events, little-endian. AEDAT 4 is read by the
package `aedat`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data.user.event_list import Events
from sw.files.bounded import read_at_most

SUFFIXES = (".bin", ".aedat", ".aedat4")
MAX_BYTES = 1 << 30  # of a file
OVERFLOW_ROW, OVERFLOW = 240, 1 << 13
DVS128_ADDRESS = 1 << 15  # addresses of the camera of 128 x 128 are below it
PACKET = np.dtype(
    [
        ("kind", "<i2"),
        ("source", "<i2"),
        ("size", "<i4"),
        ("time_at", "<i4"),
        ("overflow", "<i4"),
        ("capacity", "<i4"),
        ("number", "<i4"),
        ("valid", "<i4"),
    ]
)
POLARITY = 1  # kind of a packet
POLARITY_BYTES = 8


def read(path: Path) -> Events:
    """A recording's events. Raises `InputError` if it is missing, truncated or of another kind."""
    if path.suffix == ".bin":
        return n_mnist(path, read_at_most(path, MAX_BYTES))
    if path.suffix == ".aedat4":
        return _aedat4(path)
    content = read_at_most(path, MAX_BYTES)
    if content.startswith(b"#!AER-DAT2.0"):
        return _aedat2(path, content)
    if content.startswith(b"#!AER-DAT3.1"):
        return _aedat3(path, content)
    first = content.split(b"\n", 1)[0][:20].decode("ascii", "replace").strip()
    raise InputError(f"{path}: begins with {first!r}, must be AEDAT 2.0 or 3.1 (4: .aedat4)")


def n_mnist(path: Path, content: bytes) -> Events:
    """Events of an N-MNIST file."""
    if len(content) % 5:
        raise InputError(f"{path} is truncated: has {len(content)} bytes, must be 5 an event")
    rows = np.frombuffer(content, np.uint8).reshape(-1, 5).astype(np.int64)
    time = (rows[:, 2] & 0x7F) << 16 | rows[:, 3] << 8 | rows[:, 4]
    marks = rows[:, 1] == OVERFLOW_ROW
    time = time + np.cumsum(marks) * OVERFLOW
    kept = rows[~marks]
    return Events(kept[:, 0], kept[:, 1], time[~marks], kept[:, 2] >> 7)


def _aedat2(path: Path, content: bytes) -> Events:
    at = 0
    while content[at : at + 1] == b"#":
        end = content.find(b"\n", at)
        if end < 0:
            raise InputError(f"{path} is truncated: it ends within its header")
        at = end + 1
    if (len(content) - at) % 8:
        raise InputError(f"{path} is truncated: has {len(content) - at} bytes, must be 8 an event")
    pairs = np.frombuffer(content, ">u4", offset=at).reshape(-1, 2).astype(np.int64)
    address, time = pairs[:, 0], _unwrapped(pairs[:, 1])
    header = content[:at].upper()
    if b"DVS128" in header or (b"DAVIS" not in header and np.all(address < DVS128_ADDRESS)):
        return Events(127 - (address >> 1 & 0x7F), address >> 8 & 0x7F, time, 1 - (address & 1))
    seen = (address >> 31 == 0) & (address >> 10 & 1 == 0)  # no frames, no outer events
    address, time = address[seen], time[seen]
    return Events(address >> 12 & 0x3FF, address >> 22 & 0x1FF, time, address >> 11 & 1)


def _unwrapped(time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Times of 32 bits that go on where they overflow."""
    back = np.diff(time, prepend=time[:1]) < -(1 << 31)
    return np.asarray(time + np.cumsum(back) * (1 << 32))


def _aedat3(path: Path, content: bytes) -> Events:
    mark = content.find(b"#!END-HEADER")
    end = content.find(b"\n", mark)
    if mark < 0 or end < 0:
        raise InputError(f"{path} is truncated: its header has no end")
    at, parts = end + 1, []
    while at < len(content):
        if len(content) - at < PACKET.itemsize:
            raise InputError(f"{path} is truncated: it ends within a packet's header")
        header = np.frombuffer(content, PACKET, 1, at)[0]
        size, number = int(header["size"]), int(header["number"])
        at += PACKET.itemsize
        if size < 1 or number < 0 or number != header["capacity"]:
            raise InputError(f"{path} is damaged: a packet has {number} events of {size} bytes")
        if len(content) - at < size * number:
            raise InputError(f"{path} is truncated: it ends within a packet")
        if header["kind"] == POLARITY and number:
            if size != POLARITY_BYTES:
                raise InputError(f"{path} is damaged: its events have {size} bytes, must have 8")
            pairs = np.frombuffer(content, "<u4", 2 * number, at).reshape(-1, 2).astype(np.int64)
            valid = pairs[pairs[:, 0] & 1 == 1]
            parts.append((valid[:, 0], valid[:, 1] + (int(header["overflow"]) << 31)))
        at += size * number
    data = np.concatenate([np.zeros(0, np.int64), *(data for data, _ in parts)])
    time = np.concatenate([np.zeros(0, np.int64), *(time for _, time in parts)])
    return Events(data >> 17 & 0x7FFF, data >> 2 & 0x7FFF, time, data >> 1 & 1)


def _aedat4(path: Path) -> Events:
    try:
        import aedat
    except ImportError as error:
        raise InputError(f"{path}: AEDAT 4 needs pip install 'nc64c[data]'") from error
    if not path.is_file():
        raise InputError(f"cannot read {path}: no such file")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} has {path.stat().st_size} bytes, at most {MAX_BYTES}")
    parts: list[NDArray[Any]] = []
    try:
        for packet in aedat.Decoder(str(path)):
            if "events" in packet:
                parts.append(packet["events"])
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # its reader panics, which is no Exception, on damaged files
        line = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no AEDAT 4 file, or is damaged: {line}") from error
    names = (("x", "x"), ("y", "y"), ("t", "t"), ("p", "on"))
    columns = (
        np.concatenate([np.zeros(0, np.int64), *(part[name].astype(np.int64) for part in parts)])
        for _, name in names
    )
    return Events(*columns)
