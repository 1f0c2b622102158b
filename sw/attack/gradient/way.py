"""The way to a gradient that an attacker chooses, and how it is written."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from sw.attack.gradient.surrogates import SURROGATES
from sw.common.checks import check_range, shown
from sw.common.errors import InputError

Through = Literal["time", "rate", "rga"]
Pixels = Literal["autograd", "approximated"]
PAPER = "paper"  # the gradient of Eq. 8 to 12, also where autograd would do
GRADIENTS = (*get_args(Through), PAPER)
MAX_DRAWS = 1000
BATCH, MAX_BATCH = 256, 10_000


def _check_width(name: str, width: float | None) -> None:
    most = SURROGATES[name].most
    if width is None:
        return
    if most is None:
        raise InputError(f"surrogate {name}: takes no width, leave {width:g} out")
    if not (math.isfinite(width) and 0 < width < most):
        raise InputError(
            f"surrogate {name}: its width is {width:g}, must be above 0 and below {most:g}"
        )


def _no_gradient(name: object) -> InputError:
    return InputError(f"unknown gradient {shown(name)}: must be one of {', '.join(GRADIENTS)}")


@dataclass(frozen=True)
class Way:
    """How the gradient is found.

    Attributes:
        through: "time": step by step, with a surrogate; "rate": BPTR; "rga": its approximation.
        surrogate: a name of `SURROGATES`; of the way through time.
        width: its number; None: what is usual for it.
        pixels: "autograd": through the encoding; "approximated": Eq. 11, which takes the encoded
            input for the image. None: autograd where the encoding has a gradient.
        draws: of the encoding, whose mean gradient counts: the attacker does not know the network's
            own. 0: he does, and sees it.
        batch: how many images are looked at at once; the last bits of a gradient depend on it.

    Raises:
        InputError: there is no such way.
    """

    through: Through = "time"
    surrogate: str = "paper"
    width: float | None = None
    pixels: Pixels | None = None
    draws: int = 0
    batch: int = BATCH

    def __post_init__(self) -> None:
        if self.through not in get_args(Through):
            raise _no_gradient(self.through)
        if self.surrogate not in SURROGATES:
            raise InputError(
                f"unknown surrogate {shown(self.surrogate)}: must be one of {', '.join(SURROGATES)}"
            )
        _check_width(self.surrogate, self.width)
        check_range("draws", self.draws, 0, MAX_DRAWS)
        check_range("batch", self.batch, 1, MAX_BATCH)

    @property
    def name(self) -> str:
        """In a word or two, as it is asked for."""
        if self.through != "time":
            return self.through
        given = "" if self.width is None else f":{self.width:g}"
        return f"{self.surrogate}{given}"


TRAINED = Way()  # the surrogate of the training, and the draw of the encoding that counts


def way(gradient: str = "time", surrogate: str = "paper", batch: int = BATCH) -> Way:
    """A way from what is written on a command line, the surrogate as NAME or NAME:WIDTH."""
    if gradient not in GRADIENTS:
        raise _no_gradient(gradient)
    name, colon, number = surrogate.partition(":")
    if gradient in ("rate", "rga") and surrogate != "paper":
        raise InputError(
            f"surrogate {shown(surrogate)}: a gradient through the rate has none, leave it out"
        )
    width = _number(name, number) if colon else None
    if gradient == PAPER:
        return Way("time", name, width, "approximated", batch=batch)
    return Way(gradient, name, width, batch=batch)  # type: ignore[arg-type]  # one of them


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"surrogate {shown(name)}: its width is {shown(text)}, must be a number, such as 0.5"
        ) from None
