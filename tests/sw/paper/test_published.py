"""The transcription of the paper: checked by the sums that the paper itself prints."""

import tomllib
from itertools import product

import pytest

from sw.paper.presets import ENCODINGS, THETAS
from sw.paper.published import PAPER, Printed, values

WEIGHTS = ("float", "quantised")


def _numbers(row: tuple[Printed, ...]) -> list[float | None]:
    return [value.value for value in row]


@pytest.mark.parametrize(("encoding", "weights"), list(product(ENCODINGS, WEIGHTS)))
def test_ranges_of_table_2_are_those_of_its_columns(encoding: str, weights: str) -> None:
    rows = [_numbers(values("table2", encoding, weights, theta)) for theta in THETAS]
    assert all(len(row) == 3 for row in rows)
    printed = _numbers(values("table2_range", encoding, weights))
    for column, wanted in zip(zip(*rows, strict=True), printed, strict=True):
        there = [value for value in column if value is not None]
        assert wanted == pytest.approx(max(there) - min(there), abs=1e-9)


def test_mean_ranges_of_table_2_are_those_of_the_abstract() -> None:
    """5.79 points, 73.23 per cent more than before quantisation."""
    means = {}
    for weights in WEIGHTS:
        found = [
            value
            for encoding in ENCODINGS
            for value in _numbers(values("table2_range", encoding, weights))
            if value is not None
        ]
        assert len(found) == 12
        means[weights] = sum(found) / 12
    assert round(means["quantised"], 2) == 5.79
    assert round(100 * (means["quantised"] / means["float"] - 1), 2) == 73.23


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ranges_of_table_3_after_quantisation(encoding: str) -> None:
    rows = [values("table3", encoding, "quantised", theta)[0].value for theta in THETAS]
    there = [value for value in rows if value is not None]
    (printed,) = _numbers(values("table3_range", encoding, "quantised"))
    assert printed == pytest.approx(max(there) - min(there), abs=1.01e-4)  # its last decimal


def test_table_1_by_hand() -> None:
    assert _numbers(values("table1", "direct", "float", 0.4)) == [7.41, 13.42, 34.52]
    assert _numbers(values("table1", "latency", "quantised", 0.4)) == [1.73, 7.74, 22.10]


def test_tables_4_and_5_by_hand() -> None:
    assert _numbers(values("table4", "direct", "quantised")) == [0.001, 0.01, 0.1]
    assert _numbers(values("table5", "direct", "algorithm")) == [5.42, 12.0, 23.27]


def test_what_is_doubtful_says_why() -> None:
    commas = values("table1", "direct", "float", 0.4)
    assert [value.doubt is not None for value in commas] == [False, True, True]
    rate, phase = (values("table1", name, "quantised", 0.4) for name in ("rate", "phase"))
    assert _numbers(rate) == _numbers(phase)
    assert {value.doubt for value in (*rate, *phase)} == {
        "rate and phase are printed with the same three values"
    }
    gap = values("table2", "latency", "float", 1.0)
    assert [value.value for value in gap] == [None] * 3
    assert all(value.doubt for value in gap)


def test_every_missing_value_is_doubtful() -> None:
    tables = tomllib.loads(PAPER.read_text())
    assert len(tables) == 7
    rows = [row for table in tables.values() for row in table]
    entries = [entry for row in rows for name in ENCODINGS for entry in row.get(name, [])]
    assert len(entries) > 150
    for entry in entries:
        assert isinstance(entry, int | float) or (
            entry["doubt"] and entry.keys() <= {"doubt", "value"}
        )


def test_no_such_row() -> None:
    assert values("table1", "direct", "float", 0.6) == ()
    assert values("table5", "rate", "chip") == ()
