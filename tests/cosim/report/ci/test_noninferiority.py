"""The paired test: an identical run never fails, a loss of two points is caught; by resampling."""

import math

import numpy as np
import pytest

from cosim.report.ci.noninferiority import ALPHA, Z, caught, compare, upper_end

MARGIN = 0.01


def resampled(seed: int, count: int, losing: float, gaining: float = 0.0) -> list[int]:
    """Differences of images drawn with replacement, of which such shares are worse and better."""
    population = np.zeros(100_000, np.int64)
    population[: round(losing * len(population))] = 1
    population[len(population) - round(gaining * len(population)) :] -= 1
    draw = np.random.default_rng(seed).choice(population, count)
    return [int(each) for each in draw]


def failures(trials: int, count: int, losing: float, gaining: float = 0.0) -> float:
    found = (
        compare(resampled(seed, count, losing, gaining), MARGIN).passes for seed in range(trials)
    )
    return 1 - sum(found) / trials


@pytest.mark.parametrize("count", [1, 10, 200, 1000])
def test_an_identical_run_never_fails(count: int) -> None:
    assert failures(200, count, losing=0.0) == 0
    assert compare([0] * count, 1e-9).passes


def test_a_run_that_only_gained_never_fails() -> None:
    assert failures(200, 50, losing=0.0, gaining=0.2) == 0


@pytest.mark.slow
@pytest.mark.parametrize("count", [200, 450, 1000])
def test_a_loss_of_two_points_is_caught_with_the_stated_power(count: int) -> None:
    trials, power = 1000, caught(count, 0.02, MARGIN)
    assert power >= 0.98
    spread = math.sqrt(power * (1 - power) / trials)
    assert failures(trials, count, losing=0.02) == pytest.approx(power, abs=4 * spread + 1e-3)


@pytest.mark.parametrize("count", [450, 1000])
def test_it_is_caught_too_where_other_images_got_better(count: int) -> None:
    assert failures(400, count, losing=0.03, gaining=0.01) >= 0.97


@pytest.mark.slow
def test_a_loss_of_the_margin_passes_in_few_runs() -> None:
    """The size of the test: 2.5 % nominally; a little more where few images differ."""
    assert 1 - failures(2000, 5000, losing=0.02, gaining=0.01) < 2 * ALPHA


def test_equal_networks_with_other_answers_pass_with_enough_images() -> None:
    assert failures(200, 10_000, losing=0.01, gaining=0.01) < 0.01


def test_the_interval_is_bonett_and_prices() -> None:
    worse, better, count = 7, 3, 96
    up, down = (worse + 1) / (count + 2), (better + 1) / (count + 2)
    half = Z * math.sqrt((up + down - (up - down) ** 2) / (count + 2))
    found = upper_end(count, worse - better, worse + better)
    assert found == pytest.approx(up - down + half, rel=1e-12)
    assert pytest.approx(1.959964, abs=1e-6) == Z


def test_what_is_found_is_counted() -> None:
    found = compare([1, 0, -1, 2, 0], MARGIN)
    assert (found.images, found.worse, found.better, found.loss) == (5, 2, 1, 0.4)
    assert not found.passes
