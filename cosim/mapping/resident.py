"""Resident mapping: a whole integer network on the chip, spikes travelling from core to core.

Each layer is cut into cores (`cosim.mapping.layer.tiling`), the cores get a place
(`cosim.mapping.layer.placement`), synapses (`cosim.mapping.layer.weight_planes`) and destinations
(`cosim.mapping.layer.routes`). docs/mapping.md tells it in one walk.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.host_layers import chip_layers, timestep_writes
from cosim.mapping.layer.neurons import neuron_settings, no_fan_out
from cosim.mapping.layer.placement import place
from cosim.mapping.layer.routes import Routes
from cosim.mapping.layer.tiling import Plan, plan_layer, pooled, sites
from cosim.mapping.layer.weight_planes import plane_weights, synapses
from cosim.program.core_image import CoreImage, core_xy
from cosim.program.program import LayerMap, Program
from hw.spec import (
    FANOUT_ENTRIES,
    FULL_CHIP,
    ChipShape,
)
from sw.common.errors import InputError
from sw.integer.network import IntegerLayer, IntegerNetwork

Places = list[list[tuple[int, ...]]]  # core numbers of each layer's each tile


def map_network(network: IntegerNetwork, shape: ChipShape = FULL_CHIP) -> Program:
    """The program that runs the chip's layers of a network (`cosim.mapping.host_layers`).

    Chip layer l = 0, 1 .. is active in ticks l .. l + T - 1. The output layer never fires. As long
    as no membrane saturates, the chip does exactly what `sw.integer.inference` computes.

    Raises:
        InputError: a layer does not fit, and the message names it and the resource that it lacks;
            or the network is no chain of layers.
    """
    if not network.chain:
        raise InputError(
            f"network {network.name}: has branches, which run streamed, a layer at a time"
        )
    plans, places = _fit(chip_layers(network), shape)
    routes = [Routes(plan, tiles, shape) for plan, tiles in zip(plans, places, strict=True)]
    cores: list[CoreImage] = []
    layers: list[LayerMap] = []
    for delay, (plan, tiles) in enumerate(zip(plans, places, strict=True)):
        onwards = routes[delay + 1] if delay + 1 < len(routes) else None
        window: dict[str, Any] = {"first_tick": delay, "last_tick": delay + network.timesteps}
        core_of, neuron_of = np.full((2, math.prod(plan.layer.output_shape)), -1)
        for tile, numbers in zip(plan.tiles, tiles, strict=True):
            for group, number in zip(plan.groups, numbers, strict=True):
                here = sites(plan.layer, tile, group)
                core_of[here], neuron_of[here] = number, np.arange(len(here))
                x, y = core_xy(number)
                cores.append(
                    CoreImage(
                        x=x,
                        y=y,
                        planes=len(plan.plane_weights),
                        plane_weights=plan.plane_weights,
                        pages=plan.pages,
                        synapses=synapses(plan, tile, group, shape),
                        trace=True,
                        **window,
                        **neuron_settings(plan.layer, _channels(plan.layer, here)),
                        **_fan_out(plan.layer, here, onwards),
                    )
                )
        of_shape = (each.reshape(plan.layer.output_shape) for each in (core_of, neuron_of))
        layers.append(LayerMap(plan.layer.name, delay, *of_shape))
    first = [number for tile in places[0] for number in tile]
    return Program(
        shape,
        tuple(cores),
        tuple(layers),
        routes[0].input_map(),
        network.timesteps,
        timestep_writes(network, plans[0].layer, plans[0].plane_weights, first),
    )


def _fan_out(
    layer: IntegerLayer, here: NDArray[np.int64], onwards: Routes | None
) -> dict[str, Any]:
    """Where the neurons at these sites send their spikes; the last layer's send none."""
    if onwards is not None:
        return onwards.fan_out(pooled(layer, here))
    return no_fan_out(len(here))


def _channels(layer: IntegerLayer, here: NDArray[np.int64]) -> NDArray[np.int64]:
    """Output channels of the neurons at these sites."""
    return here // math.prod(layer.output_shape[1:])


# ---------------------------------------------------------------- the fit
def _fit(layers: Sequence[IntegerLayer], shape: ChipShape) -> tuple[list[Plan], Places]:
    """Plans and places that respect the chip's cores and its cores' fan-out tables.

    A layer's fan-out depends on the tiles of the next one and where they are. So plan and place as
    if it were free; where a core then has too many entries, try again with fewer neurons a core.
    One neuron always fits: it has no more entries than there are cores.
    """
    weights = [plane_weights(layer) for layer in layers]
    most = [shape.dendrites] * len(layers)
    while True:
        plans = [
            plan_layer(layer, planes, shape, limit)
            for layer, planes, limit in zip(layers, weights, most, strict=True)
        ]
        _check_cores(plans, shape)
        places = place([[len(plan.groups)] * len(plan.tiles) for plan in plans], shape)
        crowded = False
        for index, plan in enumerate(plans[:-1]):
            entries = _most_entries(plan, Routes(plans[index + 1], places[index + 1], shape))
            if entries > FANOUT_ENTRIES:
                crowded = True
                most[index] = min(plan.largest - 1, plan.largest * FANOUT_ENTRIES // entries)
        if not crowded:
            return plans, places


def _check_cores(plans: Sequence[Plan], shape: ChipShape) -> None:
    left = shape.cores
    for plan in plans:
        if plan.cores > left:
            everything = ", ".join(f"{plan.layer.name} {plan.cores}" for plan in plans)
            raise InputError(
                f"layer {plan.layer.name} needs {plan.cores} cores and {left} of the chip's "
                f"{shape.cores} are left (in all {sum(plan.cores for plan in plans)}: {everything})"
            )
        left -= plan.cores


def _most_entries(plan: Plan, onwards: Routes) -> int:
    """Fan-out entries of the fullest core."""
    return max(
        onwards.entries(pooled(plan.layer, sites(plan.layer, tile, group)))
        for tile in plan.tiles
        for group in plan.groups
    )
