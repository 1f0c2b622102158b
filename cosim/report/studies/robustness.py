"""The page of `nc64c robustness --suite`: flags first, the worst case, each attack, and curves.

Takes the suite's document (`robustness.json`) and nothing else.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from cosim.report.document import templates

WORST = "worst case"
WIDTH, HEIGHT = 460.0, 230.0  # of a panel's axes, in its own units
GAP = 13.0  # least distance of two labels at the ends of lines
STYLES = 8  # of lines, before dashes tell them apart


class Line(NamedTuple):
    """A line of a panel.

    Attributes:
        name: at its end, at height `label`.
        style: a number of `STYLES`, and whether it is dashed.
        points: x,y by x,y, as SVG has it.
    """

    name: str
    style: int
    dashed: bool
    points: str
    end: float
    label: float


class Panel(NamedTuple):
    """Lines over axes; the vertical one is per cent of the images.

    Attributes:
        title, below: what it is, and what its horizontal axis is.
        ticks: of the horizontal axis, place and text.
    """

    title: str
    below: str
    lines: list[Line]
    ticks: list[tuple[float, str]]


def render(found: Mapping[str, Any]) -> str:
    """The page, as HTML."""
    return (
        templates()
        .get_template("robustness.html")
        .render(
            found=found,
            panels=[_by_strength(found), *_by_looks(found)],
            rows={"none": None, WORST: found["worst"], **found["attacks"]},
            size=(WIDTH, HEIGHT),
        )
    )


def _by_strength(found: Mapping[str, Any]) -> Panel:
    strengths: list[int] = found["strengths"]
    most = max(strengths)
    rows = {WORST: found["worst"], **found["attacks"]}
    curves = {
        name: [(0.0, found["clean"]), *((eps / most, right[str(eps)]) for eps in strengths)]
        for name, right in rows.items()
    }
    ticks = [(WIDTH * eps / most, str(eps)) for eps in [0, *strengths]]
    return Panel("by strength", "strength, 1/255", _lines(curves, list(rows)), ticks)


def _by_looks(found: Mapping[str, Any]) -> list[Panel]:
    """One for each strength: what is left after so large a part of an attack's looks."""
    panels = []
    order = [WORST, *found["attacks"]]
    for eps in map(str, found["strengths"]):
        curves = {
            name: [(look / (len(left[eps]) - 1), share) for look, share in enumerate(left[eps])]
            for name, left in found["curves"].items()
        }
        ticks = [(WIDTH * part, f"{part:.0%}") for part in (0, 0.25, 0.5, 0.75, 1)]
        title = f"on the way, at strength {eps}"
        panels.append(Panel(title, "looks at the network so far", _lines(curves, order), ticks))
    return panels


def _lines(curves: Mapping[str, Sequence[tuple[float, float]]], order: Sequence[str]) -> list[Line]:
    """Each name has the same style in every panel."""
    ends = {name: HEIGHT * (1 - curve[-1][1] / 100) for name, curve in curves.items()}
    labels = _apart(ends)
    return [
        Line(
            name,
            order.index(name) % STYLES,
            order.index(name) >= STYLES,
            " ".join(f"{WIDTH * x:.1f},{HEIGHT * (1 - y / 100):.1f}" for x, y in curve),
            ends[name],
            labels[name],
        )
        for name, curve in curves.items()
    ]


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """Heights of labels, in the order of the lines' ends, none nearer to another than `GAP`."""
    names = sorted(ends, key=lambda name: ends[name])
    heights = [ends[name] for name in names]
    for _ in range(200):
        moved = False
        for upper, lower in pairwise(range(len(heights))):
            short = GAP - (heights[lower] - heights[upper])
            if short > 0.01:
                heights[upper] -= short / 2
                heights[lower] += short / 2
                moved = True
        if not moved:
            break
    return dict(zip(names, heights, strict=True))
