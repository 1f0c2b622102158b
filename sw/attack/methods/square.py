"""Square attack: squares of pixels are moved at random, and stay so where the margin shrinks.

Andriushchenko et al., Square attack: a query-efficient black-box adversarial attack via random
search, ECCV 2020, for the largest change. It asks for answers only, never for a gradient, so a
network that hides its gradient is no safer from it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sw.attack.draws import Purpose
from sw.attack.methods.budget import Budget, moved, reach
from sw.attack.victim import Oracle
from sw.data.dataset import Images

STEPS = 200  # queries an image
FIRST_SHARE = 0.8  # of the pixels, in the first squares
HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries
ALL_QUERIES = 10_000
PLACES = 1 << 16  # equally likely places of a square, before they are scaled to those there are


def attack(victim: Oracle, images: Images, budget: Budget) -> Images:
    """The image of the smallest margin after so many queries; one that fools is left alone."""
    if not len(images) or not budget.eps:
        return images
    queries = STEPS if budget.steps is None else budget.steps
    least, most = reach(images, budget.eps)
    found = _stripes(victim, images, budget)
    margins = victim.margins(found, victim.labels)
    for query in range(1, queries):
        left = np.flatnonzero(margins >= 0)
        if not len(left):
            break
        labels = victim.labels.take(left)
        side = side_of(query, queries, images.shape[1:])
        draws = budget.draw(
            Purpose.SQUARE, labels.numbers, PLACES, (2 + images.shape[1],), turn=query
        )
        tried = found[left]
        for image, low, high, drawn in zip(tried, least[left], most[left], draws, strict=True):
            _paint(image, low, high, side, drawn)
        now = victim.margins(tried, labels)
        better = now < margins[left]
        found[left[better]], margins[left[better]] = tried[better], now[better]
    return found


def side_of(query: int, queries: int, shape: tuple[int, ...]) -> int:
    """The side of the square of a query, for images of C, H, W: fewer pixels as time goes on."""
    _, height, width = shape
    passed = query * ALL_QUERIES // queries
    share = FIRST_SHARE / 2 ** sum(passed > each for each in HALVED_AT)
    side = round(math.sqrt(share * height * width))
    return max(1, min(side, height, width))


def _stripes(victim: Oracle, images: Images, budget: Budget) -> Images:
    """Columns of eps up or down, drawn for each channel."""
    channels, _, width = images.shape[1:]
    heads = budget.draw(Purpose.STRIPES, victim.numbers, 2, (channels, 1, width))
    return moved(images, budget.eps * (2 * heads - 1))


def _paint(
    image: Images,
    least: NDArray[np.int64],
    most: NDArray[np.int64],
    side: int,
    drawn: NDArray[np.int64],
) -> None:
    """Put a square's pixels to the edge of what is allowed, each channel up or down, in place."""
    _, height, width = image.shape
    top = int(drawn[0]) * (height - side + 1) // PLACES
    left = int(drawn[1]) * (width - side + 1) // PLACES
    rows, columns = slice(top, top + side), slice(left, left + side)
    up = (drawn[2:] & 1).astype(np.bool_)[:, None, None]
    image[:, rows, columns] = np.where(up, most[:, rows, columns], least[:, rows, columns])
