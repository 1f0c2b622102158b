"""Events of cameras: how they are binned, their files, and what is said of ones that are wrong."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.data.user import recordings
from sw.data.user.event_list import Events
from sw.data.user.inputs import Takes
from sw.data.user.read import read

TAKES = Takes(True, 5, (2, 34, 34), 10, tick=0.01)
COUNT = 400


def drawn(seed: int, side: int = 34, step: int = 300) -> Events:
    """Events in order of time, several of them in one tick and place."""
    generator = np.random.default_rng(seed)
    t = np.cumsum(generator.integers(0, step, COUNT)) + 7
    x, y = generator.integers(0, side, (2, COUNT))
    return Events(x, y, t, generator.integers(0, 2, COUNT))


def by_rule(events: Events, takes: Takes) -> Any:
    """The rule of `event_list` once more, event by event."""
    spikes = np.zeros((takes.timesteps, *takes.shape), np.uint8)
    assert takes.tick is not None
    for x, y, t, p in zip(events.x, events.y, events.t, events.p, strict=True):
        for step in range(takes.timesteps):
            since = (t - events.t[0]) / 1e6
            if step * takes.tick <= since < (step + 1) * takes.tick:
                spikes[step, (1 - p) if takes.shape[0] == 2 else 0, y, x] = 1
    return spikes


def n_mnist(events: Events) -> bytes:
    """As N-MNIST has them, its mark of an overflow included."""
    rows, past = b"", 0
    for x, y, t, p in zip(events.x, events.y, events.t, events.p, strict=True):
        if t - past >= 1 << 13:
            rows += bytes([0, 240, 0, 0, 0])
            past += 1 << 13
        rows += struct.pack(">BBI", x, y, int(p) << 23 | int(t - past))[:2]
        rows += (int(p) << 23 | int(t - past)).to_bytes(3, "big")
    return rows


def aedat2(events: Events, camera: str = "") -> bytes:
    """Of the camera of 128 x 128 pixels, or of a DAVIS with a frame's sample in between."""
    head = f"#!AER-DAT2.0\r\n# AEChip: {camera}\r\n".encode()
    rows = b""
    for x, y, t, p in zip(*map(np.ndarray.tolist, vars(events).values()), strict=True):
        if "DAVIS" in camera:
            rows += struct.pack(">II", y << 22 | x << 12 | p << 11, t)
            rows += struct.pack(">II", 1 << 31 | 17, t)
        else:
            rows += struct.pack(">II", y << 8 | (127 - x) << 1 | (1 - p), t)
    return head + rows


def aedat3(events: Events) -> bytes:
    """In packets of 50, one of another kind and an event that does not count among them."""
    content = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"
    rows = [
        struct.pack("<II", x << 17 | y << 2 | p << 1 | 1, t)
        for x, y, t, p in zip(*map(np.ndarray.tolist, vars(events).values()), strict=True)
    ]
    content += struct.pack("<hhiiiiii", 0, 1, 8, 4, 0, 2, 2, 2) + bytes(16)
    for first in range(0, COUNT, 50):
        part = [*rows[first : first + 50], struct.pack("<II", 3 << 17, 5)]
        content += struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, 51, 51, 50) + b"".join(part)
    return content


def flatbuffer(mark: bytes, offsets: list[int], table: bytes, rest: bytes) -> bytes:
    """A buffer of one table: its size, place and mark, then what a vtable says of its fields."""
    vtable = struct.pack(f"<HH{len(offsets)}H", 4 + 2 * len(offsets), 4 + len(table), *offsets)
    vtable += bytes(-len(vtable) % 4)
    body = struct.pack("<I4s", 8 + len(vtable), mark) + vtable
    body += struct.pack("<i", len(vtable)) + table + rest
    return struct.pack("<I", len(body)) + body


