"""The figures of each claim, by hand."""

import dataclasses
import math

import pytest

from sw.paper.phenomena.grid import Place
from sw.paper.phenomena.verdicts.claims import claims, fall, mean
from sw.paper.phenomena.verdicts.estimate import Sample, everything
from sw.paper.phenomena.verdicts.view import Condition
from sw.paper.presets import PRESETS, Scale
from tests.sw.paper.phenomena.conftest import SCALE, Made, made_up


def rule(place: Place) -> Made:
    """Clean accuracy is 90 %. Only the loss of rate at 0.8 depends on the weights."""
    losses = {("direct", 0.4): 30.0, ("direct", 0.8): 20.0, ("rate", 0.4): 12.0, ("rate", 0.8): 6.0}
    loss = losses[place.encoding, place.theta]
    if (place.encoding, place.theta, place.weights) == ("rate", 0.8, "quantised"):
        loss = 2.0
    if (place.encoding, place.theta, place.weights) == ("rate", 0.4, "quantised"):
        loss = 11.0
    return loss, (2.0 if place.theta == 0.4 else 0.5) * (1 if place.encoding == "direct" else 0.5)


def found(scale: Scale = SCALE) -> dict[str, list[float]]:
    view = made_up(rule, scale=scale).view(
        Condition("no norm", "trained once", "transfer"), Sample(1, everything(scale.groups))
    )
    return {claim.name: [part.figure(view) for part in claim.parts] for claim in claims(scale)}


def test_by_hand() -> None:
    figures = found()
    direct, rate = (30 + 20) / 2, (12 + 6 + 11 + 2) / 4
    assert figures["direct encoding"] == pytest.approx([direct - rate])
    assert figures["direct encoding, by share"] == pytest.approx([(direct - rate) / 0.9])
    assert figures["quantisation"] == pytest.approx([1])
    assert figures["lowest threshold"] == pytest.approx([(-10 - 9) / 2])
    assert figures["variation"] == pytest.approx([((10 - 10) + (9 - 6)) / 2])
    assert figures["ranking"] == pytest.approx([75 - 0, 0 - 50])
    assert figures["activity"] == pytest.approx([75])


def test_what_a_grid_cannot_test_is_left_out() -> None:
    every = [claim.name for claim in claims(PRESETS["phenomena"])]
    assert len(every) == 7
    one = dataclasses.replace(SCALE, thetas=(0.6,))
    assert [claim.name for claim in claims(one)] == every[:3]
    direct = dataclasses.replace(SCALE, encodings=("direct",))
    assert [claim.name for claim in claims(direct)] == [every[3], every[4], every[6]]


def test_gaps() -> None:
    assert mean([1, math.nan, 3]) == 2
    assert math.isnan(mean([math.nan]))
    assert math.isnan(fall(0, 1))
    assert fall(2, 0.5) == 75
