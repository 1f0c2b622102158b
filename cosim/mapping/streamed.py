"""Streamed mapping: one layer at a time on the chip, all tiles of all images streamed through it.

The weights of a layer (or of as many of its output channels as the chip holds: a *round*) are
loaded once. The cores that together do one tile are a *slot*; a *pass* does as many tiles as there
are slots, of one image or of several. docs/mapping.md tells it in one walk.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.host_layers import chip_feeds, chip_layers, timestep_writes
from cosim.mapping.layer.neurons import neuron_settings
from cosim.mapping.layer.placement import place_alike
from cosim.mapping.layer.routes import no_fan_out
from cosim.mapping.layer.tiling import Plan, sites, spans
from cosim.mapping.layer.weight_planes import plane_weights, synapses
from cosim.mapping.layer.windows import Windows, all_windows
from cosim.program.core_image import CoreImage, core_xy
from cosim.program.program import Program
from hw.spec import AXON_WORD_BITS, FULL_CHIP, GROUP_BITS, MAX_PAGES, ChipShape
from sw.common.errors import InputError
from sw.integer.network import Feeds, IntegerLayer, IntegerNetwork
from sw.model.geometry import Span

FLIT_AXONS = 1 << GROUP_BITS  # of which one flit brings the spikes
Slot = tuple[int, ...]  # core numbers, one for each group of output channels


@dataclass(frozen=True, eq=False)
class Round:
    """The `groups` of output channels that are on the chip at once, once in every slot.

    Attributes:
        lead: slots of the first pass that stay empty, so that with noise a tile is done by the same
            slot, with the same LFSRs, wherever a run begins.
    """

    windows: Windows
    groups: tuple[Span, ...]
    slots: tuple[Slot, ...]
    program: Program
    lead: int = 0

    def seats(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where each tile of some images is done, int64 [n tiles]: pass * slots + slot.

        `numbers` (int64 [n], none twice) are the images' in their block, counted from the first of
        the run: a tile's slot follows from its image's number, whichever others are there. A pass
        in which nothing would be done is left out.
        """
        tiles = np.arange(self.windows.tiles)
        place = self.lead + (numbers[:, None] * len(tiles) + tiles).ravel()
        number, slot = np.divmod(place, len(self.slots))
        _, taken = np.unique(number, return_inverse=True)
        return np.asarray(taken * len(self.slots) + slot, np.int64)

    def passes(self, seats: NDArray[np.int64]) -> int:
        """Runs of the chip that these take."""
        return int(seats.max()) // len(self.slots) + 1

    def behind(self, images: int) -> "Round":
        """See `LayerSchedule.behind`."""
        return replace(self, lead=images * self.windows.tiles % len(self.slots))


@dataclass(frozen=True, eq=False)
class LayerSchedule:
    """A layer as rounds, and what they cost.

    Attributes:
        feeds: where the inputs of its arms come from: 0 what is streamed into the chip, n + 1 the
            n-th layer.
        rows: dendrite rows of one image in one time step, all of its tiles.
        cycles_per_tick: clock cycles expected of the rounds' ticks together, input included, if
            there is a spike in every group of FLIT_AXONS axons.
    """

    layer: IntegerLayer
    feeds: Feeds
    windows: Windows
    rounds: tuple[Round, ...]
    rows: int
    cycles_per_tick: int

    def cycles(self, timesteps: int) -> float:
        """Expected clock cycles of one image among many."""
        slots = len(self.rounds[0].slots)
        return self.windows.tiles / slots * timesteps * self.cycles_per_tick

    def behind(self, images: int) -> "LayerSchedule":
        """The same for images that come behind so many others of their block."""
        return replace(self, rounds=tuple(part.behind(images) for part in self.rounds))


@dataclass(frozen=True, eq=False)
class Schedule:
    """A network's layers on the chip, one after the other."""

    shape: ChipShape
    timesteps: int
    layers: tuple[LayerSchedule, ...]


@dataclass(frozen=True)
class _Cut:
    """A way to do a layer: its windows, pages, and all groups of output channels by round."""

    windows: Windows
    pages: int
    rounds: tuple[tuple[Span, ...], ...]
    slots: int
    cycles_per_tick: int

    @property
    def order(self) -> tuple[float, int, int]:
        """The fewest cycles per image; then the fewest tiles, so the fewest copies of spikes."""
        cycles = self.windows.tiles * self.cycles_per_tick / self.slots
        return cycles, self.windows.tiles, sum(map(len, self.rounds))


