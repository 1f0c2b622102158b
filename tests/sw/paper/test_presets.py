"""Presets, and the TOML file that changes them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.data import datasets
from sw.paper import presets
from sw.paper.presets import PRESETS, THETAS
from tests.sw.paper.conftest import TINY


def test_the_papers_settings() -> None:
    for preset in PRESETS.values():
        assert preset.thetas == THETAS == (0.4, 0.6, 0.8, 1.0)
        assert preset.encodings == ("direct", "rate", "phase", "latency")
        assert preset.eps == (2, 8, 16)
        assert (preset.dataset, preset.weight_bits) == ("cifar10", 4)
    assert PRESETS["paper"].width == 1
    assert (PRESETS["paper"].train_images, PRESETS["paper"].test_images) == (0, 0)


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('width = 2\nencodings = ["rate"]\nepochs = 3\nfc_width = 7\naugment = false\n')
    found = presets.load("cpu", path)
    assert found == dataclasses.replace(
        PRESETS["cpu"], width=2.0, encodings=("rate",), epochs=3, fc_width=7, augment=False
    )
    assert presets.load("cpu") == PRESETS["cpu"]
    assert found.training(9).epochs == 3
    assert found.training(9).seed == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht = 2", "config .*: unknown key 'widht': must be one of dataset, train_images, "),
        ("epochs = 1.5", "config .*: epochs: is 1.5, must be a whole number"),
        ("epochs = true", "config .*: epochs: is True, must be a whole number"),
        ("epochs = 0", "config .*: epochs: is 0, must be an integer from 1"),
        ('width = "1"', "config .*: width: is '1', must be a number"),
        ("augment = 1", "config .*: augment: is 1, must be true or false"),
        ("thetas = 0.4", "config .*: thetas: is 0.4, must be a list"),
        ("thetas = []", "config .*: thetas: must be at least one, each of them once"),
        ("eps = [8, 8]", "config .*: eps: must be at least one, each of them once"),
        ("eps = [300]", "config .*: eps is 300: must be 0 to 255"),
        ('encodings = ["burst"]', "config .*: encodings 'burst': must be one of direct, rate"),
        ('ways = ["grey-box"]', "config .*: ways 'grey-box': must be one of white-box, appr"),
        ("train_images = -1", "config .*: train_images: is -1"),
        ("a = [", "config .* is no TOML"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        presets.load("cpu", path)


def test_bad_preset_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown preset 'gpu': must be one of cpu, phen"):
        presets.load("gpu")
    with pytest.raises(InputError, match=r"cannot read config .*: no such file"):
        presets.load("cpu", tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(InputError, match="is no TOML"):
        presets.load("cpu", tmp_path / "latin.toml")


def test_parts_are_drawn_by_the_seed() -> None:
    both = datasets.load("digits", "train"), datasets.load("digits", "test")
    train, test = presets.parts(TINY, *both)
    assert (len(train), len(test)) == (128, 40)
    again = presets.parts(TINY, *both)
    assert np.array_equal(train.images, again[0].images)
    other = presets.parts(dataclasses.replace(TINY, seed=2), *both)
    assert not np.array_equal(train.images, other[0].images)
    whole = presets.parts(dataclasses.replace(TINY, train_images=0), *both)[0]
    assert sorted(whole.labels) == sorted(both[0].labels)
    with pytest.raises(InputError, match="test_images: is 9999, but digits has 450: must be 1 to"):
        presets.parts(dataclasses.replace(TINY, test_images=9999), *both)
