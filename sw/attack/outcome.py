"""What reports say of attacked images; it needs no PyTorch.

The set without attack has a name here, as it is in every comparison.
"""

from collections.abc import Mapping

CLEAN = "clean"  # the set without attack


def zero_gradients(zero: Mapping[str, int], images: int) -> list[str]:
    """A sentence for each set in which the attack did nothing to any image.

    `zero` is by set how many of `images` have a gradient of 0 at every pixel.
    """
    return [
        f"{name}: the gradient is zero for all {images:,} images, so this attack does nothing"
        for name, count in zero.items()
        if count == images
    ]
