"""`exact`: a quantised network decides as its integers do, where float32 would not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sw.integer import inference
from sw.integer.fold import fold
from sw.model.architectures import DIGITS
from sw.model.config.layer import Branch, LayerSpec
from sw.model.metrics import evaluate
from sw.model.network import SpikingNetwork, as_input, exact

SCALE = 0.3


def one_neuron(theta: float) -> SpikingNetwork:
    """A hidden neuron that adds up all pixels; its weights are of one bit, each SCALE."""
    config = replace(
        DIGITS, layers=(LayerSpec("fc", 1),), timesteps=1, norm=False, theta_fc=theta, weight_bits=1
    )
    network = SpikingNetwork(config, 1)
    for layer in network.chain:
        layer.scale = torch.tensor(SCALE)
        torch.nn.init.constant_(layer.weight, SCALE)
    return network.eval()


def test_float32_fires_below_the_threshold_and_exact_does_not() -> None:
    """Thresholds between a pixel's weight and what float32 makes of it."""
    unit, found = torch.tensor(SCALE) * (1 / 255), 0
    for pixel in range(1, 256):
        real = pixel * (float(torch.tensor(SCALE)) * (1 / 255))
        in_float32 = float(torch.tensor(float(pixel)) * unit)
        theta = real + 0.75 * (in_float32 - real)
        if theta <= real:
            continue
        image = np.zeros((1, *DIGITS.input_shape), np.uint8)
        image[0, 0, 3, 3] = pixel
        network = one_neuron(theta)
        assert evaluate(network, image).spikes == {"fc1": 0}
        assert not inference.run(fold(network), image).spikes["fc1"].any()
        found += int(network.trace(as_input(image)).spikes["fc1"].sum())
    assert found > 20


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("norm", [True, False])
def test_every_spike_is_the_integer_networks(seed: int, norm: bool) -> None:
    """Random networks and images."""
    print(f"seed {seed}")
    specs = (LayerSpec("conv", 4), LayerSpec("conv", 6, pool=True), LayerSpec("fc", 12))
    network = SpikingNetwork(
        replace(DIGITS, layers=specs, norm=norm, timesteps=3, theta_fc=0.1), 3
    ).eval()
    network.reset(seed)
    images = np.random.default_rng(seed).integers(0, 256, (8, *DIGITS.input_shape), np.uint8)
    expected = inference.run(fold(network), images)
    with torch.no_grad(), exact(network):
        trace = network.trace(as_input(images))
    for name, spikes in trace.spikes.items():
        assert np.array_equal(spikes.numpy() > 0, expected.spikes[name] > 0), name
    assert trace.spikes["conv2"].any()
    assert trace.scores.dtype == torch.float64
    assert all(spikes.dtype == torch.float32 for spikes in trace.spikes.values())
    assert not any(layer.exact for layer in network.chain)


def test_a_layer_that_takes_its_own_spikes() -> None:
    specs = (LayerSpec("fc", 8), LayerSpec("fc", 10, branches=(Branch("fc2"),)))
    network = SpikingNetwork(replace(DIGITS, layers=specs, timesteps=4, norm=False), 3).eval()
    network.reset(2)
    images = np.random.default_rng(2).integers(0, 256, (8, *DIGITS.input_shape), np.uint8)
    found = evaluate(network, images)
    expected = inference.run(fold(network), images).spikes
    assert all(count == int((expected[name] > 0).sum()) for name, count in found.spikes.items())
    assert found.spikes["fc2"] > 0


def test_a_float_network_stays_in_float32() -> None:
    network = SpikingNetwork(DIGITS).eval()
    network.reset(1)
    with torch.no_grad(), exact(network):
        assert network(torch.rand(2, *DIGITS.input_shape)).dtype == torch.float32
