"""Descriptions of layers: what they say, what is refused, and trainings of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sw.common.errors import InputError
from sw.data import datasets
from sw.model.architectures import DIGITS
from sw.model.config.layer import Branch, LayerSpec
from sw.model.geometry import Geometry
from sw.model.network import SpikingNetwork
from sw.train import checkpoint
from sw.train.description import described
from sw.train.loop import Trained, train
from sw.train.settings import TrainSettings
from tests.support.cli import nc64c
from tests.support.descriptions import random_config

ALL = """
name = "all"

[[layer]]
kind = "conv"
features = 4
kernel = 5
pool = 3
pool_stride = 1
pool_padding = 1

[[layer]]
name = "deep"
kind = "conv"
depthwise = true
dilation = 2
reset = "subtract"
recurrent = true

[[layer]]
kind = "conv"
features = 6
stride = 2
add = ["conv1", "deep"]
shortcut = "conv1"
neuron = "if"

[[layer]]
kind = "fc"
features = 7
leak = 0.75
theta = 2.0
"""


def _described(text: str, folder: Path) -> tuple[LayerSpec, ...]:
    path = folder / "net.toml"
    path.write_text(text)
    return described(path, DIGITS).layers


def test_what_a_description_says(tmp_path: Path) -> None:
    first, deep, strided, dense = _described(ALL, tmp_path)
    assert first == LayerSpec(
        "conv", 4, pool=True, pool_window=Geometry(3, 1, 1), window=Geometry(5, padding=2)
    )
    assert (deep.features, deep.groups, deep.dilation, deep.taps) == (4, 4, 2, 3)
    assert deep.window == Geometry(5, padding=2)
    assert deep.branches == (Branch("deep", Geometry(3, padding=1)),)
    assert (strided.inputs, strided.added, strided.leak) == (("conv1", "deep"), True, 1.0)
    assert strided.branches == (Branch("conv1", Geometry(1, 2)),)
    assert (dense.kind, dense.leak, dense.theta) == ("fc", 0.75, 2.0)


REFUSED = (
    ("", r"net.toml: has no layer, must have a table \[\[layer\]\] for each hidden one"),
    ('name = "a"', "has no layer, must have a table"),
    (
        '[[layer]]\nkind = "fc"\nfeatures = 65536\n[[layer]]\nkind = "fc"\nfeatures = 65536',
        "weights",
    ),
    ("[[layer]\n", "is no TOML"),
    ('[[layer]]\nkind = "pool"', r"net.toml: .*layer\[0\]\.kind"),
    ('[[layer]]\nkind = "conv"\nfeatures = 2\ncolour = 1', "colour"),
    ('[[layer]]\nkind = "conv"', "layer 1: features: is 0, must be 1 or more"),
    ('[[layer]]\nkind = "conv"\nfeatures = 2\nkernel = 20\npadding = 0', "window is larger than"),
    ('[[layer]]\nkind = "conv"\nfeatures = 2\nkernel = 3\npadding = 3', "padding 3: kernel and"),
    ('[[layer]]\nkind = "conv"\nfeatures = 2\nkernel = 0', "kernel and dilation must be 1"),
    ('[[layer]]\nkind = "conv"\nfeatures = 2\npool = 9', r"its pooling does not fit \(2, 8, 8\)"),
    ('[[layer]]\nkind = "conv"\nfeatures = 2\npool_stride = 2', "of a pool, but no pool"),
    ('[[layer]]\nkind = "conv"\nfeatures = 2\npool = 2\npool_padding = 2', "at most half"),
    ('[[layer]]\nkind = "fc"\nfeatures = 2\nkernel = 5', "layer 1: is fully connected, so it"),
    ('[[layer]]\nkind = "conv"\nfeatures = 3\ngroups = 2', "2 groups do not divide 1 channels"),
    ('[[layer]]\nkind = "conv"\nfeatures = 3\nname = "A b"', "name 'A b': must be a-z"),
    ('[[layer]]\nkind = "conv"\nfeatures = 3\ninputs = ["x"]', "first layer takes the images"),
    ('[[layer]]\nkind = "conv"\nfeatures = 3\nrecurrent = true', "first layer takes the images"),
    ('[[layer]]\nkind = "conv"\nfeatures = 3\nneuron = "if"\nleak = 0.5', "has no leak"),
    ('[[layer]]\nkind = "conv"\nfeatures = 3\nleak = 1.5', r"leak is 1\.5, must be above 0"),
    (ALL + '[[layer]]\nkind = "fc"\nfeatures = 2\ninputs = ["fc9"]', "'fc9', which is no layer"),
    (ALL + '[[layer]]\nkind = "fc"\nfeatures = 2\nshortcut = "fc9"', "shortcut from 'fc9'"),
    (ALL + '[[layer]]\nkind = "conv"\nfeatures = 2', "a convolution cannot follow"),
    (ALL + '[[layer]]\nkind = "fc"\nname = "deep"\nfeatures = 2', "has the name deep already"),
    (
        '[[layer]]\nkind = "conv"\nfeatures = 3\n[[layer]]\nkind = "conv"\nfeatures = 3\n'
        'kernel = 2\nshortcut = "conv1"',
        r"what conv1 gives, \(3, 8, 8\), cannot be added to \(3, 9, 9\)",
    ),
)


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_refused_in_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        _described(text, tmp_path)
    assert "net.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_refuses_too(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text("[[layer]")
    done = nc64c("train", "--layers", str(path), "--out", str(tmp_path / "out"))
    assert done.exit_code == 2
    both = ("train", "--layers", str(path), "--network", "vgg5", "--out", str(tmp_path / "out"))
    done = nc64c(*both)
    assert done.exit_code == 2
    assert "says all layers" in done.output
    missing = nc64c("train", "--layers", str(tmp_path / "none"), "--out", str(tmp_path / "out"))
    assert "cannot read description" in missing.output


@pytest.mark.slow
@pytest.mark.parametrize("compact", [False, True])
def test_a_training_learns_and_comes_back_from_its_file(compact: bool, tmp_path: Path) -> None:
    config = random_config(6, tmp_path)
    images = datasets.load("digits", "train", None).take(slice(0, 200))
    settings = TrainSettings(epochs=3, quantised_epochs=1, batch=20, rate=0.01)
    trained = train(config, images, settings)
    assert trained.curve[2]["loss"] < trained.curve[0]["loss"]
    before = trained.quantised_network
    checkpoint.save(tmp_path / "net", trained, settings, compact=compact)
    after = checkpoint.load(tmp_path / "net").quantised_network
    assert after.config == config
    pixels = torch.from_numpy(images.images[:20]).float() / 255
    with torch.no_grad():
        ours, theirs = before.trace(pixels), after.trace(pixels)
    assert torch.equal(ours.scores, theirs.scores)
    assert all(torch.equal(ours.spikes[name], theirs.spikes[name]) for name in ours.spikes)


def test_a_damaged_window_in_a_checkpoint(tmp_path: Path) -> None:
    config = random_config(0, tmp_path)
    real, quantised = SpikingNetwork(config), SpikingNetwork(config, 4)
    real.reset(1)
    quantised.reset(1)
    path = tmp_path / "net"
    checkpoint.save(path, Trained(real, quantised), TrainSettings())
    whole = path.read_bytes()
    for right, wrong, sentence in (
        (b'\\"stride\\": 2', b'\\"stride\\": 0', "stride 0"),
        (b'\\"padding\\": 1', b'\\"padding\\":.1', "damaged|is not a checkpoint"),
        (b'\\"source\\": \\"middle', b'\\"source\\": \\"muddle', "'muddle', which is no layer"),
    ):
        assert right in whole
        path.write_bytes(whole.replace(right, wrong))
        with pytest.raises(InputError, match=sentence):
            checkpoint.load(path)


def test_gradients_reach_all_weights(tmp_path: Path) -> None:
    config = replace(random_config(0, tmp_path), timesteps=6)
    for bits in (None, 4):
        network = SpikingNetwork(config, bits)
        network.reset(1)
        images = np.random.default_rng(1).random((16, 1, 8, 8)).astype(np.float32)
        network(torch.from_numpy(images)).square().sum().backward()
        for name, weight in network.named_parameters():
            assert weight.grad is not None, name
            assert weight.grad.abs().max() > 0, name
