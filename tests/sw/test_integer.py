"""The integer network against a loop over every neuron and synapse in Python's own integers."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sw.errors import InputError
from sw.integer import host_spikes, pool, run
from sw.layers import IntegerLayer, Reset
from tests.helpers.networks import Sketch, random_network

SKETCHES = (
    Sketch("conv", 2),
    Sketch("conv", 3, pool=True),
    Sketch("conv", 2),
    Sketch("fc", 5),
    Sketch("fc", 3),
)


def _drive(layer: IntegerLayer, inputs: NDArray[np.int64], out: int, y: int, x: int) -> int:
    """What the inputs [C, H, W] of one step add to one neuron, one synapse at a time."""
    total = int(layer.bias[out])
    channels, height, width = layer.input_shape
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                if layer.kind == "fc":
                    weight = int(layer.weights[out, (c * height + i) * width + j])
                elif abs(i - y) <= 1 and abs(j - x) <= 1:
                    weight = int(layer.weights[out, c, i - y + 1, j - x + 1])
                else:
                    continue
                total += (weight * int(inputs[c, i, j])) * 2**layer.fraction_bits
    return total


def _step(
    layer: IntegerLayer, inputs: NDArray[np.int64], v: dict[tuple[int, ...], int]
) -> list[int]:
    """One step of all neurons of a layer, in order; `v` is changed in place."""
    spikes = []
    channels, height, width = layer.output_shape
    for place in np.ndindex(channels, height, width):
        old = v.get(place, 0)
        lost = 0 if layer.leak is None else old // 2**layer.leak
        v[place] = old - lost + _drive(layer, inputs, *place)
        fired = layer.spiking and v[place] >= layer.threshold[place[0]]
        if fired and layer.reset == "zero":
            v[place] = 0
        if fired and layer.reset == "subtract":
            v[place] -= int(layer.threshold[place[0]])
        spikes.append(int(fired))
    return spikes


@pytest.mark.parametrize("leak", [None, 0, 1, 3])
@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
def test_against_a_loop(leak: int | None, reset: Reset) -> None:
    seed = 200 + 10 * (leak if leak is not None else 9) + len(reset)
    network = random_network(
        seed, SKETCHES, input_shape=(2, 4, 4), timesteps=5, leak=leak, reset=reset
    )
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, size=(2, 2, 4, 4), dtype=np.uint8)
    trace = run(network, images)
    rates = [fired.mean() for fired in trace.spikes.values()]
    assert min(rates) > 0.01, "a silent layer tests nothing"
    for image in range(2):
        membranes: list[dict[tuple[int, ...], int]] = [{} for _ in network.layers]
        for step in range(5):
            inputs = images[image].astype(np.int64)
            for layer, v in zip(network.layers, membranes, strict=True):
                spikes = np.array(_step(layer, inputs, v)).reshape(layer.output_shape)
                if layer.spiking:
                    assert np.array_equal(trace.spikes[layer.name][step, image], spikes)
                inputs = spikes
                if layer.pool:
                    inputs = spikes.reshape(-1, 2, 2, 2, 2).max((2, 4))
        assert trace.membrane[image].tolist() == list(membranes[-1].values())


@pytest.mark.parametrize(("threshold", "expected"), [(-3, [True, False]), (-4, [True, True])])
def test_a_negative_membrane_leaks_rounding_down(threshold: int, expected: list[bool]) -> None:
    """Step 2: -3 - (-3 >> 1) - 3 = -4; a shift that rounds to zero would give -5."""
    network = random_network(1, (Sketch("fc", 1), Sketch("fc", 1)), input_shape=(1, 1, 1))
    hidden, output = network.layers
    assert hidden.leak == 1
    inhibited = replace(hidden, bias=np.array([-3]), threshold=np.array([threshold]), reset="none")
    network = replace(network, timesteps=2, layers=(inhibited, output))
    dark = np.zeros((1, 1, 1, 1), dtype=np.uint8)
    assert run(network, dark).spikes["fc1"].flatten().tolist() == expected


def test_host_spikes_are_the_first_layer_s_pooled() -> None:
    sketches = (Sketch("conv", 3, pool=True), Sketch("fc", 2))
    network = random_network(3, sketches)
    images = np.random.default_rng(3).integers(0, 256, size=(5, 1, 8, 8), dtype=np.uint8)
    streamed = host_spikes(network, images)
    assert streamed.dtype == np.bool_
    assert streamed.shape == (4, 5, 3, 4, 4)
    assert np.array_equal(streamed, pool(run(network, images).spikes["conv1"]))
    unpooled = random_network(3)
    assert np.array_equal(host_spikes(unpooled, images), run(unpooled, images).spikes["conv1"])


def test_pool_is_or() -> None:
    spikes = np.random.default_rng(8).random((3, 2, 4, 6, 8)) < 0.2
    pooled = pool(spikes)
    assert pooled.shape == (3, 2, 4, 3, 4)
    for place in np.ndindex(pooled.shape):
        *lead, y, x = place
        quad = spikes[(*lead, slice(2 * y, 2 * y + 2), slice(2 * x, 2 * x + 2))]
        assert pooled[place] == quad.any()


def test_images_do_not_influence_each_other() -> None:
    network = random_network(5)
    images = np.random.default_rng(5).integers(0, 256, size=(6, 1, 8, 8), dtype=np.uint8)
    together = run(network, images)
    alone = [run(network, images[image : image + 1]) for image in range(6)]
    assert np.array_equal(together.membrane, np.concatenate([trace.membrane for trace in alone]))
    assert together.predictions.tolist() == [int(trace.predictions[0]) for trace in alone]


def test_of_equal_membranes_the_first_wins() -> None:
    network = random_network(6)
    output = network.layers[-1]
    same = np.repeat(output.weights[:1], 3, axis=0)
    undecided = replace(output, weights=same, bias=np.zeros(3, dtype=np.int64))
    network = replace(network, layers=(*network.layers[:-1], undecided))
    images = np.random.default_rng(6).integers(0, 256, size=(4, 1, 8, 8), dtype=np.uint8)
    trace = run(network, images)
    assert np.ptp(trace.membrane, axis=1).tolist() == [0, 0, 0, 0]
    assert trace.predictions.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "images", [np.zeros((2, 1, 8, 9), np.uint8), np.zeros((2, 1, 8, 8), np.float32)]
)
def test_other_images_are_refused(images: NDArray[np.uint8]) -> None:
    network = random_network(1)
    for ask in (run, host_spikes):
        with pytest.raises(InputError, match=r"network random1 takes uint8 \[images, 1, 8, 8\]"):
            ask(network, images)
