"""The integer network's classes: shapes, and what they refuse."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.integer.network import IntegerLayer, IntegerNetwork
from tests.support.networks import Sketch, random_network

NETWORK = random_network(1)
CONV, OUTPUT = NETWORK.layers[1], NETWORK.layers[-1]


def test_shapes_of_a_convolution() -> None:
    assert CONV.input_shape == (4, 8, 8)
    assert CONV.output_shape == (6, 8, 8)
    assert CONV.pooled_shape == (6, 4, 4)


def test_shapes_of_a_fully_connected_layer() -> None:
    layer = NETWORK.layers[3]
    assert layer.input_shape == (5, 2, 2)
    assert layer.output_shape == layer.pooled_shape == (12, 1, 1)


@pytest.mark.parametrize("bits", range(1, 9))
def test_random_networks_are_valid(bits: int) -> None:
    network = random_network(bits, weight_bits=bits, leak=None, reset="subtract")
    assert network.input_shape == (1, 8, 8)
    assert {abs(int(weight)) % 2 for weight in network.layers[0].weights.flat} == {1}


def _with(array: np.ndarray[Any, Any], value: int) -> np.ndarray[Any, Any]:
    changed = array.copy()
    changed.flat[1] = value
    return changed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "pool"}, "layer conv2: kind 'pool': must be conv or fc"),
        ({"reset": "half"}, "layer conv2: reset 'half': must be one of zero, subtract, none"),
        ({"spiking": 1}, "layer conv2: spiking and pool must be true or false"),
        ({"weight_bits": 0}, "layer conv2: weight bits: is 0, must be an integer from 1 to 8"),
        ({"fraction_bits": -1}, "layer conv2: fraction bits: is -1"),
        ({"leak": 32}, "layer conv2: leak shift: is 32, must be an integer from 0 to 31"),
        ({"input_shape": (4, 8)}, "input shape: is .4, 8., must be channels, height and width"),
        ({"input_shape": (4, 8, 0)}, "input shape: is 0, must be an integer from 1 to 65536"),
        ({"input_shape": (4, 7, 8)}, "layer conv2: only a convolution of even height and width"),
        ({"input_shape": (3, 8, 8)}, r"int32 \[6, 4, 3, 3\], must be int32 \[any, 3, 3, 3\]"),
        ({"spiking": False}, "layer conv2: pools spikes, but is not spiking"),
        ({"weights": CONV.weights.astype(np.int64)}, "are int64 .*, must be int32"),
        ({"weights": CONV.weights[:0]}, r"weights: are int32 \[0, 4, 3, 3\]"),
        ({"weights": _with(CONV.weights, 2)}, "weights must be odd integers from -15 to 15"),
        ({"weights": _with(CONV.weights, -17)}, r"odd integers from -15 to 15 \(4 bits\)"),
        ({"threshold": CONV.threshold[:-1]}, r"threshold: are int64 \[5\], must be int64 \[6\]"),
        ({"threshold": _with(CONV.threshold, 2**31)}, "a threshold does not fit 32 bits signed"),
        ({"bias": CONV.bias.astype(np.float64)}, "layer conv2: bias: are float64"),
        ({"bias": _with(CONV.bias, -(2**31) - 1)}, "a bias does not fit 32 bits signed"),
    ],
)
def test_bad_layers(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        dataclasses.replace(CONV, **change)


def test_the_extremes_of_32_bits_fit() -> None:
    changed = dataclasses.replace(
        CONV, threshold=_with(CONV.threshold, 2**31 - 1), bias=_with(CONV.bias, -(2**31))
    )
    assert isinstance(changed, IntegerLayer)


def _replaced(index: int, **change: Any) -> tuple[IntegerLayer, ...]:
    layers = list(NETWORK.layers)
    layers[index] = dataclasses.replace(layers[index], **change)
    return tuple(layers)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"encoding": "ttfs"}, "network random1: encoding 'ttfs': must be one of direct, rate,"),
        ({"timesteps": 0}, "network random1: timesteps: is 0"),
        ({"layers": (OUTPUT,)}, "network random1: needs at least 2 layers"),
        ({"layers": _replaced(1, name="conv1")}, "two of its layers have the same name"),
        ({"layers": _replaced(2, pool=False)}, r"fc4: takes \(5, 2, 2\), but conv3 gives \(5, 4,"),
        ({"layers": _replaced(3, spiking=False)}, "layer fc4: only the last layer may be without"),
        (
            {"layers": _replaced(4, spiking=True)},
            "layer fc5: the output must be fc and not spiking",
        ),
        ({"classes": ("a", "b")}, "layer fc5: has 3 outputs for 2 classes"),
        ({"layers": NETWORK.layers[:2]}, "layer conv2: the output must be fc and not spiking"),
    ],
)
def test_bad_networks(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        dataclasses.replace(NETWORK, **change)


def test_a_convolution_cannot_follow_a_fully_connected_layer() -> None:
    sketches = (Sketch("fc", 4), Sketch("conv", 4), Sketch("fc", 2))
    with pytest.raises(InputError, match=r"layer conv2: a convolution cannot follow fc1 \(fc\)"):
        random_network(1, sketches)


def test_a_network_is_what_it_was_made_of() -> None:
    assert isinstance(NETWORK, IntegerNetwork)
    assert [layer.name for layer in NETWORK.layers] == ["conv1", "conv2", "conv3", "fc4", "fc5"]
