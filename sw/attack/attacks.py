"""Attacks: images changed a little so that a network errs.

All of them move whole steps of 1/255, so attacked images are uint8 as the clean ones. White-box
attacks take the gradient of the network that they are to harm; transfer attacks take another
network's (the attack model of Algorithm 1), and need nothing else from this file. What is drawn is
drawn for each image by its number in the data set (`sw.attack.draws`), so that it does not matter
which images are attacked together; the gradient's last bits may depend on that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from sw.attack.draws import Numbers, Purpose, draw
from sw.attack.gradient import Gradient, Slope
from sw.common.checks import check_range
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.config import PIXEL_MAX
from sw.model.network import SpikingNetwork

Images = NDArray[np.uint8]  # [n, C, H, W]
Labels = NDArray[np.int64]  # [n]
Method = Literal["fgsm", "r_fgsm", "pgd"]

PGD_STEPS = 10
MAX_STEPS = 10_000


@dataclass(frozen=True)
class Attack:
    """A named way to change images.

    Attributes:
        method: "fgsm", "r_fgsm" or "pgd".
        eps: how far a pixel may move, in 1/255.
        targeted: towards a wrong class drawn by `seed` (Eq. 4) instead of away from the true one.
        gradient: how the gradient is found; None: as is usual for the network's encoding.
        seed: of the targets and of random starts.

    Raises:
        InputError: a value is out of range.
    """

    method: Method
    eps: int
    targeted: bool = False
    gradient: Gradient | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise InputError(
                f"unknown attack {self.method!r}: must be {', '.join(get_args(Method))}"
            )
        _check_eps(self.eps)
        check_range("attack seed", self.seed, 0, 2**63 - 1)

    def __call__(self, network: SpikingNetwork, data: Dataset) -> Images:
        """Attacked images, uint8 of the images' shape; the labels are the true classes."""
        (made,) = self.at([self.eps], network, data)
        return made.images

    def at(
        self, strengths: Sequence[int], network: SpikingNetwork, data: Dataset
    ) -> "list[Attacked]":
        """The same at several strengths instead of `eps`; those of FGSM share their gradient."""
        for eps in strengths:
            _check_eps(eps)
        labels = data.labels
        if self.targeted:
            classes = len(network.config.classes)
            labels = random_targets(labels, classes, self.seed, data.numbers)
        slope = Slope(network, labels, self.gradient, self.targeted)
        if self.method == "fgsm":
            signs = slope.signs(data.images)
            return [Attacked(_moved(data.images, eps * signs), slope.zero) for eps in strengths]
        made = []
        for eps in strengths:
            slope = Slope(network, labels, self.gradient, self.targeted)
            attack = _r_fgsm if self.method == "r_fgsm" else _pgd
            images = attack(slope, data.images, data.numbers, eps, seed=self.seed)
            made.append(Attacked(images, slope.zero))
        return made


class Attacked(NamedTuple):
    """What an attack made.

    Attributes:
        images: uint8 [n, C, H, W].
        zero: bool [n], the images whose gradient was 0 at every pixel each time it was taken: no
            attack along it can harm them.
    """

    images: Images
    zero: NDArray[np.bool_]


def attacked(
    network: SpikingNetwork, data: Dataset, attacks: Mapping[str, Attack]
) -> dict[str, Attacked]:
    """What several attacks make, by name; those that differ in strength only go together."""
    found: dict[str, Attacked] = {}
    kinds = {name: replace(attack, eps=0) for name, attack in attacks.items()}
    for kind in dict.fromkeys(kinds.values()):
        names = [name for name in attacks if kinds[name] == kind]
        strengths = [attacks[name].eps for name in names]
        found |= zip(names, kind.at(strengths, network, data), strict=True)
    return {name: found[name] for name in attacks}


def fgsm(
    network: SpikingNetwork,
    images: Images,
    labels: Labels,
    eps: int,
    *,
    targeted: bool = False,
    gradient: Gradient | None = None,
) -> Images:
    """Fast gradient sign method: x + eps sign(dJ/dx), J the cross-entropy.

    Untargeted, Eq. 3: away from the true classes. Targeted, Eq. 4: x - eps sign(dJ/dx), towards
    the classes in `labels`. The gradient is the given network's own, through the surrogate
    gradient of Eq. 2 and, if its weights are quantised, straight through the rounding. A pixel
    whose gradient is exactly 0 stays as it is.

    Args:
        network: float or quantised; used in evaluation mode, left as it was.
        images: uint8 [n, C, H, W].
        labels: int64 [n], the true classes; if targeted, the classes to be taken for.
        eps: how far a pixel may move, in 1/255.
        targeted: whether to move towards `labels`.
        gradient: see `gradient.by_pixels`.

    Returns:
        uint8 [n, C, H, W], clipped to 0..255: adversarial images are on the pixel grid.

    Raises:
        InputError: eps is not 0..255.
    """
    _check_eps(eps)
    return _step(Slope(network, labels, gradient, targeted), images, eps)


