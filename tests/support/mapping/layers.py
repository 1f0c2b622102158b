"""Single layers of random weights, and their plans."""

import numpy as np

from cosim.mapping.layer.tiling import Plan, plan_layer
from cosim.mapping.layer.weight_planes import plane_weights
from hw.spec import FULL_CHIP, ChipShape
from sw.common.checks import Shape
from sw.integer.network import IntegerLayer
from sw.model.config.layer import LayerKind

ALL = 1 << 20


def layer(
    kind: LayerKind, features: int, input_shape: Shape, *, pool: bool = False, seed: int = 0
) -> IntegerLayer:
    rng = np.random.default_rng(seed)
    fan_in = (input_shape[0], 3, 3) if kind == "conv" else (int(np.prod(input_shape)),)
    return IntegerLayer(
        name="layer",
        kind=kind,
        weights=2 * rng.integers(-8, 8, (features, *fan_in), dtype=np.int32) + 1,
        weight_bits=4,
        fraction_bits=0,
        threshold=np.ones(features, np.int64),
        bias=np.zeros(features, np.int64),
        leak=None,
        reset="zero",
        spiking=True,
        pool=pool,
        input_shape=input_shape,
    )


def plan(it: IntegerLayer, shape: ChipShape = FULL_CHIP, most: int = ALL) -> Plan:
    return plan_layer(it, plane_weights(it), shape, most)
