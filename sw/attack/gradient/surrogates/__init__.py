"""Surrogates that an attacker may choose, one file each, known by the names in `SURROGATES`.

They change the gradient and never a spike. Each makes a `Slope` of a number, which most call width.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sw.attack.gradient.surrogates.arctan import arctan
from sw.attack.gradient.surrogates.assg import Assg
from sw.attack.gradient.surrogates.pdsg import Pdsg
from sw.attack.gradient.surrogates.rectangle import rectangle
from sw.attack.gradient.surrogates.sigmoid import sigmoid
from sw.attack.gradient.surrogates.slope import Slope
from sw.attack.gradient.surrogates.triangle import triangle

WIDEST = 1e6  # in thresholds


@dataclass(frozen=True)
class Surrogate:
    """A surrogate by name.

    Attributes:
        make: makes one, for a number.
        usual: the number, if none is given.
        most: the number is above 0 and below this; None: it takes no number.
    """

    make: Callable[[float], Slope]
    usual: float
    most: float | None = WIDEST


def _pdsg(_: float) -> Slope:
    return Pdsg()


SURROGATES: dict[str, Surrogate] = {
    "paper": Surrogate(triangle, 1.0),
    "arctan": Surrogate(arctan, 0.5),
    "sigmoid": Surrogate(sigmoid, 0.25),
    "rectangle": Surrogate(rectangle, 0.5),
    "pdsg": Surrogate(_pdsg, 0.0, None),
    "assg": Surrogate(Assg, 0.425, 0.5),
}