def r_fgsm(
    network: SpikingNetwork,
    images: Images,
    labels: Labels,
    eps: int,
    *,
    numbers: Numbers,
    alpha: int | None = None,
    targeted: bool = False,
    gradient: Gradient | None = None,
    seed: int = 0,
) -> Images:
    """FGSM behind a random step: x' = x + alpha sign(N(0, 1)), then FGSM from x' by eps - alpha.

    Tramer et al., Ensemble Adversarial Training, ICLR 2018. Both steps are whole: alpha is an
    integer, by default eps / 2 rounded down. Each step is clipped to 0..255. The random step is
    drawn by the seed and each image's number (`sw.attack.draws`).

    Raises:
        InputError: eps is not 0..255, or alpha not 0..eps.
    """
    slope = Slope(network, labels, gradient, targeted)
    return _r_fgsm(slope, images, numbers, eps, alpha=alpha, seed=seed)


def pgd(
    network: SpikingNetwork,
    images: Images,
    labels: Labels,
    eps: int,
    *,
    numbers: Numbers,
    alpha: int | None = None,
    steps: int = PGD_STEPS,
    random_start: bool = True,
    targeted: bool = False,
    gradient: Gradient | None = None,
    seed: int = 0,
) -> Images:
    """Projected gradient descent: steps of alpha sign(dJ/dx), each clipped to eps around x.

    Madry et al., ICLR 2018. The start is drawn evenly from the whole numbers -eps..eps of each
    pixel, by the seed and each image's number (`sw.attack.draws`); alpha is a whole number, by
    default eps / 4 rounded up: no image leaves the grid.

    Raises:
        InputError: eps, alpha or steps is out of range.
    """
    slope = Slope(network, labels, gradient, targeted)
    return _pgd(
        slope,
        images,
        numbers,
        eps,
        seed=seed,
        alpha=alpha,
        steps=steps,
        random_start=random_start,
    )


def random_targets(labels: Labels, classes: int, seed: int, numbers: Numbers) -> Labels:
    """Eq. 4's y_random: for each image a class that is not the true one, all equally likely.

    It is drawn by the seed and the image's number: the same at all strengths.

    Raises:
        InputError: there are fewer than two classes.
    """
    check_range("classes of a targeted attack", classes, 2, 2**31)
    return (labels + 1 + draw(seed, Purpose.TARGET, numbers, classes - 1)) % classes


def _r_fgsm(
    slope: Slope,
    images: Images,
    numbers: Numbers,
    eps: int,
    *,
    seed: int,
    alpha: int | None = None,
) -> Images:
    _check_eps(eps)
    alpha = eps // 2 if alpha is None else alpha
    check_range("alpha", alpha, 0, eps)
    signs = 2 * draw(seed, Purpose.STEP, numbers, 2, images.shape[1:], variant=eps) - 1
    return _step(slope, _moved(images, alpha * signs), eps - alpha)


def _pgd(
    slope: Slope,
    images: Images,
    numbers: Numbers,
    eps: int,
    *,
    seed: int,
    alpha: int | None = None,
    steps: int = PGD_STEPS,
    random_start: bool = True,
) -> Images:
    _check_eps(eps)
    alpha = -(-eps // 4) if alpha is None else alpha
    check_range("alpha", alpha, 0, PIXEL_MAX)
    check_range("steps", steps, 0, MAX_STEPS)
    wide = images.astype(np.int64)
    least, most = np.clip(wide - eps, 0, None), np.clip(wide + eps, None, PIXEL_MAX)
    moved = images
    if random_start:
        start = draw(seed, Purpose.START, numbers, 2 * eps + 1, images.shape[1:], variant=eps)
        moved = _moved(images, start - eps)
    for _ in range(steps):
        moved = np.clip(_step(slope, moved, alpha), least, most).astype(np.uint8)
    return moved


def _step(slope: Slope, images: Images, size: int) -> Images:
    """Images moved by `size` in 1/255 along the slope."""
    return _moved(images, size * slope.signs(images))


def _moved(images: Images, step: NDArray[np.integer[Any]]) -> Images:
    moved: Images = np.clip(images.astype(np.int16) + step, 0, PIXEL_MAX).astype(np.uint8)
    return moved


def _check_eps(eps: int) -> None:
    if isinstance(eps, bool) or not isinstance(eps, int) or not 0 <= eps <= PIXEL_MAX:
        raise InputError(
            f"eps is {eps!r}: must be 0 to {PIXEL_MAX}, in 1/{PIXEL_MAX}, and a whole number: 8"
            f" stands for 8/{PIXEL_MAX}"
        )
