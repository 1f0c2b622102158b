"""Attacks: images changed a little so that a network errs.

Those of images move whole steps of 1/255, so attacked images are uint8 as the clean ones; those of
spikes change a few of them. White-box attacks take the gradient of the network that they are to
harm; transfer attacks take another network's (the attack model of Algorithm 1), and need nothing
else from this file. What is drawn is drawn for each image by its number in the data set
(`sw.attack.draws`), so that it does not matter which images are attacked together; the gradient's
last bits may depend on that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sw.attack.course import Course
from sw.attack.draws import Numbers, Purpose, draw
from sw.attack.gradient.way import PAPER, Pixels, Way
from sw.attack.methods import METHODS, fgsm
from sw.attack.methods.budget import MAX_RESTARTS, Budget
from sw.attack.set_names import OF_SPIKES
from sw.attack.victim import Labels, Victim
from sw.common.checks import check_choice, check_range
from sw.common.errors import InputError
from sw.data.dataset import Dataset, Images
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork, still

Classes = NDArray[np.int64]  # [n]
SURROGATE = {"sapgd": "assg"}  # methods that were made for another surrogate than the paper's


@dataclass(frozen=True)
class Attack:
    """A named way to change images.

    Attributes:
        method: a name of `sw.attack.methods.METHODS`.
        eps: how far a pixel may move, in 1/255; or how many spikes may change.
        targeted: towards a wrong class drawn by `seed` (Eq. 4) instead of away from the true one.
        gradient: how the gradient passes the encoding; None: as is usual for it.
        seed: of the targets and of all else that is drawn.
        steps: along the gradient, or queries; None: as many as are usual for the method.
        restarts: starts that are drawn; of each image the worst is taken.
        way: to the gradient, of one that is named after it; None: see `at`.
        until_fooled: an image that fools the network stays as it is, which is much quicker; what
            more the attack could do to it is not known then.

    Raises:
        InputError: a value is out of range.
    """

    method: str
    eps: int
    targeted: bool = False
    gradient: Pixels | None = None
    seed: int = 0
    steps: int | None = None
    restarts: int = 1
    way: Way | None = None
    until_fooled: bool = False

    def __post_init__(self) -> None:
        check_choice("unknown attack", self.method, METHODS)
        check_range("restarts", self.restarts, 1, MAX_RESTARTS)
        self.budget()

    def budget(self, restart: int = 0) -> Budget:
        """What one start may do."""
        return Budget(self.eps, self.steps, self.seed, restart)

    def check(self, config: NetworkConfig) -> None:
        """Raises `InputError` for a network that this attack cannot be made on."""
        if self.method not in OF_SPIKES:
            check_pixels(config)
            if self.way is not None:
                self.way.check(config)
        elif not config.takes_spikes:
            raise InputError(
                f"network {config.name}: takes images, and attack {self.method} changes spikes: "
                "take one that moves pixels, such as fgsm"
            )

    def __call__(self, network: SpikingNetwork, data: Dataset) -> Images:
        """Attacked images, uint8 of the images' shape; the labels are the true classes."""
        (made,) = self.at([self.eps], network, data)
        return made.images

    def at(
        self,
        strengths: Sequence[int],
        network: SpikingNetwork,
        data: Dataset,
        way: Way | None = None,
    ) -> "list[Attacked]":
        """The same at several strengths instead of `eps`; those of FGSM share their gradient.

        `way` is how the gradient is found; None: the attack's own, or through time, with the
        surrogate that the method was made for, which is mostly that of the training.
        """
        self.check(network.config)
        attacks = [replace(self, eps=eps) for eps in strengths]
        way = (
            way
            or self.way
            or Way(surrogate=SURROGATE.get(self.method, PAPER), pixels=self.gradient)
        )
        labels = self._labels(network, data)
        with still(network):
            if self.method == "fgsm":
                victim = Victim(network, labels, way, _course(data))
                found = fgsm.at_strengths(victim, data.images, list(strengths))
                return [Attacked(images, victim.course) for images in found]
            return [attack._made(network, labels, data, way) for attack in attacks]

    def _labels(self, network: SpikingNetwork, data: Dataset) -> Labels:
        classes = data.labels
        if self.targeted:
            count = len(network.config.classes)
            classes = random_targets(classes, count, self.seed, data.numbers)
        return Labels(classes, data.numbers, self.targeted)

    def _made(self, network: SpikingNetwork, labels: Labels, data: Dataset, way: Way) -> "Attacked":
        """Of each image the start that leaves the smallest margin."""
        course = _course(data)
        if self.restarts == 1 and len(data):
            victim = Victim(network, labels, way, course, self.until_fooled)
            return Attacked(self._started(victim, data.images, 0), course)
        found, margins = data.images.copy(), np.full(len(data), np.inf, np.float32)
        for restart in range(self.restarts):
            rows = course.standing if self.until_fooled else np.arange(len(data))
            if not len(rows):
                break
            mine = labels.take(rows)
            victim = Victim(network, mine, way, course, self.until_fooled)
            made = self._started(victim, data.images[rows], restart)
            now = victim.margins(made, mine)
            worse = now < margins[rows]
            found[rows[worse]], margins[rows[worse]] = made[worse], now[worse]
        return Attacked(found, course)

    def _started(self, victim: Victim, images: Images, restart: int) -> Images:
        """What one start makes of images; those that fooled the network stay as they then were."""
        made = METHODS[self.method](victim, images, self.budget(restart))
        return victim.course.fooling(victim.numbers, made) if self.until_fooled else made


class Attacked(NamedTuple):
    """What an attack made.

    Attributes:
        images: uint8 [n, C, H, W].
        course: how it came to them.
    """

    images: Images
    course: Course

    @property
    def zero(self) -> NDArray[np.bool_]:
        """The images whose gradient was 0 each time: no attack along it can harm them."""
        return self.course.zero


def _course(data: Dataset) -> Course:
    return Course(data.numbers, data.labels)


def attacked(
    network: SpikingNetwork,
    data: Dataset,
    attacks: Mapping[str, Attack],
    way: Way | None = None,
) -> dict[str, Attacked]:
    """What several attacks make, by name; those that differ in strength only go together.

    `way` is as of `Attack.at`.
    """
    found: dict[str, Attacked] = {}
    kinds = {name: replace(attack, eps=0) for name, attack in attacks.items()}
    for kind in dict.fromkeys(kinds.values()):
        names = [name for name in attacks if kinds[name] == kind]
        strengths = [attacks[name].eps for name in names]
        found |= zip(names, kind.at(strengths, network, data, way), strict=True)
    return {name: found[name] for name in attacks}


def check_pixels(config: NetworkConfig) -> None:
    """Raises `InputError` for a network without pixels that an attack could move."""
    if config.takes_spikes:
        raise InputError(
            f"network {config.name}: takes spikes, which are 0 or 1 and cannot be moved by 1/255: "
            f"the sets of nc64c cosim that change spikes are {', '.join(OF_SPIKES)}, and files of "
            "spikes attacked elsewhere can be shown (--sets FILE)"
        )


def random_targets(labels: Classes, classes: int, seed: int, numbers: Numbers) -> Classes:
    """Eq. 4's y_random: for each image a class that is not the true one, all equally likely.

    It is drawn by the seed and the image's number: the same at all strengths.

    Raises:
        InputError: there are fewer than two classes.
    """
    check_range("classes of a targeted attack", classes, 2, 2**31)
    return (labels + 1 + draw(seed, Purpose.TARGET, numbers, classes - 1)) % classes
