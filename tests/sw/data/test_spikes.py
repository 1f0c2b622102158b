"""A user's spikes as a data set: its two parts, and what is said of files that are none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.data import datasets
from sw.data.dataset import Dataset, Split
from sw.data.spikes import SpikeForm
from tests.support.saccades import (
    SHAPE,
    STEPS,
    TICK,
    Labels,
    Spikes,
    as_events,
    moved_digits,
    write_events,
)

COUNT = 60
EVENTS = SpikeForm(STEPS, SHAPE, TICK)


def _load(split: Split, path: Path, form: SpikeForm | None = None, name: str = "spikes") -> Dataset:
    return datasets.load(name, split, path, form)


def _rows(*parts: Dataset) -> list[bytes]:
    return sorted(each.tobytes() for part in parts for each in part.images)


def _bin(path: Path, spikes: Spikes) -> None:
    """One recording [T, 2, rows, columns] as a file of N-MNIST."""
    events = as_events(spikes[None])
    columns = (events[name].tolist() for name in ("x", "y", "t", "p"))
    rows = (bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for x, y, t, p in zip(*columns))  # noqa: B905
    path.write_bytes(b"".join(rows))


def _folder(path: Path, spikes: Spikes, labels: Labels) -> Path:
    """Recordings in folders of classes, which are called as the digits are."""
    for number, (each, label) in enumerate(zip(spikes, labels.tolist(), strict=True)):
        (path / str(label)).mkdir(parents=True, exist_ok=True)
        _bin(path / str(label) / f"{number:03}.bin", each)
    return path


def test_of_one_file_a_quarter_of_each_class_is_held_out(tmp_path: Path) -> None:
    spikes, labels = moved_digits(COUNT)
    np.savez(tmp_path / "a.npz", spikes=spikes, labels=labels)
    train, test = (_load(part, tmp_path / "a.npz") for part in ("train", "test"))
    assert train.images.shape[1:] == test.images.shape[1:] == (STEPS, *SHAPE)
    assert _rows(train, test) == sorted(each.tobytes() for each in spikes)
    for label in range(10):
        held_out = int((test.labels == label).sum())
        assert held_out == round(0.25 * int((labels == label).sum()))
    assert train.classes == test.classes == tuple(map(str, range(10)))
    again = _load("test", tmp_path / "a.npz")
    assert np.array_equal(again.images, test.images)


def test_events_are_the_arrays_that_they_were_made_of(tmp_path: Path) -> None:
    spikes, labels = moved_digits(COUNT)
    np.save(tmp_path / "a.npy", spikes)
    np.save(tmp_path / "a_labels.npy", labels)
    path = write_events(tmp_path / "b.npz", COUNT)
    for part in ("train", "test"):
        wanted, found = _load(part, tmp_path / "a.npy"), _load(part, path, EVENTS)
        assert np.array_equal(found.images, wanted.images)
        assert found.labels.tolist() == wanted.labels.tolist()


@pytest.mark.parametrize("names", [("train", "test"), ("Train", "Test")])
@pytest.mark.parametrize("kind", ["files", "folders"])
def test_a_folder_says_which_part_is_which(
    tmp_path: Path, names: tuple[str, str], kind: str
) -> None:
    whole = moved_digits(COUNT)
    for name, cut in zip(names, (slice(0, 40), slice(40, COUNT)), strict=True):
        spikes, labels = whole[0][cut], whole[1][cut]
        if kind == "files":
            np.savez(tmp_path / f"{name}.npz", labels=labels, **as_events(spikes))
        else:
            _folder(tmp_path / name, spikes, labels)
    train, test = (_load(part, tmp_path, EVENTS) for part in ("train", "test"))
    assert (len(train), len(test)) == (40, 20)
    assert _rows(train) == sorted(each.tobytes() for each in whole[0][:40])
    assert _rows(test) == sorted(each.tobytes() for each in whole[0][40:])
    assert train.classes == tuple(map(str, range(10)))


def test_classes_of_folders_keep_their_names(tmp_path: Path) -> None:
    spikes, labels = moved_digits(40)
    labels = labels % 2
    _folder(tmp_path / "a", spikes, labels)
    for old, new in (("0", "even"), ("1", "odd")):
        (tmp_path / "a" / old).rename(tmp_path / "a" / new)
    train = _load("train", tmp_path / "a", EVENTS)
    assert train.classes == ("even", "odd")
    form = SpikeForm(STEPS, SHAPE, TICK, ("odd", "one more"))
    with pytest.raises(InputError, match="its classes are even, odd, must be odd, one more"):
        _load("test", tmp_path / "a", form)


def test_some_of_the_classes(tmp_path: Path) -> None:
    path = write_events(tmp_path / "a.npz", COUNT)
    form = SpikeForm(STEPS, SHAPE, TICK, ("7", "1"))
    both = [_load(part, path, form, "spikes:7,1") for part in ("train", "test")]
    _, labels = moved_digits(COUNT)
    assert [each.classes for each in both] == [("7", "1")] * 2
    assert sum(int((each.labels == 0).sum()) for each in both) == int((labels == 7).sum())
    assert {each.name for each in both} == {"spikes:7,1"}


def _arrays(path: Path) -> None:
    spikes, labels = moved_digits(COUNT)
    np.savez(path / "a.npz", spikes=spikes, labels=labels)


def _bare(path: Path) -> None:
    np.savez(path / "a.npz", spikes=moved_digits(COUNT)[0])


def _flat(path: Path) -> None:
    spikes, labels = moved_digits(COUNT)
    np.savez(path / "a.npz", spikes=spikes.reshape(COUNT, STEPS, -1), labels=labels)


def _graded(path: Path) -> None:
    spikes, labels = moved_digits(COUNT)
    np.savez(path / "a.npz", spikes=2 * spikes, labels=labels)


def _negative(path: Path) -> None:
    spikes, labels = moved_digits(COUNT)
    np.savez(path / "a.npz", spikes=spikes, labels=labels - 1)


def _single(path: Path) -> None:
    spikes, _ = moved_digits(3)
    np.savez(path / "a.npz", spikes=spikes, labels=np.arange(3))


def _events(path: Path) -> None:
    write_events(path / "a.npz", COUNT)


def _half(path: Path) -> None:
    (path / "a.npz").mkdir()
    write_events(path / "a.npz/train.npz", COUNT)


def _double(path: Path) -> None:
    _half(path)
    for name in ("train", "test"):
        (path / "a.npz" / name).mkdir()


def _recording(path: Path) -> None:
    (path / "a.npz").mkdir()
    _bin(path / "a.npz/0.bin", moved_digits(1)[0][0])


def _other_sizes(path: Path) -> None:
    (path / "a.npz").mkdir()
    spikes, labels = moved_digits(COUNT)
    np.savez(path / "a.npz/train.npz", spikes=spikes, labels=labels)
    np.savez(path / "a.npz/test.npz", spikes=spikes[:, 1:], labels=labels)


def _nothing(path: Path) -> None:
    pass


def _text(path: Path) -> None:
    (path / "a.npz").write_text("no archive")


@pytest.mark.parametrize(
    ("made", "form", "sentence"),
    [
        (_bare, SpikeForm(), "a.npz: has no labels, which a data set needs"),
        (_flat, SpikeForm(), r"spikes are \[60, 5, 288\], must be \[n, T, C, H, W\]"),
        (_graded, SpikeForm(), "a spike is 2, must be 0 or 1"),
        (_negative, SpikeForm(), "labels are -1 to 8"),
        (_single, SpikeForm(), "has too few inputs of a class for a part to test with"),
        (_arrays, SpikeForm(6), r"uint8 \[60, 5, 2, 12, 12\], must be \[n, 6, 2, 12, 12\]"),
        (_arrays, SpikeForm(shape=(2, 9, 9)), r"must be \[n, 5, 2, 9, 9\]"),
        (_events, SpikeForm(STEPS, None, TICK), "events need the size of the sensor, channels x"),
        (_events, SpikeForm(None, SHAPE, TICK), "events need a number of steps, such as --times"),
        (_events, SpikeForm(STEPS, SHAPE), "events need the length of a step in seconds"),
        (_events, SpikeForm(STEPS, (2, 12, 9), TICK), "is in column 9, outside the network's"),
        (_events, SpikeForm(STEPS, (3, 12, 12), TICK), "events have 1 or 2 channels"),
        (_events, SpikeForm(1000, (2, 9999, 9999), TICK), "would take 11997600120000 bytes"),
        (
            _events,
            SpikeForm(STEPS, SHAPE, TICK, ("a", "b")),
            "labels are 0 to 9, the network has 2",
        ),
        (_half, EVENTS, "has a part to train or test with, but no test"),
        (_double, EVENTS, "has train and train.npz, must have one of them"),
        (_recording, EVENTS, "must have a folder for each class, with files .bin"),
        (_other_sizes, SpikeForm(STEPS, SHAPE), r"uint8 \[60, 4, 2, 12, 12\], must be \[n, 5"),
        (_nothing, SpikeForm(), "cannot read .*a.npz: no such file"),
        (_text, SpikeForm(), "is no .npz file, or is damaged"),
    ],
)
def test_bad_data(
    tmp_path: Path, made: Callable[[Path], None], form: SpikeForm, sentence: str
) -> None:
    made(tmp_path)
    with pytest.raises(InputError, match=sentence):
        _load("test", tmp_path / "a.npz", form)


def test_spikes_need_a_path() -> None:
    with pytest.raises(InputError, match="data set spikes needs a file or a folder"):
        datasets.load("spikes", "train")
