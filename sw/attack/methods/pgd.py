"""Projected gradient descent: small steps along the sign of the gradient, kept within eps."""

import numpy as np

from sw.attack.draws import Purpose
from sw.attack.methods.budget import Budget, moved, reach
from sw.attack.victim import Victim
from sw.common.checks import check_range
from sw.data.dataset import Images
from sw.model.config.inputs import PIXEL_MAX

STEPS = 10


def attack(
    victim: Victim,
    images: Images,
    budget: Budget,
    alpha: int | None = None,
    random_start: bool = True,
) -> Images:
    """Steps of alpha sign(dJ/dx), J the cross-entropy, each clipped to eps around the image.

    Madry et al., ICLR 2018. The start is drawn evenly from the whole numbers -eps..eps of each
    pixel; alpha is a whole number, by default eps / 4 rounded up: no image leaves the grid.

    Raises:
        InputError: alpha is out of range.
    """
    alpha = -(-budget.eps // 4) if alpha is None else alpha
    check_range("alpha", alpha, 0, PIXEL_MAX)
    least, most = reach(images, budget.eps)
    found = start(victim, images, budget) if random_start else images
    for _ in range(STEPS if budget.steps is None else budget.steps):
        found = np.clip(moved(found, alpha * victim.signs(found)), least, most).astype(np.uint8)
    return found


def start(victim: Victim, images: Images, budget: Budget) -> Images:
    """Images drawn evenly from all that are within eps of these."""
    shape = images.shape[1:]
    steps = budget.draw(Purpose.START, victim.numbers, 2 * budget.eps + 1, shape)
    return moved(images, steps - budget.eps)
