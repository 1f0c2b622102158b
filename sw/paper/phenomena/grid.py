"""Which networks and trials the phenomena need. Networks of a seed serve every claim.

Each network is a target; a direct-encoded one is the attack model of the next seed as well (the
first seed's is the second one's), so that more seeds take no trial away.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, get_args

from sw.attack.attacks import Attack
from sw.attack.gradient.way import Pixels
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.architectures import named
from sw.model.config.inputs import Encoding, Inputs
from sw.model.config.network import NetworkConfig
from sw.paper.cells import WEIGHTS, Training, Weights, config_like, fingerprint
from sw.paper.phenomena.awake import SPREAD, AwakeTraining
from sw.paper.phenomena.trial import Trial
from sw.paper.presets import Scale, Way

Norm = Literal["batch norm", "no norm"]
Learnt = Literal["trained anew", "trained once"]  # for each threshold, or for the lowest one only

NORMS: tuple[Norm, ...] = get_args(Norm)
LEARNT: tuple[Learnt, ...] = get_args(Learnt)


@dataclass(frozen=True)
class Place:
    """Where a trial stands in the grid.

    Attributes:
        norm: whether the networks have batch norm, whose gain starts at the threshold.
        learnt: whether the threshold was there in training, or changed afterwards.
        way: of the attack, "white-box" or "transfer".
        encoding, theta, weights: as of `sw.paper.cells.Place`.
        seed: of the training.
    """

    norm: Norm
    learnt: Learnt
    way: Way
    encoding: Encoding
    theta: float
    weights: Weights
    seed: int


def ways(scale: Scale) -> tuple[Way, ...]:
    """The ways of attack that are compared: whose gradient, not how it is found.

    Raises:
        InputError: there are none.
    """
    found = tuple(way for way in scale.ways if way != "approximated")
    if not found:
        raise InputError("ways: of the phenomena they must be white-box, transfer or both")
    return found


def seeds(scale: Scale) -> range:
    """Of the trainings."""
    return range(scale.seed, scale.seed + scale.seeds)


def grid(scale: Scale, train: Dataset, test: Dataset) -> dict[Place, Trial]:
    """All trials. At the threshold that both have learnt, once and anew are the same trial.

    Args:
        scale: its size.
        train, test: the images that `scale` takes.

    Raises:
        InputError: the images do not fit the network, or there is no way of attack.
    """
    shown = fingerprint(test)
    training = _Trainings(scale, train)
    trials = {}
    for seed, norm, learnt, encoding, theta, weights, way in product(
        seeds(scale), NORMS, LEARNT, scale.encodings, scale.thetas, WEIGHTS, ways(scale)
    ):
        learnt_at = theta if learnt == "trained anew" else min(scale.thetas)
        attacker = None
        if way == "transfer":
            attacker = training(norm, "direct", learnt_at, _other(scale, seed))
        trials[Place(norm, learnt, way, encoding, theta, weights, seed)] = Trial(
            target=training(norm, encoding, learnt_at, seed),
            weights=weights,
            attacks=_attacks(scale, "direct" if attacker else encoding),
            attacker=attacker,
            images=shown,
            theta=theta,
            groups=scale.groups,
        )
    return trials


def trainings(trials: Iterable[Trial]) -> list[Training]:
    """The networks that trials need, each once, those of a seed together."""
    found = {
        task: None
        for trial in trials
        for task in (trial.target, trial.attacker)
        if task is not None
    }
    return sorted(found, key=lambda task: task.settings.seed)


class _Trainings:
    """The trainings of a scale, by what tells them apart."""

    def __init__(self, scale: Scale, images: Dataset) -> None:
        self._scale, self._images, self._print = scale, images, fingerprint(images)

    def __call__(self, norm: Norm, encoding: Encoding, theta: float, seed: int) -> Training:
        config = self._config(norm, encoding, theta)
        given = config, self._scale.training(seed), self._print
        return Training(*given) if norm == "batch norm" else AwakeTraining(*given, SPREAD)

    def _config(self, norm: Norm, encoding: Encoding, theta: float) -> NetworkConfig:
        scale = self._scale
        like = config_like(scale, self._images, encoding, theta)
        like = replace(like, norm=norm == "batch norm")
        return named(scale.network, like, width=scale.width, fc_width=scale.fc_width)


def _other(scale: Scale, seed: int) -> int:
    return seed - 1 if seed > scale.seed else seed + 1


def _attacks(scale: Scale, encoding: Inputs) -> tuple[Attack, ...]:
    gradient: Pixels = "autograd" if encoding == "direct" else "approximated"
    return tuple(Attack("fgsm", eps, gradient=gradient) for eps in scale.eps)
