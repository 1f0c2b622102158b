"""The experiment: the same images, clean and attacked, at four levels of the same network.

Float algorithm, quantised algorithm, golden model, RTL. What the user can get wrong is found out by
`prepare`, before the long work begins.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.chip_levels import BATCH, RtlTotals, RunRtl
from cosim.compare import Comparison
from cosim.mapping import Mapping, choose_mapping
from cosim.program import Program
from cosim.progress import Progress
from cosim.readout import Answer
from cosim.resident_runs import run_resident
from cosim.sets import Images, batches, draw_images, make_sets
from cosim.streamed import ReadBack
from cosim.streamed_runs import READ_BACK, run_streamed
from hw.spec import ChipShape
from sw import checkpoint
from sw.data import Dataset
from sw.fold import fold
from sw.metrics import Evaluation, evaluate
from sw.model import SpikingNetwork
from sw.netfile import IntegerNetwork


@dataclass(frozen=True)
class Subject:
    """What is examined: a network at all its levels, its place on the chip, images for it."""

    float_network: SpikingNetwork
    quantised_network: SpikingNetwork
    network: IntegerNetwork
    mapping: Mapping
    data: Dataset
    sets: tuple[str, ...]
    seed: int


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
    """All sets by name, in the order they were asked for, and the RTL run as a whole.

    `read_back` is the share of the jobs of hidden layers whose membranes were read and compared.
    """

    sets: dict[str, SetResult]
    rtl: RtlTotals
    read_back: float


def prepare(
    path: Path,
    shape: ChipShape,
    sets: tuple[str, ...],
    images: int,
    seed: int,
    *,
    folder: Path | None = None,
) -> Subject:
    """Loads a checkpoint, folds and maps its network, draws the images (from files in `folder`).

    Raises `InputError` for a bad checkpoint, images that there are not, a chip that is too small.
    """
    trained = checkpoint.load(path)
    network = fold(trained.quantised_network)
    data = draw_images(network.dataset, images, seed, folder)
    mapping = choose_mapping(network, shape)
    return Subject(
        float_network=trained.float_network,
        quantised_network=trained.quantised_network,
        network=network,
        mapping=mapping,
        data=data,
        sets=sets,
        seed=seed,
    )


def examine(subject: Subject, run_rtl: RunRtl, progress: Progress) -> Results:
    """Runs all sets through all levels, RTL last, and compares what must be equal."""
    images = make_sets(subject.quantised_network, subject.data, subject.sets, progress)
    levels = {"float": subject.float_network, "quantised": subject.quantised_network}
    algorithm = {
        level: _classify(level, network, images, progress) for level, network in levels.items()
    }
    if isinstance(subject.mapping, Program):
        share = 1.0  # an image is one job, and it ends with all membranes
        chip, rtl = run_resident(subject.mapping, subject.network, images, run_rtl, progress)
    else:
        share = READ_BACK
        read_back = ReadBack(share, subject.seed)
        chip, rtl = run_streamed(
            subject.mapping, subject.network, images, run_rtl, read_back, progress
        )
    results = {
        name: SetResult(
            images=images[name],
            algorithm={level: by_set[name] for level, by_set in algorithm.items()},
            chip=on_chip.answers,
            comparison=on_chip.comparison,
            mapping_mismatches=on_chip.mapping_mismatches,
        )
        for name, on_chip in chip.items()
    }
    return Results(results, rtl, share)


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
