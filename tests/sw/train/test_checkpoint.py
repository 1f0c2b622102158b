"""Checkpoints: both networks come back bit for bit, and each kind of bad file has its sentence."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from sw.common.errors import InputError
from sw.integer import network_file
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.network import SpikingNetwork
from sw.train import checkpoint
from sw.train.loop import Trained
from sw.train.settings import TrainSettings
from tests.support.networks import random_network

MARK = "nc64c-checkpoint-1"
CONFIG = dataclasses.replace(DIGITS, layers=(LayerSpec("conv", 2, pool=True), LayerSpec("fc", 3)))
SETTINGS = TrainSettings(seed=7, rate=2e-3)


def _trained() -> Trained:
    networks = SpikingNetwork(CONFIG), SpikingNetwork(CONFIG, CONFIG.weight_bits)
    for seed, network in enumerate(networks):
        network.reset(seed)
    return Trained(*networks)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good checkpoint."""
    file = tmp_path / "digits.safetensors"
    checkpoint.save(file, _trained(), SETTINGS)
    return file


def _document(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    document: dict[str, Any] = json.loads(header["__metadata__"][MARK])
    return document


def _rewrite(
    path: Path, document: dict[str, Any] | None = None, **tensors: np.ndarray[Any, Any] | None
) -> None:
    """Write the checkpoint again with another description, or other tensors; None drops one."""
    arrays: dict[str, Any] = safetensors.numpy.load(path.read_bytes())
    arrays |= {name.replace("__", "."): array for name, array in tensors.items()}
    kept = {name: array for name, array in arrays.items() if array is not None}
    text = json.dumps(document or _document(path))
    path.write_bytes(safetensors.numpy.save(kept, {MARK: text}))


def test_there_and_back(path: Path) -> None:
    trained, loaded = _trained(), checkpoint.load(path)
    assert loaded.config == CONFIG
    assert loaded.settings == SETTINGS
    assert loaded.float_network.weight_bits is None
    assert loaded.quantised_network.weight_bits == 4
    for name in ("float_network", "quantised_network"):
        before, after = getattr(trained, name).state_dict(), getattr(loaded, name).state_dict()
        assert before.keys() == after.keys()
        assert all(torch.equal(value, after[key]) for key, value in before.items())
        assert not getattr(loaded, name).training


def test_the_same_weights_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "again", _trained(), SETTINGS)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_missing(tmp_path: Path) -> None:
    sentence = f"cannot read checkpoint {tmp_path}/none: no such file or directory"
    with pytest.raises(InputError, match=sentence):
        checkpoint.load(tmp_path / "none")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_truncated(path: Path, share: float) -> None:
    data = path.read_bytes()
    size = int(share * len(data))
    path.write_bytes(data[:size])
    with pytest.raises(InputError, match=rf"checkpoint {path} is truncated: it has {size} of \d+"):
        checkpoint.load(path)


def test_foreign(path: Path) -> None:
    sentence = f"{path} is not a checkpoint: it is no safetensors file of this project"
    for content in (b"", b"PK\x03\x04 a zip", safetensors.numpy.save({"x": np.zeros(3)})):
        path.write_bytes(content)
        with pytest.raises(InputError, match=sentence):
            checkpoint.load(path)
    network_file.save(path, random_network(1))
    with pytest.raises(InputError, match=sentence):
        checkpoint.load(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_a_number(path: Path, value: float) -> None:
    weight = _trained().quantised_network.chain[1].weight.detach().numpy().copy()
    weight[1, 2] = value
    _rewrite(path, quantised__layers__fc1__weight=weight)
    sentence = f"checkpoint {path}: tensor quantised.layers.fc1.weight holds NaN or infinite"
    with pytest.raises(InputError, match=sentence):
        checkpoint.load(path)


def test_a_negative_variance(path: Path) -> None:
    _rewrite(path, float__layers__conv1__norm__running_var=np.array([1, -1], dtype=np.float32))
    with pytest.raises(InputError, match=r"conv1\.norm\.running_var is a variance, but below 0"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (None, "lacks tensor float.layers.fc1.weight"),
        (np.zeros((3, 31), np.float32), r"float.layers.fc1.weight is F32 \[3, 31\], must be F32"),
        (np.zeros((3, 32), np.float64), r"is F64 \[3, 32\], must be F32 \[3, 32\]"),
    ],
)
def test_wrong_tensors(path: Path, array: np.ndarray[Any, Any] | None, sentence: str) -> None:
    _rewrite(path, float__layers__fc1__weight=array)
    with pytest.raises(InputError, match=f"checkpoint {path}: .*{sentence}"):
        checkpoint.load(path)


def test_a_tensor_too_many(path: Path) -> None:
    _rewrite(path, float__layers__fc9__weight=np.zeros(3, np.float32))
    with pytest.raises(InputError, match=r"has an unknown tensor float\.layers\.fc9\.weight"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    ("part", "change", "sentence"),
    [
        ("network", {"timesteps": -4}, "network digits: timesteps: is -4, must be an integer"),
        ("network", {"theta_conv": "big"}, "its description is damaged"),
        ("network", {"layers": [{"kind": "conv"}]}, "its description is damaged"),
        ("network", {"layers": 5}, "its description is damaged"),
        ("network", {"colour": 5}, "setting 'colour', which this program does not know"),
        ("network", {"input_shape": [1, 8]}, "must be channels, height and width"),
        ("training", {"epochs": 1.5}, "epochs: is 1.5, must be an integer"),
        ("training", {"luck": 5}, "setting 'luck', which this program does not know"),
    ],
)
def test_a_wrong_description(path: Path, part: str, change: dict[str, Any], sentence: str) -> None:
    document = _document(path)
    document[part] |= change
    _rewrite(path, document)
    with pytest.raises(InputError, match=f"checkpoint {path}: .*{sentence}"):
        checkpoint.load(path)


@pytest.mark.parametrize("part", ["network", "training"])
def test_a_description_without_a_part(path: Path, part: str) -> None:
    document = _document(path)
    del document[part]
    _rewrite(path, document)
    with pytest.raises(InputError, match="its description is damaged"):
        checkpoint.load(path)


def test_a_network_larger_than_memory_is_refused_by_its_shape(path: Path) -> None:
    """60,000 x 60,000 weights would be 14 GB: refused before they are made."""
    document = _document(path)
    document["network"]["layers"] = [{"kind": "fc", "features": 60_000, "pool": False}] * 2
    _rewrite(path, document)
    with pytest.raises(InputError, match=rf"checkpoint {path}: .*layer 2: has 3600000000 weights"):
        checkpoint.load(path)


def test_nothing_is_written_where_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"cannot write {tmp_path}/none/file: no such file"):
        checkpoint.save(tmp_path / "none" / "file", _trained(), SETTINGS)
    assert list(tmp_path.iterdir()) == []
