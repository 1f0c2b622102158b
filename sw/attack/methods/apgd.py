"""APGD: a gradient attack without a step size to choose; it halves its own where it stalls.

Croce and Hein, Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks, ICML 2020, algorithm 1. Each image goes its own way.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sw.attack.gradient.losses import Loss, cross_entropy, dlr
from sw.attack.methods.budget import Budget, reach
from sw.attack.methods.pgd import start
from sw.attack.victim import FloatArray, Look, Victim
from sw.data.dataset import Images

STEPS = 20
MOMENTUM = 0.75  # share of the new step; the rest is the last one's
ENOUGH = 0.75  # share of a period's steps that must raise the loss
FIRST_PERIOD, SHORTER, LEAST_PERIOD = 0.22, 0.03, 0.06  # of all steps
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


def attack_cross_entropy(victim: Victim, images: Images, budget: Budget) -> Images:
    """With the cross-entropy."""
    return _attack(victim, images, budget, cross_entropy)


def attack_dlr(victim: Victim, images: Images, budget: Budget) -> Images:
    """With the DLR loss, which does not fade where the network is sure. It needs 4 classes."""
    return _attack(victim, images, budget, dlr)


def checkpoints(steps: int) -> list[int]:
    """After how many steps it is asked whether a step size still helps; periods get shorter."""
    period, shorter, least = (
        max(int(share * steps), 1) for share in (FIRST_PERIOD, SHORTER, LEAST_PERIOD)
    )
    found, at = [], 0
    while (at := at + period) <= steps:
        found.append(at)
        period = max(period - shorter, least)
    return found


def _attack(victim: Victim, images: Images, budget: Budget, loss: Loss) -> Images:
    """The network sees whole pixels; between them the steps are not rounded."""
    if not len(images) or not budget.eps:
        return images
    steps = STEPS if budget.steps is None else budget.steps
    climb = _Climb.begin(victim, images, budget, loss)
    before = 0
    for turn in checkpoints(steps):
        for step in range(before, turn):
            climb.step(victim, loss, MOMENTUM if step else 1)
        climb.judge(turn - before)
        before = turn
    for _ in range(before, steps):
        climb.step(victim, loss, MOMENTUM)
    return climb.worst


@dataclass(eq=False)
class _Climb:
    """All images on their way, pixels 0..255.

    Attributes:
        least, most: what each pixel may be.
        here, before: the points of this step and of the one before.
        look: what the network says of `here`, rounded.
        size: of each image's next step.
        top, top_loss, top_uphill: the point of the largest loss so far, and its slope.
        worst, fooled, worst_loss: the image that is given back, whether it fools, and its loss.
        raised: how many steps since the last judgement raised the loss.
        kept: the last judgement left the size as it was.
        judged_loss: `top_loss` at the last judgement.
    """

    least: Reals
    most: Reals
    here: Reals
    before: Reals
    look: Look
    size: Reals
    top: Reals
    top_loss: FloatArray
    top_uphill: FloatArray
    worst: Images
    fooled: Flags
    worst_loss: FloatArray
    raised: NDArray[np.int64]
    kept: Flags
    judged_loss: FloatArray

    @classmethod
    def begin(cls, victim: Victim, images: Images, budget: Budget, loss: Loss) -> "_Climb":
        least, most = (bound.astype(np.float64) for bound in reach(images, budget.eps))
        first = start(victim, images, budget)
        look, here = victim.look(first, loss), first.astype(np.float64)
        none = np.zeros(len(images), np.int64)
        return cls(
            least,
            most,
            here,
            here,
            look,
            size=np.full(len(images), 2.0 * budget.eps),
            top=here.copy(),
            top_loss=look.loss.copy(),
            top_uphill=look.uphill.copy(),
            worst=first.copy(),
            fooled=look.margin < 0,
            worst_loss=look.loss.copy(),
            raised=none,
            kept=none.astype(np.bool_),
            judged_loss=look.loss.copy(),
        )

    def step(self, victim: Victim, loss: Loss, new: float) -> None:
        """One step of every image, a share of it `new`, and a look at where it leads."""
        size = self.size[:, None, None, None]
        there = self._within(self.here + size * np.sign(self.look.uphill))
        drift = new * (there - self.here) + (1 - new) * (self.here - self.before)
        there = self._within(self.here + drift)
        self.before, self.here = self.here, there
        shown = np.rint(there).astype(np.uint8)
        last, self.look = self.look.loss, victim.look(shown, loss)
        self.raised += self.look.loss > last
        self._keep(shown)

    def _within(self, pixels: Reals) -> Reals:
        return np.clip(pixels, self.least, self.most)

    def _keep(self, shown: Images) -> None:
        """Remember the point of the largest loss, and the worst image."""
        higher = self.look.loss > self.top_loss
        self.top[higher], self.top_uphill[higher] = self.here[higher], self.look.uphill[higher]
        self.top_loss = np.maximum(self.top_loss, self.look.loss)
        fools = self.look.margin < 0
        worse = (fools & ~self.fooled) | (
            (fools == self.fooled) & (self.look.loss > self.worst_loss)
        )
        self.worst[worse], self.worst_loss[worse] = shown[worse], self.look.loss[worse]
        self.fooled |= fools

    def judge(self, period: int) -> None:
        """Halve the steps of images that stall, and send them back to their best point.

        Whether their next step raises the loss is asked of the point where they stalled, as in the
        authors' implementation.
        """
        stalled = self.raised <= ENOUGH * period
        stuck = self.kept & (self.judged_loss >= self.top_loss)
        halve = stalled | stuck
        self.size[halve] /= 2
        self.here[halve] = self.top[halve]
        self.look.uphill[halve] = self.top_uphill[halve]
        self.kept, self.judged_loss = ~halve, self.top_loss.copy()
        self.raised = np.zeros_like(self.raised)
