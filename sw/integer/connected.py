"""What a folded layer is connected to: weights of all its inputs, branches, and its pooling."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape
from sw.integer.arm import Arm
from sw.integer.network import IntegerLayer
from sw.integer.window import Window
from sw.model.geometry import Geometry

if TYPE_CHECKING:  # a reader of network files needs no torch
    from sw.model.layer import SpikingLayer

POOLED = ".pool"  # behind the name of a layer: its pooling, where that is a layer of its own


def whole_codes(layer: "SpikingLayer", bits: int) -> tuple[NDArray[np.int32], float]:
    """The weights of all input channels and pixels; 0 where dilation and groups have none."""
    codes, unit = layer.codes(bits)
    spec, channels = layer.spec, layer.input_shape[0]
    if spec.groups > 1 or spec.dilation > 1:
        assert spec.geometry is not None
        size = spec.geometry.kernel
        whole = np.zeros((spec.features, channels, size, size), np.int32)
        out, each = spec.features // spec.groups, channels // spec.groups
        for group in range(spec.groups):
            rows = slice(group * out, (group + 1) * out)
            here = slice(group * each, (group + 1) * each)
            whole[rows, here, :: spec.dilation, :: spec.dilation] = codes[rows]
        codes = whole
    times = len(layer.place.inputs) if spec.added else 1
    return (np.concatenate([codes] * times, axis=1) if times > 1 else codes), unit


def input_shape(layer: "SpikingLayer") -> Shape:
    """Of added inputs each has channels of its own, with the same weights."""
    channels, height, width = layer.input_shape
    return channels * (len(layer.place.inputs) if layer.spec.added else 1), height, width


def turned(codes: NDArray[np.int32], flip: NDArray[np.int64]) -> NDArray[np.int32]:
    """With the sign of each output channel's gain."""
    return (codes * flip.reshape(-1, *[1] * (codes.ndim - 1))).astype(np.int32)


def branches(layer: "SpikingLayer", bits: int, flip: NDArray[np.int64]) -> tuple[Arm, ...]:
    shapes, every = layer.place.branch_shapes, layer.spec.branches
    return tuple(
        Arm(turned(codes, flip), window_of(branch.window), shape, (branch.source,))
        for codes, shape, branch in zip(layer.codes_beside(bits), shapes, every, strict=True)
    )


def window_of(square: Geometry | None) -> Window | None:
    return None if square is None else Window(square, square)


def sources(layer: "SpikingLayer") -> tuple[str, ...]:
    """None of a layer that does not name its inputs: then it takes the layer before."""
    return layer.place.inputs if layer.spec.inputs else ()


def pooling(before: IntegerLayer, window: Geometry) -> IntegerLayer:
    """Pooling by another window than 2 x 2, as a layer that fires where a spike is under it."""
    channels = before.features
    weights = np.zeros((channels, channels, window.kernel, window.kernel), np.int32)
    weights[range(channels), range(channels)] = 1
    return IntegerLayer(
        name=before.name + POOLED,
        kind="conv",
        weights=weights,
        weight_bits=2,
        fraction_bits=0,
        threshold=np.ones(channels, np.int64),
        bias=np.zeros(channels, np.int64),
        leak=0,
        reset="zero",
        spiking=True,
        pool=False,
        input_shape=before.output_shape,
        window=Window(window, window),
        code="twos",
        sources=(before.name,),
    )


def renamed(layer: IntegerLayer, given: dict[str, str]) -> IntegerLayer:
    """The layer with pools, where there are any, in the place of the layers before them."""
    if layer.name.endswith(POOLED):
        return layer
    beside = tuple(
        replace(arm, sources=tuple(given.get(name, name) for name in arm.sources))
        for arm in layer.beside
    )
    named = tuple(given.get(name, name) for name in layer.sources)
    return replace(layer, sources=named, beside=beside)
