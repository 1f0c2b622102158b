"""The way to a gradient that an attacker chooses, and how it is written."""

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from sw.attack.gradient.surrogates import SURROGATES
from sw.common.checks import check_choice, check_range, shown
from sw.common.errors import InputError
from sw.model.config.network import NetworkConfig

Through = Literal["time", "rate", "rga"]
Pixels = Literal["autograd", "approximated"]
PAPER = "paper"  # the gradient of Eq. 8 to 12, also where autograd would do
GRADIENTS = (*get_args(Through), PAPER)
MAX_DRAWS = 1000
BATCH, MAX_BATCH = 256, 10_000
EXTENDED = "rga"  # what may run the network for longer
MAX_TIMES = 100


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
    known = f"{', '.join(GRADIENTS)}, or {EXTENDED}:4"
    return InputError(f"unknown gradient {shown(name)}: must be one of {known}")


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
        times: of "rga": for how many times its steps the network is run to find the gradient, its
            time-extended enhancement. What the network answers stays that of its own steps.

    Raises:
        InputError: there is no such way.
    """

    through: Through = "time"
    surrogate: str = "paper"
    width: float | None = None
    pixels: Pixels | None = None
    draws: int = 0
    batch: int = BATCH
    times: int = 1

    def __post_init__(self) -> None:
        if self.through not in get_args(Through):
            raise _no_gradient(self.through)
        check_choice("unknown surrogate", self.surrogate, SURROGATES)
        _check_width(self.surrogate, self.width)
        check_range("draws", self.draws, 0, MAX_DRAWS)
        check_range("batch", self.batch, 1, MAX_BATCH)
        check_range("times the network's steps", self.times, 1, MAX_TIMES)
        if self.times > 1 and self.through != EXTENDED:
            raise InputError(f"gradient {self.through}: only {EXTENDED} runs a network for longer")

    @property
    def name(self) -> str:
        """In a word or two, as it is asked for."""
        if self.through != "time":
            return self.through if self.times == 1 else f"{self.through}:{self.times}"
        given = "" if self.width is None else f":{self.width:g}"
        return f"{self.surrogate}{given}"

    def check(self, config: NetworkConfig) -> None:
        """Raises `InputError` for a network that cannot be run for longer, if it is to be."""
        if self.times > 1 and (config.takes_spikes or config.encoding == "latency"):
            given = "spikes" if config.takes_spikes else "latency encoding"
            raise InputError(
                f"network {config.name}: {given} that came in steps cannot be had in more of them: "
                f"take gradient {EXTENDED} without a number"
            )


TRAINED = Way()  # the surrogate of the training, and the draw of the encoding that counts


def way(gradient: str = "time", surrogate: str = "paper", batch: int = BATCH) -> Way:
    """A way from what is written on a command line: a gradient, and a surrogate.

    The gradient may be rga:TIMES as well, the surrogate is NAME or NAME:WIDTH.
    """
    through, longer, times = gradient.partition(":")
    if through not in GRADIENTS or (longer and through != EXTENDED):
        raise _no_gradient(gradient)
    name, colon, number = surrogate.partition(":")
    if through in ("rate", "rga") and surrogate != "paper":
        raise InputError(
            f"surrogate {shown(surrogate)}: a gradient through the rate has none, leave it out"
        )
    width = _number(name, number) if colon else None
    if through == PAPER:
        return Way("time", name, width, "approximated", batch=batch)
    steps = _times(times) if longer else 1
    return Way(through, name, width, batch=batch, times=steps)  # type: ignore[arg-type]


def _times(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InputError(
            f"gradient {EXTENDED}: {shown(text)} is how many times the network's steps it takes, "
            "must be a whole number, such as 4"
        )
    return int(text)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"surrogate {shown(name)}: its width is {shown(text)}, must be a number, such as 0.5"
        ) from None
