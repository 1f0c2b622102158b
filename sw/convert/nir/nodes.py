"""NIR's nodes one by one: what each does to a linear map, or which neurons it stands for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.convert import linear_map
from sw.convert.convolution import by_channel, convolution, window_of
from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer
from sw.convert.linear_map import Floats, LinearMap


def connect(where: str, node: Any, before: LinearMap) -> LinearMap:
    """What a linear node makes of what leads to it."""
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
    bias = np.broadcast_to(np.asarray(bias, np.float64).ravel(), (len(weights),))
    if kind in ("Linear", "Affine"):
        if weights.ndim != 2:
            raise InputError(f"{where}: weights of {weights.shape}, must be [out, in]")
        return linear_map.connected(where, before, weights, bias)
    whole, window = convolution(where, node, weights, before.outputs[0])
    return linear_map.convolved(where, before, whole, bias, window)


def neuron(
    name: str, node: Any, sources: tuple[str, ...], drive: LinearMap, decisions: Decisions
) -> FloatLayer:
    """The layer of a node of neurons; `drive` is what leads to it.

    Raises `InputError` for neurons that the chip has not.
    """
    kind = type(node).__name__
    where = f"NIR node {name} ({kind})"

    def of(field: str) -> NDArray[np.float64]:
        return by_channel(where, getattr(node, field), drive)

    def made(
        drive: LinearMap, keep: float, threshold: Floats, *, spiking: bool = True
    ) -> FloatLayer:
        reset, fires = decisions.reset, decisions.fires
        return FloatLayer(name, sources, drive, keep, threshold, spiking, reset, fires)

    reset = getattr(node, "v_reset", None)
    if reset is not None and np.any(np.asarray(reset) != 0):
        raise InputError(
            f"{where}: resets to {np.asarray(reset).ravel()[0]:g}, the chip resets to 0"
        )
    features = drive.outputs[0]
    if kind == "Threshold":
        return made(drive, 0.0, of("threshold"))
    if kind == "IF":
        scaled = linear_map.scaled(drive, of("r"))
        return made(scaled, 1.0, of("v_threshold"))
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
    return made(leaking, 1 - share, threshold, spiking=spiking)
