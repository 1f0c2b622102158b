"""The digits: what is in them, on which grid, who is in which split; bad requests for any set."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.data.datasets import load


def _rows(dataset: Dataset) -> list[bytes]:
    """Each image and its label as one string of bytes, sorted."""
    pairs = zip(dataset.images, dataset.labels, strict=True)
    return sorted(image.tobytes() + bytes([label]) for image, label in pairs)


def test_shapes_and_types() -> None:
    for split, count in (("train", 1347), ("test", 450)):
        digits = load("digits", cast(Any, split))
        assert digits.images.shape == (count, 1, 8, 8)
        assert digits.images.dtype == np.uint8
        assert digits.labels.shape == (count,) == (len(digits),)
        assert digits.labels.dtype == np.int64
        assert digits.classes == tuple("0123456789")


def test_grey_levels_are_sixteenths_of_255() -> None:
    levels = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    assert np.unique(load("digits", "train").images).tolist() == levels


def test_the_two_splits_are_all_images_and_share_none() -> None:
    bunch = load_digits()
    images = np.rint(bunch.images * 255 / 16).astype(np.uint8)[:, None]
    everything = Dataset("digits", images, bunch.target.astype(np.int64), ())
    train, test = load("digits", "train"), load("digits", "test")
    assert sorted(_rows(train) + _rows(test)) == _rows(everything)
    assert not set(_rows(train)) & set(_rows(test))


def test_every_class_has_its_share_in_the_test_split() -> None:
    train, test = (np.bincount(load("digits", split).labels) for split in ("train", "test"))
    assert np.all(np.abs(test / (train + test) - 0.25) < 0.004)


def test_the_split_never_changes() -> None:
    first = load("digits", "test")
    again = load("digits", "test")
    assert first.labels[:12].tolist() == [0, 5, 3, 0, 7, 7, 7, 7, 1, 0, 9, 2]
    assert np.array_equal(first.images, again.images)


def test_take_keeps_images_and_labels_together() -> None:
    digits = load("digits", "test")
    chosen = digits.take(np.array([7, 3]))
    assert np.array_equal(chosen.images, digits.images[[7, 3]])
    assert chosen.labels.tolist() == digits.labels[[7, 3]].tolist()


@pytest.mark.parametrize(
    ("name", "split", "folder", "sentence"),
    [
        ("digit", "train", None, "unknown data set 'digit': must be one of digits, cifar10"),
        ("digits", "dev", None, "unknown split 'dev' of digits: must be train or test"),
        ("mnist", "test", None, "data set mnist needs a folder: name the one that its files are"),
        ("cifar10", "test", Path("no/such"), "data set cifar10: no/such is no folder"),
        ("digits", "test", Path("x"), "digits needs no folder, but got x: leave it out"),
    ],
)
def test_bad_requests(name: str, split: str, folder: Path | None, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        load(name, cast(Any, split), folder)


def test_some_classes_of_a_set() -> None:
    whole, some = load("digits", "test"), load("digits:7,1", "test")
    assert some.classes == ("7", "1")
    assert some.name == "digits:7,1"
    assert set(some.labels.tolist()) == {0, 1}
    assert np.array_equal(whole.images[some.numbers], some.images)
    kept = whole.labels[some.numbers]
    assert np.array_equal(np.array([7, 1])[some.labels], kept)
    assert len(kept) == np.count_nonzero((whole.labels == 7) | (whole.labels == 1))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("digits:7,eight", "'eight' is no class of it: must be of 0, 1"),
        ("digits:7", "must name two classes or more, each once"),
        ("digits:7,7", "must name two classes or more, each once"),
        ("digit:7,1", "unknown data set 'digit'"),
    ],
)
def test_classes_that_there_are_not(name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        load(name, "test")
