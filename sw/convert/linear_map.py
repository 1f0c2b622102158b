"""Linear maps between the spikes of a layer and the membranes of the next, composed into one.

Pools, scales and a convolution, one after the other, are one convolution: of a larger kernel whose
weights repeat. So each spike has a synapse of its own, and sums of a pool are exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.integer.window import Window
from sw.model.geometry import Geometry

Floats = NDArray[np.float64]
ONE = Geometry(1)


@dataclass(frozen=True, eq=False)
class LinearMap:
    """What spikes of `inputs` (C, H, W) add to `outputs` (C, H, W).

    Attributes:
        weights: float64 [out, in, rows, columns]; fully connected (no `window`): [out, in].
        bias: float64 [out], added every step; of a finished layer also [out, H, W].
        plain: nothing but the spikes themselves, or pools and scales of them.
    """

    weights: Floats
    bias: Floats
    window: Window | None
    inputs: Shape
    plain: bool = False

    @property
    def outputs(self) -> Shape:
        """C, H, W; fully connected: (out, 1, 1)."""
        features = len(self.weights)
        return (
            (features, 1, 1)
            if self.window is None
            else self.window.output_shape(features, self.inputs)
        )


def identity(shape: Shape) -> LinearMap:
    """The spikes themselves."""
    channels = shape[0]
    weights = np.eye(channels)[..., None, None]
    return LinearMap(weights, np.zeros(channels), Window(ONE, ONE), shape, plain=True)


def scaled(before: LinearMap, factor: Floats) -> LinearMap:
    """The outputs times a factor for each channel."""
    along = factor.reshape(-1, *[1] * (before.weights.ndim - 1))
    return LinearMap(
        before.weights * along, before.bias * factor, before.window, before.inputs, before.plain
    )


def pooled(where: str, before: LinearMap, window: Window, *, average: bool) -> LinearMap:
    """Sums or averages of each channel under a window."""
    taps = window.rows.kernel, window.columns.kernel
    weights = np.zeros((before.outputs[0],) * 2 + taps)
    channel = np.arange(before.outputs[0])
    weights[channel, channel] = 1 / np.prod(taps) if average else 1
    after = convolved(where, before, weights, np.zeros(len(weights)), window)
    return LinearMap(after.weights, after.bias, after.window, after.inputs, before.plain)


def convolved(
    where: str, before: LinearMap, weights: Floats, bias: Floats, window: Window
) -> LinearMap:
    """A convolution of the outputs: `weights` [out, channels, rows, columns].

    Raises `InputError` where that is no one convolution of the inputs.
    """
    _check(where, before, weights.shape[1])
    first = before.window
    if first is None:
        raise InputError(f"{where}: a convolution of a fully connected layer without neurons")
    if np.any(before.bias) and (window.rows.padding or window.columns.padding):
        raise InputError(f"{where}: pads what has a bias, which is no one convolution")
    rows = _composed(where, first.rows, window.rows, before.inputs[1])
    columns = _composed(where, first.columns, window.columns, before.inputs[2])
    whole = np.zeros((len(weights), before.inputs[0], rows.kernel, columns.kernel))
    for y, x in np.ndindex(weights.shape[2:]):
        top, left = y * first.rows.stride, x * first.columns.stride
        here = slice(top, top + first.rows.kernel), slice(left, left + first.columns.kernel)
        whole[:, :, *here] += np.einsum("oc,ciyx->oiyx", weights[:, :, y, x], before.weights)
    added = weights.sum((2, 3)) @ before.bias
    return LinearMap(whole, bias + added, Window(rows, columns), before.inputs)


def connected(where: str, before: LinearMap, weights: Floats, bias: Floats) -> LinearMap:
    """A fully connected layer: `weights` [out, (C, H, W) of the outputs, flattened]."""
    _check(where, before, weights.shape[1], flat=True)
    channels, high, wide = before.outputs
    by_pixel = weights.reshape(-1, channels, high, wide)
    added = by_pixel.sum((2, 3)) @ before.bias
    window = before.window
    if window is None:
        return LinearMap(weights @ before.weights, bias + added, None, before.inputs)
    inputs, height, width = before.inputs
    p, q = window.rows.padding, window.columns.padding
    whole = np.zeros((len(weights), inputs, height + 2 * p, width + 2 * q))
    for y, x in np.ndindex(before.weights.shape[2:]):
        added_here = np.einsum("ocyx,ci->oiyx", by_pixel, before.weights[:, :, y, x])
        rows = slice(y, y + (high - 1) * window.rows.stride + 1, window.rows.stride)
        columns = slice(x, x + (wide - 1) * window.columns.stride + 1, window.columns.stride)
        whole[:, :, rows, columns] += added_here
    seen = whole[:, :, p : p + height, q : q + width]
    return LinearMap(seen.reshape(len(weights), -1), bias + added, None, before.inputs)


def simplest(drive: LinearMap) -> LinearMap:
    """The same, fully connected where the inputs have one pixel and the window sees just that."""
    if drive.inputs[1:] != (1, 1) or drive.window != Window(ONE, ONE):
        return drive
    return LinearMap(drive.weights[:, :, 0, 0], drive.bias, None, drive.inputs, drive.plain)


def joined(where: str, maps: list[LinearMap]) -> LinearMap:
    """The sum of maps of several layers, whose channels stand one after the other.

    Raises `InputError` where they are not of one height and width, or move by other strides.
    """
    first, *more = maps = [simplest(each) for each in maps]
    if not more:
        return first
    if any((each.outputs, each.inputs[1:]) != (first.outputs, first.inputs[1:]) for each in more):
        raise InputError(f"{where}: adds layers of different heights or widths, which is not done")
    inputs = (sum(each.inputs[0] for each in maps), *first.inputs[1:])
    bias = np.sum([each.bias for each in maps], axis=0)
    windows = [each.window for each in maps if each.window is not None]
    if not windows:
        return LinearMap(np.concatenate([each.weights for each in maps], 1), bias, None, inputs)
    if len(windows) < len(maps) or len({_strides(window) for window in windows}) > 1:
        raise InputError(f"{where}: adds convolutions of different strides, which is not done")
    rows, columns = (
        _around(where, [getattr(w, way) for w in windows]) for way in ("rows", "columns")
    )
    parts = []
    for each, window in zip(maps, windows, strict=True):
        top, left = rows.padding - window.rows.padding, columns.padding - window.columns.padding
        bottom = rows.kernel - top - window.rows.kernel
        right = columns.kernel - left - window.columns.kernel
        parts.append(np.pad(each.weights, ((0, 0), (0, 0), (top, bottom), (left, right))))
    return LinearMap(np.concatenate(parts, 1), bias, Window(rows, columns), inputs)


def added(where: str, maps: list[LinearMap]) -> LinearMap:
    """Maps from one source, added."""
    if len(maps) == 1:
        return maps[0]
    both = joined(where, maps)
    channels = maps[0].inputs[0]
    if both.window is None:
        pixels = int(np.prod(maps[0].inputs))
        parts = np.split(both.weights, len(both.weights[0]) // pixels, axis=1)
    else:
        parts = np.split(both.weights, both.inputs[0] // channels, axis=1)
    summed: Floats = np.sum(parts, axis=0)
    return LinearMap(summed, both.bias, both.window, maps[0].inputs)


def _strides(window: Window) -> tuple[int, int]:
    return window.rows.stride, window.columns.stride


def _around(where: str, ways: list[Geometry]) -> Geometry:
    """One window in which all of these have their place; more of it is zeros."""
    padding = max(way.padding for way in ways)
    kernel = max(padding - way.padding + way.kernel for way in ways)
    # As many outputs as before: what the kernel grows at the far end, padding must grow, too.
    if 2 * padding - kernel != 2 * ways[0].padding - ways[0].kernel:
        raise InputError(
            f"{where}: adds convolutions that are not centred alike, which is not done"
        )
    return Geometry(kernel, ways[0].stride, padding)


def _composed(where: str, first: Geometry, second: Geometry, size: int) -> Geometry:
    """First one window, then another over its outputs.

    Padding of the second is zeros, where a window of the first would see more than its padding: the
    two must agree.
    """
    if second.padding and (
        first.kernel > first.stride + first.padding
        or first.output(size) * first.stride < size + first.padding
    ):
        raise InputError(f"{where}: pads windows that overlap, which is no one convolution")
    kernel = first.kernel + (second.kernel - 1) * first.stride
    padding = first.padding + second.padding * first.stride
    if padding >= kernel:
        raise InputError(f"{where}: padding {padding} is not below the kernel, {kernel}")
    return Geometry(kernel, first.stride * second.stride, padding)


def _check(where: str, before: LinearMap, wanted: int, *, flat: bool = False) -> None:
    outputs = before.outputs
    given = int(np.prod(outputs)) if flat else outputs[0]
    if given != wanted:
        what = "inputs" if flat else "channels"
        raise InputError(f"{where}: takes {wanted} {what}, but is given {given}")
