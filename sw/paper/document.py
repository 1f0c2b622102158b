"""An experiment's result as JSON and as Markdown."""

from dataclasses import asdict, dataclass
from typing import Any

from sw.paper.cells import Cell, key
from sw.paper.grid import Experiment, Place
from sw.paper.presets import Scale
from sw.paper.tables import STRENGTHS, Entry, Results, Table

SCHEMA = 1

TITLES: dict[Experiment, str] = {
    "table1": "Table 1: adversarial loss of VGG5 before and after quantisation, points",
    "table2": "Table 2: adversarial loss of VGG9 before and after quantisation, points",
    "table3": "Table 3: mean spike activity of VGG9's layers under FGSM, spikes per neuron",
    "table4": "Table 4: orders of magnitude of the quantised VGG9's noise to signal ratio",
    "figure3": "Figure 3: spike activity of VGG9's layers, clean images, spikes per neuron",
    "figure4": "Figure 4: noise to signal ratio of the quantised VGG9's layers",
}
WAYS = {
    "white-box": "White-box: the target's own gradient, by autograd where its encoding has one",
    "approximated": "White-box by the paper's approximated gradient (Eq. 8 to 12)",
    "transfer": "Transfer: images made on an independently trained, direct-encoded network",
    None: "Clean images",
}


@dataclass(frozen=True)
class Outcome:
    """A finished experiment.

    Attributes:
        experiment: its name.
        scale: its size.
        cells, results: by place.
        trained: per network's key, what its training gave.
        tables: what is shown.
        remarks: sentences on what shows of the paper's findings, by way of attack.
    """

    experiment: Experiment
    scale: Scale
    cells: dict[Place, Cell]
    results: Results
    trained: dict[str, dict[str, Any]]
    tables: list[Table]
    remarks: dict[str, list[str]]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Everything, cells included; the same keys for each experiment."""
    return {
        "schema_version": SCHEMA,
        "experiment": outcome.experiment,
        "title": TITLES[outcome.experiment],
        "scale": asdict(outcome.scale),
        "tables": [asdict(table) for table in outcome.tables],
        "remarks": outcome.remarks,
        "networks": outcome.trained,
        "cells": [
            {
                **asdict(place),
                "cell": key(cell),
                "network": key(cell.target),
                "attack_network": key(cell.attacker) if cell.attacker else None,
                **outcome.results[place],
            }
            for place, cell in outcome.cells.items()
        ],
    }


def as_markdown(outcome: Outcome) -> str:
    """The tables, measured values beside the paper's in brackets; what is doubtful is marked."""
    scale = outcome.scale
    lines = [f"# {TITLES[outcome.experiment]}", "", _description(outcome), ""]
    doubts: dict[str, int] = {}
    for table in outcome.tables:
        lines += [f"## {WAYS[table.way]}", "", *_grid(table, doubts), ""]
        lines += [f"- {remark}" for remark in outcome.remarks.get(table.way or "", [])]
        lines += [""] if outcome.remarks.get(table.way or "") else []
    shown = {
        entry.printed is not None for t in outcome.tables for r in t.rows for entry in r.entries
    }
    if True in shown:
        lines += ["In brackets: what the paper prints, at its own scale; -: nothing.", ""]
    lines += [f"{_mark(number)} {doubt}." for doubt, number in doubts.items()]
    if not outcome.experiment.startswith("figure"):
        marks = zip(STRENGTHS, scale.eps, strict=False)
        lines += ["", "FGSM at " + ", ".join(f"{mark}: {eps}/255" for mark, eps in marks) + "."]
    lines += ["", "## Networks", "", *_networks(outcome)]
    return "\n".join(lines).rstrip() + "\n"


def text(entry: Entry, digits: int) -> str:
    """An entry as text: the measured value, and the printed one in brackets."""
    measured = _number(entry.measured, digits)
    if entry.printed is None:
        return measured
    star = "*" if entry.printed.doubt else ""
    return f"{measured} ({_number(entry.printed.value, digits)}{star})"


def _description(outcome: Outcome) -> str:
    scale = outcome.scale
    first = next(iter(outcome.cells.values())).target.network
    layers = "-".join(str(layer.features) for layer in first.layers)
    images = scale.train_images or "all"
    tested = scale.test_images or "all"
    return (
        f"{first.name} ({layers}) on {scale.dataset}: {images} training images,"
        f" {scale.epochs} + {scale.quantised_epochs} epochs (float + quantised), T ="
        f" {scale.timesteps}, K = {scale.weight_bits}, seed {scale.seed}; {tested} test images."
        " Q1: before quantisation, Q2: after."
    )


def _grid(table: Table, doubts: dict[str, int]) -> list[str]:
    head = [*table.head, *(" ".join(filter(None, column)) for column in table.columns)]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in table.rows:
        cells = [_marked(entry, table.digits, doubts) for entry in row.entries]
        lines.append("| " + " | ".join([*row.labels, *cells]) + " |")
    return lines


def _marked(entry: Entry, digits: int, doubts: dict[str, int]) -> str:
    shown = text(entry, digits)
    if entry.printed is None or entry.printed.doubt is None:
        return shown
    number = doubts.setdefault(entry.printed.doubt, len(doubts) + 1)
    return shown.replace("*", _mark(number))


def _mark(number: int) -> str:
    return f"[{number}]"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _networks(outcome: Outcome) -> list[str]:
    """How good the networks are without an attack."""
    lines = ["| encoding | theta | float, % | quantised, % | minutes |", "|" + " --- |" * 5]
    seen = set()
    for place, cell in outcome.cells.items():
        name = key(cell.target)
        if name in seen:
            continue
        seen.add(name)
        result = outcome.trained[name]
        if "failed" in result:
            shown = ["training failed", "", ""]
        else:
            shown = [f"{result['accuracy'][part]:.2f}" for part in ("float", "quantised")]
            shown.append(f"{result['seconds'] / 60:.1f}")
        lines.append("| " + " | ".join([place.encoding, f"{place.theta:g}", *shown]) + " |")
    return lines
