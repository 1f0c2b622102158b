"""Folding: the integer network fires exactly where the quantised network does."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import torch

from sw.common.errors import InputError
from sw.integer.fold import _grids, fold, round_decisions
from sw.integer.inference import run
from sw.model.architectures import DIGITS
from sw.model.config.inputs import Encoding
from sw.model.config.network import NetworkConfig
from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork
from tests.support.descriptions import with_numbers


def _random_network(config: NetworkConfig, bits: int, seed: int) -> SpikingNetwork:
    return with_numbers(dataclasses.replace(config, weight_bits=bits), seed, bias=(0, 0.1))


@pytest.mark.parametrize("leak", [0.5, 0.75, 1.0])
@pytest.mark.parametrize("bits", range(1, 9))
def test_every_spike_of_random_networks(bits: int, leak: float) -> None:
    seed = 10 * bits + int(4 * leak)
    network = _random_network(dataclasses.replace(DIGITS, leak=leak), bits, seed)
    pixels = np.random.default_rng(seed).integers(0, 256, size=(40, 1, 8, 8), dtype=np.uint8)
    with torch.no_grad():
        quantised = network.trace(torch.from_numpy(pixels).double() / 255)
    folded = fold(network)
    integer = run(folded, pixels)
    assert any(np.any(layer.affine()[0] < 0) for layer in network.chain)
    for name, spikes in quantised.spikes.items():
        assert 0.02 < spikes.mean() < 0.98
        assert np.array_equal(integer.spikes[name], spikes.numpy() == 1), name
    _, unit = network.chain[-1].codes(bits)
    scores = integer.membrane * unit / 2 ** (14 - bits) / 4
    assert np.allclose(scores, quantised.scores.numpy(), atol=unit / 2 ** (14 - bits))


def test_by_hand() -> None:
    """Two channels, gain 2 and -2: drive = g (unit sum - mean) + bias, all in round numbers."""
    network = SpikingNetwork(dataclasses.replace(DIGITS, weight_bits=4), 4)
    layer = network.chain[3]
    assert isinstance(layer, SpikingLayer)
    assert layer.norm is not None
    for network_layer in network.chain:
        network_layer.reset(torch.Generator().manual_seed(1))
    with torch.no_grad():
        layer.norm.eps = 0.0
        layer.norm.weight.fill_(2.0)
        layer.norm.weight[1] = -2.0
        layer.norm.bias.fill_(0.5)
        assert layer.norm.running_mean is not None
        layer.norm.running_mean.fill_(0.1)
    codes, unit = layer.codes(4)
    folded = fold(network).layers[3]
    assert folded.fraction_bits == 10
    one = 2.0 * unit / 1024  # a membrane of 1
    assert np.array_equal(folded.weights[0], codes[0])
    assert np.array_equal(folded.weights[1], -codes[1])
    assert abs(folded.threshold[0] - 1.0 / one) < 10
    assert abs(folded.bias[0] - (0.5 - 2 * 0.1) / one) < 10
    assert abs(folded.bias[1] - (0.5 + 2 * 0.1) / one) < 10


def test_settings_of_the_layers() -> None:
    layers = fold(_random_network(DIGITS, 4, 1)).layers
    assert [layer.name for layer in layers] == ["conv1", "conv2", "conv3", "fc1", "fc2"]
    assert [layer.pool for layer in layers] == [False, True, True, False, False]
    assert [layer.leak for layer in layers] == [1, 1, 1, 1, None]
    assert [layer.reset for layer in layers] == ["zero"] * 4 + ["none"]
    assert [layer.spiking for layer in layers] == [True] * 4 + [False]
    assert [layer.fraction_bits for layer in layers] == [10, 10, 10, 10, 10]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", [None, "phase"])
@pytest.mark.parametrize("leak", [None, 1, 2])
def test_rounding_decides_like_exact_arithmetic(
    leak: int | None, encoding: Encoding | None
) -> None:
    """Thresholds half a unit beside the membranes that inputs can reach, where rounding matters."""
    seed = 40 + (leak or 0)
    generator = np.random.default_rng(seed)
    count, steps, fraction_bits = (300, 4, 8) if encoding is None else (1000, 6, 8)
    offset = generator.normal(0, 300, size=count)
    places = generator.integers(1, steps + 1, size=count)
    kept = Fraction(1) if leak is None else 1 - Fraction(1, 2**leak)
    held = np.array(
        [float(sum(kept**i for i in range(n))) * b for n, b in zip(places, offset, strict=True)]
    )
    grids = _grids(fraction_bits, leak, steps, encoding)
    worth = [2**fraction_bits] * steps
    if encoding == "phase":
        worth = [each << 7 - step for step, each in enumerate(worth)]
    grid = np.array(grids)[places - 1]
    near = generator.uniform(-1.5, 1.5, size=count)
    theta = np.maximum(generator.integers(1, 8, size=count) * grid + held + near, 1.0)
    threshold, bias = round_decisions(theta, offset, grids, leak)
    assert np.abs(bias - offset).max() <= 8.5
    naive = decided = 0
    for channel in range(count):
        for _ in range(20):
            sums = generator.integers(-4, 5, size=steps)
            real, whole, plain = Fraction(0), 0, 0
            for added, unit in zip(sums.tolist(), worth, strict=True):
                real = kept * real + Fraction(offset[channel]) + added * unit
                lost = (0, 0) if leak is None else (whole >> leak, plain >> leak)
                whole += -lost[0] + int(bias[channel]) + added * unit
                plain += -lost[1] + round(offset[channel]) + added * unit
                fires = real >= Fraction(theta[channel])
                assert fires == (whole >= threshold[channel]), f"{seed=} {channel=} {sums=}"
                naive += fires != (plain >= round(theta[channel]))
                decided += 1
                if fires:
                    real, whole, plain = Fraction(0), 0, 0
    # Phases spread the membranes over many more values: fewer of them are near a threshold.
    often = 1000 if encoding is None else 10_000
    assert naive > decided / often, "nearest integers decide alike: the thresholds are too easy"


def test_a_channel_without_gain_fires_by_its_bias_alone() -> None:
    network = _random_network(DIGITS, 4, 2)
    norm = network.chain[1].norm
    assert norm is not None
    with torch.no_grad():
        norm.weight[:2] = 0.0
        norm.bias[0], norm.bias[1] = 0.41, 0.1  # theta is 0.4; 0.1 sums up to less than 0.2
    pixels = np.random.default_rng(2).integers(0, 256, size=(8, 1, 8, 8), dtype=np.uint8)
    spikes = run(fold(network), pixels).spikes["conv2"]
    assert spikes[:, :, 0].all()
    assert not spikes[:, :, 1].any()


def test_float_weights_do_not_fold() -> None:
    with pytest.raises(InputError, match="network digits: its weights are float, must be quant"):
        fold(SpikingNetwork(DIGITS))


@pytest.mark.parametrize("leak", [0.4, 0.9])
def test_a_leak_that_is_no_shift_does_not_fold(leak: float) -> None:
    network = SpikingNetwork(dataclasses.replace(DIGITS, leak=leak), 4)
    with pytest.raises(InputError, match=f"leak {leak}: must be 1 or 1 - 2\\^-k to be a shift"):
        fold(network)
