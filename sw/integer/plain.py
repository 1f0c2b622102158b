"""A network of plain arrays: a user's whole numbers, taken exactly as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sw.common.checks import MAX_FEATURES, Shape, shown
from sw.common.errors import InputError
from sw.integer.network import (
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    IntegerLayer,
    IntegerNetwork,
    Reset,
)
from sw.integer.window import Window
from sw.model.config.inputs import Inputs
from sw.model.geometry import Geometry

MAX_BITS = 8  # two's complement: -128 to 127
INTEGERS = "biu"


@dataclass(frozen=True, eq=False)
class PlainLayer:
    """A layer in whole numbers; per step  v = v - (v >> leak) + weights x spikes + bias.

    It then fires where v >= threshold, and is reset. v >> leak rounds down.

    Attributes:
        weights: integers -128 to 127, [out, in], or of a convolution [out, in, rows, columns].
        threshold: one integer, or one for each output; None: it integrates, as the last layer.
        bias: the same.
        leak: the shift; None: no leak.
        reset: what a spike does to v: it becomes 0, loses the threshold, or stays ("none").
        stride: of a convolution, in both directions.
        padding: of a convolution, with zeros on all sides.
        pool: 2 x 2 OR pooling of the spikes follows.
        name: None: "layer1", "layer2" and so on.
    """

    weights: ArrayLike
    threshold: ArrayLike | None = None
    bias: ArrayLike = 0
    leak: int | None = None
    reset: Reset = "zero"
    stride: int = 1
    padding: int = 0
    pool: bool = False
    name: str | None = None


def import_arrays(
    layers: Sequence[PlainLayer], input_shape: Shape, timesteps: int, inputs: Inputs = "spikes"
) -> IntegerNetwork:
    """A network of a user's whole numbers, layer after layer, taken exactly as they are.

    With `inputs` "direct", "rate" or "latency" it takes images; "direct" are pixels 0 to 255.

    Raises `InputError` for numbers that are not whole or too large, or shapes that do not fit.
    """
    if not layers:
        raise InputError("a network of arrays needs layers")
    done: list[IntegerLayer] = []
    shape = input_shape
    for number, layer in enumerate(layers, 1):
        made = _layer(layer.name or f"layer{number}", layer, shape)
        done.append(made)
        shape = made.pooled_shape
    return IntegerNetwork(
        name="arrays",
        dataset="imported",
        encoding=inputs,
        timesteps=timesteps,
        classes=tuple(str(number) for number in range(done[-1].features)),
        layers=tuple(done),
    )


def _layer(name: str, layer: PlainLayer, shape: Shape) -> IntegerLayer:
    where = f"layer {name}"
    weights = _whole(
        where, "weights", layer.weights, -(2 ** (MAX_BITS - 1)), 2 ** (MAX_BITS - 1) - 1
    )
    if weights.ndim not in (2, 4) or not weights.size or max(weights.shape) > MAX_FEATURES:
        raise InputError(
            f"{where}: weights are {list(weights.shape)}, must be [out, in] or, of a convolution, "
            "[out, in, rows, columns]"
        )
    window = None
    if weights.ndim == 4:
        try:
            ways = (Geometry(size, layer.stride, layer.padding) for size in weights.shape[2:])
            window = Window(*ways)
        except ValueError as error:
            raise InputError(f"{where}: {error}") from error
    each = {
        what: _whole(where, what, 0 if values is None else values, MEMBRANE_MIN, MEMBRANE_MAX)
        for what, values in (("threshold", layer.threshold), ("bias", layer.bias))
    }
    for what, values in each.items():
        if values.shape not in ((), (len(weights),)):
            raise InputError(
                f"{where}: {what} is {list(values.shape)}, must be one or [{len(weights)}]"
            )
    spiking = layer.threshold is not None
    largest = int(np.maximum(weights, -1 - weights).max())
    return IntegerLayer(
        name=name,
        kind="fc" if window is None else "conv",
        weights=weights.astype(np.int32),
        weight_bits=1 + largest.bit_length(),
        fraction_bits=0,
        threshold=np.broadcast_to(each["threshold"], (len(weights),)).copy(),
        bias=np.broadcast_to(each["bias"], (len(weights),)).copy(),
        leak=layer.leak,
        reset=layer.reset if spiking else "none",
        spiking=spiking,
        pool=layer.pool,
        input_shape=shape,
        window=window,
        code="twos",
    )


def _whole(where: str, what: str, values: Any, least: int, most: int) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in INTEGERS:
        raise InputError(f"{where}: {what} is {array.dtype}, must be integers")
    if array.size and not least <= array.min() <= array.max() <= most:
        worst = array.min() if array.min() < least else array.max()
        raise InputError(f"{where}: {what} has {shown(int(worst))}, must be {least} to {most}")
    return array.astype(np.int64)
