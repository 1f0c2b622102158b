"""Resident mapping: a whole integer network on the chip, spikes travelling from core to core.

Branches meet by relays (`cosim.mapping.layer.relays`). Each layer is cut into cores
(`cosim.mapping.layer.tiling`), the cores get a place (`cosim.mapping.layer.placement`), synapses
(`cosim.mapping.layer.weight_planes`) and destinations (`cosim.mapping.layer.routes`).
docs/mapping.md tells it in one walk.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.host_layers import chip_feeds, chip_input_shape, chip_layers, timestep_writes
from cosim.mapping.layer.neurons import neuron_settings
from cosim.mapping.layer.placement import place
from cosim.mapping.layer.relays import Pipeline, Stage, pipeline
from cosim.mapping.layer.routes import Arrivals, FanOut, Routes, arrivals, no_fan_out
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

Tiles = list[tuple[int, ...]]  # core numbers of each of a layer's tiles


def map_network(network: IntegerNetwork, shape: ChipShape = FULL_CHIP) -> Program:
    """The program that runs the chip's layers of a network (`cosim.mapping.host_layers`).

    A layer whose spikes have come through l layers is active in ticks l .. l + T - 1. The output
    layer never fires. As long as no membrane saturates, the chip does exactly what
    `sw.integer.inference` computes.

    Raises:
        InputError: a layer does not fit, and the message names it and the resource that it lacks.
    """
    every = pipeline(chip_layers(network), chip_feeds(network), chip_input_shape(network))
    plans, places = _fit(every, shape)
    routes = _routes(every, plans, places, shape)
    cores: list[CoreImage] = []
    layers: list[LayerMap] = []
    for stage, plan, tiles, onwards in zip(every.stages, plans, places, routes[1:], strict=True):
        made, where = _cores(stage, plan, tiles, onwards, network.timesteps, shape)
        cores += made
        if not stage.relay:
            layers.append(where)
    assert routes[0] is not None
    first = [number for tile in places[0] for number in tile]
    return Program(
        shape,
        tuple(cores),
        tuple(layers),
        routes[0].input_map(),
        network.timesteps,
        timestep_writes(network, plans[0].layer, plans[0].plane_weights, first),
    )


def _cores(
    stage: Stage,
    plan: Plan,
    tiles: Tiles,
    onwards: Routes | None,
    timesteps: int,
    shape: ChipShape,
) -> tuple[list[CoreImage], LayerMap]:
    """The cores of a layer, and where its neurons are; the host is told of no relay's spikes."""
    layer, delay = stage.layer, stage.delay
    core_of, neuron_of = np.full((2, math.prod(layer.output_shape)), -1)
    cores = []
    for tile, numbers in zip(plan.tiles, tiles, strict=True):
        for group, number in zip(plan.groups, numbers, strict=True):
            here = sites(layer, tile, group)
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
                    first_tick=delay,
                    last_tick=delay + timesteps,
                    trace=not stage.relay,
                    **neuron_settings(layer, here),
                    **_fan_out(layer, here, onwards),
                )
            )
    core, neuron = (each.reshape(layer.output_shape) for each in (core_of, neuron_of))
    return cores, LayerMap(layer.name, delay, core, neuron)


def _fan_out(layer: IntegerLayer, here: NDArray[np.int64], onwards: Routes | None) -> FanOut:
    """Where the neurons at these sites send their spikes; the last layer's send none."""
    if onwards is not None:
        return onwards.fan_out(pooled(layer, here))
    return no_fan_out(len(here))


def _routes(
    every: Pipeline, plans: Sequence[Plan], places: Sequence[Tiles], shape: ChipShape
) -> list[Routes | None]:
    """Of what is streamed in, then of each stage; None: nothing takes its spikes."""
    channels = every.channels
    parts: list[list[Arrivals]] = [[] for _ in channels]
    for stage, plan, tiles in zip(every.stages, plans, places, strict=True):
        for feeds, where in zip(stage.feeds, arrivals(plan, tiles), strict=True):
            first = 0
            for feed in feeds:
                parts[feed].append(where.of_channels(first, channels[feed]))
                first += channels[feed]
    return [Routes(each, shape) if each else None for each in parts]


# ---------------------------------------------------------------- the fit
def _fit(every: Pipeline, shape: ChipShape) -> tuple[list[Plan], list[Tiles]]:
    """Plans and places that respect the chip's cores and its cores' fan-out tables.

    A layer's fan-out depends on the tiles of those that take its spikes and where they are. So plan
    and place as if it were free; where a core then has too many entries, try again with fewer
    neurons a core. One neuron always fits: each arm takes no more entries than there are cores.
    """
    layers = [stage.layer for stage in every.stages]
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
        routes = _routes(every, plans, places, shape)[1:]
        for index, (plan, onwards) in enumerate(zip(plans, routes, strict=True)):
            entries = _most_entries(plan, onwards)
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


def _most_entries(plan: Plan, onwards: Routes | None) -> int:
    """Fan-out entries of the fullest core."""
    if onwards is None:
        return 0
    return max(
        onwards.entries(pooled(plan.layer, sites(plan.layer, tile, group)))
        for tile in plan.tiles
        for group in plan.groups
    )
