"""FGSM, a step along the sign of the gradient; and R+FGSM, the same behind a random step."""

import numpy as np

from sw.attack.draws import Purpose
from sw.attack.methods.budget import Budget, moved
from sw.attack.victim import Victim
from sw.common.checks import check_range
from sw.data.dataset import Images


def attack(victim: Victim, images: Images, budget: Budget) -> Images:
    """Fast gradient sign method: x + eps sign(dJ/dx), J the cross-entropy.

    Untargeted, Eq. 3: away from the true classes. Targeted, Eq. 4: x - eps sign(dJ/dx), towards
    the victim's labels. The gradient is the given network's own, through the surrogate gradient of
    Eq. 2 and, if its weights are quantised, straight through the rounding. A pixel whose gradient
    is exactly 0 stays as it is.

    Returns:
        uint8 [n, C, H, W], clipped to 0..255: adversarial images are on the pixel grid.
    """
    [found] = at_strengths(victim, images, [budget.eps])
    return found


def at_strengths(victim: Victim, images: Images, strengths: list[int]) -> list[Images]:
    """The same at several strengths, which share their gradient."""
    signs = victim.signs(images)
    return [moved(images, eps * signs) for eps in strengths]


def attack_behind_a_random_step(
    victim: Victim, images: Images, budget: Budget, alpha: int | None = None
) -> Images:
    """R+FGSM: x' = x + alpha sign(N(0, 1)), then FGSM from x' by eps - alpha.

    Tramer et al., Ensemble Adversarial Training, ICLR 2018. Both steps are whole: alpha is an
    integer, by default eps / 2 rounded down. Each step is clipped to 0..255.

    Raises:
        InputError: alpha is not 0..eps.
    """
    alpha = budget.eps // 2 if alpha is None else alpha
    check_range("alpha", alpha, 0, budget.eps)
    heads = budget.draw(Purpose.STEP, victim.numbers, 2, images.shape[1:])
    first = moved(images, alpha * (2 * heads - 1))
    return moved(first, np.int16(budget.eps - alpha) * victim.signs(first))
