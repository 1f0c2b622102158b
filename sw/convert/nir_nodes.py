"""NIR's nodes one by one: what each does to a linear map, or which neurons it stands for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.convert import linear_map
from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer
from sw.convert.linear_map import Floats, LinearMap
from sw.integer.window import Window


def connect(where: str, node: Any, before: LinearMap) -> LinearMap:
    """What a linear node makes of what leads to it."""
    kind = type(node).__name__
    if kind == "Flatten":
        return before
    if kind == "Scale":
        return linear_map.scaled(before, _by_channel(where, node.scale, before))
    if kind in ("SumPool2d", "AvgPool2d"):
        window = _window(where, node.kernel_size, node.stride, node.padding)
        return linear_map.pooled(where, before, window, average=kind == "AvgPool2d")
    weights = np.asarray(node.weight, np.float64)
    bias = np.zeros(len(weights)) if getattr(node, "bias", None) is None else node.bias
    bias = np.broadcast_to(np.asarray(bias, np.float64).ravel(), (len(weights),))
    if kind in ("Linear", "Affine"):
        if weights.ndim != 2:
            raise InputError(f"{where}: weights of {weights.shape}, must be [out, in]")
        return linear_map.connected(where, before, weights, bias)
    whole, window = _convolution(where, node, weights, before.outputs[0])
    return linear_map.convolved(where, before, whole, bias, window)


def _convolution(where: str, node: Any, weights: Floats, channels: int) -> tuple[Floats, Window]:
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
    return whole, _window(where, seen, stride, padding)


def _named_padding(where: str, name: str, kernel: list[int]) -> tuple[int, int]:
    if name == "valid":
        return 0, 0
    if name != "same" or any(size % 2 == 0 for size in kernel):
        raise InputError(f"{where}: padding {name!r}, must be valid, or same of an odd kernel")
    return kernel[0] // 2, kernel[1] // 2


def _window(where: str, kernel: Any, stride: Any, padding: Any) -> Window:
    ways = zip(_pair(kernel), _pair(stride), _pair(padding), strict=True)
    return Window.of(where, [number for way in ways for number in way])


def _pair(value: Any) -> tuple[int, int]:
    """One number for both, or one for rows and one for columns."""
    parts = value if isinstance(value, tuple) else np.asarray(value).ravel().tolist()
    numbers = [int(np.asarray(part).ravel()[0]) for part in parts]
    return (numbers[0], numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _by_channel(where: str, values: Any, drive: LinearMap) -> Floats:
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


def neuron(
    name: str, node: Any, sources: tuple[str, ...], drive: LinearMap, decisions: Decisions
) -> FloatLayer:
    """The layer of a node of neurons; `drive` is what leads to it.

    Raises `InputError` for neurons that the chip has not.
    """
    kind = type(node).__name__
    where = f"NIR node {name} ({kind})"

    def of(field: str) -> NDArray[np.float64]:
        return _by_channel(where, getattr(node, field), drive)

    reset = getattr(node, "v_reset", None)
    if reset is not None and np.any(np.asarray(reset) != 0):
        raise InputError(
            f"{where}: resets to {np.asarray(reset).ravel()[0]:g}, the chip resets to 0"
        )
    features = drive.outputs[0]
    if kind == "Threshold":
        return FloatLayer(name, sources, drive, 0.0, of("threshold"), True)
    if kind == "IF":
        scaled = linear_map.scaled(drive, of("r"))
        return FloatLayer(name, sources, scaled, 1.0, of("v_threshold"), True)
    tau = of("tau")
    if np.any(tau != tau[0]):
        raise InputError(f"{where}: its neurons have several time constants, a layer here has one")
    share = decisions.dt / float(tau[0])
    if not 0 < share <= 1:
        raise InputError(f"{where}: dt {decisions.dt:g} s must be at most tau, {tau[0]:g} s")
    scaled = linear_map.scaled(drive, share * of("r"))
    leaking = LinearMap(
        scaled.weights, scaled.bias + share * of("v_leak"), scaled.window, scaled.inputs
    )
    spiking = kind == "LIF"
    threshold = of("v_threshold") if spiking else np.zeros(features)
    return FloatLayer(name, sources, leaking, 1 - share, threshold, spiking)
