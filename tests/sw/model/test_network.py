"""The network: its shapes and names, its parts against plain operations, bad configurations."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sw.common.errors import InputError
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.lif import lif
from sw.model.network import SpikingNetwork, as_input, at_rest, still
from sw.model.quantise import clip_scale, quantise

VGG5 = dataclasses.replace(
    DIGITS,
    name="vgg5",
    input_shape=(3, 32, 32),
    layers=(
        LayerSpec("conv", 4, pool=True),
        LayerSpec("conv", 8),
        LayerSpec("conv", 8, pool=True),
        LayerSpec("fc", 16),
    ),
)


def _network(config: NetworkConfig, bits: int | None, seed: int) -> SpikingNetwork:
    network = SpikingNetwork(config, bits)
    network.reset(seed)
    return network


def test_names_and_shapes_of_digits() -> None:
    trace = _network(DIGITS, 4, 1).trace(torch.rand(3, 1, 8, 8))
    assert trace.scores.shape == (3, 10)
    shapes = {name: tuple(spikes.shape) for name, spikes in trace.spikes.items()}
    assert shapes == {
        "conv1": (4, 3, 16, 8, 8),
        "conv2": (4, 3, 32, 8, 8),
        "conv3": (4, 3, 32, 4, 4),
        "fc1": (4, 3, 64, 1, 1),
    }


def test_a_description_of_other_layers_works_as_well() -> None:
    trace = _network(VGG5, None, 1).trace(torch.rand(2, 3, 32, 32))
    assert list(trace.spikes) == ["conv1", "conv2", "conv3", "fc1"]
    assert trace.spikes["conv3"].shape == (4, 2, 8, 16, 16)
    assert trace.scores.shape == (2, 10)


@pytest.mark.parametrize("bits", [None, 1, 4, 8])
def test_against_plain_operations(bits: int | None) -> None:
    network = _network(DIGITS, bits, 3).double().eval()
    generator = torch.Generator().manual_seed(3)
    for layer in network.chain[:-1]:
        assert layer.norm is not None
        assert layer.norm.running_mean is not None
        assert layer.norm.running_var is not None
        torch.nn.init.uniform_(layer.norm.running_mean, -0.5, 0.5, generator=generator)
        torch.nn.init.uniform_(layer.norm.running_var, 0.1, 1.0, generator=generator)
        torch.nn.init.uniform_(layer.norm.bias, -0.2, 0.4, generator=generator)
    assert network.chain[-1].bias is not None
    torch.nn.init.uniform_(network.chain[-1].bias, -0.2, 0.2, generator=generator)
    images = torch.rand(5, 1, 8, 8, generator=generator, dtype=torch.float64)
    trace = network.trace(images)

    inputs = images.repeat(4, 1, 1, 1, 1)
    for layer in network.chain:
        weight = layer.weight.detach()
        if bits is not None:
            weight = clip_scale(weight) * quantise(weight / clip_scale(weight), bits)
        flat = inputs.flatten(0, 1)
        if layer.spec.kind == "conv":
            drive = F.conv2d(flat, weight, padding=1)
        else:
            drive = (flat.flatten(1) @ weight.T)[..., None, None]
        if layer.norm is None:
            assert layer.bias is not None
            scores = (drive.flatten(1) + layer.bias).reshape(4, 5, 10).sum(0) / 4
            assert torch.allclose(trace.scores, scores, rtol=1e-10)
            break
        norm = layer.norm
        drive = F.batch_norm(drive, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        assert layer.theta == (0.4 if layer.spec.kind == "conv" else 1.0)
        inputs = lif(drive.reshape(4, 5, *drive.shape[1:]), layer.theta, 0.5)
        assert 0.01 < inputs.mean() < 0.99, "a layer that is silent or always fires tests nothing"
        assert torch.equal(trace.spikes[layer.name], inputs)
        if layer.spec.pool:
            rows = inputs[..., 0::2, :] + inputs[..., 1::2, :]
            inputs = (rows[..., 0::2] + rows[..., 1::2] > 0).double()


def test_pixels_are_whole_again_times_255() -> None:
    grid = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(as_input(grid) * 255, torch.arange(256.0).reshape(1, 1, 16, 16))


def test_gain_starts_at_the_threshold() -> None:
    gains = [layer.norm.weight for layer in _network(DIGITS, None, 1).chain if layer.norm]
    assert [torch.unique(gain).tolist() for gain in gains] == [
        [pytest.approx(0.4)],
        [pytest.approx(0.4)],
        [pytest.approx(0.4)],
        [1.0],
    ]


def test_the_seed_draws_the_weights() -> None:
    weights = [_network(DIGITS, None, seed).chain[1].weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_at_rest_comes_back_after_an_error() -> None:
    network = _network(DIGITS, None, 1).train()
    with at_rest(network):
        assert not network.training
    assert network.training
    with pytest.raises(RuntimeError), at_rest(network):
        network(torch.rand(1, 3, 8, 8))
    assert network.training


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"timesteps": 0}, "timesteps: is 0, must be an integer from 1 to 1024"),
        ({"timesteps": 4.0}, "timesteps: is 4.0, must be an integer"),
        ({"weight_bits": 9}, "weight bits: is 9, must be an integer from 1 to 8"),
        ({"theta_conv": 0.0}, "theta_conv is 0.0, must be above 0"),
        ({"theta_fc": float("nan")}, "theta_fc is nan, must be above 0"),
        ({"leak": 1.5}, "leak is 1.5, must be above 0 and at most 1"),
        ({"encoding": "ttfs"}, "encoding 'ttfs': must be one of direct, rate, phase, latency"),
        ({"pooling": "max"}, "pooling 'max': must be or or average"),
        ({"norm": 1}, "norm is 1, must be true or false"),
        ({"input_shape": (1, 8)}, "input shape: is .1, 8., must be channels, height and width"),
        ({"layers": ()}, "needs a hidden layer"),
        ({"classes": ()}, "needs a hidden layer and a class"),
        ({"layers": (LayerSpec("conv", 0),)}, "layer 1: features: is 0"),
        ({"layers": (LayerSpec("fc", 2), LayerSpec("conv", 2))}, "layer 2: a convolution cannot"),
        ({"layers": (LayerSpec("fc", 2, pool=True),)}, "layer 1: only an even-sized convolution"),
        ({"layers": (LayerSpec("conv", 2, pool=True),) * 4}, "layer 4: only an even-sized"),
    ],
)
def test_bad_configurations(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=f"network digits: {sentence}"):
        dataclasses.replace(DIGITS, **change)


@pytest.mark.parametrize("bits", [None, 4])
def test_weights_that_stand_still_are_rounded_once(bits: int | None) -> None:
    """The same spikes and gradients by the pixels, to the bit; afterwards changes count again."""
    network = SpikingNetwork(DIGITS, bits)
    network.reset(3)
    network.eval()
    generator = torch.Generator().manual_seed(3)
    pixels = (torch.randint(256, (5, 1, 8, 8), generator=generator) / 255).requires_grad_()

    def answer() -> tuple[torch.Tensor, torch.Tensor]:
        scores = network(pixels)
        return scores.detach(), torch.autograd.grad(scores.square().sum(), pixels)[0]

    usual = answer()
    with still(network):
        seen = [layer.seen(bits)[0] for layer in network.chain]
        for found, expected in zip(answer(), usual, strict=True):
            assert torch.equal(found, expected)
        for layer, kept in zip(network.chain, seen, strict=True):
            assert layer.seen(bits)[0] is kept
    with torch.no_grad():
        network.chain[0].weight.mul_(-1)
    assert not torch.equal(answer()[0], usual[0])
