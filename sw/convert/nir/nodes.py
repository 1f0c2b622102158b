"""NIR's nodes one by one: what each does to a linear map, or which neurons it stands for."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.convert import linear_map
from sw.convert.convolution import by_channel, by_neuron, convolution, window_of
from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatArm, FloatLayer
from sw.convert.linear_map import Floats, LinearMap


def connect(where: str, node: Any, before: LinearMap, *, first: bool) -> LinearMap:
    """What a linear node makes of what leads to it from the first source, or from another one.

    Its bias is added once, with the first.
    """
    kind = type(node).__name__
    if kind == "Flatten":
        return before
    if kind == "Scale":
        return linear_map.scaled(before, by_channel(where, node.scale, before))
    if kind in ("SumPool2d", "AvgPool2d"):
        window = window_of(where, node.kernel_size, node.stride, node.padding)
        return linear_map.pooled(where, before, window, average=kind == "AvgPool2d")
    weights = np.asarray(node.weight, np.float64)
    bias = np.zeros(len(weights)) if getattr(node, "bias", None) is None else node.bias
    bias = np.broadcast_to(np.asarray(bias, np.float64).ravel(), (len(weights),)) * first
    if kind in ("Linear", "Affine"):
        if weights.ndim != 2:
            raise InputError(f"{where}: weights of {weights.shape}, must be [out, in]")
        return linear_map.connected(where, before, weights, bias)
    whole, window = convolution(where, node, weights, before.outputs[0])
    return linear_map.convolved(where, before, whole, bias, window)


def neuron(name: str, node: Any, arms: tuple[FloatArm, ...], decisions: Decisions) -> FloatLayer:
    """The layer of a node of neurons; `arms` are what leads to it.

    Raises `InputError` for neurons that the chip has not.
    """
    kind = type(node).__name__
    where = f"NIR node {name} ({kind})"
    drive = arms[0].drive

    def of(field: str) -> NDArray[np.float64]:
        return by_channel(where, getattr(node, field), drive)

    reset = getattr(node, "v_reset", None)
    if reset is not None and np.any(np.asarray(reset) != 0):
        raise InputError(
            f"{where}: resets to {np.asarray(reset).ravel()[0]:g}, the chip resets to 0"
        )
    spiking = kind != "LI"
    field = "threshold" if kind == "Threshold" else "v_threshold"
    threshold = np.zeros(drive.outputs[0])
    if spiking:
        threshold = by_neuron(where, getattr(node, field), drive)
    keep, gain, bias = 1.0, np.ones(drive.outputs[0]), drive.bias
    if kind == "Threshold":
        keep = 0.0
    elif kind == "IF":
        gain, threshold = _gain(where, node, drive, threshold)
        bias = drive.bias * gain
    else:
        share = _share(where, of("tau"), decisions)
        gain, threshold = _gain(where, node, drive, threshold)
        keep, gain, bias = 1 - share, share * gain, share * (drive.bias * gain + of("v_leak"))
    scaled = [replace(arm, drive=linear_map.scaled(arm.drive, gain)) for arm in arms]
    first, *beside = scaled[0].with_bias(bias), *scaled[1:]
    return FloatLayer(
        name,
        first.sources,
        first.drive,
        keep,
        threshold,
        spiking,
        decisions.reset,
        decisions.fires,
        beside=tuple(beside),
    )


def _share(where: str, tau: Floats, decisions: Decisions) -> float:
    """What a step takes of the way to rest."""
    if np.any(tau != tau[0]):
        raise InputError(f"{where}: its neurons have several time constants, a layer here has one")
    share = decisions.dt / float(tau[0])
    if not 0 < share <= 1:
        raise InputError(f"{where}: dt {decisions.dt:g} s must be at most tau, {tau[0]:g} s")
    return share


def _gain(where: str, node: Any, drive: LinearMap, threshold: Floats) -> tuple[Floats, Floats]:
    """What an input counts by channel, r, and the thresholds.

    Where r differs within a channel, membranes are counted in units of it: the gain is 1 and each
    threshold is divided by its r, which must be above 0, and v_leak 0.
    """
    gain = by_neuron(where, node.r, drive)
    if gain.ndim == 1:
        return gain, threshold
    rest = getattr(node, "v_leak", 0)
    if np.any(gain <= 0) or np.any(np.asarray(rest) != 0) or type(node).__name__ == "LI":
        raise InputError(f"{where}: neurons of one channel have different r, and v_leak or r <= 0")
    each = threshold if threshold.ndim == 3 else threshold[:, None, None]
    return np.ones(drive.outputs[0]), each / gain
