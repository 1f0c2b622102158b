"""A user's inputs: what is taken, and what is said of files that are not right."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.data.user_file import read

SPIKES = np.ones((3, 4, 2, 5, 6), np.bool_)
IMAGES = np.full((3, 1, 5, 6), 200, np.uint8)


def test_spikes_and_labels(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", spikes=SPIKES, labels=np.array([1, 2, 0]))
    found = read(tmp_path / "a.npz")
    assert found.spikes
    assert found.values.dtype == np.uint8
    assert found.values.shape == SPIKES.shape
    assert found.first(2).labels is not None
    assert found.first(2).values.shape[0] == 2


def test_images_without_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES)
    found = read(tmp_path / "a.npz")
    assert not found.spikes
    assert found.labels is None
    assert np.array_equal(found.values, IMAGES)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({}, "must have one array of images, or one of spikes"),
        ({"spikes": SPIKES, "images": IMAGES}, "must have one array of images, or one of spikes"),
        ({"x": IMAGES}, "has the arrays x, must be of spikes, images, labels"),
        ({"images": IMAGES.astype(np.float32)}, "images is float32"),
        ({"images": IMAGES.astype(np.int64)}, "images are int64"),
        ({"images": IMAGES[0]}, r"images are uint8 \[1, 5, 6\]"),
        ({"images": IMAGES[:0]}, r"images are uint8 \[0, 1, 5, 6\]"),
        ({"spikes": 2 * SPIKES.astype(np.uint8)}, "spikes are up to 2"),
        ({"images": IMAGES, "labels": np.zeros(2, np.int64)}, r"labels are int64 \[2\]"),
        ({"images": IMAGES, "labels": np.zeros(3, np.bool_)}, r"labels are bool \[3\]"),
        ({"images": np.array([{}], object)}, "images is object"),
    ],
)
def test_arrays_that_are_not_right(arrays: Any, sentence: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "a.npz")


def test_files_that_are_not_right(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(InputError, match="no such file"):
        read(path)
    np.savez_compressed(path, images=IMAGES)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"is no \.npz file, or is damaged"):
            read(path)


def test_bytes_that_were_changed_are_noticed_or_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=IMAGES, labels=np.arange(3))
    whole, refused = path.read_bytes(), 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            read(path)
        except InputError:
            refused += 1
    assert refused > len(whole) // 4


def test_an_array_larger_than_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with ZipFile(path, "w") as archive, archive.open("images.npy", "w") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 1, 5, 6)}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InputError, match="images would take 32985348833280 bytes"):
        read(path)
