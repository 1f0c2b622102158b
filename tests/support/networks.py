"""Networks for tests: random integer ones, and what of a gradient no rounding can change."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sw.common.checks import Shape
from sw.integer.network import IntegerLayer, IntegerNetwork, Reset
from sw.model.config.inputs import Encoding
from sw.model.config.layer import LayerKind, geometry_of
from sw.model.geometry import Geometry, fan_in


@dataclass(frozen=True)
class Sketch:
    """A layer before it has numbers: convolution or fully connected, its outputs, its pooling."""

    kind: LayerKind
    features: int
    pool: bool = False


# Convolutions that tests put in the place of `CONVOLUTION`, and a network for them.
OTHER_GEOMETRIES = (
    Geometry(1),
    Geometry(2),
    Geometry(3, stride=2, padding=1),
    Geometry(4, stride=2, padding=1),
    Geometry(5, padding=2),
)
CONVOLUTIONS = (Sketch("conv", 2), Sketch("conv", 4), Sketch("conv", 3), Sketch("fc", 3))

VGG5 = (
    Sketch("conv", 64, pool=True),
    Sketch("conv", 128),
    Sketch("conv", 128, pool=True),
    Sketch("fc", 256),
    Sketch("fc", 10),
)
SMALL = (
    Sketch("conv", 4),
    Sketch("conv", 6, pool=True),
    Sketch("conv", 5, pool=True),
    Sketch("fc", 12),
    Sketch("fc", 3),
)


def random_network(
    seed: int,
    sketches: tuple[Sketch, ...] = SMALL,
    *,
    input_shape: Shape = (1, 8, 8),
    timesteps: int = 4,
    weight_bits: int = 4,
    leak: int | None = 1,
    reset: Reset = "zero",
    encoding: Encoding = "direct",
) -> IntegerNetwork:
    """A valid network of random numbers in which layers fire sometimes and not always.

    The last sketch is the output layer, which integrates without leak. Thresholds are about as
    large as the drive of a neuron whose inputs fire one time in four; biases are of both signs.
    """
    generator = np.random.default_rng(seed)
    layers: list[IntegerLayer] = []
    shape = input_shape
    for index, sketch in enumerate(sketches):
        output = index == len(sketches) - 1
        layer = _random_layer(
            generator, sketch, index, shape, weight_bits, None if output else leak, reset, output
        )
        if not index and encoding != "direct":
            layer = _encoded(layer, encoding)
        layers.append(layer)
        shape = layer.pooled_shape
    classes = tuple(str(label) for label in range(sketches[-1].features))
    return IntegerNetwork(
        name=f"random{seed}",
        dataset="digits",
        encoding=encoding,
        timesteps=timesteps,
        classes=classes,
        layers=tuple(layers),
    )


def _encoded(layer: IntegerLayer, encoding: Encoding) -> IntegerLayer:
    """A first layer for spikes instead of pixels: one time in four; in phase encoding every other
    one, worth 2^7 in the first step, and with plane weights that can be shifted by so much."""
    phase = encoding == "phase"
    fraction_bits = layer.fraction_bits - 7 if phase else layer.fraction_bits
    scale = 2.0 ** (fraction_bits - layer.fraction_bits) * (64 if phase else 0.5) / 150
    return replace(
        layer,
        fraction_bits=fraction_bits,
        threshold=np.rint(layer.threshold * scale).astype(np.int64),
        bias=np.rint(layer.bias * scale).astype(np.int64),
    )


def _random_layer(
    generator: np.random.Generator,
    sketch: Sketch,
    index: int,
    shape: Shape,
    weight_bits: int,
    leak: int | None,
    reset: Reset,
    output: bool,
) -> IntegerLayer:
    inputs_each = fan_in(geometry_of(sketch.kind), shape)
    size = (sketch.features, *inputs_each)
    largest = 2**weight_bits - 1
    weights = 2 * generator.integers(0, largest + 1, size=size, dtype=np.int32) - largest
    fraction_bits = 14 - weight_bits
    inputs = np.prod(inputs_each) * (0.25 if index else 150.0**2)  # summed squares of what comes in
    drive = np.sqrt(inputs * np.mean(np.square(weights, dtype=np.float64))) * 2**fraction_bits
    threshold = drive * generator.uniform(0.3, 1.2, size=sketch.features)
    bias = drive * generator.normal(0.1, 0.2, size=sketch.features)
    return IntegerLayer(
        name=f"{sketch.kind}{index + 1}",
        kind=sketch.kind,
        weights=weights.astype(np.int32),
        weight_bits=weight_bits,
        fraction_bits=fraction_bits,
        threshold=np.rint(threshold).astype(np.int64),
        bias=np.rint(bias).astype(np.int64),
        leak=leak,
        reset="none" if output else reset,
        spiking=not output,
        pool=sketch.pool,
        input_shape=shape,
    )


def clear_of_zero(gradient: Tensor) -> NDArray[np.bool_]:
    """Where a float32 gradient by pixels [n, C, H, W] has the same sign on every processor."""
    sizes = gradient.abs()
    clear: NDArray[np.bool_] = (sizes > 1e-3 * sizes.amax((1, 2, 3), keepdim=True)).numpy()
    assert clear.mean() > 0.5, "a gradient that is zero nearly everywhere tests nothing"
    return clear
