"""The finished trials as figures: accuracy, adversarial loss and spike activity of a sample."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sw.files.store import Result
from sw.model.config.inputs import Encoding
from sw.model.metrics import adv_loss, mean_activity
from sw.paper.cells import Weights
from sw.paper.phenomena.grid import Learnt, Norm, Place
from sw.paper.phenomena.verdicts.estimate import FloatArray, Groups, Sample
from sw.paper.presets import Way
from sw.paper.worker import CLEAN


@dataclass(frozen=True)
class Condition:
    """Under which a claim may hold or not. Attributes: as of `Place`."""

    norm: Norm
    learnt: Learnt
    way: Way


@dataclass(frozen=True)
class _Counts:
    """A trial's counts by groups: images [G]; of each set right answers [G], activities [G]."""

    images: FloatArray
    right: dict[str, FloatArray]
    activity: dict[str, FloatArray]


class Trials:
    """All trials by their place; those that failed are left out."""

    def __init__(self, results: Mapping[Place, Result]) -> None:
        self._counts = {
            place: _counts(result) for place, result in results.items() if "failed" not in result
        }

    def view(self, condition: Condition, sample: Sample) -> "View":
        """The figures under a condition of one seed's networks."""
        return View(self._counts, condition, sample)


class View:
    """Figures under one condition, of one seed's networks on some groups of images.

    Each is NaN where a network's training failed.
    """

    def __init__(
        self, counts: Mapping[Place, _Counts], condition: Condition, sample: Sample
    ) -> None:
        self._all, self._condition, self._sample = counts, condition, sample

    def accuracy(self, encoding: Encoding, theta: float, weights: Weights, eps: int = 0) -> float:
        """Right answers in per cent, under FGSM if `eps` is not 0."""
        found = self._found(encoding, theta, weights)
        if found is None:
            return math.nan
        name = f"fgsm_{eps}" if eps else CLEAN
        chosen: Groups = self._sample.groups
        return 100 * float(found.right[name][chosen].sum() / found.images[chosen].sum())

    def loss(self, encoding: Encoding, theta: float, weights: Weights, eps: int) -> float:
        """Adversarial loss, points."""
        clean = self.accuracy(encoding, theta, weights)
        return adv_loss(clean, self.accuracy(encoding, theta, weights, eps))

    def activity(self, encoding: Encoding, theta: float, weights: Weights) -> float:
        """Spikes per neuron of clean images, mean of the hidden layers."""
        found = self._found(encoding, theta, weights)
        if found is None:
            return math.nan
        chosen = self._sample.groups
        return float(np.average(found.activity[CLEAN][chosen], weights=found.images[chosen]))

    def _found(self, encoding: Encoding, theta: float, weights: Weights) -> _Counts | None:
        at = self._condition
        place = Place(at.norm, at.learnt, at.way, encoding, theta, weights, self._sample.seed)
        return self._all.get(place)


def _counts(result: Result) -> _Counts:
    sets: dict[str, list[dict[str, Any]]] = result["sets"]
    right, active = {}, {}
    for name, groups in sets.items():
        right[name] = np.array([group["right"] for group in groups], float)
        active[name] = np.array([mean_activity(group["activity"]) for group in groups])
    return _Counts(np.array(result["images"], float), right, active)
