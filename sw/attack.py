"""Attacks: images changed a little so that a network errs.

All of them move whole steps of 1/255, so attacked images are uint8 as the clean ones. White-box
attacks take the gradient of the network that they are to harm; transfer attacks take another
network's (the attack model of Algorithm 1), and need nothing else from this file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from sw.checks import check_range
from sw.errors import InputError
from sw.gradient import Gradient, by_pixels
from sw.layers import PIXEL_MAX
from sw.model import SpikingNetwork, as_input, at_rest

Images = NDArray[np.uint8]  # [n, C, H, W]
Labels = NDArray[np.int64]  # [n]
Method = Literal["fgsm", "r_fgsm", "pgd"]

BATCH = 256
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

    def __call__(self, network: SpikingNetwork, images: Images, labels: Labels) -> Images:
        """Attacked images, uint8 of the images' shape; `labels` are the true classes."""
        (moved,) = self.at([self.eps], network, images, labels)
        return moved

    def at(
        self, strengths: Sequence[int], network: SpikingNetwork, images: Images, labels: Labels
    ) -> list[Images]:
        """The same at several strengths instead of `eps`; those of FGSM share their gradient."""
        if self.targeted:
            labels = random_targets(labels, len(network.config.classes), self.seed)
        towards, how = self.targeted, self.gradient
        if self.method == "fgsm":
            return fgsm_strengths(
                network, images, labels, strengths, targeted=towards, gradient=how
            )
        draw = {"targeted": towards, "gradient": how, "seed": self.seed}
        attack: Callable[..., Images] = r_fgsm if self.method == "r_fgsm" else pgd
        return [attack(network, images, labels, eps, **draw) for eps in strengths]


def attacked(
    network: SpikingNetwork, images: Images, labels: Labels, attacks: Mapping[str, Attack]
) -> dict[str, Images]:
    """The images of several attacks, by name; those that differ in strength only go together."""
    found: dict[str, Images] = {}
    kinds = {name: replace(attack, eps=0) for name, attack in attacks.items()}
    for kind in dict.fromkeys(kinds.values()):
        names = [name for name in attacks if kinds[name] == kind]
        strengths = [attacks[name].eps for name in names]
        found |= zip(names, kind.at(strengths, network, images, labels), strict=True)
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
    (moved,) = fgsm_strengths(network, images, labels, [eps], targeted=targeted, gradient=gradient)
    return moved


def fgsm_strengths(
    network: SpikingNetwork,
    images: Images,
    labels: Labels,
    strengths: Sequence[int],
    *,
    targeted: bool = False,
    gradient: Gradient | None = None,
) -> list[Images]:
    """`fgsm` at several strengths, for the price of one: they share the gradient."""
    for eps in strengths:
        _check_eps(eps)
    signs = _signs(network, images, labels, gradient)
    return [_moved(images, (-eps if targeted else eps) * signs) for eps in strengths]


def r_fgsm(
    network: SpikingNetwork,
    images: Images,
    labels: Labels,
    eps: int,
    *,
    alpha: int | None = None,
    targeted: bool = False,
    gradient: Gradient | None = None,
    seed: int = 0,
) -> Images:
    """FGSM behind a random step: x' = x + alpha sign(N(0, 1)), then FGSM from x' by eps - alpha.

    Tramer et al., Ensemble Adversarial Training, ICLR 2018. Both steps are whole: alpha is an
    integer, by default eps / 2 rounded down. Each step is clipped to 0..255.

    Raises:
        InputError: eps is not 0..255, or alpha not 0..eps.
    """
    _check_eps(eps)
    alpha = eps // 2 if alpha is None else alpha
    check_range("alpha", alpha, 0, eps)
    signs = np.random.default_rng(seed).choice(np.array([-1, 1]), size=images.shape)
    step = eps - alpha
    return _stepped(
        network, _moved(images, alpha * signs), labels, -step if targeted else step, gradient
    )


def pgd(
    network: SpikingNetwork,
    images: Images,
    labels: Labels,
    eps: int,
    *,
    alpha: int | None = None,
    steps: int = PGD_STEPS,
    random_start: bool = True,
    targeted: bool = False,
    gradient: Gradient | None = None,
    seed: int = 0,
) -> Images:
    """Projected gradient descent: steps of alpha sign(dJ/dx), each clipped to eps around x.

    Madry et al., ICLR 2018. The start is drawn evenly from the whole numbers -eps..eps of each
    pixel, alpha is a whole number, by default eps / 4 rounded up: no image leaves the grid.

    Raises:
        InputError: eps, alpha or steps is out of range.
    """
    _check_eps(eps)
    alpha = -(-eps // 4) if alpha is None else alpha
    check_range("alpha", alpha, 0, PIXEL_MAX)
    check_range("steps", steps, 0, MAX_STEPS)
    wide = images.astype(np.int64)
    least, most = np.clip(wide - eps, 0, None), np.clip(wide + eps, None, PIXEL_MAX)
    start = np.random.default_rng(seed).integers(-eps, eps, size=images.shape, endpoint=True)
    moved = _moved(images, start) if random_start else images
    for _ in range(steps):
        moved = _stepped(network, moved, labels, -alpha if targeted else alpha, gradient)
        moved = np.clip(moved, least, most).astype(np.uint8)
    return moved


def random_targets(labels: Labels, classes: int, seed: int) -> Labels:
    """Eq. 4's y_random: for each image a class that is not the true one, all equally likely.

    Raises:
        InputError: there are fewer than two classes.
    """
    check_range("classes of a targeted attack", classes, 2, 2**31)
    offsets = np.random.default_rng(seed).integers(1, classes, size=len(labels))
    return (labels + offsets) % classes


def _stepped(
    network: SpikingNetwork, images: Images, labels: Labels, step: int, how: Gradient | None
) -> Images:
    """Images moved by `step` in 1/255 along the signs of the gradient."""
    return _moved(images, step * _signs(network, images, labels, how))


def _signs(
    network: SpikingNetwork, images: Images, labels: Labels, how: Gradient | None
) -> NDArray[np.int16]:
    """Signs of the loss's gradient by the pixels, -1, 0 or 1, of the images' shape; in batches."""
    device = network.chain[0].weight.device
    signs = [np.empty(images[:0].shape, dtype=np.int16)]
    with at_rest(network):
        for start in range(0, len(images), BATCH):
            pixels = as_input(images[start : start + BATCH]).to(device)
            true = torch.from_numpy(labels[start : start + BATCH]).to(device)
            gradient = by_pixels(network, pixels, true, how)
            signs.append(gradient.sign().to(torch.int16).cpu().numpy())
    return np.concatenate(signs)


def _moved(images: Images, step: NDArray[np.integer[Any]]) -> Images:
    moved: Images = np.clip(images.astype(np.int16) + step, 0, PIXEL_MAX).astype(np.uint8)
    return moved


def _check_eps(eps: int) -> None:
    if not 0 <= eps <= PIXEL_MAX:
        raise InputError(f"eps is {eps}: must be 0 to {PIXEL_MAX}, in 1/{PIXEL_MAX}")
