"""Intervals of 95 % for figures that vary from network to network and from image to image.

Every network was shown the same images: two crossed sources of chance. Seeds: the variance of the
mean over networks trained from several seeds. Images: the delete-one jackknife over groups of
images, of that mean. Both are added, and Student's t is taken with the degrees of freedom that
Satterthwaite gives their sum (Biometrics Bulletin 2, 1946, 110). What varies with both together is
in both terms, so the interval is rather too wide than too narrow.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
NODES = 64  # of the quadrature: its error is below that of float64 for all degrees of freedom used
HALVINGS = 60

Groups = NDArray[np.bool_]  # which groups of images count
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Networks of one seed and some groups of images: what a figure is taken of."""

    seed: int
    groups: Groups


Statistic = Callable[[Sample], float]  # NaN: there is nothing that it could be taken of


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: the mean over seeds.
        low, high: where it lies.
    """

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside."""
        return not self.low <= value <= self.high


def everything(groups: int) -> Groups:
    """All groups."""
    return np.ones(groups, np.bool_)


def taken(statistic: Statistic, seeds: Sequence[int], groups: int) -> FloatArray:
    """What an interval is made of: a statistic of every seed, with all images and without some.

    Args:
        statistic: of a sample.
        seeds: of the trainings.
        groups: of images, at least 2.

    Returns:
        [seeds, 1 + groups]: first of all groups, then without each of them. Sums and differences of
        such arrays are what sums and differences of the statistics would give.
    """
    chosen = [everything(groups), *(np.arange(groups) != group for group in range(groups))]
    return np.array([[statistic(Sample(seed, some)) for some in chosen] for seed in seeds])


def estimate(values: FloatArray) -> Estimate | None:
    """The mean over seeds, of what `taken` gives; None where fewer than two seeds have it."""
    there = values[~np.isnan(values).any(1)]
    if len(there) < 2:
        return None
    whole, without = there[:, 0], there[:, 1:].mean(0)
    groups = len(without)
    by_seeds = float(whole.var(ddof=1)) / len(there)
    by_images = float((groups - 1) / groups * np.square(without - without.mean()).sum())
    half = _half(by_seeds, len(there) - 1, by_images, groups - 1)
    value = float(whole.mean())
    return Estimate(value, value - half, value + half)


def _half(one: float, free_one: int, other: float, free_other: int) -> float:
    variance = one + other
    if variance == 0:
        return 0.0
    free = variance**2 / (one**2 / free_one + other**2 / free_other)
    return student(free) * math.sqrt(variance)


def student(free: float, level: float = LEVEL) -> float:
    """What the size of Student's t stays below with probability `level`.

    Args:
        free: degrees of freedom, 1 or more; need not be whole.
        level: above 0 and below 1.

    With t = sqrt(free) tan(angle) the density is a power of a cosine, which is integrated.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    log_scale = math.lgamma((free + 1) / 2) - math.lgamma(free / 2) - math.log(math.pi) / 2
    low, high = 0.0, math.pi / 2
    for _ in range(HALVINGS):
        angle = (low + high) / 2
        cosines = np.cos(angle / 2 * (nodes + 1))
        within = math.exp(log_scale) * angle * float(weights @ cosines ** (free - 1))
        low, high = (angle, high) if within < level else (low, angle)
    return math.sqrt(free) * math.tan(low)
