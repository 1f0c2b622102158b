"""What the paper claims, each as figures that are above a bound if it is so."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from sw.model.config.inputs import Encoding
from sw.paper.cells import WEIGHTS, Weights
from sw.paper.phenomena.verdicts.view import View
from sw.paper.presets import Scale
from sw.paper.published import values

Factor = Literal["norm", "learnt", "way"]  # attributes of `Condition`
Figure = Callable[[View], float]
Encodings = tuple[Encoding, ...]
Cases = list[tuple[float, Weights, int]]  # threshold, weights, strength

ALL: tuple[Factor, ...] = ("norm", "learnt", "way")
FALL = (0.4, 0.8)  # between these thresholds the paper's activity falls
FALL_SHARE = 0.5  # of the paper's fall: so much is a fall like the paper's


@dataclass(frozen=True)
class Part:
    """One figure of a claim.

    Attributes:
        name: what it is.
        figure: of one seed's networks; NaN if there is nothing to take it of.
        bound: the claim says that the figure is above.
    """

    name: str
    figure: Figure
    bound: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, and the figures which must all be above their bounds.

    Attributes:
        name: a short one.
        sentence: what is claimed.
        test: what the figures are.
        unit: of the figures.
        parts: the figures.
        factors: what may make a difference to it; of the others the first value is taken.
    """

    name: str
    sentence: str
    test: str
    unit: str
    parts: tuple[Part, ...]
    factors: tuple[Factor, ...] = ALL


def claims(scale: Scale) -> list[Claim]:
    """All claims that a grid of this size can test."""
    sparse = tuple(encoding for encoding in scale.encodings if encoding != "direct")
    direct, several = "direct" in scale.encodings, len(scale.thetas) > 1
    found: list[Claim] = []
    if direct and sparse:
        found += [_direct_loses_most(scale, sparse), _direct_loses_by_share(scale, sparse)]
    if sparse:
        found.append(_quantisation_helps(scale, sparse))
    if several:
        found += [_lowest_is_best(scale), _varies_more(scale)]
    if direct and sparse and several:
        found.append(_ranking(scale, sparse))
    if direct and set(FALL) <= set(scale.thetas):
        found.append(_activity_falls())
    return found


def _direct_loses_most(scale: Scale, sparse: Encodings) -> Claim:
    def lost(view: View, encoding: Encoding, cases: Cases) -> float:
        return mean(view.loss(encoding, *case) for case in cases)

    return Claim(
        "direct encoding",
        "Direct encoding is the least robust at each threshold and strength (phenomenon 1).",
        "Adversarial loss with direct encoding minus that with another one, mean over thresholds,"
        " strengths, float and quantised.",
        "points",
        _against_direct(scale, sparse, lost),
    )


def _direct_loses_by_share(scale: Scale, sparse: Encodings) -> Claim:
    def lost(view: View, encoding: Encoding, cases: Cases) -> float:
        right = mean(view.accuracy(encoding, theta, weights) for theta, weights, _ in cases)
        loss = mean(view.loss(encoding, *case) for case in cases)
        return 100 * loss / right if right else math.nan

    return Claim(
        "direct encoding, by share",
        "The same in shares: of what a network gets right, direct encoding loses most. Who is right"
        " more often has more to lose.",
        "The loss as a share of the clean accuracy, both means over thresholds, strengths, float"
        " and quantised: with direct encoding minus with another one.",
        "%",
        _against_direct(scale, sparse, lost),
    )


def _against_direct(
    scale: Scale, sparse: Encodings, lost: Callable[[View, Encoding, Cases], float]
) -> tuple[Part, ...]:
    def against(other: Encoding) -> Figure:
        def figure(view: View) -> float:
            cases = [
                case
                for case in product(scale.thetas, WEIGHTS, scale.eps)
                if not math.isnan(view.loss("direct", *case) - view.loss(other, *case))
            ]
            return lost(view, "direct", cases) - lost(view, other, cases)

        return figure

    return tuple(Part(f"direct - {other}", against(other)) for other in sparse)


def _quantisation_helps(scale: Scale, sparse: Encodings) -> Claim:
    lowest = min(scale.thetas)

    def figure(view: View) -> float:
        return mean(
            view.loss(encoding, lowest, "float", eps)
            - view.loss(encoding, lowest, "quantised", eps)
            for encoding, eps in product(sparse, scale.eps)
        )

    return Claim(
        "quantisation",
        f"Quantisation lowers the adversarial loss of sparse encodings at theta = {lowest:g}"
        " (phenomenon 2).",
        "Adversarial loss before minus after quantisation, mean over sparse encodings and"
        " strengths.",
        "points",
        (Part("before - after", figure),),
        ("norm", "way"),
    )


