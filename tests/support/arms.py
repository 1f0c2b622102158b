"""Random integer networks of all that a layer can be: arms of other sizes, own spikes, branches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis.strategies import DrawFn, booleans, composite, integers, lists, sampled_from
from numpy.typing import NDArray

from sw.common.checks import Shape
from sw.integer.arm import Arm, Code, fan_in_of
from sw.integer.network import INPUT, IntegerLayer, IntegerNetwork
from sw.integer.window import Window
from sw.model.geometry import Geometry

TIMESTEPS = 5
Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Draw:
    """Numbers by a seed; `recurrent`: whether layers may take their own spikes."""

    generator: np.random.Generator
    recurrent: bool

    def chance(self, share: float) -> bool:
        return bool(self.generator.random() < share)

    def number(self, least: int, most: int) -> int:
        return int(self.generator.integers(least, most + 1))


@dataclass(frozen=True)
class Shrinking(Draw):
    """The structure by Hypothesis, the weights by a seed of its own."""

    draw: DrawFn

    def chance(self, share: float) -> bool:
        return share > 0 and self.draw(booleans())

    def number(self, least: int, most: int) -> int:
        return self.draw(integers(least, most))


def random_arms(
    seed: int, *, recurrent: bool = True, strides: Sequence[int] = (1, 1, 2)
) -> IntegerNetwork:
    """What `drawn_arms` makes of a seed."""
    return drawn_arms(Draw(np.random.default_rng(seed), recurrent), strides, f"arms{seed}")


@composite
def arms_networks(draw: DrawFn, recurrent: bool = True) -> IntegerNetwork:
    """What Hypothesis draws: it makes a network that fails small."""
    strides = draw(lists(sampled_from((1, 1, 2)), max_size=3))
    generator = np.random.default_rng(draw(integers(0, 99)))
    return drawn_arms(Shrinking(generator, recurrent, draw), strides, "drawn")


def drawn_arms(draw: Draw, strides: Sequence[int], name: str) -> IntegerNetwork:
    """Convolutions of these strides, and two fully connected layers.

    Each may have a shortcut from any layer before it or from the input, its own spikes, and
    thresholds and biases of its neurons' own.
    """
    inputs = (draw.number(1, 2), *(2 * draw.number(2, 3) for _ in range(2)))
    shape: Shape = (inputs[0], inputs[1], inputs[2])
    shapes = {INPUT: shape}
    layers: list[IntegerLayer] = []
    for number, stride in enumerate(strides, 1):
        window = _window(stride, draw.number(0, 1))
        layer = _layer(draw, f"conv{number}", shapes, window, draw.number(2, 3))
        even = not any(size % 2 for size in layer.output_shape[1:])
        if number == 2 and even and draw.chance(0.4):
            layer = replace(layer, pool=True)
        shapes[layer.name] = layer.pooled_shape
        layers.append(_more(draw, layer, shapes))
    for number in (len(strides) + 1, len(strides) + 2):
        layer = _layer(draw, f"fc{number}", shapes, None, draw.number(3, 6))
        shapes[layer.name] = layer.output_shape
        layers.append(_more(draw, layer, shapes))
    output = layers[-1]
    output = replace(output, spiking=False, reset="none", beside=_others(output))
    classes = tuple(str(number) for number in range(output.features))
    every = (*layers[:-1], output)
    return IntegerNetwork(name, "spikes", "spikes", TIMESTEPS, classes, every)


def random_inputs(network: IntegerNetwork, seed: int, images: int = 2) -> NDArray[np.uint8]:
    """uint8 [images, T, C, H, W], a spike in three places of ten."""
    generator = np.random.default_rng([seed, 1])
    drawn = generator.random((images, TIMESTEPS, *network.input_shape)) < 0.3
    return drawn.astype(np.uint8)


def _window(stride: int, wide: int) -> Window:
    """1 x 1 or 3 x 3, which give as many pixels."""
    way = Geometry(2 * wide + 1, stride, wide)
    return Window(way, way)


def _weights(draw: Draw, code: Code, bits: int, size: Sequence[int]) -> NDArray[np.int32]:
    if code == "odd":
        weights = 2 * draw.generator.integers(0, 2**bits, size) - (2**bits - 1)
    else:
        weights = draw.generator.integers(-(2 ** (bits - 1)), max(2 ** (bits - 1), 1), size)
    return np.where(draw.generator.random(size) < 0.2, 0, weights).astype(np.int32)


def _layer(
    draw: Draw, name: str, shapes: dict[str, Shape], window: Window | None, features: int
) -> IntegerLayer:
    """A layer of the last of `shapes`, perhaps of another of the same size beside it."""
    *before, last = shapes
    alike = [each for each in before if shapes[each][1:] == shapes[last][1:]]
    sources = (last, *alike[:1]) if draw.chance(0.3) else (last,)
    channels = sum(shapes[each][0] for each in sources)
    shape = (channels, *shapes[last][1:])
    code: Code = "odd" if draw.chance(0.5) else "twos"
    bits = draw.number(1, 5)
    weights = _weights(draw, code, bits, (features, *fan_in_of(window, shape)))
    fraction = draw.number(0, 5)
    squares = np.square(weights.reshape(features, -1).astype(np.int64)).sum(1)
    drive = np.sqrt(0.3 * squares + 1) * 2**fraction
    layer = IntegerLayer(
        name=name,
        kind="fc" if window is None else "conv",
        weights=weights,
        weight_bits=bits,
        fraction_bits=fraction,
        threshold=np.rint(drive * draw.generator.uniform(0.3, 1.2, features)).astype(np.int64),
        bias=np.rint(drive * draw.generator.normal(0.1, 0.2, features)).astype(np.int64),
        leak=None if draw.chance(0.5) else draw.number(0, 3),
        reset="zero" if draw.chance(0.5) else "subtract",
        spiking=True,
        pool=False,
        input_shape=shape,
        window=window,
        code=code,
        sources=sources,
    )
    return _own_numbers(draw, layer) if draw.chance(0.4) else layer


def _own_numbers(draw: Draw, layer: IntegerLayer) -> IntegerLayer:
    """Thresholds, and perhaps biases, of each neuron."""
    about = np.abs(layer.spread(layer.threshold)) + 1
    factor = draw.generator.uniform(0.5, 1.5, layer.output_shape)
    layer = replace(layer, threshold=np.rint(about * factor).astype(np.int64))
    if draw.chance(0.5):
        layer = replace(layer, bias=np.rint((factor - 1) * about).astype(np.int64))
    return layer


def _more(draw: Draw, layer: IntegerLayer, shapes: dict[str, Shape]) -> IntegerLayer:
    """The layer with a shortcut, or its own spikes, or both."""
    beside = []
    given = [name for name in shapes if name != layer.name]
    if draw.chance(0.6):
        source = given[draw.number(0, len(given) - 1)]
        window = None if layer.geometry is None else _fitting(layer, shapes[source])
        if layer.geometry is None or window is not None:
            beside.append(_arm(draw, layer, source, shapes[source], window))
    if draw.recurrent and draw.chance(0.6):
        window = None if layer.geometry is None else _fitting(layer, layer.pooled_shape)
        if layer.geometry is None or window is not None:
            beside.append(_arm(draw, layer, layer.name, layer.pooled_shape, window))
    return replace(layer, beside=tuple(beside))


def _arm(draw: Draw, layer: IntegerLayer, source: str, shape: Shape, window: Window | None) -> Arm:
    size = (layer.features, *fan_in_of(window, shape))
    return Arm(_weights(draw, layer.code, layer.weight_bits, size), window, shape, (source,))


def _fitting(layer: IntegerLayer, shape: Shape) -> Window | None:
    """A window that makes this layer's output of inputs of that shape, if there is one here."""
    for stride in (1, 2, 4):
        for wide in (1, 0):
            window = _window(stride, wide)
            if window.output_shape(layer.features, shape) == layer.output_shape:
                return window
    return None


def _others(layer: IntegerLayer) -> tuple[Arm, ...]:
    return tuple(arm for arm in layer.beside if layer.name not in arm.sources)
