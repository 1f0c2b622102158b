"""Image files: what comes back, and what is refused in one sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open

from cosim.experiment.images.image_file import FORMAT, ImageSets, check_fits, read, write
from sw.common.errors import InputError
from sw.files import tensorfile
from tests.support.subjects import CONFIG, make_sets

CONTENT = make_sets(5, ("clean", "fgsm_8"))
MADE = {"network": "small", "seed": 3}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.safetensors"
    write(path, CONTENT, MADE, {"clean": np.arange(5)})
    return path


def test_what_is_written_comes_back(file: Path) -> None:
    found, made = read(file)
    assert made == MADE
    assert (found.dataset, found.classes) == (CONTENT.dataset, CONTENT.classes)
    assert np.array_equal(found.labels, CONTENT.labels)
    assert np.array_equal(found.numbers, CONTENT.numbers)
    assert list(found.sets) == ["clean", "fgsm_8"]
    for name, one in found.sets.items():
        assert np.array_equal(one.images, CONTENT.sets[name].images)
        assert one.images.dtype == np.uint8
        assert np.array_equal(one.zero, CONTENT.sets[name].zero)
        assert one.sha256 == CONTENT.sets[name].sha256
    before = file.read_bytes()
    write(file, found, made, {"clean": np.arange(5)})
    assert file.read_bytes() == before


def test_a_part_has_the_first_images_and_the_chosen_sets() -> None:
    part = CONTENT.choose(["fgsm_8"]).first(2)
    assert len(part) == 2
    assert list(part.sets) == ["fgsm_8"]
    assert np.array_equal(part.sets["fgsm_8"].images, CONTENT.sets["fgsm_8"].images[:2])
    assert np.array_equal(part.numbers, CONTENT.numbers[:2])


def test_the_checksum_is_that_of_every_pixel() -> None:
    one = CONTENT.sets["clean"]
    for place in ((0, 0, 0, 0), (4, 0, 7, 7)):
        other = one.images.copy()
        other[place] ^= 1
        assert replace(one, images=other).sha256 != one.sha256


Parts = tuple[dict[str, Any], dict[str, Any]]  # document, arrays


def spoilt(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """The file with another document or other arrays."""
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        document = json.loads(file.metadata()[FORMAT.mark])
    change(document, arrays)
    path.write_bytes(safetensors.numpy.save(arrays, {FORMAT.mark: json.dumps(document)}))


def turned(name: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """One bit of an array turned."""

    def change(_: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays[name].reshape(-1)[-1] ^= 1

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        *(
            (turned(name), f"{name} is not what was written")
            for name in ("labels", "numbers", "clean.images", "fgsm_8.zero", "clean.predictions")
        ),
        (lambda document, arrays: arrays.pop("labels"), "lacks tensor labels"),
        (lambda document, arrays: arrays.pop("fgsm_8.images"), "lacks tensor fgsm_8.images"),
        (
            lambda document, arrays: arrays.update(x=np.zeros(1, np.uint8)),
            "has an unknown tensor x",
        ),
        (
            lambda document, arrays: arrays.update(labels=arrays["labels"].astype(np.int32)),
            r"tensor labels is I32 \[5\], must be I64 \[5\]",
        ),
        (
            lambda document, arrays: arrays.update(labels=arrays["labels"][:4]),
            r"tensor labels is I64 \[4\], must be I64 \[5\]",
        ),
        (lambda document, arrays: document.update(images=4), r"must be .* \[4"),
        (lambda document, arrays: document.update(images=-1), "expected int >= 0"),
        (lambda document, arrays: document.update(images=True), r"damaged at \$.images "),
        (lambda document, arrays: document.update(shape=[8, 8]), r"images of size \[8, 8\]"),
        (lambda document, arrays: document.update(sets=[]), "its sets are none"),
        (lambda document, arrays: document.update(sets=["clean"] * 2), "its sets are clean, clean"),
        (lambda document, arrays: document.update(sets=["../x"]), "its sets are ../x"),
        (lambda document, arrays: document.update(classes=["0"]), "labels or numbers are out of"),
        (
            lambda document, arrays: document.pop("made"),
            r"at \$ .object missing required field made",
        ),
        (lambda document, arrays: document.update(sha256={}), "is not what was written"),
    ],
)
def test_a_damaged_file_is_refused(
    file: Path, change: Callable[[dict[str, Any], dict[str, Any]], None], sentence: str
) -> None:
    spoilt(file, change)
    with pytest.raises(InputError, match=sentence) as error:
        read(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_cut_file_is_refused(file: Path, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(InputError, match=r"truncated|no safetensors file"):
        read(file)


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "mnist"},
        {"input_shape": (1, 16, 16)},
        {"classes": tuple("abcdefghij")},
        {"classes": ("0", "1")},
    ],
)
def test_images_of_another_network_are_refused(change: dict[str, Any]) -> None:
    check_fits(Path("file"), CONTENT, CONFIG)
    with pytest.raises(InputError, match="file of images file has images"):
        check_fits(Path("file"), CONTENT, replace(CONFIG, **change))


def test_a_file_that_nobody_could_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorfile, "MAX_FILE_BYTES", 1000)
    large: ImageSets = make_sets(20)
    with pytest.raises(InputError, match="take fewer sets or images"):
        write(tmp_path / "large", large, {})
    assert not list(tmp_path.iterdir())