def aedat4(events: Events) -> bytes:
    """Not compressed, in packets of 100, of one stream."""
    info = (
        b'<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">'
        b'<node name="0" path="/mainloop/Recorder/outInfo/0/">'
        b'<attr key="compression" type="string">NONE</attr>'
        b'<attr key="typeIdentifier" type="string">EVTS</attr>'
        b'<node name="info" path="/mainloop/Recorder/outInfo/0/info/">'
        b'<attr key="sizeX" type="int">34</attr><attr key="sizeY" type="int">34</attr>'
        b"</node></node></node></dv>"
    )
    text = struct.pack("<I", len(info)) + info + bytes(4 - len(info) % 4)
    head = flatbuffer(b"IOHE", [4, 8, 16], struct.pack("<iqI", 0, -1, 4), text)
    content = b"#!AER-DAT4.0\r\n" + head
    every = list(zip(*map(np.ndarray.tolist, vars(events).values()), strict=True))
    for first in range(0, COUNT, 100):
        part = every[first : first + 100]
        rows = b"".join(struct.pack("<qhh?3x", t, x, y, p) for x, y, t, p in part)
        packet = flatbuffer(b"EVTS", [4], struct.pack("<I", 4), struct.pack("<I", len(part)) + rows)
        content += struct.pack("<ii", 0, len(packet)) + packet
    return content


FILES: dict[str, Callable[[Events], bytes]] = {
    "a.bin": n_mnist,
    "a.aedat": aedat2,
    "b.aedat": lambda events: aedat2(events, "eu.seebetter.ini.chips.davis.DAVIS240C"),
    "c.aedat": aedat3,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_events_that_were_written(name: str, tmp_path: Path) -> None:
    events = drawn(3, step=100 if name == "a.bin" else 300)
    (tmp_path / name).write_bytes(FILES[name](events))
    found = recordings.read(tmp_path / name)
    for field, values in vars(events).items():
        assert np.array_equal(getattr(found, field), values), field


@pytest.mark.parametrize("shape", [(2, 34, 34), (1, 34, 34)])
@pytest.mark.parametrize("tick", [0.01, 0.0003, 0.0047])
def test_the_rule_of_binning(tick: float, shape: tuple[int, int, int], tmp_path: Path) -> None:
    takes = Takes(True, 5, shape, 10, tick)
    events = drawn(4, step=20 if tick < 0.001 else 300)
    (tmp_path / "a.bin").write_bytes(n_mnist(events))
    found = read(tmp_path / "a.bin", takes)
    expected = by_rule(events, takes)
    assert expected.sum() > 5
    assert np.array_equal(found.values, expected[None])
    late = np.count_nonzero(events.t - events.t[0] >= round(5 * tick * 1e6))
    assert late
    assert found.notes == (f"{late:,} events came after the last of 5 steps and were left out",)


def test_an_npz_of_several_recordings(tmp_path: Path) -> None:
    events = [drawn(seed) for seed in range(3)]
    columns: dict[str, Any] = {
        name: np.concatenate([vars(each)[name] for each in events]) for name in ("x", "y", "t", "p")
    }
    number = np.repeat([0, 1, 3], COUNT)  # recording 2 has no events
    np.savez(tmp_path / "a.npz", **columns, recording=number, labels=np.array([4, 5, 6, 7]))
    found = read(tmp_path / "a.npz", TAKES)
    assert found.labels is not None
    assert found.labels.tolist() == [4, 5, 6, 7]
    for at, each in zip((0, 1, 3), events, strict=True):
        assert np.array_equal(found.values[at], by_rule(each, TAKES))
    assert not found.values[2].any()


def test_a_folder_by_class_takes_turns(tmp_path: Path) -> None:
    for label in (0, 1, 10):
        (tmp_path / str(label)).mkdir()
        for number in range(2):
            (tmp_path / str(label) / f"{number}.bin").write_bytes(n_mnist(drawn(label + number)))
    found = read(tmp_path, TAKES, 4)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 0]
    assert np.array_equal(found.values[2], by_rule(drawn(10), TAKES))


def test_aedat4_by_its_reader(tmp_path: Path) -> None:
    pytest.importorskip("aedat", reason="needs pip install 'nc64c[data]'")
    events = drawn(6)
    (tmp_path / "whole.aedat4").write_bytes(aedat4(events))
    found = recordings.read(tmp_path / "whole.aedat4")
    for field, values in vars(events).items():
        assert np.array_equal(getattr(found, field), values), field
    (tmp_path / "a.aedat4").write_bytes(b"#!AER-DAT4.0\r\n" + bytes(100))
    for name, sentence in (
        ("a.aedat4", "is no AEDAT 4 file, or is damaged"),
        ("b.aedat4", "no su"),
    ):
        with pytest.raises(InputError, match=sentence):
            read(tmp_path / name, TAKES)


