"""The derivative of a logistic function: it falls exponentially with the distance."""

from torch import Tensor

from sw.attack.gradient.surrogates.slope import Fixed


def sigmoid(width: float) -> Fixed:
    """s (1 - s) / width with s = 1 / (1 + exp(-x / width))."""

    def slope(x: Tensor) -> Tensor:
        s = (x / width).sigmoid()
        return s * (1 - s) / width

    return Fixed(slope)
