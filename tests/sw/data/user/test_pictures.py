"""Pictures in folders by class, and IDX files of any size."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.data.user.inputs import Takes
from sw.data.user.read import read

Image = pytest.importorskip("PIL.Image", reason="needs pip install 'nc64c[data]'")
COLOUR = Takes(False, 4, (3, 5, 7), 3)
GREY = Takes(False, 4, (1, 5, 7), 3)


def _pixels(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)


def _folder(folder: Path) -> Path:
    """Two pictures each of cats, dogs and eels."""
    for label, name in enumerate(("cat", "dog", "eel")):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(_pixels(10 * number + label)).save(folder / name / f"{number}.png")
        (folder / name / "notes.txt").write_text("no picture")
    return folder


def test_colour_in_turns(tmp_path: Path) -> None:
    found = read(_folder(tmp_path / "set"), COLOUR, 4)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 0]
    for image, seed in zip(found.values, (0, 1, 2, 10), strict=True):
        assert np.array_equal(image, _pixels(seed).transpose(2, 0, 1))


def test_grey_and_jpeg(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "set")
    Image.fromarray(np.full((5, 7), 77, np.uint8)).save(folder / "cat/0.jpg")
    found = read(folder, GREY)
    assert found.values.shape == (7, 1, 5, 7)
    grey = np.asarray(Image.fromarray(_pixels(0)).convert("L"))
    assert np.array_equal(found.values[3, 0], grey)  # 0.jpg comes before 0.png
    assert np.abs(found.values[0].astype(int) - 77).max() <= 1


def test_pictures_that_are_not_right(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "set")
    with pytest.raises(InputError, match=r"is 7 x 5 pixels, the network takes 5 x 7"):
        read(folder, Takes(False, 4, (3, 7, 5), 3))
    with pytest.raises(InputError, match="the network takes 2 channels"):
        read(folder, Takes(False, 4, (2, 5, 7), 3))
    with pytest.raises(InputError, match="labels are 0 to 2, the network has 2 classes"):
        read(folder, Takes(False, 4, (3, 5, 7), 2))
    with pytest.raises(InputError, match=r"must have a folder for each class, with files \.bin"):
        read(folder, Takes(True, 4, (2, 5, 7), 3, 0.1))
    with pytest.raises(InputError, match="6 inputs would take 12000006000000 bytes"):
        read(folder, Takes(False, 4, (3, 10**6, 666667), 3))
    path = folder / "dog/1.png"
    whole = path.read_bytes()
    for content in (b"", b"GIF89a", whole[:40], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"picture .*1\.png"):
            read(folder, COLOUR)


def _idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    head = bytes([0, 0, 8, array.ndim])
    return head + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def test_idx_of_any_size(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 7), np.uint8)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(_idx(images)))
    assert read(path, GREY).labels is None
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(_idx(np.ones(6, np.uint8))))
    found = read(path, GREY, 4)
    assert np.array_equal(found.values[:, 0], images[:4])
    assert found.labels is not None
    assert found.labels.tolist() == [1] * 4
    with pytest.raises(InputError, match="has grey images of 5 x 7, the network takes images of 3"):
        read(path, COLOUR)
    path.write_bytes(gzip.compress(_idx(images)[:-1]))
    with pytest.raises(InputError, match="is truncated"):
        read(path, GREY)
