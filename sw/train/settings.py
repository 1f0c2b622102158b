"""How a network is trained, as values that go into its checkpoint."""

import math
import re
from dataclasses import dataclass

from sw.common.checks import check_range
from sw.common.errors import InputError


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
