"""`summary.json`: a run's figures for other programs. Stable; docs/summary-json.md has the keys."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cosim.record.record import CHIP_LEVELS, LEVELS, SUMMARY_FILE, Level, RunRecord
from cosim.report.figures import Points, accuracy, adversarial_loss, hardware, images, total, worst
from sw.common.errors import InputError, reason

VERSION = 1


def summary(run: RunRecord) -> dict[str, Any]:
    """The content of `summary.json`; the keys stay in this order."""
    chip, rtl, count = run.chip, run.rtl, run.rtl_images
    source = run.facts.rtl
    of = {level: adversarial_loss(run, level) for level in LEVELS}
    of_sample = {level: adversarial_loss(run, level, sample=True) for level in LEVELS}
    worsts = {level: worst(run, level) for level in LEVELS}
    return {
        "schema_version": VERSION,
        "images": count,
        "level_images": images(run),
        "dataset": run.dataset,
        "network": run.network,
        "encoding": run.encoding,
        "weight_bits": run.weight_bits,
        "timesteps": run.timesteps,
        "noise_bits": run.noise.bits,
        "chip": {
            "mesh": f"{chip.columns}x{chip.rows}",
            "axons": chip.axons,
            "dendrites": chip.dendrites,
            "cores_used": sum(neurons > 0 for row in chip.neurons for neurons in row),
            "neurons_used": sum(map(sum, chip.neurons)),
            "synapses_used": sum(map(sum, chip.synapses)),
            "mapping": chip.mapping,
        },
        "sets": {name: _set(run, name) for name in run.sets},
        "adv_loss": {level: _values(losses) for level, losses in of.items()},
        "adv_loss_interval": {level: _intervals(losses) for level, losses in of.items()},
        "sample_adv_loss": {level: _values(losses) for level, losses in of_sample.items()},
        "worst_accuracy": {level: _values(stands) for level, stands in worsts.items()},
        "worst_accuracy_interval": {level: _intervals(stands) for level, stands in worsts.items()},
        "rtl": {
            "ticks": rtl.ticks,
            "cycles": rtl.cycles,
            "synaptic_ops": total(run, "synaptic_ops"),
            "wall_s": round(rtl.wall_s, 3),
            "images_per_s": round(count * len(run.sets) / rtl.wall_s, 3),
            "process_s": round(rtl.process_s, 3),
            "build_s": round(rtl.build_s, 3),
            "read_back": rtl.read_back,
            "simulator": source.simulator,
            "design": source.design,
            "top": source.top,
            "files": source.files,
        },
        "hardware": asdict(hardware(run)),
    }


def read(folder: Path) -> dict[str, Any]:
    """The `summary.json` in a folder. Raises `InputError` if there is none of this `VERSION`."""
    path = folder / SUMMARY_FILE
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is no JSON"
        raise InputError(
            f"cannot read {path}: {why}; give a folder that nc64c cosim has written"
        ) from error
    if not isinstance(document, dict) or document.get("schema_version") != VERSION:
        raise InputError(f"{path}: schema_version must be {VERSION}")
    return document


def _set(run: RunRecord, name: str) -> dict[str, Any]:
    chosen = run.sets[name]
    found = {level: accuracy(run, name, level) for level in LEVELS}
    of_sample = {level: accuracy(run, name, level, sample=True) for level in LEVELS}
    return {
        "accuracy": _values(found),
        "accuracy_interval": _intervals(found),
        "sample_accuracy": _values(of_sample),
        "spikes": {
            layer: {level: counts[level] for level in sorted(CHIP_LEVELS)}
            for layer, counts in chosen.spikes.items()
            if counts.keys() >= CHIP_LEVELS
        },
        "mismatched_spikes": chosen.mismatched_spikes,
        "mismatched_membranes": chosen.mismatched_membranes,
        "compared_spikes": chosen.compared_spikes,
        "compared_membranes": chosen.compared_membranes,
        "images_sha256": chosen.images_sha256,
        "zero_gradients": chosen.zero_gradients,
    }


def _values(figures: Mapping[Level, Points] | Mapping[str, Points]) -> dict[str, float]:
    return {name: _rounded(figure.value) for name, figure in figures.items()}


def _intervals(figures: Mapping[Level, Points] | Mapping[str, Points]) -> dict[str, list[float]]:
    return {name: [_rounded(figure.low), _rounded(figure.high)] for name, figure in figures.items()}


def _rounded(points: float) -> float:
    return round(points, 4)
