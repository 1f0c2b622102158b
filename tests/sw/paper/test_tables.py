"""Tables and findings of made-up cells, by hand."""

import dataclasses
import math
from collections.abc import Callable

import pytest

from sw.files.store import Result
from sw.paper.cells import WEIGHTS, Place
from sw.paper.presets import PRESETS, Scale
from sw.paper.published import Printed
from sw.paper.tables.document import text
from sw.paper.tables.findings import observed
from sw.paper.tables.tables import Entry, Results, magnitude, noise, tables

SCALE: Scale = PRESETS["cpu"]
FAILED: Result = {"failed": "training diverged"}


def _result(loss: float, activity: float = 1.0, silenced: int = 1) -> Result:
    """A cell that loses `loss`, 2 and 3 times that; of 1000 spikes `silenced` stop at each step."""
    sets = {"clean": (90.0, 1000)}
    for step, eps in enumerate(SCALE.eps, 1):
        sets[f"fgsm_{eps}"] = (90.0 - step * loss, 1000 - step * silenced)
    return {
        "sets": {
            name: {
                "accuracy": accuracy,
                "spikes": {"fc1": spikes, "conv2": 1000, "conv1": spikes},
                "activity": {"fc1": activity, "conv2": activity, "conv1": activity + 0.3},
            }
            for name, (accuracy, spikes) in sets.items()
        }
    }


def _results(make: Callable[[Place], Result], thetas: tuple[float, ...] = (0.4, 1.0)) -> Results:
    places = [
        Place(encoding, theta, weights, way)
        for theta in thetas
        for encoding in SCALE.encodings
        for weights in WEIGHTS
        for way in SCALE.ways
    ]
    return {place: make(place) for place in places}


def test_table_2_by_hand() -> None:
    def make(place: Place) -> Result:
        if (place.encoding, place.theta) == ("phase", 1.0):
            return FAILED
        return _result((1 if place.encoding == "direct" else 0.5) * (2 if place.theta == 1 else 1))

    found = tables("table2", SCALE, _results(make))
    assert [table.way for table in found] == ["white-box", "approximated", "transfer"]
    table = found[2]
    assert table.columns[:4] == (
        ("direct", "I"),
        ("direct", "II"),
        ("direct", "III"),
        ("rate", "I"),
    )
    assert [row.labels for row in table.rows] == [
        ("0.4", "Q1"),
        ("0.4", "Q2"),
        ("1", "Q1"),
        ("1", "Q2"),
        ("range", "Q1"),
        ("range", "Q2"),
    ]
    measured = [[entry.measured for entry in row.entries] for row in table.rows]
    assert measured[0][:6] == [1, 2, 3, 0.5, 1, 1.5]
    assert measured[2][:9] == [2, 4, 6, 1, 2, 3, None, None, None]
    assert measured[4][:9] == [1, 2, 3, 0.5, 1, 1.5, 0, 0, 0]
    printed = table.rows[3].entries[1].printed
    assert printed == Printed(13.37)
    assert table.rows[4].entries[0].printed is not None


def test_table_1_has_no_range() -> None:
    table = tables("table1", SCALE, _results(lambda place: _result(1), (0.4,)))[0]
    assert [row.labels for row in table.rows] == [("0.4", "Q1"), ("0.4", "Q2")]
    assert table.rows[0].entries[0] == Entry(1.0, Printed(7.41))


def test_table_3_is_the_mean_over_layers() -> None:
    table = tables("table3", SCALE, _results(lambda place: _result(1, 0.5)))[0]
    assert table.rows[0].entries[0].measured == pytest.approx(0.6)
    assert len(table.columns) == 4


def test_strengths_that_the_paper_does_not_have() -> None:
    scale = dataclasses.replace(SCALE, eps=(8, 16))
    table = tables("table1", scale, _results(lambda place: _result(1), (0.4,)))[0]
    assert [entry.printed for entry in table.rows[1].entries[:2]] == [
        Printed(11.65),
        Printed(22.44),
    ]


