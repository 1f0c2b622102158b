"""APGD towards the classes that are nearest, one after the other: a start a class.

Croce and Hein, ICML 2020, APGD-T: away from the true class there are as many directions as there
are other classes, and the loss of an untargeted attack goes after one of them only.
"""

import numpy as np

from sw.attack.methods import apgd
from sw.attack.methods.budget import Budget
from sw.attack.victim import Victim
from sw.data.dataset import Images


def attack(victim: Victim, images: Images, budget: Budget) -> Images:
    """Towards the class that is as likely as the number of the start: 0 is the likeliest wrong one.

    The loss is DLR's. After the last class it begins again with the first.
    """
    if not len(images) or not budget.eps:
        return images
    scores = victim.scores(images)
    scores[np.arange(len(images)), victim.labels.classes] = -np.inf
    ranked = np.argsort(-scores, axis=1, kind="stable")
    aims = ranked[:, budget.restart % (scores.shape[1] - 1)]
    return apgd.attack_dlr(victim.aimed(aims), images, budget)
