"""Checks of values that come from outside; each says what is wrong in one sentence."""

from collections.abc import Collection
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError

Shape = tuple[int, int, int]  # C, H, W

Choice = TypeVar("Choice", bound=str)

MAX_SHOWN = 80  # characters
MAX_FEATURES = 65_536  # of a layer, and its height and width: far over any chip, far under memory


def shown(value: object) -> str:
    """A value within a sentence: as Python writes it, cut where that is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more digits than Python turns into text
        return "very large"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def check_range(what: str, value: int, least: int, most: int) -> None:
    """Raises `InputError` unless `value` is an int from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{what}: is {shown(value)}, must be an integer from {least} to {most}")


def check_choice(what: str, value: object, choices: Collection[Choice]) -> Choice:
    """The one of `choices` that `value` is. Raises `InputError` if it is none of them."""
    for choice in choices:
        if value == choice:
            return choice
    listed = " or ".join(choices) if len(choices) <= 2 else f"one of {', '.join(choices)}"
    raise InputError(f"{what} {shown(value)}: must be {listed}")


def check_shape(what: str, shape: Shape) -> None:
    """Raises `InputError` unless `shape` is three sensible sizes C, H, W."""
    if len(shape) != 3:
        raise InputError(f"{what}: is {shape}, must be channels, height and width")
    for size in shape:
        check_range(what, size, 1, MAX_FEATURES)


def check_array(
    what: str, array: NDArray[np.generic], dtype: type[np.generic], shape: tuple[int | None, ...]
) -> None:
    """Raises `InputError` unless `array` has this type and shape; None stands for any size."""
    fits = len(array.shape) == len(shape) and all(
        size > 0 and want in (None, size) for size, want in zip(array.shape, shape, strict=True)
    )
    if array.dtype != dtype or not fits:
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise InputError(
            f"{what}: are {array.dtype} {list(array.shape)}, must be {np.dtype(dtype)} [{expected}]"
        )
