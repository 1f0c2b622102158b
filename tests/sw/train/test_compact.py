"""Compact checkpoints: the quantised network is the same in every bit, the float one rounded."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from sw.attack.gradient.sight import by_pixels
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.integer.fold import fold
from sw.model.architectures import DIGITS
from sw.model.config.inputs import Encoding
from sw.model.config.layer import LayerSpec
from sw.model.network import SpikingNetwork, as_input
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint
from sw.train.loop import Trained
from sw.train.settings import TrainSettings
from tests.support.attacks import fgsm

CONFIG = dataclasses.replace(
    DIGITS,
    layers=(LayerSpec("conv", 4, pool=True), LayerSpec("conv", 8), LayerSpec("fc", 16)),
    timesteps=8,
)
MARK = "nc64c-checkpoint-1"


def _shrunk(source: Checkpoint | Trained, path: Path) -> Checkpoint:
    checkpoint.save(path, source, TrainSettings(), compact=True)
    return checkpoint.load(path)


def _same_integers(first: SpikingNetwork, second: SpikingNetwork) -> None:
    """Every field of every layer of the two folded networks is equal."""
    one, other = fold(first), fold(second)
    assert dataclasses.replace(one, layers=other.layers) == other
    for a, b in zip(one.layers, other.layers, strict=True):
        for field in dataclasses.fields(a):
            assert np.array_equal(getattr(a, field.name), getattr(b, field.name)), field.name


def _random(bits: int, encoding: Encoding = "direct") -> Trained:
    config = dataclasses.replace(CONFIG, weight_bits=bits, encoding=encoding)
    networks = SpikingNetwork(config), SpikingNetwork(config, bits)
    for seed, network in enumerate(networks):
        network.reset(10 * bits + seed)
        for layer in network.chain[:-1]:
            assert layer.norm is not None
            torch.nn.init.constant_(layer.norm.weight, 1.5)  # enough for spikes in all layers
    return Trained(networks[0].eval(), networks[1].eval())


@pytest.mark.parametrize("bits", range(1, 9))
def test_it_folds_to_the_same_integers(bits: int, tmp_path: Path) -> None:
    trained = _random(bits)
    loaded = _shrunk(trained, tmp_path / "x")
    _same_integers(trained.quantised_network, loaded.quantised_network)


def test_the_committed_one_too(committed: Checkpoint, tmp_path: Path) -> None:
    loaded = _shrunk(committed, tmp_path / "x")
    _same_integers(committed.quantised_network, loaded.quantised_network)


@pytest.mark.parametrize("encoding", ["direct", "rate", "phase", "latency"])
def test_scores_and_gradients_are_the_same_bits(encoding: Encoding, tmp_path: Path) -> None:
    trained = _random(4, encoding)
    networks = trained.quantised_network, _shrunk(trained, tmp_path / "x").quantised_network
    images = np.random.default_rng(3).integers(0, 256, (6, 1, 8, 8), dtype=np.uint8)
    pixels, labels = as_input(images), torch.arange(6)
    scores = [network(pixels) for network in networks]
    assert torch.equal(*scores)
    gradients = [by_pixels(network, pixels, labels) for network in networks]
    assert gradients[0].count_nonzero() > 50
    assert torch.equal(*gradients)


def test_attacks_are_the_same_images(
    committed: Checkpoint, held_out: Dataset, tmp_path: Path
) -> None:
    networks = committed.quantised_network, _shrunk(committed, tmp_path / "x").quantised_network
    images, labels = held_out.images[:50], held_out.labels[:50]
    before, after = (fgsm(network, images, labels, 16) for network in networks)
    assert np.array_equal(before, after)
    assert not np.array_equal(before, images)


def test_float_weights_are_rounded_to_float16(tmp_path: Path) -> None:
    trained = _random(4)
    loaded = _shrunk(trained, tmp_path / "x")
    for before, after in zip(trained.float_network.chain, loaded.float_network.chain, strict=True):
        assert torch.equal(after.weight, before.weight.half().float())
        assert not torch.equal(after.weight, before.weight)
        assert after.scale is None


def test_it_is_small(committed: Checkpoint, tmp_path: Path) -> None:
    weights = sum(layer.weight.numel() for layer in committed.float_network.chain)
    _shrunk(committed, tmp_path / "x")
    overhead = 16 << 10  # batch norm, names
    assert (tmp_path / "x").stat().st_size < 3 * weights + overhead


def test_again_it_gives_the_same_bytes(tmp_path: Path) -> None:
    """A network that came from a compact file knows its scale from there, and stays compact."""
    loaded = _shrunk(_random(4), tmp_path / "x")
    checkpoint.save(tmp_path / "again", loaded, loaded.settings)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "x").read_bytes()


def test_weights_too_large_for_float16(tmp_path: Path) -> None:
    trained = _random(4)
    with torch.no_grad():
        trained.float_network.chain[1].weight[0, 0, 0, 0] = 1e5
    with pytest.raises(InputError, match="layer conv2: a weight of size 100000 does not fit"):
        checkpoint.save(tmp_path / "x", trained, TrainSettings(), compact=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        (
            "fc1.weight",
            np.full((16, 128), 16, np.uint8),
            "quantised weights of fc1 must be 0 to 15",
        ),
        ("fc1.scale", np.float32(0), "the scale of fc1 is 0.0, must be above 0"),
        ("fc1.scale", np.float32(-1), "the scale of fc1 is -1.0, must be above 0"),
        ("fc1.scale", np.float32(np.nan), "quantised.layers.fc1.scale holds NaN"),
        ("fc1.scale", None, "lacks tensor quantised.layers.fc1.scale"),
        (
            "fc1.weight",
            np.zeros((16, 128), np.float32),
            r"is F32 \[16, 128\], must be U8 \[16, 128\]",
        ),
    ],
)
def test_a_damaged_one(
    name: str,
    array: np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None,
    sentence: str,
    tmp_path: Path,
) -> None:
    path = tmp_path / "x"
    _shrunk(_random(4), path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    tensors = safetensors.numpy.load(content)
    del tensors[f"quantised.layers.{name}"]
    if array is not None:
        tensors[f"quantised.layers.{name}"] = np.asarray(array)
    path.write_bytes(safetensors.numpy.save(tensors, {MARK: header["__metadata__"][MARK]}))
    with pytest.raises(InputError, match=f"checkpoint {path}: .*{sentence}"):
        checkpoint.load(path)
