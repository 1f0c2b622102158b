"""A network of images as one of their spikes: the same integers, and the same spikes inside."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cosim.experiment.images.encoded import spikes_of, take_spikes
from sw.attack.attacks import Attack
from sw.attack.image_sets import draw_images
from sw.common.errors import InputError
from sw.integer import inference
from sw.integer.fold import fold
from sw.model.config.inputs import Inputs
from sw.model.network import SpikingNetwork, as_input
from sw.train import checkpoint
from sw.train.loop import Trained
from sw.train.settings import TrainSettings
from tests.support.cli import nc64c
from tests.support.subjects import CONFIG, make_data

DATA = make_data(5)


def network_of(encoding: Inputs, bits: int | None = 4) -> SpikingNetwork:
    found = SpikingNetwork(replace(CONFIG, encoding=encoding), bits)
    found.reset(1)
    generator = torch.Generator().manual_seed(1)
    for layer in found.chain:
        if layer.norm is not None and layer.theta is not None:
            torch.nn.init.uniform_(layer.norm.bias, 0, layer.theta, generator)
    return found.eval()


@pytest.mark.parametrize("encoding", ["rate", "phase", "latency"])
def test_it_fires_as_before(encoding: Inputs) -> None:
    network = network_of(encoding)
    before, trace = fold(network), inference.run(fold(network), DATA.images)
    spikes = spikes_of(network, DATA)
    assert spikes.images.shape == (5, 4, 1, 8, 8)
    assert 0 < spikes.images.mean() < 1
    take_spikes(network)
    after, again = fold(network), inference.run(fold(network), spikes.images)
    for one, other in zip(before.layers, after.layers, strict=True):
        for name in ("weights", "threshold", "bias"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    assert np.array_equal(trace.membrane, again.membrane)
    for name, fired in trace.spikes.items():
        assert np.array_equal(fired, again.spikes[name])
        assert fired.any()
    flipped = Attack("flip", 9)(network, spikes)
    assert 0 < (flipped != spikes.images).sum(axis=(1, 2, 3, 4)).max() <= 9


@pytest.mark.parametrize(
    ("encoding", "why"),
    [
        ("direct", "its inputs are pixels"),
        ("spikes", "it takes spikes already"),
        ("phase_spikes", "it takes spikes already"),
    ],
)
def test_others_are_refused(encoding: Inputs, why: str) -> None:
    with pytest.raises(InputError, match=f"{encoding} encoding, {why}; must be rate or phase"):
        take_spikes(network_of(encoding))


def test_the_command(tmp_path: Path) -> None:
    trained = Trained(network_of("latency", None), network_of("latency"))
    path, out = tmp_path / "net.safetensors", tmp_path / "out"
    checkpoint.save(path, trained, TrainSettings(), compact=True)
    result = nc64c("encode", path, "--images", 6, "--out", out)
    assert result.exit_code == 0, result.output
    assert "6 images of 4 steps" in result.output
    loaded, before = (checkpoint.load(each) for each in (out / "network.safetensors", path))
    assert loaded.config.takes_spikes
    images, given = draw_images("digits", 6, 0), np.load(out / "test.npz")
    assert np.array_equal(given["labels"], images.labels)
    with torch.no_grad():
        scores = loaded.quantised_network(torch.from_numpy(given["spikes"]).float())
        assert torch.equal(scores, before.quantised_network(as_input(images.images)))
    attacked = tmp_path / "flipped.safetensors"
    more = ("--data", out, "--images", 6, "--sets", "clean,flip_9", "--out", attacked)
    result = nc64c("attack", "--checkpoint", out / "network.safetensors", *more)
    assert result.exit_code == 0, result.output
    refused = nc64c("encode", out / "network.safetensors", "--data", out, "--out", tmp_path / "x")
    assert refused.exit_code == 2
    assert "it takes spikes already" in refused.stderr
    assert not (tmp_path / "x").exists()
