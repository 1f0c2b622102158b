"""The bounds of exact arithmetic: float32 sums up to 2^24, 32-bit membranes, weights of 16 bits."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sw.integer import fold as folding
from sw.integer import inference
from sw.integer.fold import fold
from sw.integer.inference import run
from sw.integer.network import MEMBRANE_MAX, IntegerLayer, IntegerNetwork, Reset
from sw.model.architectures import DIGITS
from sw.model.config.inputs import Encoding
from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork
from tests.support.networks import Sketch, random_network

BRIGHT, DARK = 255, 0


def one_layer(
    weights: NDArray[np.int32],
    threshold: list[int],
    *,
    bias: int = 0,
    leak: int | None = None,
    reset: Reset = "none",
    timesteps: int = 1,
) -> IntegerNetwork:
    """fc1 of these weights (int32 [out, in], K = 8, no fraction bits) before an output."""
    inputs = weights.shape[1]
    sketches = (Sketch("fc", len(weights)), Sketch("fc", 1))
    network = random_network(4, sketches, input_shape=(1, 1, inputs))
    hidden, output = network.layers
    layer = dataclasses.replace(
        hidden,
        weights=weights,
        weight_bits=8,
        fraction_bits=0,
        threshold=np.array(threshold),
        bias=np.full(len(weights), bias),
        leak=leak,
        reset=reset,
    )
    return dataclasses.replace(network, timesteps=timesteps, layers=(layer, output))


def spikes(network: IntegerNetwork, pixel: int) -> list[list[bool]]:
    """[T][out] of an image that is `pixel` everywhere."""
    image = np.full((1, *network.input_shape), pixel, np.uint8)
    fired = run(network, image).spikes["fc1"]
    return [[bool(each) for each in step.ravel()] for step in fired]


# ---------------------------------------------------------------- sums
@pytest.mark.parametrize("total", [65_795, 80_001, 99_999, 131_071, 131_585])
@pytest.mark.parametrize("sign", [1, -1])
def test_odd_sums_between_2_24_and_2_25(total: int, sign: int) -> None:
    """float32 has no odd number there: whatever it rounds to, one of the two thresholds is wrong.

    `total` weights of size 1 in all, times a pixel of 255.
    """
    sizes = np.ones(701, np.int64)
    for place in range(700):
        sizes[place] += min(254, total - int(sizes.sum())) // 2 * 2
    assert sizes.sum() == total
    assert 2**24 < 255 * total < 2**25
    value = sign * 255 * total
    weights = np.tile(sign * sizes, (2, 1)).astype(np.int32)
    assert spikes(one_layer(weights, [value, value + 1]), BRIGHT) == [[True, False]]


def sum_of(*sizes: int) -> IntegerLayer:
    """A layer of two neurons: one of these weights, and one of as many ones."""
    weights = np.array([sizes, [1] * len(sizes)], np.int32)
    return one_layer(weights, [1, 1]).layers[0]


def test_float32_up_to_2_24_and_not_beyond() -> None:
    """Inputs up to 2^7 (phase encoding); sizes that add up to 2^17, and to 2 more."""
    exact = sum_of(*[127, 129] * 512)
    more = sum_of(*[127, 129] * 511, 129, 129)
    assert inference._sum_type(exact.arms[0], 128) == torch.float32
    assert inference._sum_type(more.arms[0], 128) == torch.float64
    assert inference._sum_type(more.arms[0], 64) == torch.float32
    one_more = sum_of(*[255] * 678, 71)
    assert inference._largest_sum(one_more.arms[0], 97) == 2**24 + 1
    assert inference._sum_type(one_more.arms[0], 97) == torch.float64


def test_weights_of_both_signs_do_not_cancel_in_the_bound() -> None:
    """Partial sums count: in which order they are added is not ours to say."""
    assert inference._largest_sum(sum_of(255, -255, 3, -1).arms[0], 10) == 5140
    assert inference._largest_sum(sum_of(-255, -255).arms[0], 1) == 510
    assert inference._sum_type(sum_of(*[255, -255] * 300).arms[0], 255) == torch.float64


# ---------------------------------------------------------------- membranes
@pytest.mark.parametrize(
    ("bias", "leak", "timesteps", "narrow"),
    [
        (2**29 - 2, None, 4, True),
        (2**29 - 1, None, 4, False),
        (-(2**29) + 2, None, 4, True),
        (-(2**29) + 1, None, 4, False),
        (2**28 - 2, 3, 1000, True),  # of the leak's 8 steps at most
        (2**28 - 1, 3, 1000, False),
        (2**29 - 2, 3, 4, True),
        (2**30, 0, 1000, True),  # all is lost in each step
    ],
)
def test_int32_holds_the_membranes_up_to_here(
    bias: int, leak: int | None, timesteps: int, narrow: bool
) -> None:
    layer = one_layer(np.ones((1, 1), np.int32), [0], bias=bias, leak=leak).layers[0]
    expected = torch.int32 if narrow else torch.int64
    assert inference._membrane_type(layer, 0, timesteps) == expected


def test_fraction_bits_and_weights_count_for_the_membranes() -> None:
    layer = dataclasses.replace(sum_of(255, 255), fraction_bits=20)
    assert inference._membrane_type(layer, 1, 4) == torch.int32  # 510 << 20 < 2^29
    assert inference._membrane_type(layer, 2, 4) == torch.int64


@pytest.mark.parametrize(
    ("bias", "threshold", "leak", "reset", "timesteps"),
    [
        (2**29, MEMBRANE_MAX, None, "none", 4),  # 2^31 in the fourth step
        (-(2**29) - 1, -(2**31), None, "none", 5),
        (2**28 + 2**25, MEMBRANE_MAX, 3, "none", 60),  # it tends to 1.125 * 2^31
        (0, -(2**29), None, "subtract", 6),  # each spike adds 2^29
        (2**30, 2**30, None, "subtract", 4),
    ],
)
def test_membranes_at_the_edge_of_32_bits_do_not_wrap(
    bias: int, threshold: int, leak: int | None, reset: Reset, timesteps: int
) -> None:
    weights = np.ones((1, 1), np.int32)
    network = one_layer(
        weights, [threshold], bias=bias, leak=leak, reset=reset, timesteps=timesteps
    )
    v, expected = 0, []
    for _ in range(timesteps):
        v = v - (0 if leak is None else v >> leak) + bias
        expected.append([v >= threshold])
        if v >= threshold and reset == "subtract":
            v -= threshold
    assert spikes(network, DARK) == expected


# ---------------------------------------------------------------- folding
def untrained(bits: int, encoding: Encoding = "direct") -> SpikingNetwork:
    config = dataclasses.replace(DIGITS, weight_bits=bits, encoding=encoding)
    network = SpikingNetwork(config, bits)
    network.reset(1)
    return network.double().eval()


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("encoding", ["direct", "rate", "phase", "latency"])
def test_fraction_bits_fill_the_weights_16_bits(bits: int, encoding: Encoding) -> None:
    """The largest plane weight is 2^K << f: 2^14, in the first layer of phases after 7 shifts."""
    layers = fold(untrained(bits, encoding)).layers
    start = 1 if encoding == "direct" else 0
    for index, layer in enumerate(layers[start:], start):
        shifts = 7 if encoding == "phase" and not index else 0
        largest = 2 ** (bits + layer.fraction_bits + shifts)
        assert largest == (2**14 if bits + shifts <= 14 else 2 ** (bits + shifts)), layer.name
        assert layer.fraction_bits == max(0, 14 - bits - shifts)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("shape", [(4, 1, 3, 3), (64, 3, 3, 3), (5, 512, 3, 3), (2, 60_000)])
def test_analog_sums_stay_below_2_26(bits: int, shape: tuple[int, ...]) -> None:
    """All weights and pixels at their largest; one fraction bit more would be too many."""
    codes = np.zeros(shape, np.int32)
    fraction = folding._fraction_bits(codes, bits, "direct")
    largest = math.prod(shape[1:]) * (2**bits - 1) * 255
    assert fraction == 0 or largest << fraction < 2**26 <= largest << fraction + 1


def with_norm(layer: SpikingLayer, channel: int, gain: float, bias: float) -> None:
    """One channel's batch norm: v = gain * drive + bias."""
    assert layer.norm is not None
    assert layer.norm.running_mean is not None
    with torch.no_grad():
        layer.norm.running_mean[channel] = 0.0
        layer.norm.weight[channel] = gain
        layer.norm.bias[channel] = bias


