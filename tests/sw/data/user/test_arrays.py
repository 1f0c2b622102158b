"""A user's arrays: what is taken, and what is said of files that are not right."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data.user.inputs import Takes
from sw.data.user.read import read

SPIKES = np.ones((3, 4, 2, 5, 6), np.bool_)
IMAGES = np.full((3, 1, 5, 6), 200, np.uint8)
TAKES_SPIKES = Takes(True, 4, (2, 5, 6), 3)
TAKES_IMAGES = Takes(False, 4, (1, 5, 6), 3)


def test_spikes_and_labels(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", spikes=SPIKES, labels=np.array([1, 2, 0]))
    found = read(tmp_path / "a.npz", TAKES_SPIKES)
    assert found.spikes
    assert found.values.dtype == np.uint8
    assert found.values.shape == SPIKES.shape
    assert found.first(2).labels is not None
    assert read(tmp_path / "a.npz", TAKES_SPIKES, 2).values.shape[0] == 2


def test_images_without_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES)
    found = read(tmp_path / "a.npz", TAKES_IMAGES)
    assert not found.spikes
    assert found.labels is None
    assert np.array_equal(found.values, IMAGES)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_are_put_on_the_grid_of_255(kind: type, tmp_path: Path) -> None:
    images: NDArray[Any] = (
        np.linspace(0, 1, 90).reshape(3, 5, 6).astype(kind)
    )  # one channel is left out
    np.save(tmp_path / "a.npy", images)
    np.save(tmp_path / "a_labels.npy", np.array([2, 1, 0], np.uint8))
    found = read(tmp_path / "a.npy", TAKES_IMAGES)
    assert np.array_equal(found.values, np.rint(images * 255)[:, None])
    assert found.labels is not None
    assert found.labels.tolist() == [2, 1, 0]


def test_spikes_as_floats_and_as_rows(tmp_path: Path) -> None:
    spikes = np.random.default_rng(1).integers(0, 2, (5, 4, 7)).astype(np.float32)
    np.save(tmp_path / "a.npy", spikes)
    found = read(tmp_path / "a.npy", Takes(True, 4, (7, 1, 1), 3))
    assert found.values.shape == (5, 4, 7, 1, 1)
    assert np.array_equal(found.values.reshape(spikes.shape), spikes)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({}, "must have one array of images, or one of spikes"),
        ({"spikes": SPIKES, "images": IMAGES}, "must have one array of images, or one of spikes"),
        ({"z": IMAGES}, "has the arrays z, must be of spikes, images, labels"),
        ({"images": IMAGES, "t": IMAGES}, "must have one array of images, or one of spikes"),
        ({"images": IMAGES.astype(np.int64)}, "images are int64, must be uint8, or floats"),
        ({"images": IMAGES.astype(np.float32)}, "pixels are 200 to 200: floats must be 0 to 1"),
        ({"images": np.full((1, 1, 5, 6), np.nan)}, "floats must be 0 to 1"),
        ({"images": IMAGES[0, 0]}, r"images are uint8 \[5, 6\], must be \[n, 1, 5, 6\]"),
        ({"images": IMAGES[:0]}, r"images are uint8 \[0, 1, 5, 6\]"),
        ({"images": np.array(200, np.uint8)}, r"images are uint8 \[\], must be \[n, 1, 5, 6\]"),
        ({"images": IMAGES.reshape(3, 1, 6, 5)}, r"images are uint8 \[3, 1, 6, 5\]"),
        ({"spikes": SPIKES}, "has spikes, the network takes images"),
        ({"images": IMAGES, "labels": np.zeros(2, np.int64)}, r"labels are int64 \[2\]"),
        ({"images": IMAGES, "labels": np.zeros(3, np.bool_)}, r"labels are bool \[3\]"),
        ({"images": IMAGES, "labels": np.arange(1, 4)}, "labels are 1 to 3, the network has 3"),
        ({"images": np.array([{}], object)}, "images is object"),
    ],
)
def test_arrays_that_are_not_right(arrays: Any, sentence: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "a.npz", TAKES_IMAGES)


def test_spikes_that_are_not_right(tmp_path: Path) -> None:
    for spikes, sentence in (
        (2 * SPIKES.astype(np.uint8), "a spike is 2, must be 0 or 1"),
        (0.5 * SPIKES, r"a spike is 0\.5, must be 0 or 1"),
        (SPIKES[:, :3], r"spikes are bool \[3, 3, 2, 5, 6\], must be \[n, 4, 2, 5, 6\]"),
    ):
        np.savez(tmp_path / "a.npz", spikes=spikes)
        with pytest.raises(InputError, match=sentence):
            read(tmp_path / "a.npz", TAKES_SPIKES)


def test_files_that_are_not_right(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(InputError, match="no such file"):
        read(path, TAKES_IMAGES)
    np.savez_compressed(path, images=IMAGES)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"is no \.npz file, or is damaged"):
            read(path, TAKES_IMAGES)
    np.save(tmp_path / "a.npy", IMAGES)
    whole = (tmp_path / "a.npy").read_bytes()
    for size in (0, 10, 100, len(whole) - 1):
        (tmp_path / "a.npy").write_bytes(whole[:size])
        with pytest.raises(InputError, match="is damaged"):
            read(tmp_path / "a.npy", TAKES_IMAGES)
    for name, sentence in (("a.txt", "must be a folder of classes"), ("b.npy", "no such file")):
        (tmp_path / "a.txt").write_text("1")
        with pytest.raises(InputError, match=sentence):
            read(tmp_path / name, TAKES_IMAGES)


def test_bytes_that_were_changed_are_noticed_or_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=IMAGES, labels=np.arange(3))
    whole, refused = path.read_bytes(), 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            read(path, TAKES_IMAGES)
        except InputError:
            refused += 1
    assert refused > len(whole) // 4


def test_an_array_larger_than_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    header = {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 1, 5, 6)}
    with ZipFile(path, "w") as archive, archive.open("images.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, header)
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    for name in ("a.npz", "a.npy"):
        with pytest.raises(InputError, match="would take 32985348833280 bytes"):
            read(tmp_path / name, TAKES_IMAGES)
