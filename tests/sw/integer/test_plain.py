"""Networks of plain arrays: taken exactly, and run as plain loops do."""

from typing import Any

import numpy as np
import pytest

from sw.common.errors import InputError
from sw.integer.inference import run
from sw.integer.plain import PlainLayer, import_arrays

STEPS = 7


def by_hand(spikes: Any, layers: list[PlainLayer]) -> Any:
    """Fully connected layers step by step; the membranes of the last."""
    given, v = spikes.astype(np.int64), np.zeros(0, np.int64)
    for layer in layers:
        weights = np.asarray(layer.weights)
        v, fired = np.zeros(len(weights), np.int64), []
        for each in given:
            v = v - (0 if layer.leak is None else v >> layer.leak) + weights @ each + layer.bias
            if layer.threshold is not None:
                fires = v >= layer.threshold
                v = np.where(fires, 0 if layer.reset == "zero" else v - layer.threshold, v)
                fired.append(fires.astype(np.int64))
        given = np.array(fired)
    return v


@pytest.mark.parametrize("seed", range(6))
def test_they_run_as_plain_loops_do(seed: int) -> None:
    generator = np.random.default_rng(seed)
    leak = None if seed % 3 == 0 else seed % 3
    hidden = PlainLayer(
        generator.integers(-128, 128, (12, 9)),
        threshold=generator.integers(50, 200, 12),
        bias=generator.integers(-20, 20, 12),
        leak=leak,
        reset="subtract" if seed % 2 else "zero",
    )
    layers = [hidden, PlainLayer(generator.integers(-3, 4, (4, 12)), leak=leak)]
    network = import_arrays(layers, (9, 1, 1), STEPS)
    assert np.array_equal(network.layers[0].weights, hidden.weights)
    spikes = generator.integers(0, 2, (5, STEPS, 9, 1, 1), np.uint8)
    trace = run(network, spikes)
    for image, membrane in zip(spikes.reshape(5, STEPS, 9), trace.membrane, strict=True):
        assert membrane.tolist() == by_hand(image, layers).tolist(), f"seed {seed}"
    assert trace.spikes["layer1"].any()


def test_a_convolution_that_is_pooled() -> None:
    taps = np.arange(-4, 5).reshape(1, 1, 3, 3)
    layers = [
        PlainLayer(taps, threshold=3, padding=1, pool=True, name="edge"),
        PlainLayer(np.ones((2, 9), np.int8)),
    ]
    network = import_arrays(layers, (1, 6, 6), 4, "direct")
    assert network.layers[0].name == "edge"
    assert network.layers[0].weight_bits == 4
    assert network.layers[1].input_shape == (1, 3, 3)


ONE = PlainLayer(np.ones((2, 3), int))


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ([], "needs layers"),
        ([PlainLayer(np.full((2, 3), 128), 1), ONE], "weights has 128, must be -128 to 127"),
        ([PlainLayer(np.ones((2, 3)), 1), ONE], "weights is float64, must be integers"),
        ([PlainLayer(np.ones(3, int), 1), ONE], r"weights are \[3\], must be \[out, in\]"),
        ([PlainLayer(np.ones((3, 3), int), [1, 2]), ONE], r"threshold is \[2\], must be one or"),
        ([PlainLayer(np.ones((3, 3), int), 1 << 40), ONE], "threshold has 1099511627776"),
        ([PlainLayer(np.ones((4, 3), int), 1), ONE], "weights"),
        ([PlainLayer(np.ones((3, 3), int), 1, leak=-1), ONE], "leak shift: is -1"),
        ([PlainLayer(np.ones((3, 3, 1, 1), int), 1, stride=0), ONE], "layer1"),
        ([PlainLayer(np.ones((3, 3), int), 1), PlainLayer(np.ones((2, 3), int), 1)], "layer2"),
    ],
)
def test_arrays_that_are_refused(layers: list[PlainLayer], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        import_arrays(layers, (3, 1, 1), STEPS)
