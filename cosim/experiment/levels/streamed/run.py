"""The chip levels of an experiment, a layer at a time: golden model and RTL side by side."""

from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from cosim.compare.chips import Comparison, Mismatch, compare_images
from cosim.experiment.levels.answers import NO_ANSWER, Answer
from cosim.experiment.levels.results import ChipResult, Chips, layer_counts
from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.experiment.levels.streamed.passes import (
    LayerRun,
    ReadBack,
    RoundRun,
    run_network,
    tile_of,
)
from cosim.mapping.host_layers import chip_inputs
from cosim.mapping.streamed import Schedule
from cosim.program.core_image import core_number
from cosim.program.runner import Totals
from cosim.record.record import Level
from sw.attack.image_sets import batches
from sw.data.dataset import Images
from sw.integer import inference
from sw.integer.network import IntegerNetwork

CHECKED = 25  # images at once in the network as plain convolutions, which takes more memory
READ_BACK = 0.1  # share of a hidden layer's passes whose membranes are read


def run_streamed(
    schedule: Schedule,
    network: IntegerNetwork,
    images: Images,
    chips: Chips,
    read_back: ReadBack,
) -> ChipResult:
    """Images through golden model and RTL, compared with each other and with the network."""
    result = ChipResult()
    inputs = PackedSpikes.pack(chip_inputs(network, images).swapaxes(0, 1))
    expected = _of_network(network, images)
    seen: dict[Level, list[LayerRun]] = {"golden": [], "rtl": []}
    rtl_runs = (
        repeat(None) if chips.rtl is None else run_network(schedule, inputs, chips.rtl, read_back)
    )
    golden_runs = run_network(schedule, inputs, chips.golden, read_back)
    for golden, rtl in zip(golden_runs, rtl_runs, strict=False):
        result.mapping_mismatches += _wrong(golden, expected)
        seen["golden"].append(_without_flits(golden))
        if rtl is not None:
            _enter(result.comparison, golden, rtl)
            seen["rtl"].append(_without_flits(rtl))
    for level, runs in seen.items():
        result.answers[level] = _answers(runs) if runs else []
    if chips.rtl is not None:
        result.totals = sum((run.totals for run in seen["rtl"]), Totals())
        result.layers = {run.schedule.layer.name: layer_counts(run.totals) for run in seen["rtl"]}
    return result


def _enter(total: Comparison, golden: LayerRun, rtl: LayerRun) -> None:
    """Adds what a layer's golden and RTL runs say; the first mismatch is the earliest layer's."""
    for number, (ours, theirs) in enumerate(zip(golden.rounds, rtl.rounds, strict=True)):
        found = compare_images(ours.stimuli, ours.responses, theirs.responses)
        first = total.first
        if first is None and found.first is not None:
            first = _placed(found.first, golden.schedule.layer.name, number, ours)
        total.add(found)
        total.first = first


def _placed(found: Mismatch, layer: str, number: int, run: RoundRun) -> Mismatch:
    """A mismatch of a pass of the `number`-th round as one of an image and a tile."""
    found = replace(found, stimulus=(layer, number, found.image))
    where = tile_of(run, found.image, core_number(found.x, found.y))
    if where is None:
        return replace(found, place=f"layer {layer}, pass {found.image}, no tile's core")
    image, row, column = where
    return replace(found, image=image, place=f"layer {layer}, tile ({row}, {column})")


@dataclass(frozen=True)
class _Expected:
    """What the network as plain convolutions makes of some images: spikes by layer, and outputs."""

    spikes: dict[str, PackedSpikes]
    membranes: NDArray[np.int64]


def _of_network(network: IntegerNetwork, images: Images) -> _Expected:
    traces = [inference.run(network, images[batch]) for batch in batches(len(images), CHECKED)]
    packed = [
        {name: PackedSpikes.pack(spikes.swapaxes(0, 1)) for name, spikes in trace.spikes.items()}
        for trace in traces
    ]
    spikes = {
        name: PackedSpikes(first.shape, np.concatenate([part[name].bits for part in packed]))
        for name, first in packed[0].items()
    }
    return _Expected(spikes, np.concatenate([trace.membrane for trace in traces]))


def _wrong(golden: LayerRun, expected: _Expected) -> int:
    """Spikes and outputs that the golden model has and the integer network has not, or vice versa.

    This is the check of the mapping: the two share no arithmetic, and the network knows no cores.
    """
    wrong = golden.strays + int(np.count_nonzero(~golden.answered))
    if golden.membranes is not None:
        wrong += int(golden.spikes.count().sum())  # the output layer never fires
        return wrong + int(np.count_nonzero(golden.membranes != expected.membranes))
    spikes = expected.spikes[golden.schedule.layer.name]
    return wrong + int(np.bitwise_count(golden.spikes.bits ^ spikes.bits).sum())


def _without_flits(run: LayerRun) -> LayerRun:
    return replace(run, rounds=())


def _answers(runs: list[LayerRun]) -> list[Answer]:
    """Each image's class and spikes per layer, of all layers' runs."""
    output = runs[-1]
    assert output.membranes is not None
    classes = np.where(output.answered, output.membranes.argmax(axis=1), NO_ANSWER)
    counts = {run.schedule.layer.name: run.spikes.count() for run in runs[:-1]}
    return [
        Answer(int(prediction), {layer: int(count[image]) for layer, count in counts.items()})
        for image, prediction in enumerate(classes)
    ]
