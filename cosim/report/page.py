"""The report: one self-contained page that a person understands at a glance.

Takes a `RunRecord` and nothing else, so that `nc64c report` can render it again at any time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cosim.record.chip_facts import RESOURCES, Grid, capacity, totals
from cosim.record.record import (
    LEVELS,
    REPORT_FILE,
    SUMMARY_FILE,
    Example,
    RtlSource,
    RunRecord,
    to_json,
)
from cosim.report.ci.summary import summary
from cosim.report.document import number, points, short, templates
from cosim.report.figures import (
    Points,
    accuracy,
    adversarial_loss,
    hardware,
    images,
    source,
    worst,
)
from cosim.report.plots import data_uri, png_uri
from cosim.report.verdict import cautions
from cosim.report.verdict import verdict as verdict
from sw.attack.set_names import CLEAN
from sw.files.atomic import atomic_write

NAMES = {"float": "Float", "quantised": "Quantised", "golden": "Golden", "rtl": "RTL"}
HOT = 0.72  # share of a heat map's top from which the other text colour has more contrast
MIN_LOSS_SCALE = 10.0  # points; so that a chart of tiny losses does not make them look large


class Figure(NamedTuple):
    """A key figure."""

    name: str
    value: str
    unit: str = ""
    note: str = ""


class HeatMap(NamedTuple):
    """A grid over the mesh; `rows` are from the north (the highest number) down."""

    title: str
    note: str
    top: int
    rows: list[dict[str, Any]]


class Triage(NamedTuple):
    """What the run's folder says of its first mismatch: in words, and as a picture (a data URI)."""

    words: list[str]
    picture: str | None


def write(folder: Path, run: RunRecord, out: Path | None = None) -> None:
    """Writes `report.html` and `summary.json`; `out` may have a triage of the run's first mismatch.

    Raises `InputError` if they cannot be written.
    """
    found = None if out is None or not any(one.failing for one in run.sets.values()) else out
    atomic_write(folder / REPORT_FILE, render(run, found).encode())
    atomic_write(folder / SUMMARY_FILE, to_json(summary(run)))


def render(run: RunRecord, out: Path | None = None) -> str:
    """The page, as HTML, with the triage that is in folder `out`."""
    sets = list(run.sets)
    losses = {level: adversarial_loss(run, level) for level in LEVELS}
    attacks = list(losses["rtl"])
    template = templates().get_template("report.html")
    return template.render(
        run=run,
        images=run.rtl_images,
        level_images=images(run),
        levels=LEVELS,
        names=NAMES,
        verdict=verdict(run),
        cautions=cautions(run),
        figures=list(_figures(run)),
        accuracies={name: {lv: accuracy(run, name, lv) for lv in LEVELS} for name in sets},
        worsts={
            f"worst at {eps}/255": {lv: worst(run, lv)[eps] for lv in LEVELS}
            for eps in worst(run, "rtl")
        },
        losses={name: {lv: losses[lv][name] for lv in LEVELS} for name in attacks},
        loss_top=max(
            [
                MIN_LOSS_SCALE,
                *(one.value for by_set in losses.values() for one in by_set.values()),
            ]
        ),
        examples=[_example(run, example) for example in run.examples],
        spikes=_spike_rows(run),
        maps=list(_maps(run)),
        resources=RESOURCES,
        totals=totals(run.chip),
        capacity=capacity(run.chip),
        hardware=hardware(run),
        facts=dict(_facts(run)),
        triage=None if out is None else triage_in(out),
    )


def triage_in(out: Path) -> Triage | None:
    """A triage, from the files that it has left in `out`/mismatch; None: there is none."""
    folder = out / "mismatch"
    try:
        words = (folder / "explanation.txt").read_text(errors="replace").split("\n\n")[:3]
        picture = folder / "picture.png"
        shown = png_uri(picture.read_bytes()) if picture.exists() else None
    except OSError:
        return None
    return Triage(words, shown)


def _figures(run: RunRecord) -> Iterator[Figure]:
    rtl, content, chip = run.rtl, summary(run), hardware(run)
    count = run.rtl_images * len(run.sets)
    if CLEAN in run.sets:
        found = accuracy(run, CLEAN, "rtl")
        quantised = points(accuracy(run, CLEAN, "quantised", sample=True).value)
        note = f"{_between(found)}; quantised algorithm {quantised} %"
        yield Figure("Clean accuracy, RTL", points(found.value), "%", note)
    losses = adversarial_loss(run, "rtl")
    for name in list(losses)[-1:]:
        quantised = points(adversarial_loss(run, "quantised", sample=True)[name].value)
        note = f"{_between(losses[name])}; quantised algorithm {quantised}"
        yield Figure(f"Adversarial loss, {name}, RTL", points(losses[name].value), "points", note)
    used = content["chip"]["cores_used"]
    yield Figure("Cores in use", str(used), f"of {run.chip.columns * run.chip.rows}")
    yield Figure(
        "Synaptic operations",
        short(round(chip.synaptic_ops_per_image)),
        "per image",
        f"{chip.energy_nj_per_image:,.0f} nJ at {chip.pj_per_synaptic_op} pJ each",
    )
    yield Figure(
        "Clock cycles",
        number(round(chip.cycles_per_image)),
        "per image",
        f"{chip.images_per_s:,.0f} images/s at {chip.clock_mhz:g} MHz",
    )
    yield Figure(
        "RTL simulation",
        f"{content['rtl']['images_per_s']:.1f}",
        "images/s",
        f"{number(count)} images in {_duration(rtl.wall_s)}",
    )


