"""Intervals: Student's t against SciPy's, one by hand, and how often the truth is inside."""

import math

import numpy as np
import pytest
from scipy.stats import t as scipy_t  # type: ignore[import-untyped]

from sw.paper.phenomena.verdicts.estimate import Estimate, Sample, estimate, student, taken


@pytest.mark.parametrize("free", [1, 1.5, 2, 4.7, 19, 300])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_student_is_scipys(free: float, level: float) -> None:
    assert student(free, level) == pytest.approx(scipy_t.ppf((1 + level) / 2, free), rel=1e-9)


def test_samples_are_all_groups_and_then_without_each() -> None:
    seen: list[Sample] = []

    def statistic(sample: Sample) -> float:
        seen.append(sample)
        return float(sample.seed)

    assert taken(statistic, [3, 4], 2).tolist() == [[3, 3, 3], [4, 4, 4]]
    assert [sample.groups.tolist() for sample in seen[:3]] == [
        [True, True],
        [False, True],
        [True, False],
    ]


def test_by_hand() -> None:
    """Seeds 1 and 3: variance of the mean 1. Without a group 1 or 3: the jackknife's 1/2 x 2."""
    found = estimate(np.array([[1.0, 0.0, 2.0], [3.0, 2.0, 4.0]]))
    assert found is not None
    assert found.value == 2
    half = student(2) * math.sqrt(2)  # two equal terms with a degree of freedom each have two
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half))
    assert found.excludes(2 + 1.01 * half)
    assert not found.excludes(0)


def test_gaps() -> None:
    values = np.array([[1.0, 1.0, 1.0], [math.nan, 1.0, 1.0], [1.0, 1.0, 1.0]])
    assert estimate(values) == Estimate(1, 1, 1)
    assert estimate(values[:2]) is None


@pytest.mark.parametrize(("by_seed", "by_image"), [(1.0, 0.1), (0.1, 1.0), (1.0, 1.0)])
def test_the_truth_is_inside(by_seed: float, by_image: float) -> None:
    """Of 400 draws with three seeds and ten groups, the truth 0 is in 95 % of the intervals."""
    draw = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        seeds = draw.normal(0, by_seed, (3, 1))
        groups = draw.normal(0, by_image * math.sqrt(10), 10)
        table = seeds + groups + draw.normal(0, 0.1, (3, 10))
        without = (table.sum(1, keepdims=True) - table) / 9  # the means without each group
        found = estimate(np.hstack([table.mean(1, keepdims=True), without]))
        assert found is not None
        inside += not found.excludes(0)
    assert inside >= 0.92 * 400  # three standard deviations below
