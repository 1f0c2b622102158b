"""The experiment: the same images, clean and attacked, at four levels of the same network.

Float algorithm, quantised algorithm, golden model, RTL. It is done shard by shard
(`cosim.experiment.plan`); here is what is done with one of them.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from cosim.compare.chips import Mismatch
from cosim.experiment.levels.passes import ReadBack
from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import BATCH, ChipResult, RtlRun, RtlTotals, RunRtl
from cosim.experiment.levels.streamed import READ_BACK, run_streamed
from cosim.experiment.plan import Result, RtlCounts, Shard
from cosim.golden.runner import GoldenRuns
from cosim.mapping.choose import Mapping, choose_mapping
from cosim.mapping.noise import with_noise
from cosim.mapping.streamed import Schedule
from cosim.program.core_image import core_xy
from cosim.program.program import Program
from cosim.program.stimulus import Phase
from cosim.record.chip_facts import Grid
from cosim.record.record import LayerCounts
from hw.spec import ChipShape, Counter
from sw.attack.attacks import Images
from sw.attack.image_sets import batches, block_seed
from sw.common.progress import Advance, Progress
from sw.integer.fold import fold
from sw.integer.network import IntegerNetwork
from sw.model.metrics import Evaluation, evaluate
from sw.model.network import SpikingNetwork
from sw.train.checkpoint import Checkpoint


@dataclass(frozen=True)
class Subject:
    """What is examined: a network at all its levels, and its place on the chip.

    `golden` is the golden model with the programs that it has loaded.
    """

    float_network: SpikingNetwork
    quantised_network: SpikingNetwork
    network: IntegerNetwork
    mapping: Mapping
    golden: GoldenRuns = field(default_factory=GoldenRuns)

    @property
    def read_back(self) -> float:
        """The share of the jobs of hidden layers whose membranes are read and compared."""
        return 1.0 if isinstance(self.mapping, Program) else READ_BACK


def prepare(trained: Checkpoint, shape: ChipShape) -> Subject:
    """Folds and maps a network. Raises `InputError` for a chip that is too small."""
    network = fold(trained.quantised_network)
    return Subject(
        float_network=trained.float_network,
        quantised_network=trained.quantised_network,
        network=network,
        mapping=choose_mapping(network, shape),
    )


def examine(subject: Subject, shard: Shard, run_rtl: RunRtl) -> Result:
    """A shard through all its levels, RTL last; compares what must be equal."""
    timer = Progress(Console(file=io.StringIO()), shown=False)
    levels = {"float": subject.float_network, "quantised": subject.quantised_network}
    algorithm = {
        name: _classify(name, network, shard.images, timer) for name, network in levels.items()
    }
    bits = shard.common.noise_bits
    if bits:  # programs for this shard alone
        seed = block_seed(shard.common.seed, shard.first)
        mapping = with_noise(subject.mapping, bits, seed)
        subject = replace(subject, mapping=mapping, golden=GoldenRuns())
    chip, rtl = _on_chip(subject, shard, run_rtl, timer)
    predictions = {level: found.predictions.tolist() for level, found in algorithm.items()}
    spikes = {
        layer: {level: found.spikes[layer] for level, found in algorithm.items()}
        for layer in algorithm["float"].spikes
    }
    for level, answers in chip.answers.items():
        predictions[level] = [answer.prediction for answer in answers]
        for layer in answers[0].spikes if answers else ():
            spikes[layer][level] = sum(answer.spikes[layer] for answer in answers)
    found, first = chip.comparison, chip.comparison.first
    return Result(
        predictions=predictions,
        spikes=spikes,
        spikes_compared=found.spikes,
        membranes_compared=found.membranes,
        spikes_mismatched=found.mismatched_spikes,
        membranes_mismatched=found.mismatched_membranes,
        first_mismatch=None if first is None else _named(first, shard),
        mapping_mismatches=0 if bits else chip.mapping_mismatches,
        rtl=rtl,
        seconds={stage: round(spent, 3) for stage, spent in timer.seconds.items()},
    )


def _named(mismatch: Mismatch, shard: Shard) -> str:
    """A mismatch in words, its image's number as it is in the set."""
    return str(replace(mismatch, image=mismatch.image + shard.first))


def _classify(level: str, network: SpikingNetwork, images: Images, timer: Progress) -> Evaluation:
    """One level of the algorithm."""
    with timer.stage(level):
        parts = [evaluate(network, images[batch]) for batch in batches(len(images), BATCH)]
    return Evaluation(
        predictions=np.concatenate([part.predictions for part in parts]),
        spikes={layer: sum(part.spikes[layer] for part in parts) for layer in parts[0].spikes},
    )


def _on_chip(
    subject: Subject, shard: Shard, run_rtl: RunRtl, timer: Progress
) -> tuple[ChipResult, RtlCounts | None]:
    """Golden model, and the RTL if it is asked for."""
    network, sets, rtl = subject.network, {shard.set: shard.images}, run_rtl if shard.rtl else None
    if isinstance(subject.mapping, Program):
        chip, totals = run_resident(subject.mapping, network, sets, subject.golden, rtl, timer)
        layers = _resident_layers(subject.mapping, totals)
    else:
        counted = _CountedRtl(run_rtl, subject.mapping)
        # Other passes are read back in every set and shard.
        seed = int.from_bytes(f"{shard.common.seed} {shard.set} {shard.first}".encode())
        read_back = ReadBack(subject.read_back, seed)
        chip, totals = run_streamed(
            subject.mapping, network, sets, subject.golden, rtl and counted, read_back, timer
        )
        layers = counted.layers()
    if rtl is None:
        return chip[shard.set], None
    return chip[shard.set], RtlCounts(
        ticks=totals.ticks,
        cycles=totals.cycles,
        wall_s=round(totals.wall_s, 3),
        counters={counter.name.lower(): _grid(totals.counters[counter]) for counter in Counter},
        layers=layers,
    )


class _CountedRtl:
    """Runs a schedule's programs in RTL and adds up by layer what they took."""

    def __init__(self, run_rtl: RunRtl, schedule: Schedule) -> None:
        self._run = run_rtl
        self._layer_of = {
            part.program: layer.layer.name for layer in schedule.layers for part in layer.rounds
        }
        self._totals = {name: RtlTotals() for name in self._layer_of.values()}

    def __call__(
        self, program: Program, jobs: Sequence[Sequence[Phase]], advance: Advance
    ) -> RtlRun:
        done = self._run(program, jobs, advance)
        self._totals[self._layer_of[program]].add(done)
        return done

    def layers(self) -> dict[str, LayerCounts]:
        return {
            name: LayerCounts(
                cycles=totals.cycles,
                ticks=totals.ticks,
                synaptic_ops=int(totals.counters[Counter.SYNAPTIC_OPS].sum()),
                flits=int(totals.counters[Counter.FLITS].sum()),
            )
            for name, totals in self._totals.items()
            if totals.counters
        }


def _resident_layers(program: Program, totals: RtlTotals) -> dict[str, LayerCounts]:
    """By the layer that a core belongs to; cycles and ticks are all layers' together."""
    if not totals.counters:
        return {}

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


def _grid(counts: NDArray[np.int64]) -> Grid:
    return [[int(value) for value in row] for row in counts]
