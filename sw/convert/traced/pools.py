"""Pooling as PyTorch's functions and modules describe it."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from torch import nn

from sw.common.checks import Shape
from sw.convert.convolution import window_of
from sw.integer.window import Window

NAMES = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
TWO_BY_TWO = [[2], [2], [0]]


@dataclass(frozen=True, eq=False)
class Pool:
    """A pooling's window; `whole`: without dilation and without windows beyond the border."""

    kernel: Any
    stride: Any
    padding: Any
    whole: bool = True

    @classmethod
    def of_call(cls, args: Any, kwargs: Any) -> Self:
        """Of a pooling function's arguments."""
        found = dict(zip(NAMES, args, strict=False)) | kwargs
        return cls(
            found["kernel_size"],
            found.get("stride") or found["kernel_size"],
            found.get("padding", 0),
            _whole(found.get("dilation", 1), found.get("ceil_mode", False)),
        )

    @classmethod
    def of_module(cls, module: nn.MaxPool2d) -> Self:
        """Of a module."""
        whole = _whole(module.dilation, module.ceil_mode)
        return cls(module.kernel_size, module.stride, module.padding, whole)

    def free(self, inputs: Shape) -> bool:
        """Whether it is 2 x 2 of an even height and width, which costs a chip nothing."""
        numbers = (self.kernel, self.stride, self.padding)
        sizes = [np.unique(np.asarray(each)).tolist() for each in numbers]
        return sizes == TWO_BY_TWO and not inputs[1] % 2 and not inputs[2] % 2

    def window(self, where: str) -> Window:
        """The window. Raises `InputError`, which begins with `where`."""
        return window_of(where, self.kernel, self.stride, self.padding)


def _whole(dilation: Any, ceil_mode: bool) -> bool:
    return not np.any(np.asarray(dilation) != 1) and not ceil_mode
