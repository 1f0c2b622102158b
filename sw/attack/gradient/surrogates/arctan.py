"""The derivative of an arctangent: it falls with the square of the distance, and is never 0."""

import math

from torch import Tensor

from sw.attack.gradient.surrogates.slope import Fixed


def arctan(width: float) -> Fixed:
    """1 / (1 + (pi x / (2 width))^2) / (2 width), of 1/2 + arctan(pi x / (2 width)) / pi."""

    def slope(x: Tensor) -> Tensor:
        return 1 / (1 + (math.pi / 2 * x / width).square()) / (2 * width)

    return Fixed(slope)
