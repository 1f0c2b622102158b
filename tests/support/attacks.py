"""Attacks by function, with all that their methods leave open."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.attack.gradient.way import Pixels, Way
from sw.attack.methods import fgsm as fgsm_method
from sw.attack.methods import pgd as pgd_method
from sw.attack.methods.budget import Budget
from sw.attack.victim import Labels, Victim
from sw.data.dataset import Images
from sw.model.network import SpikingNetwork

Classes = NDArray[np.int64]


def victim_of(
    network: SpikingNetwork,
    classes: Classes,
    numbers: Classes | None = None,
    targeted: bool = False,
    gradient: Pixels | None = None,
) -> Victim:
    known = np.arange(len(classes)) if numbers is None else numbers
    return Victim(network, Labels(classes, known, targeted), Way(pixels=gradient))


def fgsm(
    network: SpikingNetwork,
    images: Images,
    classes: Classes,
    eps: int,
    targeted: bool = False,
    gradient: Pixels | None = None,
) -> Images:
    victim = victim_of(network, classes, None, targeted, gradient)
    return fgsm_method.attack(victim, images, Budget(eps))


def rfgsm(
    network: SpikingNetwork,
    images: Images,
    classes: Classes,
    eps: int,
    *,
    numbers: Classes,
    alpha: int | None = None,
    seed: int = 0,
) -> Images:
    victim = victim_of(network, classes, numbers)
    return fgsm_method.attack_behind_a_random_step(victim, images, Budget(eps, None, seed), alpha)


def pgd(
    network: SpikingNetwork,
    images: Images,
    classes: Classes,
    eps: int,
    *,
    numbers: Classes,
    steps: int | None = None,
    targeted: bool = False,
    seed: int = 0,
    **more: Any,
) -> Images:
    victim = victim_of(network, classes, numbers, targeted)
    return pgd_method.attack(victim, images, Budget(eps, steps, seed), **more)
