"""Is a run no worse than a kept one, image by image? A paired test of non-inferiority.

Each image gives a difference: by how much the new run is worse there. Of the right answers it is
-1, 0 or 1, of an adversarial loss -2 to 2. The run passes if the upper end of a one-sided interval
of the mean difference is below the margin; so a loss of the margin passes by chance in about
`ALPHA` of all runs, and a larger one in fewer. The interval is Wald's, after one more image that
got better and one that got worse: for right answers, Bonett and Price's adjusted Wald interval
(Journal of Educational and Behavioral Statistics 37(4), 2012, 479).

A run that is worse on no image passes, however few they are: of an identical one the interval
alone would ask for some 280 images at a margin of one point.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

ALPHA = 0.025
Z = NormalDist().inv_cdf(1 - ALPHA)


@dataclass(frozen=True)
class Finding:
    """What came of a test: shares of 0..1, and numbers of images."""

    images: int
    worse: int
    better: int
    loss: float  # mean difference
    upper: float  # one-sided upper end, of 97.5 %
    passes: bool


def compare(differences: Sequence[int], margin: float) -> Finding:
    """Tests differences, one an image, at least one, against a margin of 0..1."""
    count, total = len(differences), sum(differences)
    worse, better = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    upper = upper_end(count, total, sum(each * each for each in differences))
    passes = worse == 0 or upper < margin
    return Finding(count, worse, better, total / count, upper, passes)


def upper_end(count: int, total: int, squares: int) -> float:
    """Of the mean of `count` differences with this sum and sum of squares."""
    mean = total / (count + 2)
    variance = (squares + 2) / (count + 2) - mean * mean
    return mean + Z * math.sqrt(max(0.0, variance) / (count + 2))


def caught(count: int, loss: float, margin: float) -> float:
    """The power: how often a run that loses this share of images, and gains none, is caught.

    Exact: the number of images lost is binomial.
    """
    missed = 0.0
    for lost in range(count + 1):
        if lost and upper_end(count, lost, lost) >= margin:
            break
        missed += math.comb(count, lost) * loss**lost * (1 - loss) ** (count - lost)
    return 1 - missed
