"""A layer's weights as planes of one-bit synapses.

Eq. 13 with K bits has the codes w = 2 i - (2^K - 1), i = 0 .. 2^K - 1: odd integers. The bits of i
are K synapses of weights 2^K .. 4, 2, and one more synapse says that the axon is connected at all
and has the weight -(2^K - 1). Two's complement of K bits has K synapses: 2^(K-2) .. 2, 1 and, for
the sign, -2^(K-1), if any weight is negative. An axon that is not connected has no synapse in any
plane.
"""

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.layer.tiling import Plan, Seen, Tile
from hw.spec import MAX_PLANES, PLANE_WEIGHT_BITS, ChipShape
from sw.common.errors import InputError
from sw.integer.arm import Arm
from sw.integer.network import IntegerLayer
from sw.model.geometry import Span


def plane_weights(layer: IntegerLayer) -> tuple[int, ...]:
    """Weights of the K + 1 planes, fraction bits included: (16, 8, 4, 2, -15) << f for K = 4.

    Raises `InputError` where the registers cannot hold them.
    """
    bits, fraction = layer.weight_bits, layer.fraction_bits
    odd = layer.code == "odd"
    powers = range(bits, 0, -1) if odd else range(bits - 2, -1, -1)
    weights = [1 << power + fraction for power in powers]
    if odd or _signed(layer):
        weights.append(-((1 << bits) - 1 if odd else 1 << bits - 1) << fraction)
    if len(weights) > MAX_PLANES:
        raise InputError(
            f"layer {layer.name} needs {len(weights)} planes for weights of {bits} bits, "
            f"a core has {MAX_PLANES}: use {MAX_PLANES - 1} bits or fewer"
        )
    most = (1 << (PLANE_WEIGHT_BITS - 1)) - 1
    if max(weights) > most or min(weights) < -most - 1:
        raise InputError(
            f"layer {layer.name} needs plane weights up to {max(map(abs, weights))} "
            f"({bits} bits and {fraction} fraction bits), a core's registers hold {most}"
        )
    return tuple(weights)


def synapses(plan: Plan, tile: Tile, group: Span, shape: ChipShape) -> NDArray[np.bool_]:
    """A core's synapses, bool [pages, neurons, planes, axons]."""
    codes = _codes(plan.layer, tile, group)
    neurons, used = codes.shape
    every = np.zeros((neurons, plan.pages * shape.axons), np.int32)
    every[:, :used] = codes
    connected = every != 0
    bits = plan.layer.weight_bits
    if plan.layer.code == "odd":
        level = (every + (1 << bits) - 1) >> 1
        planes = [level >> bit & 1 & connected for bit in reversed(range(bits))]
        planes.append(connected)
    else:
        sign = [bits - 1] if _signed(plan.layer) else []
        planes = [every >> bit & 1 for bit in (*reversed(range(bits - 1)), *sign)]
    rows = np.stack(planes, axis=1).astype(np.bool_)
    rows = rows.reshape(neurons, len(plan.plane_weights), plan.pages, shape.axons)
    return rows.transpose(2, 0, 1, 3)


def _signed(layer: IntegerLayer) -> bool:
    """Whether two's complement of this layer needs its sign; of 1 bit that is all there is."""
    return layer.weight_bits == 1 or any(bool((arm.weights < 0).any()) for arm in layer.arms)


def _codes(layer: IntegerLayer, tile: Tile, group: Span) -> NDArray[np.int32]:
    """Weight codes int32 [neurons, axons of the tile]; 0, which is no code: not connected."""
    pairs = zip(layer.arms, tile.seen, strict=True)
    arms = [_arm_codes(arm, seen, tile, group) for arm, seen in pairs]
    return arms[0] if len(arms) == 1 else np.concatenate(arms, axis=1)


def _arm_codes(arm: Arm, seen: Seen, tile: Tile, group: Span) -> NDArray[np.int32]:
    """Those of one arm."""
    weights, window = arm.weights[slice(*group)], arm.window
    if window is None:
        return weights
    rows, columns = np.arange(*tile.rows), np.arange(*tile.columns)
    first_row, first_column = seen.rows[0], seen.columns[0]
    inputs = seen.rows[1] - first_row, seen.columns[1] - first_column
    codes = np.zeros((len(weights), len(rows), len(columns), arm.input_shape[0], *inputs), np.int32)
    for down, across in np.ndindex(weights.shape[2:]):
        row = window.rows.input_under(rows, down) - first_row
        column = window.columns.input_under(columns, across) - first_column
        y = np.flatnonzero((row >= 0) & (row < inputs[0]))[:, None]  # the others are the padding
        x = np.flatnonzero((column >= 0) & (column < inputs[1]))
        codes[:, y, x, :, row[y], column[x]] = weights[:, :, down, across]
    return codes.reshape(len(weights) * len(rows) * len(columns), -1)
