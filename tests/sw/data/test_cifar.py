"""CIFAR-10 from files of both layouts, made small, and what is said of damaged ones."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.data import cifar
from sw.data.dataset import Dataset, Split
from sw.data.datasets import load
from tests.support.pickles import python2_batch

COUNT = 12  # images per file; 10,000 in the official ones
SEED = 5


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "IMAGES_PER_FILE", COUNT)


def _batches() -> list[np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
    """Records of label and pixels for the five training files and the test file."""
    generator = np.random.default_rng(SEED)
    records = generator.integers(0, 256, (6, COUNT, 3073), dtype=np.uint8)
    records[..., 0] %= 10
    return list(records)


def _write_binary(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in zip((*cifar.FILES["train"], "test_batch"), _batches(), strict=True):
        records.tofile(folder / f"{name}.bin")
    return folder


def _write_python(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in zip((*cifar.FILES["train"], "test_batch"), _batches(), strict=True):
        raw = python2_batch(records[:, 1:], records[:, 0].tolist())
        (folder / name).write_bytes(raw)
    return folder


def _check(split: Split, dataset: Dataset) -> None:
    records = np.concatenate(_batches()[:5] if split == "train" else _batches()[5:])
    assert dataset.images.dtype == np.uint8
    assert dataset.labels.dtype == np.int64
    assert np.array_equal(dataset.images, records[:, 1:].reshape(-1, 3, 32, 32))
    assert dataset.labels.tolist() == records[:, 0].tolist()
    assert dataset.classes[3] == "cat"


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("inner", ["", cifar.BINARY])
def test_binary_layout(tmp_path: Path, split: Split, inner: str) -> None:
    _write_binary(tmp_path / inner)
    _check(split, load("cifar10", split, tmp_path))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("inner", ["", cifar.PYTHON])
def test_python_layout(tmp_path: Path, split: Split, inner: str) -> None:
    _write_python(tmp_path / inner)
    _check(split, load("cifar10", split, tmp_path))


def test_pixels_are_channel_by_channel(tmp_path: Path) -> None:
    image = load("cifar10", "test", _write_binary(tmp_path)).images[0]
    record = _batches()[5][0]
    assert image[0, 0, 0] == record[1]
    assert image[0, 1, 0] == record[1 + 32]
    assert image[2, 0, 5] == record[1 + 2 * 1024 + 5]


@pytest.mark.parametrize(("cut", "fault"), [(-1, "is truncated"), (None, "is too long")])
def test_wrong_size_names_the_file(tmp_path: Path, cut: int | None, fault: str) -> None:
    path = _write_binary(tmp_path) / "data_batch_3.bin"
    path.write_bytes((path.read_bytes() + b"x")[: -2 if cut else None])
    size = COUNT * 3073
    found = size - 1 if cut else size + 1
    with pytest.raises(
        InputError, match=rf"{path} {fault}: it has {found} bytes, must have {size}"
    ):
        load("cifar10", "train", tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = _write_binary(tmp_path) / "data_batch_4.bin"
    path.unlink()
    with pytest.raises(InputError, match=f"cannot read {path}: no such file or directory"):
        load("cifar10", "train", tmp_path)


def test_a_folder_without_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no CIFAR-10: there is neither test_batch.bin"):
        load("cifar10", "test", tmp_path)


def test_a_wrong_label_in_the_binary_layout(tmp_path: Path) -> None:
    path = _write_binary(tmp_path) / "test_batch.bin"
    raw = bytearray(path.read_bytes())
    raw[7 * 3073] = 10
    path.write_bytes(raw)
    with pytest.raises(InputError, match=f"{path}: the label of image 7 is not 0 to 9"):
        load("cifar10", "test", tmp_path)


@pytest.mark.parametrize("label", [-1, 10, 2**31 - 1])
def test_a_wrong_label_in_the_python_layout(tmp_path: Path, label: int) -> None:
    path, records = _write_python(tmp_path) / "test_batch", _batches()[5]
    path.write_bytes(python2_batch(records[:, 1:], [1, label, *[0] * (COUNT - 2)]))
    with pytest.raises(InputError, match=f"{path}: the label of image 1 is not 0 to 9"):
        load("cifar10", "test", tmp_path)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("shape", [(COUNT,), (COUNT, 1)])
@pytest.mark.parametrize("dtype", ["uint8", "int64", ">i4"])
def test_python_layout_as_written_today(
    tmp_path: Path, protocol: int, shape: tuple[int, ...], dtype: str
) -> None:
    for name, records in zip((*cifar.FILES["train"], "test_batch"), _batches(), strict=True):
        labels = records[:, 0].astype(dtype).reshape(shape)
        batch = {"data": records[:, 1:], "labels": labels}
        (tmp_path / name).write_bytes(pickle.dumps(batch, protocol=protocol))
    _check("train", load("cifar10", "train", tmp_path))


def test_labels_of_another_shape(tmp_path: Path) -> None:
    records = _batches()[5]
    for labels in (np.zeros(COUNT + 1, np.uint8), np.zeros((1, COUNT), np.uint8), 7):
        batch = {"data": records[:, 1:], "labels": labels}
        (tmp_path / "test_batch").write_bytes(pickle.dumps(batch))
        with pytest.raises(InputError, match="labels must be 12 whole numbers"):
            load("cifar10", "test", tmp_path)


def test_a_batch_of_full_size_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocol 2 of Python 3 makes two bytes of each pixel above 127."""
    monkeypatch.setattr(cifar, "IMAGES_PER_FILE", 10_000)
    batch = {"data": np.full((10_000, 3072), 255, np.uint8), "labels": [9] * 10_000}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(batch, protocol=2))
    found = load("cifar10", "test", tmp_path)
    assert found.images.min() == 255
    assert set(found.labels) == {9}


