"""SA-PGD: steps that differ from pixel to pixel, by a momentum of gradients of one size.

Wang et al., Towards reliable evaluation of adversarial robustness for spiking neural networks,
arXiv 2512.22522; the constants are those of the authors' public implementation. Where a gradient is
not to be trusted in size, its sign is not either: a pixel whose gradient keeps its direction moves
as far as it may, one whose gradient changes it hardly.
"""

import numpy as np
from numpy.typing import NDArray

from sw.attack.methods.apgd import checkpoints
from sw.attack.methods.budget import Budget, reach
from sw.attack.methods.pgd import start
from sw.attack.victim import Look, Victim
from sw.data.dataset import Images

STEPS = 100  # ASSG, for which it was made, takes some thirty to settle
KEPT, KEPT_SQUARES = 0.5, 0.8  # of the last step's means
TINY = 1e-12
Reals = NDArray[np.float64]


def attack(victim: Victim, images: Images, budget: Budget) -> Images:
    """Steps of m / sqrt(v) times a size, no pixel further than the size, kept within eps.

    m is the sum of the gradients, each over its mean absolute value and the older ones halved; v
    that of their squares, the older ones by 0.8. The size begins at eps and is halved where APGD
    asks whether it should be. The network sees whole pixels; between them steps are not rounded.
    Of all images on the way the last that fools counts, else the one of the largest loss.
    """
    if not len(images) or not budget.eps:
        return images
    steps = STEPS if budget.steps is None else budget.steps
    least, most = (bound.astype(np.float64) for bound in reach(images, budget.eps))
    found = start(victim, images, budget)
    here, look = found.astype(np.float64), victim.look(found)
    best = _Best(found, look)
    m = v = np.zeros_like(here)
    size, halvings = float(budget.eps), set(checkpoints(steps))
    for step in range(1, steps + 1):
        gradient = look.uphill.astype(np.float64)
        m = KEPT * m + _evened(gradient)
        v = KEPT_SQUARES * v + _evened(gradient**2)
        moved = np.clip(size * m / (np.sqrt(v) + TINY), -size, size)
        here = np.clip(here + moved, least, most)
        shown = np.rint(here).astype(np.uint8)
        look = victim.look(shown)
        best.keep(shown, look)
        if step in halvings:
            size /= 2
    return best.images


class _Best:
    """What is given back, of all images that were looked at."""

    def __init__(self, images: Images, look: Look) -> None:
        self.images = images.copy()
        self._fooled, self._loss = look.margin < 0, look.loss.copy()

    def keep(self, images: Images, look: Look) -> None:
        fools = look.margin < 0
        better = fools | (~self._fooled & (look.loss > self._loss))
        self.images[better], self._loss[better] = images[better], look.loss[better]
        self._fooled |= fools


def _evened(values: Reals) -> Reals:
    """Each image's by their mean absolute value; where that is 0, all are."""
    mean = np.abs(values).mean(axis=(1, 2, 3), keepdims=True)
    found: Reals = np.divide(values, mean, out=np.zeros_like(values), where=mean > 0)
    return found
