"""The attacks of each suite; their strength is given when they run."""

from dataclasses import replace

from sw.attack.attacks import Attack
from sw.common.checks import shown
from sw.common.errors import InputError

LARGEST = 255  # at this strength any image may become any other: nothing may stay right
NOISE, SINGLE, BLACK_BOX = "noise", "fgsm", "square"
ITERATIVE = ("pgd", "apgd", "dlr")
GRADIENT = (SINGLE, "rfgsm", *ITERATIVE)

SUITES: dict[str, dict[str, Attack]] = {
    "quick": {
        NOISE: Attack("noise", 0),
        SINGLE: Attack("fgsm", 0),
        "pgd": Attack("pgd", 0, steps=10),
        "apgd": Attack("apgd", 0, steps=20),
        "dlr": Attack("apgd_dlr", 0, steps=20),
        BLACK_BOX: Attack("square", 0, steps=100),
    },
    "reliable": {
        NOISE: Attack("noise", 0),
        SINGLE: Attack("fgsm", 0),
        "rfgsm": Attack("r_fgsm", 0, restarts=10),
        "pgd": Attack("pgd", 0, steps=50, restarts=5),
        "apgd": Attack("apgd", 0, steps=100),
        "dlr": Attack("apgd_dlr", 0, steps=100),
        BLACK_BOX: Attack("square", 0, steps=1000),
    },
}


def members(suite: str, eps: int, seed: int) -> dict[str, Attack]:
    """A suite's attacks at a strength. Raises `InputError` for a suite that there is not."""
    if suite not in SUITES:
        raise InputError(f"unknown suite {shown(suite)}: must be {' or '.join(SUITES)}")
    return {name: replace(each, eps=eps, seed=seed) for name, each in SUITES[suite].items()}


def at_the_largest(suite: str, seed: int) -> Attack:
    """The attack that must leave nothing right at strength 255."""
    return members(suite, LARGEST, seed)["apgd"]
