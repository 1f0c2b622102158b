"""MNIST and Fashion-MNIST from IDX files, gzipped or not, and what is said of damaged ones."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data.datasets import load

IMAGES = np.random.default_rng(2).integers(0, 256, (7, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 0, 9, 1, 1, 5, 2], dtype=np.uint8)


def _idx(array: NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def _write(folder: Path, *, zipped: bool, images: bytes, labels: bytes) -> tuple[Path, Path]:
    paths = []
    for name, content in (("images-idx3", images), ("labels-idx1", labels)):
        path = folder / f"t10k-{name}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)
        paths.append(path)
    return paths[0], paths[1]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("zipped", [False, True])
def test_images_and_labels(tmp_path: Path, name: str, zipped: bool) -> None:
    _write(tmp_path, zipped=zipped, images=_idx(IMAGES), labels=_idx(LABELS))
    found = load(name, "test", tmp_path)
    assert found.name == name
    assert np.array_equal(found.images, IMAGES[:, None])
    assert found.images.dtype == np.uint8
    assert found.labels.tolist() == LABELS.tolist()
    assert found.labels.dtype == np.int64
    assert len(found.classes) == 10


def test_the_training_part_has_names_of_its_own(tmp_path: Path) -> None:
    _write(tmp_path, zipped=False, images=_idx(IMAGES), labels=_idx(LABELS))
    with pytest.raises(InputError, match=r"has no file train-images-idx3-ubyte or .*\.gz"):
        load("mnist", "train", tmp_path)
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / path.name.replace("t10k", "train"))
    assert len(load("mnist", "train", tmp_path)) == 7


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("images", "labels", "which", "sentence"),
    [
        (_idx(IMAGES)[:-1], _idx(LABELS), 0, "is truncated: it has 5503 bytes, must have 5504"),
        (_idx(IMAGES) + b"x", _idx(LABELS), 0, "is too long: it has 5505 bytes, must have 5504"),
        (_idx(LABELS), _idx(LABELS), 0, "is no IDX file of 3-dimensional unsigned bytes"),
        (_idx(IMAGES)[:10], _idx(LABELS), 0, "is no IDX file of 3-dimensional unsigned bytes"),
        (b"", _idx(LABELS), 0, "is no IDX file of 3-dimensional unsigned bytes"),
        (_idx(IMAGES), _idx(IMAGES), 1, "is no IDX file of 1-dimensional unsigned bytes"),
        (_idx(IMAGES[:, :27]), _idx(LABELS), 0, "has images of 27 x 28 pixels, must be 28 x 28"),
        (_idx(IMAGES), _idx(LABELS[:6]), 1, "has 6 labels for the 7 images of .*images-idx3"),
        (_idx(IMAGES), _idx(LABELS + 1), 1, "has a label 10, must be 0 to 9"),
        (_idx(IMAGES[:0]), _idx(LABELS), 0, "is empty: its header says that it has no images"),
    ],
)
def test_damaged_files_are_named(
    tmp_path: Path, zipped: bool, images: bytes, labels: bytes, which: int, sentence: str
) -> None:
    paths = _write(tmp_path, zipped=zipped, images=images, labels=labels)
    with pytest.raises(InputError, match=f"{paths[which]} {sentence}"):
        load("mnist", "test", tmp_path)


@pytest.mark.parametrize("cut", [0, 5, 100, -1, -8])
def test_truncated_gzip(tmp_path: Path, cut: int) -> None:
    path, _ = _write(tmp_path, zipped=True, images=_idx(IMAGES), labels=_idx(LABELS))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=f"{path} is (truncated or damaged: gzip|no IDX file)"):
        load("mnist", "test", tmp_path)


def test_damaged_gzip(tmp_path: Path) -> None:
    path, _ = _write(tmp_path, zipped=True, images=_idx(IMAGES), labels=_idx(LABELS))
    raw = bytearray(path.read_bytes())
    raw[2000] ^= 255
    path.write_bytes(raw)
    with pytest.raises(InputError, match=f"{path} is .*damaged"):
        load("mnist", "test", tmp_path)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(InputError, match=f"{path} is damaged: it is no gzip file"):
        load("mnist", "test", tmp_path)


def test_gzip_is_unpacked_no_further_than_needed(tmp_path: Path) -> None:
    path, _ = _write(tmp_path, zipped=True, images=_idx(IMAGES), labels=_idx(LABELS))
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(InputError, match=f"{path} holds more than 47040016 bytes"):
        load("mnist", "test", tmp_path)


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("mnist", "MNIST/raw"),
        ("mnist", "raw"),
        ("mnist", "mnist"),
        ("fashion-mnist", "FashionMNIST/raw"),
        ("fashion-mnist", "fashion-mnist"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_usual_folders(tmp_path: Path, name: str, inner: str, zipped: bool) -> None:
    (tmp_path / inner).mkdir(parents=True)
    _write(tmp_path / inner, zipped=zipped, images=_idx(IMAGES), labels=_idx(LABELS))
    assert np.array_equal(load(name, "test", tmp_path).images, IMAGES[:, None])


def test_one_is_not_taken_for_the_other(tmp_path: Path) -> None:
    (tmp_path / "FashionMNIST" / "raw").mkdir(parents=True)
    _write(tmp_path / "FashionMNIST/raw", zipped=False, images=_idx(IMAGES), labels=_idx(LABELS))
    with pytest.raises(InputError, match="has no file t10k-images-idx3-ubyte or"):
        load("mnist", "test", tmp_path)


@pytest.mark.parametrize("zipped", [False, True])
def test_names_with_a_dot(tmp_path: Path, zipped: bool) -> None:
    for path in _write(tmp_path, zipped=zipped, images=_idx(IMAGES), labels=_idx(LABELS)):
        path.rename(tmp_path / path.name.replace("-idx", ".idx"))
    assert load("mnist", "test", tmp_path).labels.tolist() == LABELS.tolist()


def test_a_folder_does_not_hide_the_packed_file_beside_it(tmp_path: Path) -> None:
    for path in _write(tmp_path, zipped=True, images=_idx(IMAGES), labels=_idx(LABELS)):
        (tmp_path / path.stem).mkdir()
    assert load("mnist", "test", tmp_path).labels.tolist() == LABELS.tolist()


def test_a_folder_around_each_file(tmp_path: Path) -> None:
    for path in _write(tmp_path, zipped=False, images=_idx(IMAGES), labels=_idx(LABELS)):
        moved = path.rename(tmp_path / "moved")
        path.mkdir()
        moved.rename(path / path.name)
    assert load("mnist", "test", tmp_path).labels.tolist() == LABELS.tolist()


def test_images_without_labels(tmp_path: Path) -> None:
    _, labels = _write(tmp_path, zipped=False, images=_idx(IMAGES), labels=_idx(LABELS))
    labels.unlink()
    with pytest.raises(InputError, match=f"{tmp_path} has no file t10k-labels-idx1-ubyte or"):
        load("mnist", "test", tmp_path)
