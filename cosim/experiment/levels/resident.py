"""The chip levels of an experiment, the whole network on the chip: a stimulus is an image."""

import numpy as np
from numpy.typing import NDArray

from cosim.compare.chips import compare_images
from cosim.experiment.levels.answers import mapping_mismatches, read_out
from cosim.experiment.levels.results import BATCH, ChipResult, Chips
from cosim.mapping.host_layers import chip_inputs
from cosim.program.core_image import core_xy
from cosim.program.program import Program
from cosim.program.runner import Response, Totals
from cosim.program.stimulus import Step, image_stimulus
from cosim.record.record import LayerCounts
from hw.spec import Counter
from sw.attack.image_sets import batches
from sw.common.stopwatch import Stopwatch
from sw.data.dataset import Images
from sw.integer import inference
from sw.integer.network import IntegerNetwork


def run_resident(
    program: Program, network: IntegerNetwork, images: Images, chips: Chips, watch: Stopwatch
) -> ChipResult:
    """Images through golden model and RTL, compared with each other and with the network."""
    stimuli = image_stimuli(program, network, images)
    with watch.stage("golden"):
        golden = chips.golden.run(program, stimuli).responses
    with watch.stage("network check"):
        wrong = _check_mapping(program, network, images, golden)
    result = ChipResult(mapping_mismatches=wrong)
    result.answers["golden"] = [read_out(program, response) for response in golden]
    if chips.rtl is not None:
        with watch.stage("RTL"):
            rtl = chips.rtl.run(program, stimuli)
        result.answers["rtl"] = [read_out(program, response) for response in rtl.responses]
        result.comparison = compare_images(stimuli, golden, rtl.responses)
        result.totals = rtl.totals
        result.layers = _layers(program, rtl.totals)
    return result


def image_stimuli(program: Program, network: IntegerNetwork, images: Images) -> list[list[Step]]:
    """What the host streams into the chip for each image; `images` is uint8 [n, C, H, W]."""
    return [
        image_stimulus(program, spikes)
        for batch in batches(len(images), BATCH)
        for spikes in chip_inputs(network, images[batch]).swapaxes(0, 1)
    ]


def _check_mapping(
    program: Program, network: IntegerNetwork, images: Images, golden: list[Response]
) -> int:
    """How many spikes and outputs the golden model and the network disagree about."""
    wrong = 0
    for batch in batches(len(images), BATCH):
        trace = inference.run(network, images[batch])
        for place, response in enumerate(golden[batch]):
            wrong += mapping_mismatches(program, response, trace, place)
    return wrong


def _layers(program: Program, totals: Totals) -> dict[str, LayerCounts]:
    """By the layer that a core belongs to; cycles and ticks are all layers' together."""

    def of(counter: Counter, cores: NDArray[np.int64]) -> int:
        grid = totals.counters[counter]
        return sum(int(grid[y, x]) for x, y in map(core_xy, cores.tolist()))

    return {
        layer.name: LayerCounts(
            cycles=None,
            ticks=None,
            synaptic_ops=of(Counter.SYNAPTIC_OPS, np.unique(layer.core)),
            flits=of(Counter.FLITS, np.unique(layer.core)),
        )
        for layer in program.layers
    }
