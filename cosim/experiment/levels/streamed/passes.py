"""A streamed network's run: the host collects a layer's spikes and streams them into the next one.

Golden model and RTL run the same way, each on its own spikes; what runs a program is handed in. A
stimulus is one pass of the chip: restart, T ticks of its tiles' input spikes, and where that is
wanted the read-back of all membranes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.experiment.levels.streamed.flow import Flow
from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.mapping.streamed import LayerSchedule, Round, Schedule
from cosim.program.program import rectangles
from cosim.program.runner import Response, Runner, Totals
from cosim.program.stimulus import Step, control, read_membranes
from hw.spec import (
    AXON,
    COORD_BITS,
    FLIT,
    MEMBRANE_BITS,
    MESH_COLUMNS,
    MESH_ROWS,
    Control,
    Kind,
    Region,
)


@dataclass(frozen=True, eq=False)
class RoundRun:
    """What one round was given and gave back, pass by pass; `seats` are its tiles'."""

    round: Round
    seats: NDArray[np.int64]
    stimuli: list[list[Step]]
    responses: list[Response]


@dataclass(frozen=True, eq=False)
class LayerRun:
    """What a layer did with some images.

    Attributes:
        rounds: all that went in and came out.
        spikes: before pooling.
        strays: spikes of no neuron of the layer, or of no tick of the algorithm.
        membranes: of the output layer, int64 [images, classes]; None of any other.
        answered: bool [images]: all membranes of the output layer came.
        totals: what all rounds took.
    """

    schedule: LayerSchedule
    rounds: tuple[RoundRun, ...]
    spikes: PackedSpikes
    strays: int
    membranes: NDArray[np.int64] | None
    answered: NDArray[np.bool_]
    totals: Totals


@dataclass(frozen=True)
class ReadBack:
    """Which passes have their membranes read: a share drawn by a seed, and the output layer's all.

    The draw depends on the seed and the layer, not on who runs it.
    """

    share: float
    seed: int

    def draw(self, layer: str, passes: int) -> NDArray[np.bool_]:
        """bool [passes]; at least one of them."""
        # The 0 keeps the draws of the runs that are published.
        generator = np.random.default_rng([self.seed, 0, *layer.encode()])
        chosen = generator.random(passes) < self.share
        chosen[generator.integers(passes)] = True
        return chosen


def run_network(
    schedule: Schedule,
    inputs: PackedSpikes,
    runner: Runner,
    read_back: ReadBack,
    numbers: NDArray[np.int64] | None = None,
) -> Iterator[LayerRun]:
    """Layer by layer, what the chip makes of images that are streamed into it as `inputs`.

    These are pooled, if the host ran a layer. `numbers` (int64 [images]) are as of `Round.seats`;
    None: they are in order, from 0 on.
    """
    flow = Flow(schedule, inputs)
    numbers = np.arange(len(inputs)) if numbers is None else numbers
    for layer in schedule.layers:
        done = run_layer(layer, flow.into(layer), runner, read_back, numbers)
        yield done
        flow.add(layer, done.spikes)


def run_layer(
    schedule: LayerSchedule,
    inputs: Sequence[PackedSpikes],
    runner: Runner,
    read_back: ReadBack,
    numbers: NDArray[np.int64],
) -> LayerRun:
    """All tiles of all images through all rounds of a layer; `inputs` are those of its arms."""
    windows, layer, images = schedule.windows, schedule.layer, len(inputs[0])
    cut = windows.cut([each.unpack() for each in inputs])
    spikes = np.zeros((*cut.shape[:2], layer.features * windows.pixels), np.bool_)
    membranes = None if layer.spiking else np.zeros((images, layer.features), np.int64)
    answered = np.ones(images, np.bool_)
    strays, rounds, totals = 0, [], Totals()
    for part in schedule.rounds:
        seats = part.seats(numbers)
        read = np.ones(part.passes(seats), np.bool_)
        if layer.spiking:
            read = read_back.draw(layer.name, len(read))
        stimuli = make_stimuli(part, cut, seats, read)
        done = runner.run(part.program, stimuli)
        totals += done.totals
        rounds.append(RoundRun(part, seats, stimuli, done.responses))
        strays += _collect_spikes(rounds[-1], spikes)
        if membranes is not None:
            answered &= _collect_membranes(rounds[-1], membranes)
    by_channel = spikes.reshape(*cut.shape[:2], layer.features, windows.pixels)
    fired = PackedSpikes.pack(windows.join(by_channel))
    return LayerRun(schedule, tuple(rounds), fired, strays, membranes, answered, totals)


