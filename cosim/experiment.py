"""The experiment: the same images, clean and attacked, at four levels of the same network.

Float algorithm, quantised algorithm, golden model, RTL. What the user can get wrong is found out by
`prepare`, before the long work begins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.compare import Comparison, compare_images
from cosim.golden import GoldenChip
from cosim.mapper import map_network
from cosim.program import Program, configuration
from cosim.progress import Advance, Progress
from cosim.readout import Answer, mapping_mismatches, read_out
from cosim.sets import Images, batches, draw_images, make_sets
from cosim.stimulus import Phase, image_phases
from hw.spec import ChipShape, Counter
from sw import checkpoint, integer
from sw.data import Dataset
from sw.fold import fold
from sw.metrics import Evaluation, evaluate
from sw.model import SpikingNetwork
from sw.netfile import IntegerNetwork

BATCH = 50  # images at once, of algorithm and golden model

Responses = Sequence[Sequence[NDArray[np.uint64]]]  # HOST flits per image and phase


class RtlRun(Protocol):
    """What the RTL gives back; `counters` [mesh row, mesh column] are summed over all images."""

    @property
    def responses(self) -> Responses: ...
    @property
    def cycles(self) -> int: ...
    @property
    def ticks(self) -> int: ...
    @property
    def wall_s(self) -> float: ...
    @property
    def counters(self) -> Mapping[Counter, NDArray[np.int64]]: ...


RunRtl = Callable[[Program, Sequence[Sequence[Phase]], Advance], RtlRun]


@dataclass(frozen=True)
class Subject:
    """What is examined: a network at all its levels, its place on the chip, images for it."""

    float_network: SpikingNetwork
    quantised_network: SpikingNetwork
    network: IntegerNetwork
    program: Program
    data: Dataset
    sets: tuple[str, ...]


@dataclass(frozen=True)
class SetResult:
    """One set at all levels: algorithm by level, chip by level and image."""

    images: Images
    algorithm: dict[str, Evaluation]
    chip: dict[str, list[Answer]]
    comparison: Comparison
    mapping_mismatches: int


@dataclass(frozen=True)
class Results:
    """All sets by name, in the order they were asked for, and the RTL run as a whole."""

    sets: dict[str, SetResult]
    rtl: RtlRun


def prepare(path: Path, shape: ChipShape, sets: tuple[str, ...], images: int, seed: int) -> Subject:
    """Loads a checkpoint, folds and maps its network, draws the images.

    Raises `InputError` for a bad checkpoint, images that there are not, a chip that is too small.
    """
    trained = checkpoint.load(path)
    network = fold(trained.quantised_network)
    data = draw_images(network.dataset, images, seed)
    program = map_network(network, shape)
    return Subject(
        float_network=trained.float_network,
        quantised_network=trained.quantised_network,
        network=network,
        program=program,
        data=data,
        sets=sets,
    )


def examine(subject: Subject, run_rtl: RunRtl, progress: Progress) -> Results:
    """Runs all sets through all levels, RTL last, and compares what must be equal."""
    images = make_sets(subject.quantised_network, subject.data, subject.sets, progress)
    levels = {"float": subject.float_network, "quantised": subject.quantised_network}
    algorithm = {
        level: _classify(level, network, images, progress) for level, network in levels.items()
    }
    all_images = np.concatenate(list(images.values()))
    stimulus = _stimulus(subject, all_images)
    golden = _run_golden(subject.program, stimulus, progress)
    wrong = _check_mapping(subject, all_images, golden, progress)
    with progress.stage("RTL", len(stimulus)) as advance:
        rtl = run_rtl(subject.program, stimulus, advance)
    results = {}
    for name, part in zip(images, batches(len(stimulus), len(subject.data)), strict=True):
        chip = {
            level: [read_out(subject.program, answer) for answer in responses[part]]
            for level, responses in (("golden", golden), ("rtl", rtl.responses))
        }
        results[name] = SetResult(
            images=images[name],
            algorithm={level: by_set[name] for level, by_set in algorithm.items()},
            chip=chip,
            comparison=compare_images(stimulus[part], golden[part], rtl.responses[part]),
            mapping_mismatches=sum(wrong[part]),
        )
    return Results(results, rtl)


def _classify(
    level: str, network: SpikingNetwork, images: dict[str, Images], progress: Progress
) -> dict[str, Evaluation]:
    """One level of the algorithm, all sets."""
    evaluations = {}
    with progress.stage(level, sum(map(len, images.values()))) as advance:
        for name, pixels in images.items():
            parts = []
            for batch in batches(len(pixels), BATCH):
                parts.append(evaluate(network, pixels[batch]))
                advance(len(parts[-1].predictions))
            evaluations[name] = Evaluation(
                predictions=np.concatenate([part.predictions for part in parts]),
                spikes={
                    layer: sum(part.spikes[layer] for part in parts) for layer in parts[0].spikes
                },
            )
    return evaluations


def _stimulus(subject: Subject, images: Images) -> list[list[Phase]]:
    """The phases of each image: its first layer's spikes, streamed."""
    return [
        image_phases(subject.program, spikes)
        for batch in batches(len(images), BATCH)
        for spikes in integer.host_spikes(subject.network, images[batch]).swapaxes(0, 1)
    ]


def _run_golden(
    program: Program, stimulus: list[list[Phase]], progress: Progress
) -> list[list[NDArray[np.uint64]]]:
    """The golden model's responses per image and phase, a batch of images at a time."""
    load = Phase(configuration(program), go=False)
    responses: list[list[NDArray[np.uint64]]] = []
    chips: dict[int, GoldenChip] = {}
    with progress.stage("golden", len(stimulus)) as advance:
        for batch in batches(len(stimulus), BATCH):
            images = stimulus[batch]
            if len(images) not in chips:
                chips[len(images)] = GoldenChip(program.shape, len(images))
                chips[len(images)].run([load])
            responses += chips[len(images)].run_images(images)
            advance(len(images))
    return responses


def _check_mapping(
    subject: Subject, images: Images, golden: Responses, progress: Progress
) -> list[int]:
    """Per image, how many spikes and outputs the golden model and the network disagree about."""
    wrong = []
    with progress.stage("network check", len(images)) as advance:
        for batch in batches(len(images), BATCH):
            trace = integer.run(subject.network, images[batch])
            for place, responses in enumerate(golden[batch]):
                wrong.append(mapping_mismatches(subject.program, responses, trace, place))
            advance(len(golden[batch]))
    return wrong
