"""Draws that belong to an image: the same in any cut, and nobody else's."""

from itertools import combinations

import numpy as np
import pytest

from sw.attack.draws import Purpose, draw
from sw.data.digits import load

SHAPE = (3, 4, 4)


def test_an_image_has_the_same_draws_in_any_cut_and_order() -> None:
    numbers = np.array([17, 0, 5, 2**40, 9])
    whole = draw(3, Purpose.START, numbers, 17, SHAPE)
    assert whole.shape == (5, *SHAPE)
    for chosen in ([0, 1], [2, 3, 4], [4, 3, 2, 1, 0]):
        assert np.array_equal(draw(3, Purpose.START, numbers[chosen], 17, SHAPE), whole[chosen])


def test_images_seeds_purposes_and_variants_share_nothing() -> None:
    """Every one of 4 x 4 x 3 x 3 streams of 64 bits: none is another's, nor another's shifted."""
    streams = {
        (number, seed, purpose, variant): draw(
            seed, purpose, np.array([number]), 2**32, (64,), variant
        )[0]
        for number in (0, 1, 2, 9999)
        for seed in (0, 1, 2, 2**63 - 1)
        for purpose in Purpose
        for variant in (0, 1, 16)
    }
    seen = np.concatenate(list(streams.values()))
    assert len(np.unique(seen)) > len(seen) - 3  # of 9216 draws of 32 bits, 0.01 are alike
    for (one, first), (other, second) in combinations(streams.items(), 2):
        assert not np.array_equal(first, second), (one, other)


@pytest.mark.parametrize("values", [1, 2, 9, 511])
def test_all_values_are_equally_likely(values: int) -> None:
    found = draw(0, Purpose.STEP, np.arange(200), values, (1000,))
    counts = np.bincount(found.ravel(), minlength=values)
    expected = found.size / values
    assert len(counts) == values
    assert np.abs(counts - expected).max() < 6 * np.sqrt(expected)


def test_the_draws_are_these() -> None:
    """They are part of every published figure of R+FGSM and PGD: no library may change them."""
    assert draw(7, Purpose.START, np.array([0, 41]), 17, (4,), variant=8).tolist() == EXPECTED


EXPECTED = [[15, 0, 3, 8], [12, 11, 8, 0]]


def test_a_data_sets_images_keep_their_numbers() -> None:
    whole = load("test")
    assert np.array_equal(whole.numbers, np.arange(len(whole)))
    part = whole.take(np.array([7, 3, 300])).take(slice(1, None))
    assert part.numbers.tolist() == [3, 300]
    assert np.array_equal(part.images, whole.images[[3, 300]])
