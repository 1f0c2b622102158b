"""An experiment's finished cells as tables in the paper's shape, beside the paper's values."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sw.files.store import Result
from sw.model.config.inputs import Encoding
from sw.model.metrics import adv_loss, mean_activity, nsr
from sw.paper.cells import WEIGHTS, Experiment, Place, Weights
from sw.paper.presets import Scale, Way
from sw.paper.published import Printed, values

QUANTISATION = {"float": "Q1", "quantised": "Q2"}  # as the paper calls before and after
STRENGTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
SMALLEST, LARGEST = 1e-4, 1.0  # Table 4's orders of magnitude

Results = Mapping[Place, Result]
Column = tuple[str, str]
Measure = Callable[[Result], list[float | None]]  # a value per column of one encoding


@dataclass(frozen=True)
class Entry:
    """A value measured, None where training failed, and the paper's, None where it has none."""

    measured: float | None
    printed: Printed | None = None


@dataclass(frozen=True)
class Row:
    """Labels at its left, and an entry per column."""

    labels: tuple[str, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Table:
    """Of one way of attack.

    Attributes:
        way: None where nothing was attacked.
        head: what the labels are.
        columns: encoding (empty for layers) and, within it, strength of the attack or layer.
        rows: from the top.
        digits: decimals that its values are shown with.
    """

    way: Way | None
    head: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    digits: int


def tables(experiment: Experiment, scale: Scale, results: Results) -> list[Table]:
    """The tables of an experiment, one per way of attack (Figure 3: one, of clean images)."""
    makers: dict[Experiment, Callable[[Scale, Results, Way], Table]] = {
        "table1": lambda *given: _losses("table1", *given),
        "table2": lambda *given: _losses("table2", *given),
        "table3": _activities,
        "table4": _magnitudes,
        "figure3": _clean_layers,
        "figure4": _noisy_layers,
    }
    ways = scale.ways[:1] if experiment == "figure3" else scale.ways
    return [makers[experiment](scale, results, way) for way in ways]


def attacked(eps: int) -> str:
    """The name of a set in a cell."""
    return f"fgsm_{eps}"


def losses(result: Result, scale: Scale) -> list[float]:
    """A cell's adversarial loss at each strength, points."""
    clean = result["sets"]["clean"]["accuracy"]
    return [adv_loss(clean, result["sets"][attacked(eps)]["accuracy"]) for eps in scale.eps]


def _losses(name: str, scale: Scale, results: Results, way: Way) -> Table:
    """Tables 1 and 2: adversarial loss."""
    shown = STRENGTHS[: len(scale.eps)]
    columns: tuple[Column, ...] = tuple(
        (encoding, mark) for encoding in scale.encodings for mark in shown
    )
    return _by_theta(
        name, scale, results, way, columns, lambda result: list(losses(result, scale)), scale.eps, 2
    )


def _activities(scale: Scale, results: Results, way: Way) -> Table:
    """Table 3: mean spike activity of the hidden layers under the weakest attack."""

    def measured(result: Result) -> list[float | None]:
        return [mean_activity(result["sets"][attacked(scale.eps[0])]["activity"])]

    columns = tuple((encoding, STRENGTHS[0]) for encoding in scale.encodings)
    return _by_theta("table3", scale, results, way, columns, measured, scale.eps[:1], 4)


def _by_theta(
    name: str,
    scale: Scale,
    results: Results,
    way: Way,
    columns: tuple[Column, ...],
    measured: Measure,
    eps: tuple[int, ...],
    digits: int,
) -> Table:
    """Rows by threshold and weights; then, of several thresholds, the range over them."""
    thetas = sorted({place.theta for place in results})
    found: dict[tuple[float, Weights], list[float | None]] = {}
    rows = []
    for theta in thetas:
        for weights in WEIGHTS:
            entries = []
            for encoding in scale.encodings:
                result = results[Place(encoding, theta, weights, way)]
                mine = [None] * len(eps) if "failed" in result else measured(result)
                theirs = _printed(name, encoding, weights, theta, eps)
                entries += [Entry(*pair) for pair in zip(mine, theirs, strict=True)]
            found[theta, weights] = [entry.measured for entry in entries]
            rows.append(Row((f"{theta:g}", QUANTISATION[weights]), tuple(entries)))
    if len(thetas) > 1:
        for weights in WEIGHTS:
            theirs = [
                value
                for encoding in scale.encodings
                for value in _printed(f"{name}_range", encoding, weights, None, eps)
            ]
            over = zip(*(found[theta, weights] for theta in thetas), strict=True)
            entries = [Entry(_range(mine), value) for mine, value in zip(over, theirs, strict=True)]
            rows.append(Row(("range", QUANTISATION[weights]), tuple(entries)))
    return Table(way, ("theta", "weights"), columns, tuple(rows), digits)


def _magnitudes(scale: Scale, results: Results, way: Way) -> Table:
    """Table 4: orders of magnitude of the quantised networks' NSR, over layers and thresholds."""
    thetas = sorted({place.theta for place in results})
    rows = []
    for index, eps in enumerate(scale.eps):
        entries = []
        for encoding in scale.encodings:
            found = [results[Place(encoding, theta, "quantised", way)] for theta in thetas]
            ratios = [
                ratio
                for result in found
                if "failed" not in result
                for ratio in noise(result, eps).values()
            ]
            theirs = _printed("table4", encoding, "quantised", None, scale.eps, (2, 8, 16))
            entries.append(Entry(magnitude(ratios), theirs[index]))
        rows.append(Row((f"{STRENGTHS[index]} ({eps}/255)",), tuple(entries)))
    columns = tuple((encoding, "NSR") for encoding in scale.encodings)
    return Table(way, ("strength",), columns, tuple(rows), 4)


def magnitude(ratios: list[float]) -> float | None:
    """The order of magnitude of noise to signal ratios, out of 1, 0.1, 0.01, 0.001, 0.0001.

    Their sizes' geometric mean, rounded to a power of ten; each size is first brought within
    0.0001..1, so that layers without any noise, and those that an attack wakes, count as the ends.
    """
    if not ratios:
        return None
    logs = [math.log10(min(max(abs(ratio), SMALLEST), LARGEST)) for ratio in ratios]
    return float(f"1e{round(math.fsum(logs) / len(logs))}")


def noise(result: Result, eps: int) -> dict[str, float]:
    """Noise to signal ratio of each hidden layer of a cell, Eq. 14."""
    clean, spikes = (result["sets"][name]["spikes"] for name in ("clean", attacked(eps)))
    return {layer: nsr(clean[layer], spikes[layer]) for layer in clean}


def _clean_layers(scale: Scale, results: Results, way: Way) -> Table:
    """Figure 3: spike activity of each layer without an attack."""
    rows = [
        Row((place.encoding, f"{place.theta:g}", QUANTISATION[place.weights]), entries)
        for place, entries in _layers(results, way, lambda r: r["sets"]["clean"]["activity"])
    ]
    return Table(None, ("encoding", "theta", "weights"), _layer_names(results), tuple(rows), 4)


def _noisy_layers(scale: Scale, results: Results, way: Way) -> Table:
    """Figure 4: NSR of each layer after quantisation, at each strength."""
    rows = [
        Row((place.encoding, f"{place.theta:g}", f"{eps}/255"), entries)
        for eps in scale.eps
        for place, entries in _layers(results, way, partial(noise, eps=eps))
        if place.weights == "quantised"
    ]
    return Table(way, ("encoding", "theta", "eps"), _layer_names(results), tuple(rows), 4)


def _layers(
    results: Results, way: Way, measured: Callable[[Result], dict[str, float]]
) -> list[tuple[Place, tuple[Entry, ...]]]:
    names = [layer for _, layer in _layer_names(results)]
    rows = []
    for place, result in results.items():
        if place.way == way:
            found = {} if "failed" in result else measured(result)
            rows.append((place, tuple(Entry(_finite(found.get(name))) for name in names)))
    return rows


def _layer_names(results: Results) -> tuple[Column, ...]:
    layers: list[str] = []
    for result in results.values():
        if "failed" not in result:
            layers = list(result["sets"]["clean"]["activity"])
    return tuple(("", layer) for layer in _ordered(layers))


def _ordered(layers: list[str]) -> list[str]:
    """conv1, conv2, ..., fc1: JSON does not keep their order."""
    return sorted(layers, key=lambda name: (name.startswith("fc"), len(name), name))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _range(found: tuple[float | None, ...]) -> float | None:
    there = [value for value in found if value is not None]
    return max(there) - min(there) if there else None


def _printed(
    name: str,
    encoding: Encoding,
    weights: Weights,
    theta: float | None,
    eps: tuple[int, ...],
    paper_eps: tuple[int, ...] = (2, 8, 16),
) -> list[Printed | None]:
    """The paper's values at these strengths; None at strengths that it does not have."""
    theirs = dict(zip(paper_eps, values(name, encoding, weights, theta), strict=False))
    return [theirs.get(one) for one in eps]
