"""Convolutions and pools as frameworks describe them, as weights without groups and a window."""

from typing import Any

import numpy as np

from sw.common.errors import InputError
from sw.convert.linear_map import Floats, LinearMap
from sw.integer.window import Window


def convolution(where: str, node: Any, weights: Floats, channels: int) -> tuple[Floats, Window]:
    """Weights [out, in, rows, columns] without groups and dilation, and the window."""
    if weights.ndim == 3:  # one dimension: as an image of one row
        weights = weights[:, :, None]
        ways = [(1, each) for each in (node.stride, node.dilation)]
        padding: Any = node.padding if isinstance(node.padding, str) else (0, node.padding)
        (stride, dilation) = (_pair(each) for each in ways)
    else:
        stride, dilation, padding = _pair(node.stride), _pair(node.dilation), node.padding
    out, each, *kernel = weights.shape
    groups = int(node.groups)
    if groups < 1 or each * groups != channels or out % groups:
        raise InputError(
            f"{where}: {groups} groups of {each} channels to {out}, but is given {channels}"
        )
    seen = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    whole = np.zeros((out, channels, *seen))
    for group in range(groups):
        rows = slice(group * out // groups, (group + 1) * out // groups)
        columns = slice(group * each, (group + 1) * each)
        whole[rows, columns, :: dilation[0], :: dilation[1]] = weights[rows]
    if isinstance(padding, str):
        padding = _named_padding(where, padding, seen)
    return whole, window_of(where, seen, stride, padding)


def _named_padding(where: str, name: str, kernel: list[int]) -> tuple[int, int]:
    if name == "valid":
        return 0, 0
    if name != "same" or any(size % 2 == 0 for size in kernel):
        raise InputError(f"{where}: padding {name!r}, must be valid, or same of an odd kernel")
    return kernel[0] // 2, kernel[1] // 2


def window_of(where: str, kernel: Any, stride: Any, padding: Any) -> Window:
    """A window of numbers that stand for both directions, or of pairs."""
    ways = zip(_pair(kernel), _pair(stride), _pair(padding), strict=True)
    return Window.of(where, [number for way in ways for number in way])


def _pair(value: Any) -> tuple[int, int]:
    """One number for both, or one for rows and one for columns."""
    parts = value if isinstance(value, tuple) else np.asarray(value).ravel().tolist()
    numbers = [int(np.asarray(part).ravel()[0]) for part in parts]
    return (numbers[0], numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def by_channel(where: str, values: Any, drive: LinearMap) -> Floats:
    """One number per output channel. Raises `InputError` if a channel's neurons have several."""
    array = np.asarray(values, np.float64)
    channels = drive.outputs[0]
    if array.size == 1:
        return np.full(channels, float(array.ravel()[0]))
    if array.size == channels:
        return array.ravel()
    if array.size != np.prod(drive.outputs):
        raise InputError(f"{where}: {array.size} parameters for neurons of shape {drive.outputs}")
    rows = array.reshape(channels, -1)
    if np.any(rows != rows[:, :1]):
        raise InputError(f"{where}: neurons of one channel have different parameters")
    return rows[:, 0]


def by_neuron(where: str, values: Any, drive: LinearMap) -> Floats:
    """The same; if a channel's neurons have several, one number per neuron, [out, H, W]."""
    array = np.asarray(values, np.float64)
    if array.size == np.prod(drive.outputs):
        every = array.reshape(drive.outputs)
        if np.any(every != every[:, :1, :1]):
            return every
    return by_channel(where, values, drive)
