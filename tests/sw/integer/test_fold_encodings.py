"""Encoded networks as integers: the quantised network's spikes, and what the chip is sent."""

import dataclasses

import numpy as np
import pytest
import torch

from sw.common.errors import InputError
from sw.integer.fold import fold
from sw.integer.inference import host_spikes, input_spikes, pool, run
from sw.model.architectures import DIGITS
from sw.model.config.inputs import Encoding
from sw.model.config.layer import LayerSpec
from sw.model.network import SpikingNetwork, as_input

SEED = 7
LAYERS = (LayerSpec("conv", 6, pool=True), LayerSpec("conv", 5), LayerSpec("fc", 12))


def _network(
    encoding: Encoding, timesteps: int, *, norm: bool = True, bits: int = 4
) -> SpikingNetwork:
    """Untrained; offsets up to the threshold let the neurons fire."""
    config = dataclasses.replace(
        DIGITS, layers=LAYERS, encoding=encoding, timesteps=timesteps, norm=norm
    )
    network = SpikingNetwork(config, bits)
    network.reset(SEED)
    generator = torch.Generator().manual_seed(SEED)
    for layer in network.chain[:-1]:
        assert layer.theta is not None
        offset = layer.bias if layer.norm is None else layer.norm.bias
        assert offset is not None
        torch.nn.init.uniform_(offset, 0, layer.theta, generator)
    return network.eval()


def _images(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(SEED).integers(0, 256, (count, 1, 8, 8), dtype=np.uint8)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("timesteps", [4, 8])
@pytest.mark.parametrize("encoding", ["direct", "rate", "phase", "latency"])
def test_every_spike_is_the_quantised_networks(
    encoding: Encoding, timesteps: int, norm: bool
) -> None:
    network, images = _network(encoding, timesteps, norm=norm), _images(20)
    with torch.no_grad():
        quantised = network.trace(as_input(images))
    integer = fold(network)
    assert integer.encoding == encoding
    trace = run(integer, images)
    for name, spikes in quantised.spikes.items():
        assert 0.01 < spikes.mean() < 0.99, "a layer that is silent or always fires tests nothing"
        assert np.array_equal(trace.spikes[name], spikes.numpy() == 1), name
    chosen = trace.membrane[np.arange(20), quantised.scores.argmax(1).numpy()]
    assert np.array_equal(chosen, trace.membrane.max(1)), "of equal ones floats may take either"
    assert np.array_equal(host_spikes(integer, images), pool(trace.spikes["conv1"]))


@pytest.mark.parametrize("bits", [4, 5, 6])
def test_phases_leave_room_without_fractions(bits: int) -> None:
    """Few fraction bits are left beside the weights of the first phase, and few are needed."""
    network, images = _network("phase", 6, bits=bits), _images(200)
    with torch.no_grad():
        quantised = network.trace(as_input(images)).spikes["conv1"]
    integer = fold(network)
    assert integer.layers[0].fraction_bits == 7 - bits
    assert np.array_equal(run(integer, images).spikes["conv1"], quantised.numpy() == 1)


@pytest.mark.parametrize("encoding", ["rate", "phase", "latency"])
def test_the_chip_gets_bits_and_time_does_the_rest(encoding: Encoding) -> None:
    """Layer 0 from its input spikes, with weights that double from the last phase to the first."""
    integer, images = fold(_network(encoding, 8)), _images(6)
    layer = integer.layers[0]
    spikes = input_spikes(integer, images)
    assert spikes.shape == (8, 6, 1, 8, 8)
    shifts = [7 - step % 8 if encoding == "phase" else 0 for step in range(8)]
    largest = int(np.abs(layer.weights).max() + 1) << layer.fraction_bits << max(shifts)
    assert largest < 2**15, "a plane weight has 16 bits"
    v = np.zeros((6, *layer.output_shape), dtype=np.int64)
    expected = run(integer, images).spikes["conv1"]
    for step, shift in enumerate(shifts):
        weights = torch.from_numpy(layer.weights).double()
        sums = torch.conv2d(torch.from_numpy(spikes[step]).double(), weights, padding=1)
        drive = sums.long().numpy() << layer.fraction_bits << shift
        v = v - (v >> 1) + drive + layer.bias[:, None, None]
        fired = v >= layer.threshold[:, None, None]
        v[fired] = 0
        assert np.array_equal(fired, expected[step])


def test_direct_encoding_has_no_input_spikes() -> None:
    with pytest.raises(InputError, match="direct encoding has pixels as inputs, no spikes"):
        input_spikes(fold(_network("direct", 4)), _images(1))


def test_the_seed_reaches_the_rate_encoding() -> None:
    integer, images = fold(_network("rate", 4)), _images(3)
    first, again, other = (input_spikes(integer, images, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    changed = run(integer, images, seed=1).spikes["conv1"]
    assert not np.array_equal(changed, run(integer, images).spikes["conv1"])


def test_average_pooling_is_software_only() -> None:
    network = _network("direct", 4)
    average = SpikingNetwork(dataclasses.replace(network.config, pooling="average"), 4)
    average.load_state_dict(network.state_dict())
    images = as_input(_images(4))
    with torch.no_grad():
        spikes = average.eval().trace(images).spikes
        same = network.trace(images).spikes
    assert torch.equal(spikes["conv1"], same["conv1"])
    assert not torch.equal(spikes["conv2"], same["conv2"])
    with pytest.raises(InputError, match="average pooling runs in software only; must be or"):
        fold(average)