def test_table_4_and_its_noise() -> None:
    result = _result(1, silenced=10)
    assert noise(result, 8) == {"fc1": 0.02, "conv2": 0.0, "conv1": 0.02}
    table = tables("table4", SCALE, _results(lambda place: result))[0]
    assert [row.labels[0] for row in table.rows] == ["I (2/255)", "II (8/255)", "III (16/255)"]
    sizes = [math.log10(0.02), math.log10(0.02), -4]
    assert table.rows[1].entries[0].measured == 10 ** round(sum(sizes) / 3)
    assert table.rows[0].entries[3].printed == Printed(1.0)


@pytest.mark.parametrize(
    ("ratios", "order"),
    [
        ([], None),
        ([0.0], 0.0001),
        ([0.0, 0.0, 0.0], 0.0001),
        ([-math.inf], 1.0),
        ([25.0, -3.0], 1.0),
        ([0.01, -0.01], 0.01),
        ([0.1, 0.001], 0.01),
        ([0.04], 0.1),
        ([0.02], 0.01),
    ],
)
def test_magnitudes(ratios: list[float], order: float | None) -> None:
    assert magnitude(ratios) == order


def test_figures_have_a_row_per_curve() -> None:
    results = _results(lambda place: _result(1) if place.encoding != "rate" else FAILED)
    (third,) = tables("figure3", SCALE, results)
    assert third.way is None
    assert [layer for _, layer in third.columns] == ["conv1", "conv2", "fc1"]
    assert len(third.rows) == 4 * 2 * 2
    assert [entry.measured for entry in third.rows[0].entries] == [1.3, 1.0, 1.0]
    rate = next(row for row in third.rows if row.labels[0] == "rate")
    assert [entry.measured for entry in rate.entries] == [None] * 3
    fourth = tables("figure4", SCALE, results)
    assert [len(table.rows) for table in fourth] == [3 * 4 * 2] * 3
    assert fourth[0].rows[0].labels == ("direct", "0.4", "2/255")


def test_entries_as_text() -> None:
    assert text(Entry(1.234), 2) == "1.23"
    assert text(Entry(1.2, Printed(3.0)), 2) == "1.20 (3.00)"
    assert text(Entry(None, Printed(3.0, "why")), 1) == "- (3.0*)"
    assert text(Entry(1.0, Printed(None, "gap")), 1) == "1.0 (-*)"


def test_the_papers_findings_show_where_they_are() -> None:
    """Losses and activities made so that all of them hold."""

    def make(place: Place) -> Result:
        after = place.weights == "quantised"
        loss = 5.0 if place.encoding == "direct" else 1.0
        loss += (2.0 if after else 1.0) * (place.theta - 0.4) - (0.1 if after else 0.0)
        activity = 1.0 - place.theta / 2
        activity *= (0.85 if after else 1) * (0.9 if place.encoding != "direct" else 1)
        return _result(loss, activity - 0.1)

    found = observed(SCALE, _results(make), "white-box")
    assert found[0].endswith("in 12 of 12 cases.")
    assert found[1].endswith("in 9 of 9 cases.")
    assert "mean range 1.20 points before, 2.40 after" in found[2]
    assert found[2].endswith("it shows.")
    assert found[3].endswith("sparse encoding, shows.")


def test_the_papers_findings_do_not_show_where_they_are_not() -> None:
    def make(place: Place) -> Result:
        after = place.weights == "quantised"
        loss = 1.0 if place.encoding == "direct" else 2.0
        loss += (1.0 if after else 2.0) * (place.theta - 0.4)
        return _result(loss + after, 0.5 if after else 1.0)

    found = observed(SCALE, _results(make), "transfer")
    assert found[0].endswith("in 0 of 12 cases.")
    assert found[1].endswith("in 0 of 9 cases.")
    assert found[2].endswith("it does not show.")
    assert found[3].endswith("does not show.")


def test_nothing_is_said_of_what_failed() -> None:
    assert observed(SCALE, _results(lambda place: FAILED), "transfer") == []
