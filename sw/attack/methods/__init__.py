"""The attacks, one file each, known by the names in `METHODS`.

Each takes a victim, clean images and a budget, and gives images on the pixel grid; those of
file `spikes` take and give spikes. They know no other attack and no data set; what they draw
belongs to an image's number (`sw.attack.draws`).
"""

from sw.attack.methods import apgd, fgsm, nearest, noise, pgd, rays, sapgd, spikes, square
from sw.attack.methods.budget import ByQueries, Method

METHODS: dict[str, Method] = {
    "fgsm": fgsm.attack,
    "rfgsm": fgsm.attack_behind_a_random_step,
    "pgd": pgd.attack,
    "noise": noise.attack,
    "apgd": apgd.attack_cross_entropy,
    "dlr": apgd.attack_dlr,
    "nearest": nearest.attack,
    "sapgd": sapgd.attack,
    "square": square.attack,
    "rays": rays.attack,
    "insert": spikes.insert,
    "drop": spikes.drop,
    "shift": spikes.shift,
    "flip": spikes.flip,
    "blind": spikes.at_random,
}
BY_QUERIES: dict[str, ByQueries] = {"square": square.attack, "rays": rays.attack}
