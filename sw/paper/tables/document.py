"""An experiment's result as JSON, as Markdown and as a picture."""

import importlib
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sw.common.errors import InputError
from sw.common.templates import environment, markdown
from sw.paper.cells import Cell, Experiment, Place, key
from sw.paper.presets import Scale
from sw.paper.published import note
from sw.paper.tables.tables import STRENGTHS, Entry, Results, Table

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
    doubts: list[str] = []
    entries = [entry for table in outcome.tables for row in table.rows for entry in row.entries]
    figure = outcome.experiment.startswith("figure")
    return markdown(
        environment("sw.paper.tables", "."),
        "document.md.j2",
        title=TITLES[outcome.experiment],
        network=next(iter(outcome.cells.values())).target.network,
        scale=outcome.scale,
        tables=[
            {
                "way": WAYS[table.way],
                "head": [*table.head, *(" ".join(filter(None, name)) for name in table.columns)],
                "rows": list(_rows(table, doubts)),
                "remarks": outcome.remarks.get(table.way or "", []),
            }
            for table in outcome.tables
        ],
        printed=any(entry.printed is not None for entry in entries),
        doubts=doubts,
        marks=[] if figure else list(zip(STRENGTHS, outcome.scale.eps, strict=False)),
        networks=list(_networks(outcome)),
    )


def text(entry: Entry, digits: int) -> str:
    """An entry as text: the measured value, and the printed one in brackets."""
    measured = _number(entry.measured, digits)
    if entry.printed is None:
        return measured
    star = "*" if entry.printed.doubt else ""
    return f"{measured} ({_number(entry.printed.value, digits)}{star})"


def _rows(table: Table, doubts: list[str]) -> Iterator[list[str]]:
    """The cells of a table; enters what is doubtful of a printed value into `doubts`."""
    for row in table.rows:
        yield [*row.labels, *(_marked(entry, table.digits, doubts) for entry in row.entries)]


def _marked(entry: Entry, digits: int, doubts: list[str]) -> str:
    shown = text(entry, digits)
    if entry.printed is None or entry.printed.doubt is None:
        return shown
    return shown.replace("*", note(entry.printed.doubt, doubts))


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _networks(outcome: Outcome) -> Iterator[list[str]]:
    """How good the networks are without an attack, a row for each."""
    targets: dict[str, Place] = {}
    for place, cell in outcome.cells.items():
        targets.setdefault(key(cell.target), place)
    for name, place in targets.items():
        result = outcome.trained[name]
        if "failed" in result:
            shown = ["training failed", "", ""]
        else:
            shown = [f"{result['accuracy'][part]:.2f}" for part in ("float", "quantised")]
            shown.append(f"{result['seconds'] / 60:.1f}")
        yield [place.encoding, f"{place.theta:g}", *shown]


DPI = 150
MARKERS = "osD^vP*X"


def check() -> None:
    """Raises `InputError` unless pictures can be made."""
    figure_module()


def as_png(outcome: Outcome) -> bytes:
    """A PNG file's bytes; the same outcome gives the same ones with the same Matplotlib.

    Raises:
        InputError: Matplotlib is not installed.
    """
    curves = outcome.experiment.startswith("figure")
    figure = _curves(outcome) if curves else _tables(outcome)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    return content.getvalue()


def figure_module() -> Any:
    """Matplotlib's `figure`; raises `InputError` if it is not installed."""
    try:
        return importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise InputError("pictures need Matplotlib: install nc64c[plots]") from error


def _tables(outcome: Outcome) -> Any:
    tables = outcome.tables
    heights = [len(table.rows) + 3 for table in tables]
    columns = max(len(table.columns) for table in tables)
    size = (2 + 1.25 * columns, 0.32 * sum(heights) + 0.6)
    figure = figure_module().Figure(figsize=size, layout="constrained")
    figure.suptitle(TITLES[outcome.experiment])
    grid = figure.subplots(len(tables), 1, squeeze=False, height_ratios=heights)
    for axes, table in zip(grid[:, 0], tables, strict=True):
        axes.set_axis_off()
        axes.set_title(WAYS[table.way], fontsize=9)
        drawn = axes.table(
            cellText=[
                [*row.labels, *(text(entry, table.digits) for entry in row.entries)]
                for row in table.rows
            ],
            colLabels=[*table.head, *("\n".join(filter(None, name)) for name in table.columns)],
            cellLoc="center",
            bbox=[0, 0, 1, 1],
        )
        drawn.auto_set_font_size(False)
        drawn.set_fontsize(8)
    return figure


def _curves(outcome: Outcome) -> Any:
    """A panel per encoding (and, of NSR, per strength): a curve per threshold and weights."""
    blocks = [(table, block) for table in outcome.tables for block in _blocks(table)]
    encodings = list(dict.fromkeys(row.labels[0] for table, _ in blocks for row in table.rows))
    figure = figure_module().Figure(
        figsize=(4 * len(encodings), 3 * len(blocks) + 0.6), layout="constrained"
    )
    figure.suptitle(TITLES[outcome.experiment])
    grid = figure.subplots(len(blocks), len(encodings), squeeze=False, sharex=True)
    for line, (table, block) in zip(grid, blocks, strict=True):
        for axes, encoding in zip(line, encodings, strict=True):
            _panel(axes, table, encoding, block)
    # One for all panels, beside them: their curves are the same, and it hides none of them.
    curves = grid[0, 0].get_legend_handles_labels()
    figure.legend(*curves, loc="outside right upper", fontsize=8)
    return figure


def _blocks(table: Table) -> list[str | None]:
    """Strengths of attack, if the rows have any: None stands for all rows."""
    if table.head[-1] != "eps":
        return [None]
    return list(dict.fromkeys(row.labels[-1] for row in table.rows))


def _panel(axes: Any, table: Table, encoding: str, block: str | None) -> None:
    layers = [layer for _, layer in table.columns]
    rows = [row for row in table.rows if row.labels[0] == encoding]
    rows = [row for row in rows if block is None or row.labels[-1] == block]
    colours = {theta: f"C{n}" for n, theta in enumerate(dict.fromkeys(r.labels[1] for r in rows))}
    for number, row in enumerate(rows):
        theta, mark = row.labels[1], row.labels[2]
        axes.plot(
            range(len(layers)),
            [float("nan") if e.measured is None else e.measured for e in row.entries],
            "--" if mark == "Q2" else "-",
            color=colours[theta],
            marker=MARKERS[number % len(MARKERS)],
            markersize=3,
            label=f"theta {theta}" + (f", {mark}" if block is None else ""),
        )
    way = "" if table.way is None else f", {table.way}"
    axes.set_title(encoding + ("" if block is None else f", {block}{way}"), fontsize=9)
    axes.set_xticks(range(len(layers)), layers, rotation=45, fontsize=7)
    axes.grid(alpha=0.3)
