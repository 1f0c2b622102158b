"""What the paper says of its Table 2, asked of the cells measured here: counts, not opinions."""

import math
from collections.abc import Callable
from itertools import product

from sw.files.store import Result
from sw.model.metrics import mean_activity
from sw.paper.cells import WEIGHTS, Place
from sw.paper.presets import Scale, Way
from sw.paper.tables.tables import Results, losses


def observed(scale: Scale, results: Results, way: Way) -> list[str]:
    """A sentence per phenomenon of the paper's section 4.1, and one on its ranking.

    Sentences whose encodings or thresholds are not in the experiment, or whose training failed
    everywhere, are left out.
    """
    found = {place: result for place, result in results.items() if place.way == way}
    found = {place: result for place, result in found.items() if "failed" not in result}
    sentences = (
        _direct_is_worst(scale, found),
        _quantised_is_stronger(scale, found),
        _range_grows(scale, found),
        _ranking(found),
    )
    return [sentence for sentence in sentences if sentence]


def _direct_is_worst(scale: Scale, found: Results) -> str:
    cases = [
        all(direct[index] > other[index] for other in others)
        for theta, weights in product(_thetas(found), WEIGHTS)
        for direct, others in [_against_direct(scale, found, theta, weights)]
        if direct and others
        for index in range(len(scale.eps))
    ]
    return _counted(
        "Phenomenon 1, direct encoding loses most at each threshold and strength", cases
    )


def _against_direct(
    scale: Scale, found: Results, theta: float, weights: str
) -> tuple[list[float], list[list[float]]]:
    """Losses of direct encoding and of the others, at one threshold and with the same weights."""
    row = {p.encoding: r for p, r in found.items() if (p.theta, p.weights) == (theta, weights)}
    by_encoding = {encoding: losses(result, scale) for encoding, result in row.items()}
    direct = by_encoding.pop("direct", [])
    return direct, list(by_encoding.values())


def _quantised_is_stronger(scale: Scale, found: Results) -> str:
    lowest = min(_thetas(found), default=0.0)
    cases = [
        after < before
        for place, result in found.items()
        if (place.theta, place.weights) == (lowest, "float") and place.encoding != "direct"
        for other in [found.get(_with_quantised_weights(place))]
        if other is not None
        for before, after in zip(losses(result, scale), losses(other, scale), strict=True)
    ]
    return _counted(
        f"Phenomenon 2, at the lowest threshold ({lowest:g}) a sparse encoding loses less after"
        " quantisation",
        cases,
    )


def _range_grows(scale: Scale, found: Results) -> str:
    """Phenomenon 3; the paper's means of its ranges are 3.34 and 5.79 points."""
    means = []
    for weights in WEIGHTS:
        ranges = []
        for encoding in scale.encodings:
            rows = [
                losses(result, scale)
                for place, result in found.items()
                if (place.encoding, place.weights) == (encoding, weights)
            ]
            if len(rows) > 1:
                ranges += [max(column) - min(column) for column in zip(*rows, strict=True)]
        means.append(math.fsum(ranges) / len(ranges) if ranges else math.nan)
    before, after = means
    if math.isnan(before) or math.isnan(after):
        return ""
    verdict = "shows" if after > before else "does not show"
    return (
        "Phenomenon 3, the loss varies more with the threshold after quantisation: mean range"
        f" {before:.2f} points before, {after:.2f} after (the paper: 3.34 and 5.79); it {verdict}."
    )


def _ranking(found: Results) -> str:
    """How much sparser the layers get by each of the paper's three factors, all else the same."""
    thetas = _thetas(found)
    factors = {
        "threshold": _sparser(
            found,
            lambda place: place.theta == thetas[0],
            lambda place: Place(place.encoding, thetas[-1], place.weights, place.way),
        ),
        "quantisation": _sparser(
            found, lambda place: place.weights == "float", _with_quantised_weights
        ),
        "sparse encoding": _sparser(
            found,
            lambda place: place.encoding != "direct",
            lambda place: Place("direct", place.theta, place.weights, place.way),
            swapped=True,
        ),
    }
    there = {name: value for name, value in factors.items() if not math.isnan(value)}
    if len(thetas) < 2 or len(there) < len(factors):
        return ""
    order = sorted(there, key=lambda name: there[name])
    shows = order == list(factors)
    changes = ", ".join(f"{name} {100 * there[name]:+.1f} %" for name in order)
    return (
        "Ranking by how much each makes clean spike activity sparser (mean of the relative"
        f" changes): {changes}; the paper's order, threshold, quantisation, sparse encoding,"
        f" {'shows' if shows else 'does not show'}."
    )


def _sparser(
    found: Results,
    chosen: Callable[[Place], bool],
    partner: Callable[[Place], Place],
    *,
    swapped: bool = False,
) -> float:
    """Mean relative change of activity from a cell to its partner (or back)."""
    changes = []
    for place, result in found.items():
        other = found.get(partner(place))
        if chosen(place) and other is not None:
            before, after = _activity(result), _activity(other)
            if swapped:
                before, after = after, before
            if before:
                changes.append(after / before - 1)
    return math.fsum(changes) / len(changes) if changes else math.nan


def _activity(result: Result) -> float:
    return mean_activity(result["sets"]["clean"]["activity"])


def _with_quantised_weights(place: Place) -> Place:
    return Place(place.encoding, place.theta, "quantised", place.way)


def _thetas(found: Results) -> list[float]:
    return sorted({place.theta for place in found})


def _counted(what: str, cases: list[bool]) -> str:
    if not cases:
        return ""
    return f"{what}: in {sum(cases)} of {len(cases)} cases."
