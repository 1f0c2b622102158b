"""The integer network against a loop over every neuron and synapse in Python's own integers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.integer import inference
from sw.integer.inference import host_spikes, pool, run
from sw.integer.network import IntegerLayer, Reset
from sw.model.config.layer import LayerKind
from tests.support.networks import Sketch, random_network

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


@pytest.mark.parametrize("kind", ["conv", "fc"])
@pytest.mark.parametrize(
    ("bits", "largest", "number"),
    [
        (4, 1, torch.float32),
        (8, 1, torch.float32),
        (4, 128, torch.float32),  # 8192 x 15 x 128 is just below 2^24
        (8, 255, torch.float64),  # 1152 x 255 x 255 is above it
    ],
)
def test_sums_are_exact_in_the_worst_case(
    kind: LayerKind, bits: int, largest: int, number: torch.dtype
) -> None:
    """Weights and inputs as large as can be, most of one sign, against sums in int64."""
    seed = 10 * bits + largest
    generator = np.random.default_rng(seed)
    shape = (128, 4, 4) if kind == "conv" else (128, 8, 8)
    network = random_network(seed, (Sketch(kind, 5), Sketch("fc", 2)), input_shape=shape)
    fan_in = network.layers[0].weights.shape
    weights = np.where(generator.random(fan_in) < 0.1, -1, 1) * (2**bits - 1)
    weights[0] = 2**bits - 1
    weights.reshape(5, -1)[1:, :9] = generator.choice([-1, 1], size=(4, 9))
    layer = replace(
        network.layers[0], weights=weights.astype(np.int32), weight_bits=bits, fraction_bits=0
    )
    inputs = largest * (generator.random((1, 3, *shape)) < 0.97).astype(np.int64)
    inputs[0, 0] = largest
    assert inference._sum_type(layer.arms[0], largest) == number
    drive = inference._drive(layer, [torch.from_numpy(inputs)], 1).numpy()[0]
    wide = weights.astype(np.int64)
    if kind == "fc":
        expected = inputs[0].reshape(3, -1) @ wide.T
    else:
        windows = sliding_window_view(
            np.pad(inputs[0], [(0, 0)] * 2 + [(1, 1)] * 2), (3, 3), (2, 3)
        )
        expected = np.einsum("bcyxij,ocij->boyx", windows, wide)
    assert np.array_equal(drive - layer.bias[:, None, None], expected.reshape(drive.shape))


def test_float32_would_not_do_for_larger_sums() -> None:
    """The bound is needed: an odd sum above 2^24 reaches a threshold of itself, not of 1 more."""
    network = random_network(4, (Sketch("fc", 2), Sketch("fc", 1)), input_shape=(1, 24, 32))
    hidden, output = network.layers
    weights = np.full((2, 768), 255, dtype=np.int32)
    weights[:, 0] = 1
    total = 255 * (767 * 255 + 1)
    assert total > 2**24
    assert int(np.float32(total)) != total
    exact = replace(
        hidden,
        weights=weights,
        weight_bits=8,
        fraction_bits=0,
        threshold=np.array([total, total + 1]),
        bias=np.zeros(2, dtype=np.int64),
    )
    network = replace(network, timesteps=1, layers=(exact, output))
    bright = np.full((1, 1, 24, 32), 255, dtype=np.uint8)
    assert run(network, bright).spikes["fc1"].flatten().tolist() == [True, False]


@pytest.mark.parametrize("leak", [None, 0, 1, 3, 31])
@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
@pytest.mark.parametrize("bits", [4, 27, 28, 29, 30, 31])
def test_membranes_of_any_size_against_a_loop(leak: int | None, reset: Reset, bits: int) -> None:
    """Biases and thresholds up to 32 bits: nothing wraps, whatever holds the membranes."""
    seed = 1000 + 40 * bits + (leak if leak is not None else 32)
    generator = np.random.default_rng(seed)
    network = random_network(seed, (Sketch("fc", 40), Sketch("fc", 3)), input_shape=(1, 2, 2))
    biases, thresholds = generator.integers(-(2**bits), 2**bits, size=(2, 40))
    layer = replace(network.layers[0], bias=biases, threshold=thresholds, leak=leak, reset=reset)
    network = replace(network, timesteps=7, layers=(layer, network.layers[1]))
    image = generator.integers(0, 256, size=(1, 1, 2, 2), dtype=np.uint8)
    spikes = run(network, image).spikes["fc1"]
    v: dict[tuple[int, ...], int] = {}
    for step in range(7):
        expected = _step(layer, image[0].astype(np.int64), v)
        assert spikes[step, 0].flatten().tolist() == expected


def test_both_sizes_of_membrane_occur() -> None:
    network = random_network(1)
    small, large = network.layers[1], replace(network.layers[-1], bias=np.full(3, 2**30))
    assert inference._membrane_type(small, 1, 4) == torch.int32
    assert inference._membrane_type(large, 1, 4) == torch.int64


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


def test_no_images_have_no_spikes() -> None:
    trace = run(random_network(1), np.zeros((0, 1, 8, 8), dtype=np.uint8))
    assert trace.predictions.tolist() == []
    assert trace.spikes["conv1"].shape == (4, 0, 4, 8, 8)
