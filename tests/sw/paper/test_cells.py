"""A cell's name and its file: found again whole, or known to be damaged."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from sw.attack.attacks import Attack
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS
from sw.paper import worker
from sw.paper.cells import Cell, Store, Task, Training, fingerprint, key
from sw.paper.worker import Source
from sw.train.settings import Adversarial, TrainSettings
from tests.sw.paper.conftest import TINY

TRAINING = Training(DIGITS, TrainSettings(), "images")
CELL = Cell(TRAINING, "float", (Attack("fgsm", 2), Attack("fgsm", 8)), None, "others")
RESULT = {"images": 3, "sets": {"clean": {"accuracy": 66.66666666666667}}}


@pytest.mark.parametrize("name", ["spikes", "spikes:0,1"])
def test_data_of_spikes_have_no_tables(name: str) -> None:
    scale = dataclasses.replace(TINY, dataset=name)
    with pytest.raises(InputError, match="data set spikes: the paper's tables are of images"):
        worker.images(Source(scale, None))


def test_every_setting_is_in_the_name() -> None:
    replace = dataclasses.replace
    others: list[Task] = [
        TRAINING,
        replace(TRAINING, images="other"),
        replace(TRAINING, network=replace(DIGITS, theta_conv=0.6)),
        replace(TRAINING, network=replace(DIGITS, encoding="rate")),
        replace(TRAINING, settings=TrainSettings(seed=2)),
        CELL,
        replace(CELL, weights="quantised"),
        replace(CELL, attacks=CELL.attacks[:1]),
        replace(CELL, attacks=(Attack("fgsm", 2), Attack("fgsm", 8, gradient="approximated"))),
        replace(CELL, attacker=TRAINING),
        replace(CELL, images="more"),
        replace(CELL, target=replace(TRAINING, images="other")),
    ]
    assert len({key(task) for task in others}) == len(others)
    assert key(replace(CELL)) == key(CELL)


def test_names_outlive_new_settings() -> None:
    """They are those of the first cells: a setting that came later is not in them (LATER)."""
    assert (key(TRAINING), key(CELL)) == ("dfb6050350c05ecc", "f5853405291e41c0")
    adversarial = TrainSettings(adversarial=Adversarial("fgsm", 8, 1))
    assert key(dataclasses.replace(TRAINING, settings=adversarial)) != key(TRAINING)


def test_fingerprint_is_of_content() -> None:
    images = np.random.default_rng(1).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)
    labels = np.arange(5)
    data = Dataset("digits", images, labels, ("a",))
    assert fingerprint(data) == fingerprint(Dataset("digits", images.copy(), labels, ("a",)))
    changed = images.copy()
    changed[4, 0, 7, 7] ^= 1
    for other in (
        Dataset("digits", changed, labels, ("a",)),
        Dataset("digits", images, labels[::-1], ("a",)),
        Dataset("digits", images.reshape(5, 1, 4, 16), labels, ("a",)),
    ):
        assert fingerprint(other) != fingerprint(data)


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.load(CELL) is None
    store.save(CELL, RESULT)
    assert Store(tmp_path).load(CELL) == RESULT
    assert [path.name for path in (tmp_path / "cells").iterdir()] == [f"{key(CELL)}.json"]
    assert store.load(dataclasses.replace(CELL, weights="quantised")) is None


def test_a_network_is_kept_beside_its_cell(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.state(TRAINING).write_bytes(b"so far")
    store.save(TRAINING, {"seconds": 1.5}, b"weights")
    result = store.load(TRAINING)
    assert result == {"seconds": 1.5, "sha256": hashlib.sha256(b"weights").hexdigest()}
    assert store.network(TRAINING, result) == b"weights"
    assert not store.state(TRAINING).exists()


@pytest.mark.parametrize("length", [0, 1, 200, -2])
def test_a_truncated_cell_is_damaged(tmp_path: Path, length: int) -> None:
    store = Store(tmp_path)
    store.save(CELL, RESULT)
    path = tmp_path / "cells" / f"{key(CELL)}.json"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=rf"cell .*{key(CELL)}.json is damaged: it is no whole"):
        store.load(CELL)


@pytest.mark.parametrize("place", ["result", "settings"])
def test_a_changed_cell_is_damaged(tmp_path: Path, place: str) -> None:
    store = Store(tmp_path)
    store.save(CELL, RESULT)
    path = tmp_path / "cells" / f"{key(CELL)}.json"
    document = json.loads(path.read_text())
    document[place]["images"] = "4"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="is damaged: its content is not what was written"):
        store.load(CELL)


def test_another_cells_file_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    other = dataclasses.replace(CELL, images="more")
    store.save(other, RESULT)
    folder = tmp_path / "cells"
    (folder / f"{key(other)}.json").rename(folder / f"{key(CELL)}.json")
    with pytest.raises(InputError, match="is damaged: its content is not what was written"):
        store.load(CELL)


def test_a_damaged_or_missing_network_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(TRAINING, {}, b"weights")
    path = tmp_path / "networks" / f"{key(TRAINING)}.safetensors"
    path.write_bytes(b"weightz")
    with pytest.raises(InputError, match=r"network .* is damaged: its content is not what was"):
        store.load(TRAINING)
    path.unlink()
    with pytest.raises(InputError, match=r"network .* of a finished cell cannot be read"):
        store.load(TRAINING)


def test_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make output folder"):
        Store(tmp_path / "file")
