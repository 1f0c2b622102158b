"""Accuracy and adversarial loss against threshold noise: as JSON, as Markdown, as a picture."""

from collections.abc import Sequence
from typing import Any

from cosim.record.record import LEVELS, Level, RunRecord
from cosim.report import plots
from cosim.report.document import templates
from cosim.report.figures import (
    Points,
    accuracy,
    adversarial_loss,
    images,
    mismatches,
    source,
)
from cosim.report.verdict import cautions, verdict
from sw.common.templates import markdown

SCHEMA = 1
SPREAD = 0.08  # between the marks of two sets, by the distance of two numbers of bits
TITLES = {"accuracy": "accuracy, %", "adv_loss": "adversarial loss, points"}


def as_json(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """All runs, a row for each number of bits; they differ in nothing else."""
    first = runs[0]
    return {
        "schema_version": SCHEMA,
        "network": first.network,
        "dataset": first.dataset,
        "encoding": first.encoding,
        "mapping": first.chip.mapping,
        "command": first.facts.command,
        "level_images": images(first),
        "rows": [
            {
                "bits": run.noise.bits,
                "mask": _mask(run),
                "share_of_median_threshold": round(run.noise.share, 6),
                "mismatches": mismatches(run),
                "compared_spikes": sum(one.compared_spikes for one in run.sets.values()),
                "compared_membranes": sum(one.compared_membranes for one in run.sets.values()),
                "accuracy": {level: _figures(_accuracies(run, level)) for level in LEVELS},
                "adv_loss": {level: _figures(adversarial_loss(run, level)) for level in LEVELS},
            }
            for run in runs
        ],
    }


def as_markdown(runs: Sequence[RunRecord]) -> str:
    """Two tables: accuracy and adversarial loss, a row for each number of bits and chip level."""
    sets = [one for run in runs for one in run.sets.values()]
    kinds = {"Accuracy, %": _accuracies, "Adversarial loss, points": adversarial_loss}
    return markdown(
        templates(),
        "noise.md.j2",
        runs=runs,
        first=runs[0],
        counts=images(runs[0]),
        source=source(runs[0]),
        spikes=sum(one.compared_spikes for one in sets),
        membranes=sum(one.compared_membranes for one in sets),
        mismatches=sum(map(mismatches, runs)),
        kinds={title: kind for title, kind in kinds.items() if kind(runs[0], "rtl")},
        cautions=cautions,
        mask=_mask,
        share=_share,
    )


def as_pictures(runs: Sequence[RunRecord]) -> dict[str, bytes]:
    """Golden as lines, RTL as marks with their intervals; raises `InputError`."""
    kinds = {"accuracy": _accuracies, "adv_loss": adversarial_loss}
    shown = {name: kind for name, kind in kinds.items() if kind(runs[0], "rtl")}
    figure, panels = plots.panels(len(shown))
    counts = images(runs[0])
    figure.suptitle(
        f"Threshold noise: {runs[0].network} on {runs[0].dataset}; lines: golden, "
        f"{counts['golden']} images, marks: RTL, {counts['rtl']} images, 95 % intervals",
        fontsize=9,
    )
    colours = {chosen: f"C{number}" for number, chosen in enumerate(runs[0].sets)}
    for panel, (name, kind) in zip(panels, shown.items(), strict=True):
        places, chosen_sets = range(len(runs)), list(kind(runs[0], "rtl"))
        for number, chosen in enumerate(chosen_sets):
            colour, aside = colours[chosen], SPREAD * (number - (len(chosen_sets) - 1) / 2)
            golden = [kind(run, "golden")[chosen].value for run in runs]
            panel.plot(places, golden, color=colour, label=chosen)
            rtl = [kind(run, "rtl")[chosen] for run in runs]
            panel.errorbar(
                [place + aside for place in places],
                [one.value for one in rtl],
                yerr=[[one.value - one.low for one in rtl], [one.high - one.value for one in rtl]],
                fmt="o",
                color=colour,
                markersize=4,
                capsize=2,
                linewidth=1,
            )
        panel.set_xticks(
            places,
            [f"{run.noise.bits}\n{_share(run)}" for run in runs],
            fontsize=7,
        )
        panel.set_xlabel("bits of noise; its most as a share of the median threshold", fontsize=8)
        panel.set_ylabel(TITLES[name])
        panel.grid(alpha=0.3)
    every_set = panels[0].get_legend_handles_labels()
    figure.legend(*every_set, fontsize=7, loc="outside right upper")
    return plots.as_files(figure)


def _accuracies(run: RunRecord, level: Level) -> dict[str, Points]:
    return {name: accuracy(run, name, level) for name in run.sets}


def _share(run: RunRecord) -> str:
    share = 100 * run.noise.share
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"


def _mask(run: RunRecord) -> int:
    return (1 << run.noise.bits) - 1


def _figures(found: dict[str, Points]) -> dict[str, dict[str, float]]:
    return {
        name: {part: round(value, 4) for part, value in figure._asdict().items()}
        for name, figure in found.items()
    }


def differences(run: RunRecord) -> list[str]:
    """What differs between golden and RTL that must be equal, in words; for each set its first."""
    found = verdict(run)
    if found.equal:
        return []
    first = [f"first in {name}: {one}" for name, one in found.first.items()] or [found.detail]
    return [f"{run.noise.bits} bits of noise: {sentence}" for sentence in first]
