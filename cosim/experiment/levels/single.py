"""One stimulus of a run again: an image of a resident network, or a pass of a streamed layer."""

from dataclasses import dataclass, replace

import numpy as np

from cosim.experiment.levels.resident import image_stimuli
from cosim.experiment.levels.streamed.flow import Flow
from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.experiment.levels.streamed.passes import ReadBack, make_stimuli, run_network
from cosim.golden.runner import GoldenRunner
from cosim.mapping.choose import Mapping
from cosim.mapping.host_layers import chip_inputs
from cosim.mapping.streamed import Round, Schedule
from cosim.program.program import Program
from cosim.program.stimulus import Step
from sw.attack.image_sets import BLOCK
from sw.common.errors import InputError
from sw.data.dataset import Images
from sw.integer.network import IntegerNetwork


@dataclass(frozen=True)
class Place:
    """Which stimulus.

    Attributes:
        image: its number in the set.
        first: of a streamed network, the image from which passes are counted.
        layer: of a streamed network; None: the last one.
        round, number: of a streamed network, the layer's round, and the pass in it.
    """

    image: int
    first: int
    layer: str | None = None
    round: int = 0
    number: int = 0


@dataclass(frozen=True, eq=False)
class Single:
    """A program, the stimulus that it is given, and which one that is, in words."""

    program: Program
    steps: list[Step]
    what: str


def single(mapping: Mapping, network: IntegerNetwork, images: Images, place: Place) -> Single:
    """The stimulus at a place of a set, whose `images` are uint8 [n, C, H, W].

    Raises `InputError` for a place that is not there.
    """
    if not 0 <= place.image < len(images):
        raise InputError(f"image {place.image}: must be 0 to {len(images) - 1}, of the set")
    if isinstance(mapping, Program):
        if place.layer is not None:
            raise InputError(f"layer {place.layer}: this network is on the chip as a whole")
        one = images[place.image : place.image + 1]
        [steps] = image_stimuli(mapping, network, one)
        return Single(mapping, steps, f"image {place.image}")
    return _pass(mapping, network, images, place)


def _pass(schedule: Schedule, network: IntegerNetwork, images: Images, place: Place) -> Single:
    names = [layer.layer.name for layer in schedule.layers]
    name = names[-1] if place.layer is None else place.layer
    if name not in names:
        raise InputError(f"layer {name}: must be one of {', '.join(names)}, which run on the chip")
    layer = schedule.layers[names.index(name)]
    if not 0 <= place.round < len(layer.rounds):
        raise InputError(
            f"round {place.round} of layer {name}: must be 0 to {len(layer.rounds) - 1}"
        )
    part = layer.rounds[place.round]
    begin, tiles = place.number * len(part.slots) - part.lead, part.windows.tiles
    end, begin = begin + len(part.slots), max(begin, 0)
    low = place.first + begin // tiles
    high = min(place.first + -(-end // tiles), len(images))
    if place.number < 0 or low >= high:
        raise InputError(f"pass {place.number} of layer {name}: there are fewer")
    there = replace(schedule, layers=tuple(each.behind(low % BLOCK) for each in schedule.layers))
    spikes = _inputs(there, network, names.index(name), images[low:high])
    cut = layer.windows.cut([each.unpack() for each in spikes])
    skipped = (low - place.first) * tiles
    part = part if place.number == 0 else replace(part, lead=0)
    steps = _stimulus(part, cut[begin - skipped : end - skipped])
    what = f"image {place.image}, layer {name}, round {place.round}, pass {place.number}"
    return Single(part.program, steps, what)


def _stimulus(part: Round, cut: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> list[Step]:
    seats = part.lead + np.arange(len(cut))
    [steps] = make_stimuli(part, cut, seats, np.ones(1, np.bool_))
    return steps


def _inputs(
    schedule: Schedule, network: IntegerNetwork, number: int, images: Images
) -> list[PackedSpikes]:
    """What the arms of a layer are given, by the golden model of the layers before it."""
    inputs = PackedSpikes.pack(chip_inputs(network, images).swapaxes(0, 1))
    flow, before = Flow(schedule, inputs), replace(schedule, layers=schedule.layers[:number])
    for done in run_network(before, inputs, GoldenRunner(), ReadBack(0.0, 0)):
        flow.add(done.schedule, done.spikes)
    return flow.into(schedule.layers[number])
