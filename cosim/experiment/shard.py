"""The experiment: the same images, clean and attacked, at four levels of the same network.

Float algorithm, quantised algorithm, golden model, RTL. It is done shard by shard
(`cosim.experiment.plan`); here is what is done with one of them.
"""

from dataclasses import replace

import numpy as np

from cosim.compare.chips import Mismatch
from cosim.experiment.levels.chip import run_on_chip
from cosim.experiment.levels.results import BATCH, ChipResult, Chips
from cosim.experiment.levels.subject import Subject
from cosim.experiment.plan import Result, RtlCounts, Shard
from cosim.mapping.noise import with_noise
from cosim.record.record import Failing, Level, Spikes
from hw.spec import Counter
from sw.attack.image_sets import BLOCK, batches, block_seed
from sw.common.stopwatch import Stopwatch
from sw.data.dataset import Images
from sw.model.metrics import Evaluation, evaluate
from sw.model.network import SpikingNetwork


def examine(subject: Subject, shard: Shard, chips: Chips) -> Result:
    """A shard through all its levels, RTL last; compares what must be equal.

    `chips` may have programs loaded, of shards before.
    """
    watch = Stopwatch()
    levels: dict[Level, SpikingNetwork] = {
        "float": subject.float_network,
        "quantised": subject.quantised_network,
    }
    algorithm = {
        name: _classify(name, network, shard.images, watch) for name, network in levels.items()
    }
    bits = shard.common.noise_bits
    if bits:  # programs for this shard alone
        seed = block_seed(shard.common.seed, shard.first)
        mapping = with_noise(subject.mapping, bits, seed, shard.first % BLOCK)
        subject = replace(subject, mapping=mapping)
        chips = Chips(shard.common.golden.runner(), chips.rtl)
    chip = _on_chip(subject, shard, chips if shard.rtl else Chips(chips.golden, None), watch)
    predictions: dict[Level, list[int]] = {
        level: found.predictions.tolist() for level, found in algorithm.items()
    }
    spikes: Spikes = {
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
        failing=None if first is None else _failing(first, shard),
        mapping_mismatches=0 if bits else chip.mapping_mismatches,
        rtl=_rtl_counts(chip),
        seconds={stage: round(spent, 3) for stage, spent in watch.seconds.items()},
    )


def _named(mismatch: Mismatch, shard: Shard) -> str:
    """A mismatch in words, its image's number as it is in the set."""
    return str(replace(mismatch, image=mismatch.image + shard.first))


def _failing(mismatch: Mismatch, shard: Shard) -> Failing:
    layer, number, place = mismatch.stimulus or (None, 0, 0)
    return Failing(
        image=mismatch.image + shard.first,
        first=shard.first,
        layer=layer,
        round=number,
        number=place,
        tick=mismatch.tick,
        x=mismatch.x,
        y=mismatch.y,
        neuron=mismatch.neuron,
    )


def _classify(level: str, network: SpikingNetwork, images: Images, watch: Stopwatch) -> Evaluation:
    """One level of the algorithm."""
    with watch.stage(level):
        found = [evaluate(network, images[batch]) for batch in batches(len(images), BATCH)]
    return Evaluation(
        predictions=np.concatenate([each.predictions for each in found]),
        spikes={layer: sum(each.spikes[layer] for each in found) for layer in found[0].spikes},
    )


def _on_chip(subject: Subject, shard: Shard, chips: Chips, watch: Stopwatch) -> ChipResult:
    """Golden model, and the RTL if it is asked for."""
    # Other passes are read back in every set and shard.
    seed = int.from_bytes(f"{shard.common.seed} {shard.set} {shard.first}".encode())
    return run_on_chip(subject.mapping, subject.network, shard.images, chips, watch, seed)


def _rtl_counts(chip: ChipResult) -> RtlCounts | None:
    """What the RTL took, as a shard's file has it; None: it did not run."""
    totals = chip.totals
    if totals is None:
        return None
    return RtlCounts(
        ticks=totals.ticks,
        cycles=totals.cycles,
        wall_s=round(totals.wall_s, 3),
        counters={name.name.lower(): totals.counters[name].tolist() for name in Counter},
        layers=chip.layers,
    )