def schedule_network(network: IntegerNetwork, shape: ChipShape = FULL_CHIP) -> Schedule:
    """The rounds that run the chip's layers of a network (`cosim.mapping.host_layers`).

    Raises:
        InputError: a layer does not fit; the message names it and the resource that it lacks. Or it
            is recurrent.
    """
    for layer in network.layers:
        if layer.recurrent:
            raise InputError(
                f"layer {layer.name} is recurrent: its spikes come back a tick later, so it must"
                " be on the chip with all others, not streamed"
            )
    layers = tuple(
        _schedule(network, layer, feeds, shape)
        for layer, feeds in zip(chip_layers(network), chip_feeds(network), strict=True)
    )
    return Schedule(shape, network.timesteps, layers)


def _schedule(
    network: IntegerNetwork, layer: IntegerLayer, feeds: Feeds, shape: ChipShape
) -> LayerSchedule:
    weights = plane_weights(layer)
    cuts = list(_cuts(layer, len(weights), shape))
    if not cuts:
        raise InputError(_why_none_fits(layer, len(weights), shape))
    cut = min(cuts, key=lambda cut: cut.order)
    rounds = tuple(_round(network, layer, cut, groups, weights, shape) for groups in cut.rounds)
    pages = -(-cut.windows.axons // shape.axons)
    rows = math.prod(layer.output_shape) * len(weights) * pages
    return LayerSchedule(layer, feeds, cut.windows, rounds, rows, cut.cycles_per_tick)


def _cuts(layer: IntegerLayer, planes: int, shape: ChipShape) -> Iterator[_Cut]:
    """All windows and numbers of groups that fit."""
    for windows in all_windows(layer):
        pages = windows.pages(shape)
        if pages is None or not (layer.by_channel or windows.tiles == 1):
            continue  # all tiles of a slot have the same thresholds
        channels = shape.dendrites // (planes * pages) // windows.pixels
        if not channels:
            continue
        fewest = -(-layer.features // channels)
        for count in range(fewest, max(fewest, min(layer.features, shape.cores)) + 1):
            groups = tuple(spans(layer.features, count))
            in_rounds = -(-count // shape.cores)
            rounds = tuple(groups[a:b] for a, b in spans(count, in_rounds))
            slots = shape.cores // max(map(len, rounds))
            cycles = sum(_cycles(windows, part, slots, shape) for part in rounds)
            yield _Cut(windows, pages, rounds, slots, cycles)


def _cycles(windows: Windows, groups: Sequence[Span], slots: int, shape: ChipShape) -> int:
    """A tick's cycles: the fullest port plays its slots' spikes, a flit and so a group of axons a
    cycle; then in the fullest core axons are fetched and neurons pass, page by page."""
    pages = -(-windows.axons // shape.axons)  # a core may have more, but those are silent
    neurons = max(end - start for start, end in groups) * windows.pixels
    flits = -(-slots // shape.rows) * -(-windows.axons // FLIT_AXONS)
    return flits + pages * (shape.axons // AXON_WORD_BITS + neurons)


def _round(
    network: IntegerNetwork,
    layer: IntegerLayer,
    cut: _Cut,
    groups: tuple[Span, ...],
    weights: tuple[int, ...],
    shape: ChipShape,
) -> Round:
    slots = tuple(place_alike(len(groups), cut.slots, shape))
    tile = cut.windows.tile
    plan = Plan(layer, weights, cut.pages, (tile,), groups)
    cores = []
    for group, numbers in zip(groups, zip(*slots, strict=True), strict=True):
        here = sites(layer, tile, group)
        image = CoreImage(  # the same in every slot
            x=0,
            y=0,
            planes=len(weights),
            plane_weights=weights,
            pages=cut.pages,
            synapses=synapses(plan, tile, group, shape),
            first_tick=0,
            last_tick=network.timesteps,
            trace=True,
            **neuron_settings(layer, here),
            **no_fan_out(len(here)),
        )
        cores += [replace(image, x=x, y=y) for x, y in map(core_xy, numbers)]
    writes = timestep_writes(network, layer, weights, [core.number for core in cores])
    program = Program(shape, tuple(cores), timesteps=network.timesteps, timestep_writes=writes)
    return Round(cut.windows, groups, slots, program)


def _why_none_fits(layer: IntegerLayer, planes: int, shape: ChipShape) -> str:
    if not layer.by_channel:
        return (
            f"layer {layer.name} has thresholds or biases that differ within a channel, and does"
            " not fit the chip as one tile"
        )
    every = list(all_windows(layer))
    fitting = [(windows, windows.pages(shape)) for windows in every]
    dendrites = [planes * pages * each.pixels for each, pages in fitting if pages is not None]
    if not dendrites:
        axons = min(windows.axons for windows in every)
        return (
            f"layer {layer.name} needs {axons} axons for one neuron, "
            f"a core has {MAX_PAGES} pages x {shape.axons} = {MAX_PAGES * shape.axons}"
        )
    return (
        f"layer {layer.name} needs {min(dendrites)} dendrites for one output channel of its "
        f"smallest tile ({planes} planes), a core has {shape.dendrites}"
    )
