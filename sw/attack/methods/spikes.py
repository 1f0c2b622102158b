"""Sparse attacks on spikes: a few are inserted, dropped or shifted in time.

The strength is how many spikes are changed at most. The gradient says to first order what each
change is worth; the best ones are made, some at a time, and the network is looked at again. What
was changed once stays, so no change is counted twice. Of all that was seen, the spikes of the
smallest margin are given. `at_random` is the baseline.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sw.attack.draws import Purpose
from sw.attack.methods.budget import Budget
from sw.attack.victim import FloatArray, Victim
from sw.data.dataset import Images

ROUNDS = 8
PLACES = 1 << 31  # equally likely values of a draw, by which places are put in order

# What changes are worth, for spikes [n, T, C, H, W] and their gradient: of each place, or of each
# pair of places that is swapped; -inf where there is none.
Worth = Callable[[NDArray[np.bool_], FloatArray], FloatArray]


def insert(victim: Victim, spikes: Images, budget: Budget) -> Images:
    """Spikes where there were none."""
    return _greedy(victim, spikes, budget, lambda fires, up: np.where(fires, -np.inf, up))


def drop(victim: Victim, spikes: Images, budget: Budget) -> Images:
    """Spikes are left out."""
    return _greedy(victim, spikes, budget, lambda fires, up: np.where(fires, -up, -np.inf))


def flip(victim: Victim, spikes: Images, budget: Budget) -> Images:
    """Spikes are inserted or left out, whichever harms more."""
    return _greedy(victim, spikes, budget, lambda fires, up: np.where(fires, -up, up))


def shift(victim: Victim, spikes: Images, budget: Budget) -> Images:
    """Spikes come in another step: of an input at most one in each round."""
    found, kept = spikes.copy(), np.zeros(spikes.shape, np.bool_)
    best = _Best(spikes)
    for quota in _quotas(budget):
        look = victim.look(found)
        best.take(found, look.margin)
        for image, held, up in zip(found, kept, look.uphill, strict=True):
            _shift(image, held, up, quota)
    best.take(found, victim.margins(found, victim.labels))
    return best.spikes


def at_random(victim: Victim, spikes: Images, budget: Budget) -> Images:
    """As many places as that, drawn, are changed: a spike where there was none, or none."""
    order = budget.draw(Purpose.PLACES, victim.numbers, PLACES, spikes.shape[1:])
    found = spikes.copy()
    for image, drawn in zip(found, order, strict=True):
        image.reshape(-1)[_first(drawn.reshape(-1), budget.eps)] ^= 1
    return found


def _greedy(victim: Victim, spikes: Images, budget: Budget, worth: Worth) -> Images:
    found, kept = spikes.copy(), np.zeros(spikes.shape, np.bool_)
    best = _Best(spikes)
    for quota in _quotas(budget):
        look = victim.look(found)
        best.take(found, look.margin)
        gains = np.where(kept, -np.inf, worth(found.astype(np.bool_), look.uphill))
        for image, held, gain in zip(found, kept, gains, strict=True):
            chosen = _worthwhile(gain.reshape(-1), quota)
            image.reshape(-1)[chosen] ^= 1
            held.reshape(-1)[chosen] = True
    best.take(found, victim.margins(found, victim.labels))
    return best.spikes


def _shift(image: Images, held: NDArray[np.bool_], up: FloatArray, quota: int) -> None:
    """Moves spikes of one image [T, C, H, W] in time, in place."""
    fires = image.astype(np.bool_)
    leaves = np.where(fires & ~held, up, np.inf)
    comes = np.where(~fires & ~held, up, -np.inf)
    gain = (comes.max(0) - leaves.min(0)).reshape(-1)
    chosen = _worthwhile(gain, quota)
    columns, holds = image.reshape(len(image), -1), held.reshape(len(held), -1)
    for steps in (leaves.argmin(0), comes.argmax(0)):
        at = steps.reshape(-1)[chosen], chosen
        columns[at] ^= 1
        holds[at] = True


class _Best:
    """The spikes of the smallest margin that were seen; the first ones of equal margins."""

    def __init__(self, spikes: Images) -> None:
        self.spikes = spikes.copy()
        self._margins = np.full(len(spikes), np.inf, np.float32)

    def take(self, spikes: Images, margins: FloatArray) -> None:
        """Those that are better than what there was."""
        better = margins < self._margins
        self.spikes[better], self._margins[better] = spikes[better], margins[better]


def _quotas(budget: Budget) -> list[int]:
    """How many changes each round makes: together as many as there may be."""
    rounds = min(ROUNDS if budget.steps is None else budget.steps, budget.eps)
    cuts = [budget.eps * number // rounds for number in range(rounds + 1)] if rounds else []
    return [end - start for start, end in pairwise(cuts)]


def _worthwhile(gain: FloatArray, count: int) -> NDArray[np.int64]:
    """Places of the largest gains above 0, at most so many."""
    chosen = _first(-gain, count)
    return chosen[gain[chosen] > 0]


def _first(values: NDArray[np.generic], count: int) -> NDArray[np.int64]:
    """Places of the smallest values, the first ones of equal ones."""
    return np.argsort(values, kind="stable")[:count]