def _lowest_is_best(scale: Scale) -> Claim:
    lowest = min(scale.thetas)

    def figure(view: View) -> float:
        return mean(
            view.loss(encoding, theta, "quantised", eps)
            - view.loss(encoding, lowest, "quantised", eps)
            for encoding, theta, eps in product(scale.encodings, scale.thetas, scale.eps)
            if theta > lowest
        )

    return Claim(
        "lowest threshold",
        f"After quantisation every encoding is most robust at theta = {lowest:g} (phenomenon 2).",
        "Adversarial loss of the quantised network at a higher threshold minus that at the lowest"
        " one, mean over those thresholds, encodings and strengths.",
        "points",
        (Part("higher - lowest", figure),),
    )


def _varies_more(scale: Scale) -> Claim:
    def spread(view: View, weights: Weights, encoding: Encoding, eps: int) -> float:
        found = [view.loss(encoding, theta, weights, eps) for theta in scale.thetas]
        return math.nan if any(map(math.isnan, found)) else max(found) - min(found)

    def figure(view: View) -> float:
        return mean(
            spread(view, "quantised", *case) - spread(view, "float", *case)
            for case in product(scale.encodings, scale.eps)
        )

    return Claim(
        "variation",
        "After quantisation the adversarial loss varies more with the threshold (phenomenon 3:"
        " 5.79 points instead of 3.34).",
        "Largest minus smallest adversarial loss over the thresholds, after minus before"
        " quantisation, mean over encodings and strengths. Chance widens both ranges alike.",
        "points",
        (Part("after - before", figure),),
    )


def _ranking(scale: Scale, sparse: Encodings) -> Claim:
    lowest, highest = min(scale.thetas), max(scale.thetas)

    def threshold(view: View) -> float:
        return mean(
            fall(
                view.activity(encoding, lowest, weights), view.activity(encoding, highest, weights)
            )
            for encoding, weights in product(scale.encodings, WEIGHTS)
        )

    def quantisation(view: View) -> float:
        return mean(
            fall(view.activity(*case, "float"), view.activity(*case, "quantised"))
            for case in product(scale.encodings, scale.thetas)
        )

    def encoding(view: View) -> float:
        return mean(
            fall(view.activity("direct", *case), view.activity(other, *case))
            for other in sparse
            for case in product(scale.thetas, WEIGHTS)
        )

    return Claim(
        "ranking",
        "A higher threshold makes spikes sparser than quantisation does, and quantisation sparser"
        " than sparse encoding does.",
        f"Fall of the clean spike activity from theta = {lowest:g} to {highest:g}, from float to"
        " quantised, and from direct to the sparse encodings, all else alike; differences of"
        " neighbours in the ranking.",
        "%",
        (
            Part("threshold - quantisation", lambda view: threshold(view) - quantisation(view)),
            Part("quantisation - encoding", lambda view: quantisation(view) - encoding(view)),
        ),
        ("norm", "learnt"),
    )


def _activity_falls() -> Claim:
    low, high = FALL
    before, after = (values("table3", "direct", "float", theta)[0].value for theta in FALL)
    assert before is not None
    assert after is not None
    printed = fall(before, after)

    def figure(view: View) -> float:
        return mean(
            fall(view.activity("direct", low, weights), view.activity("direct", high, weights))
            for weights in WEIGHTS
        )

    return Claim(
        "activity",
        f"Spike activity falls from {before:.2f} to {after:.2f} per neuron, by {printed:.0f} %,"
        f" between theta = {low:g} and {high:g} (direct encoding).",
        "The fall of the clean spike activity, direct encoding, mean of float and quantised; at"
        f" least {FALL_SHARE:g} of the paper's is asked for.",
        "%",
        (Part("fall", figure, FALL_SHARE * printed),),
        ("norm", "learnt"),
    )


def fall(before: float, after: float) -> float:
    """By how much it falls, per cent; NaN of nothing."""
    return 100 * (1 - after / before) if before else math.nan


def mean(numbers: Iterable[float]) -> float:
    """Of those that are there; NaN if none is."""
    there = list(_there(numbers))
    return math.fsum(there) / len(there) if there else math.nan


def _there(numbers: Iterable[float]) -> Iterator[float]:
    return (number for number in numbers if not math.isnan(number))
