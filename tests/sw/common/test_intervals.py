"""Intervals: values printed in the literature, SciPy's Wilson interval, and what must hold."""

import numpy as np
import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from sw.common.intervals import paired, wilson


@pytest.mark.parametrize(("right", "count"), [(0, 10), (10, 10), (1, 1), (81, 263), (990, 1000)])
def test_wilson_is_scipys(right: int, count: int) -> None:
    theirs = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert wilson(right, count) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_as_newcombe_prints_it() -> None:
    """Newcombe, Statistics in Medicine 17, 1998, 857: 81 of 263."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def outcomes(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    counts = (both, first, second, neither)
    ours = np.repeat([True, True, False, False], counts)
    theirs = np.repeat([True, False, True, False], counts)
    return ours.tolist(), theirs.tolist()


def test_paired_as_newcombe_prints_it() -> None:
    """Newcombe, Statistics in Medicine 17, 1998, 2635: 36, 12, 2 and 0 pairs by method 10."""
    assert paired(*outcomes(36, 12, 2, 0)) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_paired_turns_with_its_arguments() -> None:
    ours, theirs = outcomes(60, 25, 5, 10)
    low, high = paired(ours, theirs)
    assert low < 0.2 < high
    assert paired(theirs, ours) == pytest.approx((-high, -low), abs=1e-12)


def test_equal_answers_differ_by_about_nothing() -> None:
    ours, _ = outcomes(700, 200, 0, 100)
    low, high = paired(ours, ours)
    assert low == pytest.approx(-high, abs=1e-12)
    assert 0 < high < 0.01


def test_about_95_per_cent_hold_the_truth() -> None:
    """Of 2,000 drawn tables of 300 pairs whose shares differ by 0.1."""
    tables = np.random.default_rng(3).multinomial(300, (0.6, 0.2, 0.1, 0.1), size=2000)
    intervals = [paired(*outcomes(*map(int, table))) for table in tables]
    held = sum(low <= 0.1 <= high for low, high in intervals) / len(intervals)
    assert 0.935 < held < 0.975