def test_other_pickles_are_no_batches(tmp_path: Path) -> None:
    path, records = tmp_path / "test_batch", _batches()[5]
    for raw, sentence in (
        (b"\x80\x02].", "is no CIFAR-10 batch: it must be a dictionary of data and labels"),
        (b"\x80\x02}.", "is no CIFAR-10 batch: it must be a dictionary of data and labels"),
        (python2_batch(records[:-1, 1:], [0] * COUNT), r"data must be .* \[12, 3072\]"),
        (
            python2_batch(records[:, 1:], [0] * 11),
            "labels must be 12 whole numbers, as a list or an array",
        ),
    ):
        path.write_bytes(raw)
        with pytest.raises(InputError, match=sentence):
            load("cifar10", "test", tmp_path)


def test_a_huge_pickle_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "PICKLE_BYTES", 0)
    (tmp_path / "test_batch").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(InputError, match="test_batch holds more than 1048576 bytes"):
        load("cifar10", "test", tmp_path)


@pytest.mark.parametrize("python", [False, True])
def test_cifar_100_has_fine_labels(tmp_path: Path, python: bool) -> None:
    generator = np.random.default_rng(SEED)
    records = np.zeros((0, 3074), np.uint8)
    for name, count in (("train", 5 * COUNT), ("test", COUNT)):
        records = generator.integers(0, 256, (count, 3074), dtype=np.uint8)
        records[:, :2] %= np.array([20, 100], np.uint8)
        if python:
            document = {"data": records[:, 2:], "fine_labels": records[:, 1].tolist()}
            (tmp_path / name).write_bytes(pickle.dumps(document, 2))
        else:
            records.tofile(tmp_path / f"{name}.bin")
    found = load("cifar100", "test", tmp_path)
    assert found.labels.tolist() == records[:, 1].tolist()
    assert np.array_equal(found.images, records[:, 2:].reshape(-1, 3, 32, 32))
    assert len(set(found.classes)) == 100
    assert list(found.classes) == sorted(found.classes)
    assert len(load("cifar100", "train", tmp_path)) == 5 * COUNT
    (tmp_path / ("test" if python else "test.bin")).unlink()
    with pytest.raises(InputError, match="has no CIFAR-100"):
        load("cifar100", "test", tmp_path)
