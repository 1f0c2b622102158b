"""The network under attack: what an attack may ask of it, in batches of images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sw.attack.course import Course
from sw.attack.draws import Numbers
from sw.attack.gradient.losses import Loss, cross_entropy, margin
from sw.attack.gradient.sight import Sight
from sw.attack.gradient.way import TRAINED, Way
from sw.model.network import SpikingNetwork, at_rest

FloatArray = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of some images, and what is wanted of them.

    Attributes:
        classes: int64 [n]: the true ones, or those to be taken for.
        numbers: int64 [n], the images' numbers in their data set.
        targeted: the answer is to become this class, instead of another one.
    """

    classes: NDArray[np.int64]
    numbers: Numbers
    targeted: bool = False

    def take(self, chosen: Rows) -> "Labels":
        """Those of the chosen images only."""
        return Labels(self.classes[chosen], self.numbers[chosen], self.targeted)


@dataclass(frozen=True, eq=False)
class Look:
    """What a network says of images that are to be made worse.

    Attributes:
        loss: float32 [n]; the attack raises it, a targeted one as well.
        margin: float32 [n], how far the network is from what the attack wants: below 0 it is there.
        uphill: float32, of the images' shape: how the loss changes with the pixels (0..1), or with
            the spikes.
    """

    loss: FloatArray
    margin: FloatArray
    uphill: FloatArray

    @classmethod
    def blank(cls, images: NDArray[np.uint8]) -> "Look":
        """All 0."""
        count = len(images)
        return cls(*(np.zeros(shape, np.float32) for shape in (count, count, images.shape)))

    def copy(self) -> "Look":
        return Look(self.loss.copy(), self.margin.copy(), self.uphill.copy())


class Oracle(Protocol):
    """What an attack by queries needs: answers, whoever gives them, a network or a chip."""

    @property
    def labels(self) -> Labels:
        """Of all images."""

    @property
    def numbers(self) -> Numbers:
        """The images' numbers in their data set, int64 [n]."""

    def margins(self, images: NDArray[np.uint8], labels: Labels) -> FloatArray:
        """How far it is from what the attack wants, float32 [n]: below 0 it is there."""


class Victim:
    """A network, used in evaluation mode and left as it was, and the images' labels.

    An attack is shown one victim from its start to its end: adaptive surrogates remember what they
    saw.

    Args:
        network: float or quantised.
        labels: of the images that will be asked about, in their order.
        way: to a gradient.
        course: is told of every answer; None: one of its own.
        rests: an image that has fooled the network is left alone: further looks at it say what the
            last one said, and cost nothing.

    Attributes:
        course: see above.
        queries: how many images the network has been shown.
    """

    def __init__(
        self,
        network: SpikingNetwork,
        labels: Labels,
        way: Way = TRAINED,
        course: Course | None = None,
        rests: bool = False,
    ) -> None:
        self._network, self._labels, self._way = network, labels, way
        self.course = course or Course(labels.numbers, labels.classes)
        self._rests = rests
        self._last: Look | None = None
        self._sights: dict[int, tuple[Sight, Rows]] = {}
        self.queries = 0

    @property
    def labels(self) -> Labels:
        """Of all images."""
        return self._labels

    @property
    def numbers(self) -> Numbers:
        """The images' numbers in their data set, int64 [n]."""
        return self._labels.numbers

    @property
    def targeted(self) -> bool:
        """Whether the answer is to become the label."""
        return self._labels.targeted

    def aimed(self, classes: NDArray[np.int64]) -> "Victim":
        """The same victim, whose answers are to become these classes."""
        labels = Labels(classes, self.numbers, targeted=True)
        return Victim(self._network, labels, self._way, self.course, self._rests)

    def signs(self, images: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Where the cross-entropy rises (targeted: falls): -1, 0 or 1 of each pixel."""
        return np.sign(self.look(images).uphill).astype(np.int16)

    def look(self, images: NDArray[np.uint8], loss: Loss = cross_entropy) -> Look:
        """Loss, margin and gradient of all images, in one pass forward and one back."""
        if self._last is None:
            self._last = Look.blank(images)
        up = ~(self.course.fooled(self.numbers) & self._rests)
        for start in range(0, len(images), self._way.batch):
            rows = start + np.flatnonzero(up[start : start + self._way.batch])
            if len(rows):
                self._look(rows, images[rows], loss, self._last)
        self.course.looked()
        return self._last.copy()

    def _look(self, rows: Rows, images: NDArray[np.uint8], loss: Loss, found: Look) -> None:
        """At the images of these rows of one batch."""
        sign = -1 if self.targeted else 1
        labels = self._labels.take(rows)
        for _, pixels, classes in self._batches(images, labels):
            seen = self._sight(rows).look(self._network, pixels, classes, loss)
            found.loss[rows] = _array(sign * seen.losses)
            found.margin[rows] = _array(sign * margin(seen.scores, classes))
            found.uphill[rows] = _array(sign * seen.gradient)
            self._tell(labels.numbers, images, seen.scores)
        zero = ~found.uphill[rows].any(axis=tuple(range(1, images.ndim)))
        self.course.sloped(labels.numbers, np.asarray(zero))

    def _sight(self, rows: Rows) -> Sight:
        """Of the batch in which these are what does not rest."""
        batch = int(rows[0]) // self._way.batch
        sight, before = self._sights.get(batch, (Sight(self._way), rows))
        if len(rows) < len(before):
            sight.keep(torch.from_numpy(np.isin(before, rows)))
        self._sights[batch] = sight, rows
        return sight

    def margins(self, images: NDArray[np.uint8], labels: Labels) -> FloatArray:
        """The margins alone, float32 [n], of images with these labels."""
        sign = -1 if self.targeted else 1
        found = np.empty(len(images), np.float32)
        with torch.no_grad():
            for batch, pixels, classes in self._batches(images, labels):
                scores = self._network(pixels)
                found[batch] = _array(sign * margin(scores, classes))
                self._tell(labels.numbers[batch], images[batch], scores)
        self.course.looked()
        return found

    def scores(self, images: NDArray[np.uint8]) -> FloatArray:
        """The scores of all images, float32 [n, classes]; not a step of an attack."""
        with torch.no_grad():
            found = [
                _array(self._network(pixels))
                for _, pixels, _ in self._batches(images, self._labels)
            ]
        return np.concatenate(found)

    def _tell(self, numbers: Numbers, images: NDArray[np.uint8], scores: Tensor) -> None:
        self.course.answered(numbers, images, scores.argmax(1).cpu().numpy())

    def _batches(
        self, images: NDArray[np.uint8], labels: Labels
    ) -> Iterator[tuple[slice, Tensor, Tensor]]:
        device = self._network.chain[0].weight.device
        self.queries += len(images)
        with at_rest(self._network):
            for start in range(0, len(images), self._way.batch):
                batch = slice(start, start + self._way.batch)
                values = torch.from_numpy(np.ascontiguousarray(images[batch]))
                pixels = self._network.inputs_of(values.to(device))
                yield batch, pixels, torch.from_numpy(labels.classes[batch]).to(device)


def _array(values: Tensor) -> FloatArray:
    found: FloatArray = values.detach().float().cpu().numpy()
    return found