def make_stimuli(
    part: Round, cut: NDArray[np.bool_], seats: NDArray[np.int64], read: NDArray[np.bool_]
) -> list[list[Step]]:
    """The steps of each pass; `cut` is bool [tiles, T, axons], `read` bool [passes].

    Slots without a tile run along; nobody looks at what they fire.
    """
    restart, reading = control(part.program.shape, Control.RESTART), read_membranes(part.program)
    slot, words = _boxes(part, cut.shape[2])
    tile_in = np.full((len(read), len(part.slots)), -1)
    tile_in.reshape(-1)[seats] = np.arange(len(cut))
    stimuli = []
    for tiles, with_membranes in zip(tile_in[:, slot], read, strict=True):
        here = tiles >= 0
        flits, spikes = words[here].ravel(), cut[tiles[here]].swapaxes(0, 1)  # [T, boxes, axons]
        ticks = [
            Step(part.program.tick(timestep, flits[np.flatnonzero(fired)]), go=True)
            for timestep, fired in enumerate(spikes)
        ]
        stimuli.append([restart, *ticks, *([reading] if with_membranes else [])])
    return stimuli


def tile_of(run: RoundRun, number: int, core: int) -> tuple[int, int, int] | None:
    """Image, and row and column of the tile, of a core in a pass; None: it did none."""
    windows, slots = run.round.windows, run.round.slots
    for slot, cores in enumerate(slots):
        if core in cores:
            found = np.flatnonzero(run.seats == number * len(slots) + slot)
            if len(found):
                image, tile = divmod(int(found[0]), windows.tiles)
                return image, *divmod(tile, windows.across)
    return None


def _boxes(part: Round, axons: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The rectangles of cores that the slots are made of: each one's slot, int64 [boxes], and the
    SPIKE flits to its axons, uint64 [boxes, axons]."""
    slots, corners = [], []
    for slot, cores in enumerate(part.slots):
        for x0, y0, x1, y1 in rectangles(frozenset(cores)):
            slots.append(slot)
            corners.append(FLIT.pack(x0=x0, y0=y0, x1=x1, y1=y1))
    page, axon = np.divmod(np.arange(axons, dtype=np.uint64), np.uint64(part.program.shape.axons))
    spike = FLIT.pack(kind=int(Kind.SPIKE), data=AXON.pack(page=page, axon=axon))
    return np.array(slots, np.int64), spike | np.array(corners, np.uint64)[:, None]


def _places(part: Round) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By core number, and by core number and neuron: slot, and place in (C, pixels); -1: none.

    The last neuron stands for all that no core has.
    """
    slot_of = np.full(MESH_COLUMNS * MESH_ROWS, -1, np.int64)
    pixels = part.windows.pixels
    most = max(end - first for first, end in part.groups) * pixels
    place_of = np.full((len(slot_of), most + 1), -1, np.int64)
    for slot, cores in enumerate(part.slots):
        for core, (first, end) in zip(cores, part.groups, strict=True):
            slot_of[core] = slot
            place_of[core, : (end - first) * pixels] = np.arange(first * pixels, end * pixels)
    return slot_of, place_of


def _collect(
    run: RoundRun, region: Region
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of all HOST flits of a region: tile (as in `Windows.cut`), place in (C, pixels), and data.

    Place is -1 where the core or the neuron is none of the round's; tile is -1 there, and in slots
    that run along.
    """
    slot_of, place_of = _places(run.round)
    slots = len(run.round.slots)
    tile_at = np.full(len(run.stimuli) * slots, -1)
    tile_at[run.seats] = np.arange(len(run.seats))
    number = np.repeat(np.arange(len(run.responses)), [sum(map(len, r)) for r in run.responses])
    flits = np.concatenate([step for response in run.responses for step in response])
    wanted = FLIT.get(flits, "region") == int(region)
    if not wanted.all():
        number, flits = number[wanted], flits[wanted]
    x, y, neuron, data = (
        FLIT.get(flits, name).view(np.int64) for name in ("x0", "y0", "offset", "data")
    )
    core, width = y << COORD_BITS | x, place_of.shape[1]
    place = place_of.take(core * width + np.minimum(neuron, width - 1))
    tile = tile_at.take(number * slots + slot_of.take(core))
    tile[place < 0] = -1
    return tile, place, data


def _collect_spikes(run: RoundRun, spikes: NDArray[np.bool_]) -> int:
    """Enters a round's spikes into bool [tiles, T, C * pixels]; how many have no place there."""
    tile, place, tick = _collect(run, Region.SPIKE)
    _, steps, places = spikes.shape
    stray = (place < 0) | (tick >= steps)
    known = ~stray & (tile >= 0)  # not of slots that run along
    at = (tile * steps + tick) * places + place
    spikes.reshape(-1)[at if known.all() else at[known]] = True
    return int(np.count_nonzero(stray))


def _collect_membranes(run: RoundRun, membranes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Enters a round's membranes into int64 [images, C]; the images of which all came."""
    tile, place, data = _collect(run, Region.MEMBRANE)
    known = tile >= 0
    value = np.where(data >> (MEMBRANE_BITS - 1), data - (1 << MEMBRANE_BITS), data)
    membranes[tile[known], place[known]] = value[known]
    came = np.zeros(membranes.shape, np.bool_)
    came[tile[known], place[known]] = True
    expected = np.concatenate([np.arange(*group) for group in run.round.groups])
    return np.asarray(came[:, expected].all(axis=1), np.bool_)
