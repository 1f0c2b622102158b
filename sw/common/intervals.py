"""Intervals of 95 % for shares of images, and for the difference of two over the same images.

Edwin B. Wilson's interval (JASA 22, 1927), and Robert G. Newcombe's for paired proportions, made of
two of Wilson's (Statistics in Medicine 17, 1998, 2635; method 10).
"""

import math
from collections.abc import Sequence

Z = 1.959963984540054  # 97.5 % of a normal distribution are below
Interval = tuple[float, float]


def wilson(right: int, count: int) -> Interval:
    """Of the share right / count; `count` is at least 1. Both ends are within 0..1."""
    share, spread = right / count, Z * Z / count
    centre = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    # Exactly 0 and 1 where the formula gives them, whatever the rounding.
    low = 0.0 if right == 0 else centre - half
    return low, 1.0 if right == count else centre + half


def paired(first: Sequence[bool], second: Sequence[bool]) -> Interval:
    """Of the first share minus the second one, over the same images, at least 1."""
    count = len(first)
    both = sum(a and b for a, b in zip(first, second, strict=True))
    only_first, only_second = sum(first) - both, sum(second) - both
    neither = count - both - only_first - only_second
    low1, high1 = wilson(both + only_first, count)
    low2, high2 = wilson(both + only_second, count)
    share1, share2 = (both + only_first) / count, (both + only_second) / count
    phi = _correlation(both, only_first, only_second, neither)
    below = _hypotenuse(share1 - low1, high2 - share2, phi)
    above = _hypotenuse(high1 - share1, share2 - low2, phi)
    difference = (only_first - only_second) / count
    return difference - below, difference + above


def _hypotenuse(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Newcombe's phi, corrected for continuity where it is above 0; 0 where a margin is empty."""
    product = (
        (both + only_first)
        * (only_second + neither)
        * (both + only_second)
        * (only_first + neither)
    )
    if not product:
        return 0.0
    determinant = float(both * neither - only_first * only_second)
    if determinant > 0:
        determinant = max(0.0, determinant - (both + only_first + only_second + neither) / 2)
    return determinant / math.sqrt(product)
