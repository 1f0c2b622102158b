"""How a network is trained, as values that go into its checkpoint."""

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from sw.common.checks import check_choice, check_range, shown
from sw.common.errors import InputError
from sw.model.config.inputs import PIXEL_MAX

Method = Literal["fgsm", "pgd", "trades"]
METHODS: tuple[Method, ...] = get_args(Method)
STEPS: dict[Method, int] = {"fgsm": 1, "pgd": 7, "trades": 10}  # those that are usual
EPS, TRADES_WEIGHT = 8, 6.0  # usual


@dataclass(frozen=True)
class Adversarial:
    """How the images are attacked that a network learns from (`sw.train.adversarial`).

    Attributes:
        method: "fgsm": a single step from a random start (Wong et al., Fast is better than free,
            ICLR 2020). "pgd": several (Madry et al., ICLR 2018). "trades": from images as they are,
            and from how far attacked ones move the answer (Zhang et al., ICML 2019).
        eps: how far a pixel may move, in 1/255.
        steps: of the attack.
        weight: of the second part of TRADES' loss, its 1 / lambda; 0 for the other methods.

    Raises:
        InputError: a value is out of range.
    """

    method: Method
    eps: int
    steps: int
    weight: float = 0.0

    def __post_init__(self) -> None:
        check_choice("adversarial", self.method, METHODS)
        check_range("eps", self.eps, 1, PIXEL_MAX)
        check_range("attack steps", self.steps, 1, 1000)
        if self.method == "fgsm" and self.steps != 1:
            raise InputError(f"attack steps: fgsm has 1, not {self.steps}: take pgd for more")
        if isinstance(self.weight, bool) or not isinstance(self.weight, float | int):
            raise InputError(f"TRADES weight is {shown(self.weight)}: must be a number")
        if self.method != "trades" and self.weight:
            raise InputError(f"TRADES weight is {self.weight}: is of trades, not of {self.method}")
        if self.method == "trades" and not 0 < self.weight < math.inf:
            raise InputError(f"TRADES weight is {self.weight}: must be above 0")

    @property
    def stride(self) -> int:
        """How far a step goes, in 1/255: 1.25 eps in all of them, or eps / 4 each if that is more.

        So a single step goes beyond eps, and the many of PGD as far as an attack's.
        """
        return -(-max(5 * self.eps, self.eps * self.steps) // (4 * self.steps))


def adversarial(
    method: str, eps: int | None = None, steps: int | None = None, weight: float | None = None
) -> Adversarial:
    """The settings of a method; what is None is as usual for it. Raises `InputError`."""
    known = check_choice("adversarial", method, METHODS)
    usual = TRADES_WEIGHT if known == "trades" else 0.0
    return Adversarial(
        known,
        EPS if eps is None else eps,
        STEPS[known] if steps is None else steps,
        usual if weight is None else weight,
    )


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained (AdamW, one-cycle learning rate; Algorithm 2 for the second part).

    Attributes:
        seed: of the first weights, of the images' order and of what else is drawn.
        epochs, quantised_epochs: passes over the images in float, then with K bits.
        rate, quantised_rate: the highest learning rate of either part.
        batch: images per step.
        weight_decay: AdamW's.
        threads: of PyTorch; another number adds up in another order, and so trains other weights.
            One is also the fastest for a network as small as that of the digits.
        augment: random crops of the images, and flips where they may be mirrored
            (`sw.data.augment`).
        fast: drives in bfloat16, channels last, neurons compiled (`sw.model.lif_compiled`): for
            large networks. Weights, membranes and the evaluation stay in float32.
        short_epochs: the first epochs in float, which take half the steps, rounded up, and so half
            the time; at most all of them.
        validation: images of the training part, drawn by the seed, that are not learnt from; the
            learning curve has the accuracy on them. 0: none.
        start: SHA-256 of the checkpoint file whose float network gave the first weights, in
            hexadecimal; empty: the seed did.
        adversarial: how the images are attacked that are learnt from; None: they are not.

    Raises:
        InputError: a value is out of range.
    """

    seed: int = 1
    epochs: int = 40
    quantised_epochs: int = 15
    rate: float = 5e-3
    quantised_rate: float = 1e-3
    batch: int = 64
    weight_decay: float = 1e-3
    threads: int = 1
    augment: bool = False
    fast: bool = False
    short_epochs: int = 0
    validation: int = 0
    start: str = ""
    adversarial: Adversarial | None = None

    def __post_init__(self) -> None:
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_range("epochs", self.epochs, 1, 100_000)
        check_range("quantised epochs", self.quantised_epochs, 0, 100_000)
        check_range("short epochs", self.short_epochs, 0, self.epochs)
        check_range("threads", self.threads, 1, 1024)
        check_range("batch", self.batch, 2, 1_000_000)
        check_range("validation images", self.validation, 0, 1_000_000)
        if not isinstance(self.start, str) or not re.fullmatch("([0-9a-f]{64})?", self.start):
            raise InputError(f"start is {self.start!r}: must be a SHA-256 of 64 hexadecimal digits")
        for what, switch in (("augment", self.augment), ("fast", self.fast)):
            if not isinstance(switch, bool):
                raise InputError(f"{what} is {switch!r}: must be true or false")
        for what, value in (("rate", self.rate), ("quantised rate", self.quantised_rate)):
            if not 0 < value < math.inf:
                raise InputError(f"{what} is {value}: must be above 0")
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"weight decay is {self.weight_decay}: must be 0 or more")
