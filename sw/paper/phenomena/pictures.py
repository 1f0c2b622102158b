"""The phenomena as pictures, each to be read at the width of a page."""

import io
import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from sw.paper.cells import WEIGHTS
from sw.paper.phenomena import grid
from sw.paper.phenomena.document import Outcome, seen
from sw.paper.phenomena.verdicts.verdict import Verdict
from sw.paper.phenomena.verdicts.view import Condition, View
from sw.paper.presets import Scale
from sw.paper.tables.document import figure_module

DPI = 100
COLOURS = {
    "shown": "#1a7f37",
    "refuted": "#b42318",
    "not decided": "#57606a",
    "not measured": "#57606a",
}
MARKERS, SIGNS = ("o", "s", "^"), ("●", "■", "▲")  # of a claim's figures
COLUMNS = 3  # of claims
LINES = {"float": "-", "quantised": "--"}
ENCODING_COLOURS = {"direct": "C3", "rate": "C0", "phase": "C2", "latency": "C1"}

Curve = Callable[[View, Any, float, Any], float]


def all_of(outcome: Outcome) -> dict[str, bytes]:
    """PNG files' bytes by name; raises `InputError` without Matplotlib."""
    return {
        "claims": _png(_claims(outcome)),
        "loss": _png(_losses(outcome)),
        "activity": _png(_activity(outcome)),
    }


def _png(figure: Any) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    return content.getvalue()


def _claims(outcome: Outcome) -> Any:
    """A panel per claim: its intervals under every condition, coloured by the answer."""
    verdicts = outcome.verdicts
    rows = math.ceil(len(verdicts) / COLUMNS)
    figure = figure_module().Figure(figsize=(12.5, 3.3 * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
    for axes, verdict in zip(panels, verdicts, strict=False):
        _forest(axes, verdict)
    for axes in panels[len(verdicts) :]:
        axes.set_axis_off()
    names = ("shown", "refuted", "not decided")
    lines = [panels[0].plot([], [], "-o", color=COLOURS[name])[0] for name in names]
    figure.legend(lines, names, loc="outside lower center", ncols=len(names), fontsize=9)
    return figure


def _forest(axes: Any, verdict: Verdict) -> None:
    claim, answers = verdict.claim, [*verdict.answers, verdict.whole]
    for bound in {part.bound for part in claim.parts}:
        axes.axvline(bound, color="black", linewidth=0.8)
    for row, answer in enumerate(answers):
        for number, found in enumerate(answer.estimates):
            if found is None:
                continue
            height = row + 0.22 * (number - (len(claim.parts) - 1) / 2)
            axes.plot([found.low, found.high], [height] * 2, color=COLOURS[answer.label])
            axes.plot(
                found.value, height, MARKERS[number % 3], color=COLOURS[answer.label], markersize=4
            )
    names = [_short(answer.where) for answer in verdict.answers]
    axes.set_yticks(range(len(answers)), [*names, "all of them"], fontsize=8)
    axes.axhline(len(answers) - 1.5, color="#d0d7de", linewidth=0.8)
    axes.invert_yaxis()
    axes.grid(alpha=0.3, axis="x")
    axes.set_title(claim.name, fontsize=10)
    several = len(claim.parts) > 1
    parts = [
        f"{SIGNS[number % 3]} {part.name}" if several else part.name
        for number, part in enumerate(claim.parts)
    ]
    axes.set_xlabel(f"{claim.unit}: " + ",\n".join(parts), fontsize=8)
    axes.tick_params(axis="x", labelsize=8)


def _short(where: tuple[str, ...]) -> str:
    return ", ".join(value.replace("trained ", "") for value in where)


def _losses(outcome: Outcome) -> Any:
    """Adversarial loss by threshold: a column per kind of network, a row per way of attack."""
    eps = outcome.scale.eps[len(outcome.scale.eps) // 2]

    def loss(view: View, encoding: Any, theta: float, weights: Any) -> float:
        return view.loss(encoding, theta, weights, eps)

    rows = [(way, f"loss at {eps}/255, points", loss) for way in grid.ways(outcome.scale)]
    return _by_threshold(outcome, [(way, f"{way}\n{name}", curve) for way, name, curve in rows])


def _activity(outcome: Outcome) -> Any:
    first = grid.ways(outcome.scale)[0]
    return _by_threshold(
        outcome,
        [
            (first, "clean accuracy, %", View.accuracy),
            (first, "spikes per neuron", View.activity),
        ],
    )


def _by_threshold(outcome: Outcome, rows: list[tuple[Any, str, Curve]]) -> Any:
    """Means over seeds, with the range over them."""
    kinds = list(product(grid.NORMS, grid.LEARNT))
    size = (12.5, 3 * len(rows) + 0.6)
    figure = figure_module().Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(rows), len(kinds), squeeze=False, sharex=True, sharey="row")
    for line, (way, name, curve) in zip(panels, rows, strict=True):
        for axes, kind in zip(line, kinds, strict=True):
            _curves(axes, outcome.scale, seen(outcome, Condition(*kind, way)), curve)
        line[0].set_ylabel(name, fontsize=9)
    for axes, kind in zip(panels[0], kinds, strict=True):
        axes.set_title(", ".join(kind), fontsize=10)
    for axes in panels[-1]:
        axes.set_xlabel("theta", fontsize=9)
    curves = panels[0, 0].get_legend_handles_labels()
    columns = len(outcome.scale.encodings)
    figure.legend(*curves, loc="outside lower center", ncols=columns, fontsize=9)
    return figure


def _curves(axes: Any, scale: Scale, views: list[View], curve: Curve) -> None:
    thetas = scale.thetas
    for encoding, weights in product(scale.encodings, WEIGHTS):
        found = np.array(
            [[curve(view, encoding, theta, weights) for theta in thetas] for view in views]
        )
        colour, line = ENCODING_COLOURS[encoding], LINES[weights]
        label = f"{encoding}, {weights}"
        axes.plot(thetas, found.mean(0), f"o{line}", color=colour, markersize=3, label=label)
        axes.fill_between(thetas, found.min(0), found.max(0), color=colour, alpha=0.08, linewidth=0)
    axes.set_xticks(thetas)
    axes.grid(alpha=0.3)
