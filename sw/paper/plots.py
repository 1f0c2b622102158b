"""An experiment's result as a picture: tables as such, figures as curves over the layers."""

import importlib
import io
from typing import Any

from sw.common.errors import InputError
from sw.paper.document import TITLES, WAYS, Outcome, text
from sw.paper.tables import Table

DPI = 150
MARKERS = "osD^vP*X"


def check() -> None:
    """Raises `InputError` unless pictures can be made."""
    _figure_module()


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


def _figure_module() -> Any:
    try:
        return importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise InputError("pictures need Matplotlib: install nc64c[plots]") from error


def _tables(outcome: Outcome) -> Any:
    tables = outcome.tables
    heights = [len(table.rows) + 3 for table in tables]
    columns = max(len(table.columns) for table in tables)
    size = (2 + 1.25 * columns, 0.32 * sum(heights) + 0.6)
    figure = _figure_module().Figure(figsize=size, layout="constrained")
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
    figure = _figure_module().Figure(
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