def _between(figure: Points) -> str:
    """Its interval and its images, in words."""
    return (
        f"95 % within {points(figure.low)} to {points(figure.high)}, {number(figure.images)} images"
    )


def _maps(run: RunRecord) -> Iterator[HeatMap]:
    counters, chip = run.rtl.counters, run.chip
    yield _heat("Flits", "passed on by each router, copies counted", counters["flits"])
    yield _heat("Stalls", "output cycles in which a flit waited", counters["stalls"])
    yield _heat("Busy cycles", "in which the core was not idle", counters["busy_cycles"])
    yield _heat("Spikes", "fired by the core's neurons", counters["spikes_out"])
    yield _heat("Neurons", "in use per core", chip.neurons)
    yield _heat("Synapses", "one-bit synapses in use per core", chip.synapses)


def _heat(title: str, note: str, grid: Grid) -> HeatMap:
    top = max(map(max, grid))
    rows = []
    for y in reversed(range(len(grid))):
        cells = []
        for x, value in enumerate(grid[y]):
            share = value / top if top else 0.0
            style = "none" if not value else "hot" if share > HOT else "warm"
            cells.append({"x": x, "value": value, "share": round(share, 3), "style": style})
        rows.append({"y": y, "cells": cells})
    return HeatMap(title, note, top, rows)


def _spike_rows(run: RunRecord) -> list[dict[str, Any]]:
    """A row per layer and level; layers on the host have no chip levels."""
    sets = run.sets.values()
    layers = next(iter(sets)).spikes
    rows = []
    for layer, by_level in layers.items():
        for level in [level for level in LEVELS if level in by_level]:
            cells = []
            for counts in (chosen.spikes[layer] for chosen in sets):
                wrong = level == "rtl" and counts[level] != counts.get("golden")
                cells.append((counts[level], wrong))
            first = level == LEVELS[0]
            rows.append(
                {"layer": layer, "level": level, "first": first, "span": len(by_level)}
                | {"cells": cells}
            )
    return rows


def _facts(run: RunRecord) -> Iterator[tuple[str, str]]:
    facts, rtl = run.facts, run.rtl
    yield "Command", facts.command
    yield "Checkpoint", facts.checkpoint
    drawn = source(run)
    if run.rtl_images < len(run.labels):
        drawn += f"; through the RTL go the first {number(run.rtl_images)} of them"
    yield "Images", drawn
    yield "Seed", str(facts.seed)
    sums = (f"{name} {one.images_sha256[:16]}" for name, one in run.sets.items())
    yield "SHA-256 of the pixels", ", ".join(sums)
    zero = {name: one.zero_gradients for name, one in run.sets.items()}
    if any(zero.values()):
        shares = (f"{name} {100 * count / len(run.labels):.3g} %" for name, count in zero.items())
        yield "Images whose gradient is zero", ", ".join(shares)
    if run.noise.bits:
        bits, share = run.noise.bits, run.noise.share
        most = f"up to {share:.3g} of the median threshold"
        yield "Threshold noise", f"{bits} bits (mask {(1 << bits) - 1}), {most}"
    yield "Started", facts.started
    stages = ", ".join(f"{name} {_duration(spent)}" for name, spent in facts.stages.items())
    processes = "1 process" if facts.jobs == 1 else f"{facts.jobs} processes"
    yield "Time", f"{_duration(facts.wall_s)}; all processes together, {stages}"
    found = f", {facts.shards_found} of them finished before" if facts.shards_found else ""
    yield "Shards", f"{number(facts.shards)}{found}"
    work = f"{number(rtl.ticks)} ticks, {number(rtl.cycles)} cycles"
    yield "RTL", f"{_duration(rtl.wall_s)} in {processes}; {work}"
    yield "RTL under test", _source(facts.rtl)
    yield "Golden model", facts.golden
    if facts.rtl.simulator == "verilator":
        yield "Verilator build", _duration(rtl.build_s) if rtl.build_s >= 1 else "cached"
    yield "Machine", f"{facts.cpu}, {facts.cores} cores for this run"
    yield "Versions", ", ".join(f"{name} {version}" for name, version in facts.versions.items())


def _source(rtl: RtlSource) -> str:
    """Whose RTL ran in which simulator, in words."""
    simulator = "Verilator" if rtl.simulator == "verilator" else "Icarus Verilog"
    if rtl.design == "ours":
        return f"ours, in {simulator}"
    files = ", ".join(f"{name}, SHA-256 {digest[:16]}" for name, digest in rtl.files.items())
    return f"the {rtl.design} {rtl.top} in {simulator}: {files}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


def _example(run: RunRecord, example: Example) -> dict[str, Any]:
    classes, index = run.classes, example.index
    label = run.labels[index]
    pictures = []
    for name, pixels in example.images.items():
        answer = run.sets[name].predictions["rtl"][index]
        pictures.append(
            {
                "set": name,
                "source": data_uri(np.array(pixels, np.uint8)),
                "answer": classes[answer] if 0 <= answer < len(classes) else "no answer",
                "right": answer == label,
            }
        )
    return {"index": index, "label": classes[label], "pictures": pictures}
