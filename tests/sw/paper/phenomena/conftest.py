"""Made-up trials of a small grid: accuracies and activities by a rule, with drawn noise."""

from collections.abc import Callable

import numpy as np

from sw.files.store import Result
from sw.paper.phenomena.grid import LEARNT, NORMS, Place, seeds, ways
from sw.paper.phenomena.verdicts.view import Trials
from sw.paper.presets import Scale

GROUP = 100  # images

SCALE = Scale(
    dataset="digits",
    network="vgg5",
    train_images=64,
    test_images=40,
    width=0.0625,
    timesteps=2,
    epochs=1,
    quantised_epochs=1,
    batch=32,
    encodings=("direct", "rate"),
    thetas=(0.4, 0.8),
    seeds=3,
    groups=10,
    augment=False,
)
Made = tuple[float, float]  # loss in points (at each strength), spikes per neuron


def made_up(rule: Callable[[Place], Made], noise: float = 0.0, scale: Scale = SCALE) -> Trials:
    """Trials with the losses and activities of a rule; `noise` in points, by seed and by images."""
    draw = np.random.default_rng(15)
    by_seed = {seed: draw.normal(0, noise) for seed in seeds(scale)}
    by_group = draw.normal(0, noise, scale.groups)
    results: dict[Place, Result] = {}
    for place in _places(scale):
        loss, active = rule(place)
        right = GROUP * 0.9
        lost = loss + by_seed[place.seed] + by_group + draw.normal(0, noise, scale.groups)
        results[place] = {
            "images": [GROUP] * scale.groups,
            "sets": {"clean": [_group(right, active)] * scale.groups}
            | {
                f"fgsm_{eps}": [_group(right - GROUP / 100 * each, active) for each in lost]
                for eps in scale.eps
            },
        }
    return Trials(results)


def _places(scale: Scale) -> list[Place]:
    return [
        Place(norm, learnt, way, encoding, theta, weights, seed)
        for norm in NORMS
        for learnt in LEARNT
        for way in ways(scale)
        for encoding in scale.encodings
        for theta in scale.thetas
        for weights in ("float", "quantised")
        for seed in seeds(scale)
    ]


def _group(right: float, active: float) -> dict[str, object]:
    return {"right": right, "activity": {"conv1": active, "fc1": active}}
