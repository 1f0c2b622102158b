"""The same slope anywhere near the threshold, and none beyond."""

from torch import Tensor

from sw.attack.gradient.surrogates.slope import Fixed


def rectangle(width: float) -> Fixed:
    """1 / (2 width) where |x| < width, else 0."""

    def slope(x: Tensor) -> Tensor:
        return (x.abs() < width).to(x.dtype) / (2 * width)

    return Fixed(slope)
