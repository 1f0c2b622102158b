"""Random noise as large as an attack: what a change costs that knows nothing of the network."""

from sw.attack.draws import Purpose
from sw.attack.methods.budget import Budget, moved
from sw.attack.victim import Victim
from sw.data.dataset import Images


def attack(victim: Victim, images: Images, budget: Budget) -> Images:
    """Each pixel eps up or down, either as likely, clipped to 0..255.

    An attack that harms less than this does not follow the network's gradient.
    """
    heads = budget.draw(Purpose.NOISE, victim.numbers, 2, images.shape[1:])
    return moved(images, budget.eps * (2 * heads - 1))
