"""The chip levels of an experiment, the whole network on the chip: a job is an image."""

from collections.abc import Sequence

import numpy as np

from cosim.compare.chips import compare_images
from cosim.experiment.levels.answers import mapping_mismatches, read_out
from cosim.experiment.levels.passes import RunJobs
from cosim.experiment.levels.results import BATCH, ChipResult, Responses, RtlTotals, RunRtl
from cosim.mapping.host_layers import chip_inputs
from cosim.program.program import Program
from cosim.program.stimulus import Phase, image_phases
from sw.attack.attacks import Images
from sw.attack.image_sets import batches
from sw.common.progress import Progress
from sw.integer import inference
from sw.integer.network import IntegerNetwork


def run_resident(
    program: Program,
    network: IntegerNetwork,
    sets: dict[str, Images],
    run_golden: RunJobs,
    run_rtl: RunRtl | None,
    progress: Progress,
) -> tuple[dict[str, ChipResult], RtlTotals]:
    """All sets through golden model and RTL, compared with each other and with the network.

    Without `run_rtl` the golden model runs alone, and is compared with the network.
    """
    images = np.concatenate(list(sets.values()))
    jobs = _jobs(program, network, images)
    with progress.stage("golden", len(jobs)):
        golden = run_golden(program, jobs)
    wrong = _check_mapping(program, network, images, golden, progress)
    totals, rtl = RtlTotals(), None
    if run_rtl is not None:
        with progress.stage("RTL", len(jobs)) as advance:
            rtl = run_rtl(program, jobs, advance)
        totals.add(rtl)
    results = {}
    first = 0
    for name, of_set in sets.items():
        part = slice(first, first + len(of_set))
        first = part.stop
        result = results[name] = ChipResult(mapping_mismatches=sum(wrong[part]))
        result.answers["golden"] = [read_out(program, answer) for answer in golden[part]]
        if rtl is not None:
            responses = rtl.responses[part]
            result.answers["rtl"] = [read_out(program, answer) for answer in responses]
            result.comparison = compare_images(jobs[part], golden[part], responses)
    return results, totals


def _jobs(program: Program, network: IntegerNetwork, images: Images) -> list[list[Phase]]:
    """The phases of each image: what the host streams into the chip, step by step."""
    return [
        image_phases(program, spikes)
        for batch in batches(len(images), BATCH)
        for spikes in chip_inputs(network, images[batch]).swapaxes(0, 1)
    ]


def _check_mapping(
    program: Program,
    network: IntegerNetwork,
    images: Images,
    golden: Responses,
    progress: Progress,
) -> Sequence[int]:
    """Per image, how many spikes and outputs the golden model and the network disagree about."""
    wrong = []
    with progress.stage("network check", len(images)) as advance:
        for batch in batches(len(images), BATCH):
            trace = inference.run(network, images[batch])
            for place, responses in enumerate(golden[batch]):
                wrong.append(mapping_mismatches(program, responses, trace, place))
            advance(len(golden[batch]))
    return wrong