@pytest.mark.parametrize("gain", [0.0, 1e-30, -1e-30])
@pytest.mark.parametrize("offset", [0.0, 0.5, -0.5, 100.0, -100.0])
def test_thresholds_and_biases_of_a_channel_next_to_no_gain(gain: float, offset: float) -> None:
    """The larger of the two is 2^28, the other in proportion: 32 bits hold them for some steps."""
    network = untrained(4)
    layer = network.chain[1]
    assert isinstance(layer, SpikingLayer)
    assert layer.theta is not None
    with_norm(layer, 3, gain, offset)
    folded = fold(network).layers[1]
    largest = max(layer.theta, abs(offset))
    assert abs(int(folded.threshold[3]) - layer.theta / largest * 2**28) <= 2**11
    assert abs(int(folded.bias[3]) - offset / largest * 2**28) <= 9
    assert max(abs(int(folded.threshold[3])), abs(int(folded.bias[3]))) <= 2**28 + 2**11


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_output_s_largest_bias_is_2_28(sign: float) -> None:
    network = untrained(4)
    output = network.chain[-1]
    assert output.bias is not None
    with torch.no_grad():
        output.bias.fill_(0.0)
        output.bias[2] = sign * 1e9
        output.bias[5] = sign * 5e8
    bias = fold(network).layers[-1].bias
    assert bias.tolist() == [int(sign) * {2: 2**28, 5: 2**27}.get(i, 0) for i in range(10)]
