"""The named networks: the paper's layers, widths, and the images that they do not take."""

import dataclasses
from typing import Any

import pytest
import torch

from sw.common.errors import InputError
from sw.model.architectures import DIGITS, named
from sw.model.config.layer import LayerSpec
from sw.model.network import SpikingNetwork

CIFAR = dataclasses.replace(DIGITS, dataset="cifar10", input_shape=(3, 32, 32))


def _listed(layers: tuple[LayerSpec, ...]) -> str:
    return " ".join(
        f"{layer.kind}{layer.features}{' pool' if layer.pool else ''}" for layer in layers
    )


def test_vgg5_is_the_papers() -> None:
    config = named("vgg5", CIFAR)
    assert _listed(config.layers) == "conv64 pool conv128 conv128 pool fc256"
    assert (config.theta_conv, config.theta_fc, config.leak) == (0.4, 1.0, 0.5)
    assert config.dataset == "cifar10"


def test_vgg9_is_the_papers() -> None:
    assert _listed(named("vgg9", CIFAR).layers) == (
        "conv64 conv64 pool conv128 conv128 pool conv256 conv256 conv256 pool fc1024"
    )


def test_digits_is_itself() -> None:
    assert named("digits") == DIGITS


@pytest.mark.parametrize("name", ["vgg5", "vgg9"])
@pytest.mark.parametrize("norm", [True, False])
def test_they_run(name: str, norm: bool) -> None:
    config = named(name, dataclasses.replace(CIFAR, norm=norm), width=1 / 16)
    network = SpikingNetwork(config, 4)
    network.reset(1)
    trace = network.trace(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)))
    assert trace.scores.shape == (2, 10)
    assert len(trace.spikes) == len(config.layers)
    assert all((layer.norm is not None) == norm for layer in network.chain[:-1])
    assert all((layer.bias is None) == norm for layer in network.chain[:-1])


def test_widths() -> None:
    half = named("vgg5", CIFAR, width=0.5)
    assert [layer.features for layer in half.layers] == [32, 64, 64, 128]
    wide = named("vgg5", CIFAR, width=0.5, fc_width=512)
    assert [layer.features for layer in wide.layers] == [32, 64, 64, 512]
    tiny = named("vgg5", CIFAR, width=0.001)
    assert [layer.features for layer in tiny.layers] == [1, 1, 1, 1]
    listed = named("vgg5", CIFAR, features=(32, 16, 24, 256))
    assert _listed(listed.layers) == "conv32 pool conv16 conv24 pool fc256"


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("vgg7", {}, "unknown network 'vgg7': must be one of digits, vgg5, vgg9"),
        ("vgg5", {"width": 0}, "width is 0: must be above 0"),
        ("vgg5", {"width": float("nan")}, "width is nan: must be above 0"),
        ("vgg5", {"fc_width": 0}, "fully connected layer: width: is 0, must be an integer from 1"),
        ("vgg5", {"features": (1, 2)}, "features 1-2: network vgg5 has 4 hidden layers"),
        ("vgg5", {"features": (1, 0, 1, 1)}, "layer 2: features: is 0"),
        ("vgg5", {"width": 1000}, "layer 2: features: is 128000"),
    ],
)
def test_bad_networks(name: str, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        named(name, CIFAR, **change)


def test_vgg9_needs_sides_that_halve_three_times() -> None:
    like = dataclasses.replace(CIFAR, input_shape=(1, 28, 28))
    assert named("vgg5", like).name == "vgg5"
    with pytest.raises(InputError, match="layer 7: only an even-sized convolution can be pooled"):
        named("vgg9", like)
