"""The names of image sets, and what is said of them; for reports, so it needs no PyTorch."""

from collections.abc import Mapping

from sw.common.checks import shown
from sw.common.errors import InputError

CLEAN = "clean"  # the set without attack
TRANSFER = "transfer"  # of another network's gradient
KINDS = (  # an attacked set is called KIND_EPS
    "fgsm",
    "targeted",
    "rfgsm",
    "pgd",
    "noise",
    "apgd",
    "dlr",
    "nearest",
    "sapgd",
    "pdsg",
    "rate",
    "rga",
    "rga4",
    "square",
    "rays",
    "insert",
    "drop",
    "shift",
    "flip",
    "blind",
    TRANSFER,
)
OF_SPIKES = ("insert", "drop", "shift", "flip", "blind")  # eps is how many are changed
MAX_EPS = 255


def parse(name: str) -> tuple[str, int]:
    """Kind and eps of an attacked set. Raises `InputError` for another name."""
    kind, _, eps = name.rpartition("_")
    if kind not in KINDS or eps not in map(str, range(1, MAX_EPS + 1)):
        raise InputError(
            f"unknown set {shown(name)}: must be {CLEAN}, or one of {', '.join(KINDS)} with _1 "
            f"to _{MAX_EPS} behind it, such as fgsm_8"
        )
    return kind, int(eps)


def zero_gradients(zero: Mapping[str, int], images: int) -> list[str]:
    """A sentence for each set in which the attack did nothing to any image.

    `zero` is by set how many of `images` have a gradient of 0 at every pixel.
    """
    return [
        f"{name}: the gradient is zero for all {images:,} images, so this attack does nothing"
        for name, count in zero.items()
        if count == images
    ]
