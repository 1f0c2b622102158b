"""The integer network in plain numpy, step by step and weight by weight: the oracle."""

import numpy as np
from numpy.typing import NDArray

from sw.integer.arm import Arm
from sw.integer.network import INPUT, IntegerLayer, IntegerNetwork

Numbers = NDArray[np.int64]


def run(network: IntegerNetwork, image: NDArray[np.uint8]) -> tuple[dict[str, Numbers], list[int]]:
    """All spikes, [T, C, H, W] by layer, of one input [T, C, H, W]; and the output's membranes."""
    v = {layer.name: np.zeros(layer.output_shape, np.int64) for layer in network.layers}
    fired: dict[str, list[Numbers]] = {layer.name: [] for layer in network.layers}
    given: dict[str, Numbers] = {
        layer.name: np.zeros(layer.pooled_shape, np.int64) for layer in network.layers
    }
    for spikes in image.astype(np.int64):
        given[INPUT], before = spikes, INPUT
        for layer in network.layers:
            added = sum(
                _summed(arm, np.concatenate([given[name] for name in arm.sources or (before,)]))
                for arm in layer.arms
            )
            fires = _step(layer, np.asarray(added), v)
            fired[layer.name].append(fires)
            given[layer.name], before = _pooled(layer, fires), layer.name
    output = network.layers[-1].name
    return {name: np.stack(each) for name, each in fired.items()}, v[output].ravel().tolist()


def _step(layer: IntegerLayer, added: Numbers, v: dict[str, Numbers]) -> Numbers:
    now = v[layer.name]
    leaked = 0 if layer.leak is None else now >> layer.leak
    now = now - leaked + (added << layer.fraction_bits) + _each(layer.bias)
    fires = (now >= _each(layer.threshold)) & layer.spiking
    if layer.reset == "zero":
        now = np.where(fires, 0, now)
    elif layer.reset == "subtract":
        now = now - fires * _each(layer.threshold)
    v[layer.name] = now
    return np.asarray(fires, np.int64)


def _each(values: Numbers) -> Numbers:
    return values if values.ndim == 3 else values[:, None, None]


def _pooled(layer: IntegerLayer, fires: Numbers) -> Numbers:
    if not layer.pool:
        return fires
    channels, height, width = fires.shape
    found: Numbers = fires.reshape(channels, height // 2, 2, width // 2, 2).max((2, 4))
    return found


def _summed(arm: Arm, inputs: Numbers) -> Numbers:
    """Weights times inputs [C, H, W], weight by weight."""
    window = arm.window
    if window is None:
        return (arm.weights.astype(np.int64) @ inputs.ravel())[:, None, None]
    (p, q), (s, t) = (
        (window.rows.padding, window.columns.padding),
        (window.rows.stride, window.columns.stride),
    )
    padded = np.pad(inputs, ((0, 0), (p, p), (q, q)))
    _, high, wide = arm.output_shape
    total = np.zeros(arm.output_shape, np.int64)
    for down, across in np.ndindex(arm.weights.shape[2:]):
        seen = padded[
            :, down : down + (high - 1) * s + 1 : s, across : across + (wide - 1) * t + 1 : t
        ]
        total += np.einsum("oc,cyx->oyx", arm.weights[:, :, down, across], seen)
    return total
