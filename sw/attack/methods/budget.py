"""What an attack may do to an image, and the draws that it has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.attack.draws import Numbers, Purpose, draw
from sw.attack.victim import Oracle, Victim
from sw.common.checks import check_range
from sw.common.errors import InputError
from sw.data.dataset import Images
from sw.model.config.inputs import PIXEL_MAX

MAX_STEPS = 10_000
MAX_RESTARTS = 100
TURN, RESTART = 1 << 8, 1 << 40  # what a turn and a restart add to a draw's variant; eps is below


@dataclass(frozen=True)
class Budget:
    """How much an attack may do.

    Attributes:
        eps: how far a pixel may move, in 1/255; or how many spikes may change.
        steps: steps along the gradient, or queries; None: as many as are usual for the attack.
        seed: of what is drawn.
        restart: the number of this start; another one draws anew.

    Raises:
        InputError: a value is out of range.
    """

    eps: int
    steps: int | None = None
    seed: int = 0
    restart: int = 0

    def __post_init__(self) -> None:
        check_eps(self.eps)
        if self.steps is not None:
            check_range("steps", self.steps, 1, MAX_STEPS)
        check_range("attack seed", self.seed, 0, 2**63 - 1)
        check_range("restart", self.restart, 0, MAX_RESTARTS - 1)

    def draw(
        self,
        purpose: Purpose,
        numbers: Numbers,
        values: int,
        shape: Sequence[int] = (),
        turn: int = 0,
    ) -> NDArray[np.int64]:
        """As `sw.attack.draws.draw`, anew for each strength, turn and restart."""
        variant = self.eps + TURN * turn + RESTART * self.restart
        return draw(self.seed, purpose, numbers, values, shape, variant)


Method = Callable[[Victim, Images, Budget], Images]
ByQueries = Callable[[Oracle, Images, Budget], Images]


def check_eps(eps: int) -> None:
    """Raises `InputError` for a strength that is no whole number from 0 to 255."""
    if isinstance(eps, bool) or not isinstance(eps, int) or not 0 <= eps <= PIXEL_MAX:
        raise InputError(
            f"eps is {eps!r}: must be 0 to {PIXEL_MAX}, in 1/{PIXEL_MAX}, and a whole number: 8"
            f" stands for 8/{PIXEL_MAX}"
        )


def moved(images: Images, step: NDArray[np.integer[Any]]) -> Images:
    """The images with a step added to each pixel, clipped to 0..255."""
    found: Images = np.clip(images.astype(np.int16) + step, 0, PIXEL_MAX).astype(np.uint8)
    return found


def reach(images: Images, eps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the largest value of each pixel within eps of it, int64."""
    wide = images.astype(np.int64)
    return np.clip(wide - eps, 0, None), np.clip(wide + eps, None, PIXEL_MAX)