def changed(**fields: Any) -> Callable[[Path], None]:
    """Writes an .npz of events of which one column is another."""
    columns = {name: values.copy() for name, values in vars(drawn(1)).items()}

    def write(folder: Path) -> None:
        every = columns | {
            name: value(columns[name]) if callable(value) else value
            for name, value in fields.items()
        }
        np.savez(folder / "a.npz", **{name: v for name, v in every.items() if v is not None})

    return write


WRONG: tuple[tuple[Callable[[Path], None], str], ...] = (
    (changed(t=lambda t: t[::-1]), r"event \d+ is before the one in front of it"),
    (changed(x=lambda x: x + 20), r"event \d+ is in column \d+, outside the network's inputs"),
    (changed(y=lambda y: y - 1), r"event \d+ is in row -1, outside"),
    (changed(p=lambda p: 2 * p), "a polarity is no 0 or 1"),
    (changed(t=lambda t: t - 10**6), "a time is no number of microseconds"),
    (changed(t=None), "has events without t"),
    (changed(t=lambda t: t / 1e6), "t is float64"),
    (changed(x=lambda x: x[1:]), r"must be integers, as many as there are events"),
    (changed(recording=np.arange(COUNT)[::-1]), "must be numbers from 0 on that never fall"),
    (changed(labels=np.arange(1), recording=np.arange(COUNT)), "has 1 labels, but events of rec"),
    (changed(labels=np.array([12])), "labels are 12 to 12, the network has 10 classes"),
    (
        changed(recording=np.full(COUNT, 1 << 40)),
        r"1099511627777 inputs would take \d+ bytes",
    ),
)


@pytest.mark.parametrize(("write", "sentence"), WRONG)
def test_events_that_are_not_right(
    write: Callable[[Path], None], sentence: str, tmp_path: Path
) -> None:
    write(tmp_path)
    with pytest.raises(InputError, match=sentence) as caught:
        read(tmp_path / "a.npz", TAKES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("takes", "sentence"),
    [
        (Takes(True, 5, (2, 34, 34), 10), "need the length of a step in seconds"),
        (Takes(True, 5, (2, 34, 34), 10, 0.0), "a step of 0 s"),
        (Takes(True, 5, (3, 34, 34), 10, 0.1), "events have 1 or 2 channels"),
        (Takes(False, 5, (2, 34, 34), 10, 0.1), "the inputs are events, the network takes images"),
    ],
)
def test_networks_that_take_no_events(takes: Takes, sentence: str, tmp_path: Path) -> None:
    changed()(tmp_path)
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "a.npz", takes)


@pytest.mark.parametrize("name", FILES)
def test_truncated_files(name: str, tmp_path: Path) -> None:
    whole = FILES[name](drawn(5))
    for cut in (1, 3, len(whole) - 16):
        (tmp_path / name).write_bytes(whole[:-cut])
        with pytest.raises(InputError, match="is truncated"):
            recordings.read(tmp_path / name)
    (tmp_path / "d.aedat").write_bytes(b"other")
    with pytest.raises(InputError, match=r"begins with 'other', must be AEDAT 2\.0 or 3\.1"):
        recordings.read(tmp_path / "d.aedat")


@pytest.mark.parametrize("name", FILES)
def test_changed_bytes_are_a_sentence_or_other_events(name: str, tmp_path: Path) -> None:
    """Of 200 files with a few changed bytes none ends in anything but events or a sentence."""
    generator = np.random.default_rng(8)
    whole, refused = FILES[name](drawn(8)), list[str]()
    for _ in range(200):
        changed = bytearray(whole)
        for place in generator.integers(0, len(whole), 3):
            changed[place] = int(generator.integers(256))
        (tmp_path / name).write_bytes(changed[: int(generator.integers(1, len(whole) + 1))])
        try:
            read(tmp_path / name, TAKES)
        except InputError as error:
            refused.append(str(error))
    assert len(refused) > 20
    assert not any("\n" in each for each in refused)
