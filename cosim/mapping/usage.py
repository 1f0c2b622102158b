"""What a network takes of the chip, as a record: per layer and core; if streamed, its schedule."""

from collections.abc import Callable, Sequence

import numpy as np

from cosim.mapping.choose import Mapping
from cosim.mapping.streamed import LayerSchedule, Schedule
from cosim.program.core_image import CoreImage
from cosim.program.program import Program
from cosim.record.chip_facts import Chip, Grid, LayerUse, StreamedLayer
from hw.spec import ChipShape


def chip_record(mapping: Mapping) -> Chip:
    """The chip's size and what a network uses of it.

    Of a streamed one: what each layer takes while it is there, and each core's fullest use.
    """
    shape = mapping.shape
    if isinstance(mapping, Program):
        uses = utilisation(mapping)
        programs = [mapping]
        schedule = []
    else:
        uses = [_fullest_round(layer) for layer in mapping.layers]
        programs = [part.program for layer in mapping.layers for part in layer.rounds]
        schedule = [
            _streamed_layer(layer, use, mapping)
            for layer, use in zip(mapping.layers, uses, strict=True)
        ]
    return Chip(
        columns=shape.columns,
        rows=shape.rows,
        axons=shape.axons,
        dendrites=shape.dendrites,
        mapping="streamed" if schedule else "resident",
        layers=uses,
        schedule=schedule,
        neurons=_fullest(programs, shape, lambda core: core.neurons),
        synapses=_fullest(programs, shape, lambda core: int(np.count_nonzero(core.synapses))),
    )


def utilisation(program: Program) -> list[LayerUse]:
    """What each layer of a resident network takes of the chip; the relays of branches come last."""
    images = {core.number: core for core in program.cores}
    uses = []
    for layer in program.layers:
        numbers = np.unique(layer.core).tolist()
        uses.append(_layer_use(layer.name, [images.pop(number) for number in numbers]))
    relays = list(images.values())
    return [*uses, _layer_use("relays", relays)] if relays else uses


def _layer_use(name: str, cores: Sequence[CoreImage]) -> LayerUse:
    """What these cores, a layer's, take of the chip."""
    return LayerUse(
        layer=name,
        cores=len(cores),
        neurons=sum(core.neurons for core in cores),
        dendrites=sum(core.neurons * core.pages * core.planes for core in cores),
        axons=sum(int(core.synapses.any(axis=(1, 2)).sum()) for core in cores),
        synapses=sum(int(core.synapses.sum()) for core in cores),
    )


def _fullest_round(layer: LayerSchedule) -> LayerUse:
    rounds = [_layer_use(layer.layer.name, part.program.cores) for part in layer.rounds]
    return max(rounds, key=lambda use: use.dendrites)


def _streamed_layer(layer: LayerSchedule, use: LayerUse, schedule: Schedule) -> StreamedLayer:
    windows, parts = layer.windows, layer.rounds
    slots = len(parts[0].slots)
    return StreamedLayer(
        layer=layer.layer.name,
        tile=(windows.height, windows.width),
        tiles=windows.tiles,
        cores_per_tile=max(len(part.groups) for part in parts),
        slots=slots,
        rounds=len(parts),
        passes=len(parts) * windows.tiles / slots,
        rows=layer.rows * schedule.timesteps,
        cycles=layer.cycles(schedule.timesteps),
        dendrites=use.dendrites / use.cores,
        fullest_core=max(
            core.neurons * core.planes * core.pages for part in parts for core in part.program.cores
        ),
    )


def _fullest(programs: list[Program], shape: ChipShape, use: Callable[[CoreImage], int]) -> Grid:
    """Each core's use, [mesh row][mesh column], in the program in which it has most."""
    grid = np.zeros((shape.rows, shape.columns), np.int64)
    for program in programs:
        for core in program.cores:
            grid[core.y, core.x] = max(grid[core.y, core.x], use(core))
    return [[int(value) for value in row] for row in grid]
