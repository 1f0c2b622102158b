"""From an experiment's results to the record that is written: counts, examples, facts."""

from dataclasses import dataclass

import numpy as np

from cosim.experiment.images.image_file import ImageSet, ImageSets
from cosim.experiment.levels.chip import read_back_share
from cosim.experiment.levels.subject import Subject
from cosim.experiment.plan import Result, RtlCounts, Shard
from cosim.mapping import noise
from cosim.mapping.host_layers import chip_layers
from cosim.mapping.usage import chip_record
from cosim.record.record import (
    LEVELS,
    VERSION,
    Example,
    Facts,
    LayerCounts,
    Level,
    Noise,
    Rtl,
    RunRecord,
    SetRecord,
)
from sw.attack.set_names import CLEAN
from sw.data.dataset import Images

EXAMPLES = 6


@dataclass(frozen=True)
class Collected:
    """The shards of a run, set by set, and what each gave."""

    shards: list[Shard]
    results: list[Result]

    def of(self, name: str) -> list[Result]:
        """A set's, in the order of its images."""
        return [
            result
            for shard, result in zip(self.shards, self.results, strict=True)
            if shard.set == name
        ]

    @property
    def sets(self) -> list[str]:
        return list(dict.fromkeys(shard.set for shard in self.shards))

    @property
    def rtl(self) -> list[RtlCounts]:
        return [result.rtl for result in self.results if result.rtl is not None]


def gather(
    subject: Subject,
    content: ImageSets,
    collected: Collected,
    *,
    clock_mhz: float,
    build_s: float,
    facts: Facts,
) -> RunRecord:
    """The record of a run."""
    network = subject.network
    sets = {name: _set_record(content.sets[name], collected.of(name)) for name in collected.sets}
    rtl_images = len(next(iter(sets.values())).predictions["rtl"])
    noise_bits = collected.shards[0].common.noise_bits
    return RunRecord(
        format="nc64c-run",
        version=VERSION,
        dataset=network.dataset,
        network=network.name,
        encoding=network.encoding,
        weight_bits=network.layers[-1].weight_bits,
        timesteps=network.timesteps,
        classes=list(network.classes),
        labels=content.labels.tolist(),
        rtl_images=rtl_images,
        noise=Noise(bits=noise_bits, share=noise.relative(noise_bits, chip_layers(network))),
        clock_mhz=clock_mhz,
        chip=chip_record(subject.mapping),
        sets=sets,
        examples=_examples(content, sets),
        rtl=_rtl(collected, read_back_share(subject.mapping), build_s, facts.jobs),
        facts=facts,
    )


def stages(collected: Collected) -> dict[str, float]:
    """Seconds of each stage, all shards together."""
    seconds: dict[str, float] = {}
    for result in collected.results:
        for stage, spent in result.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
    return seconds


def _set_record(images: ImageSet, results: list[Result]) -> SetRecord:
    """One set, of all of its shards; spikes are those of the images that the RTL got."""
    sample = [result for result in results if result.rtl is not None]
    spikes = {
        layer: {level: sum(result.spikes[layer][level] for result in sample) for level in levels}
        for layer, levels in sample[0].spikes.items()
    }
    predictions: dict[Level, list[int]] = {
        level: [answer for result in results for answer in result.predictions[level]]
        for level in LEVELS
    }
    mismatches = (result.first_mismatch for result in results)
    return SetRecord(
        images_sha256=images.sha256,
        zero_gradients=int(np.count_nonzero(images.zero)),
        predictions=predictions,
        spikes=spikes,
        compared_spikes=sum(result.spikes_compared for result in results),
        compared_membranes=sum(result.membranes_compared for result in results),
        mismatched_spikes=sum(result.spikes_mismatched for result in results),
        mismatched_membranes=sum(result.membranes_mismatched for result in results),
        first_mismatch=next((first for first in mismatches if first), None),
        failing=next((result.failing for result in results if result.failing), None),
        mapping_mismatches=sum(result.mapping_mismatches for result in results),
    )


def _rtl(collected: Collected, read_back: float, build_s: float, workers: int) -> Rtl:
    """All shards' counts together; the time as if the workers had done nothing else."""
    counts = collected.rtl
    process_s = sum(part.wall_s for part in counts)
    return Rtl(
        ticks=sum(part.ticks for part in counts),
        cycles=sum(part.cycles for part in counts),
        process_s=process_s,
        wall_s=process_s / min(workers, len(counts)),
        build_s=build_s,
        read_back=read_back,
        counters={
            name: np.sum([part.counters[name] for part in counts], axis=0).tolist()
            for name in counts[0].counters
        },
        layers={name: _layer([part.layers[name] for part in counts]) for name in counts[0].layers},
    )


def _layer(parts: list[LayerCounts]) -> LayerCounts:
    def total(values: list[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    return LayerCounts(
        cycles=total([part.cycles for part in parts]),
        ticks=total([part.ticks for part in parts]),
        synaptic_ops=sum(part.synaptic_ops for part in parts),
        flits=sum(part.flits for part in parts),
    )


def _examples(content: ImageSets, sets: dict[str, SetRecord]) -> list[Example]:
    """A few images: first those right when clean and fooled by most attacks, of many classes."""
    labels = content.labels[: len(next(iter(sets.values())).predictions["rtl"])]
    right = {name: np.array(one.predictions["rtl"]) == labels for name, one in sets.items()}
    fooled = sum(((~right[name]).astype(int) for name in right if name != CLEAN), 0 * labels)
    clean_wrong = ~right[CLEAN] if CLEAN in right else np.zeros(len(labels), bool)
    seen: dict[int, int] = {}
    repeats = np.zeros(len(labels), int)  # how many better ones of its class there are
    for index in np.lexsort((-fooled, clean_wrong)):
        repeats[index] = seen.get(int(labels[index]), 0)
        seen[int(labels[index])] = repeats[index] + 1
    chosen = np.lexsort((repeats, fooled == 0, clean_wrong))[:EXAMPLES]
    return [
        Example(
            index=int(index),
            images={name: _pixels(content.sets[name].images, index) for name in sets},
        )
        for index in chosen
    ]


def _pixels(images: Images, index: int) -> list[list[object]]:
    """One picture as lists: [H][W] grey, or [H][W][3]."""
    picture = images[index]
    if picture.ndim == 4:
        picture = _seen(picture)
    pixels: list[list[object]] = (
        picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, -1)
    ).tolist()
    return pixels


def _seen(spikes: Images) -> Images:
    """Spikes [T, C, H, W] as a picture: how often each pixel fired, of 255, the most white.

    Of two polarities the first is red and the second blue; all else is grey, [1, H, W].
    """
    counts = spikes.sum(0, dtype=np.int64)
    if len(counts) == 2:
        counts = np.stack([counts[0], np.zeros_like(counts[0]), counts[1]])
    else:
        counts = counts.sum(0, keepdims=True)
    found: Images = (counts * 255 // max(1, int(counts.max()))).astype(np.uint8)
    return found
