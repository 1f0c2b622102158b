"""Which layers of a network run on the chip, what is streamed into them, and what it counts.

Direct encoding gives pixels: its first layer runs on the host. Rate, phase and latency give spikes,
and all layers run on the chip. In phase encoding a spike of step k counts 2^(7 - k mod 8): the
first layer's plane weights are written before every tick, shifted left by so much.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cosim.program.program import Rectangle, rectangles
from hw.spec import FLIT, PLANE_WEIGHT_BITS, Kind, Region, Register
from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.integer import inference
from sw.integer.network import Feeds, IntegerLayer, IntegerNetwork
from sw.model.config.inputs import PHASED, PHASES

WORD_MASK = (1 << PLANE_WEIGHT_BITS) - 1


def chip_layers(network: IntegerNetwork) -> tuple[IntegerLayer, ...]:
    """The layers that run on the chip."""
    return network.layers[1:] if network.encoding == "direct" else network.layers


def chip_feeds(network: IntegerNetwork) -> tuple[Feeds, ...]:
    """Where each of their arms takes its inputs from: 0 what is streamed in, n + 1 the n-th."""
    if network.encoding != "direct":
        return network.feeds
    return tuple(
        tuple(tuple(feed - 1 for feed in arm) for arm in arms) for arms in network.feeds[1:]
    )


def chip_input_shape(network: IntegerNetwork) -> Shape:
    """C, H, W of what is streamed into them."""
    return network.layers[0].pooled_shape if network.encoding == "direct" else network.input_shape


def chip_inputs(network: IntegerNetwork, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What is streamed into them for images, uint8 [B, C, H, W]: bool [T, B, C, H, W].

    Of a network that takes spikes, `images` are these: uint8 [B, T, C, H, W].
    """
    if network.encoding == "direct":
        return inference.host_spikes(network, images)
    return inference.input_spikes(network, images)


def timestep_writes(
    network: IntegerNetwork, layer: IntegerLayer, weights: tuple[int, ...], cores: Iterable[int]
) -> tuple[NDArray[np.uint64], ...]:
    """WRITE flits (uint64 [n]) that `cores`, which hold this layer, need before each tick.

    None, where nothing changes. Raises `InputError` where the registers cannot hold the largest.
    """
    if network.encoding not in PHASED or layer is not network.layers[0]:
        return ()
    most = max(weights) << (PHASES - 1)
    if most >> (PLANE_WEIGHT_BITS - 1):
        raise InputError(
            f"layer {layer.name} needs plane weights up to {most} for the first of {PHASES} phases,"
            f" a core's registers hold {(1 << (PLANE_WEIGHT_BITS - 1)) - 1}"
        )
    boxes = rectangles(frozenset(cores))
    shifts = [PHASES - 1 - step % PHASES for step in range(network.timesteps)]
    return tuple(
        np.array(
            [
                _write(plane, weight << shift, box)
                for box in boxes
                for plane, weight in enumerate(weights)
            ],
            np.uint64,
        )
        for shift in shifts
    )


def _write(plane: int, weight: int, box: Rectangle) -> int:
    x0, y0, x1, y1 = box
    flit: int = FLIT.pack(
        kind=int(Kind.WRITE),
        region=int(Region.REGISTER),
        offset=Register.PLANE_WEIGHT + plane,
        data=weight & WORD_MASK,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
    )
    return flit
