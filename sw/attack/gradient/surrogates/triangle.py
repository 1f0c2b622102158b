"""The paper's Eq. 2, max(0, 1 - |u / theta - 1|), as it was trained with; and wider or sharper."""

from torch import Tensor

from sw.attack.gradient.surrogates.slope import Fixed


def triangle(width: float) -> Fixed:
    """max(0, 1 - |x| / width). At width 1 it is Eq. 2 to the bit."""

    def slope(x: Tensor) -> Tensor:
        return (1 - x.abs() / width).clamp_(min=0)

    return Fixed(slope)
