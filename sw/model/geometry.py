"""Which input pixels lie under which output pixels: the geometry of convolutions and of pooling.

A square window moves over the image, rows and columns alike, so all here is said of one direction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape

Span = tuple[int, int]  # from, to (exclusive)


@dataclass(frozen=True)
class Geometry:
    """A window of `kernel` pixels that moves on by `stride`, over `padding` zeros at both ends.

    Raises `ValueError` for a window that would see nothing but padding.
    """

    kernel: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        if self.kernel < 1 or self.stride < 1 or not 0 <= self.padding < self.kernel:
            raise ValueError(
                f"kernel {self.kernel}, stride {self.stride}, padding {self.padding}: kernel and"
                " stride must be 1 or more, padding 0 or more and less than the kernel"
            )

    def output(self, size: int) -> int:
        """Number of output pixels of `size` input pixels."""
        return (size + 2 * self.padding - self.kernel) // self.stride + 1

    def divides(self, size: int) -> bool:
        """Whether the windows reach the last of `size` pixels and its padding exactly."""
        left = size + 2 * self.padding - self.kernel
        return left >= 0 and left % self.stride == 0

    def inputs_of(self, outputs: Span) -> Span:
        """The input pixels under these output pixels; those below 0 or at the end are padding."""
        first, last = outputs[0] * self.stride, (outputs[1] - 1) * self.stride
        return first - self.padding, last - self.padding + self.kernel

    def inputs_within(self, outputs: Span, size: int) -> Span:
        """The same without the padding, of an image of `size` pixels."""
        first, end = self.inputs_of(outputs)
        return max(first, 0), min(end, size)

    def input_under(self, outputs: NDArray[np.int64], tap: int) -> NDArray[np.int64]:
        """The input pixel that weight `tap` of the kernel meets, for each of these outputs."""
        return outputs * self.stride + (tap - self.padding)

    def inputs_under(self, tap: int, size: int) -> slice:
        """The same for all outputs of `size` input pixels; only without padding."""
        if self.padding:
            raise ValueError(f"padding {self.padding}: some outputs have no such input pixel")
        return slice(tap, tap + (self.output(size) - 1) * self.stride + 1, self.stride)

    def output_over(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The output pixel that each input pixel counts for; only where windows do not overlap."""
        if self.kernel != self.stride:
            raise ValueError(f"kernel {self.kernel}, stride {self.stride}: windows do not tile")
        return (inputs + self.padding) // self.stride

    @property
    def backward(self) -> "Geometry":
        """Of the convolution, with the kernel rotated, that leads gradients back to the inputs."""
        if self.stride != 1:
            raise ValueError(f"stride {self.stride}: the way back is no plain convolution")
        return Geometry(self.kernel, padding=self.kernel - 1 - self.padding)


CONVOLUTION = Geometry(kernel=3, padding=1)
POOLING = Geometry(kernel=2, stride=2)


def fan_in(geometry: Geometry | None, inputs: Shape) -> tuple[int, ...]:
    """Shape of the weights of one output channel, or neuron, for inputs C, H, W.

    `geometry` is that of a convolution, here as below; None: fully connected.
    """
    channels, height, width = inputs
    if geometry is None:
        return (channels * height * width,)
    return (channels, geometry.kernel, geometry.kernel)


def output_shape(geometry: Geometry | None, features: int, inputs: Shape) -> Shape:
    """C, H, W of what a layer makes of inputs C, H, W, before pooling."""
    if geometry is None:
        return (features, 1, 1)
    return (features, geometry.output(inputs[1]), geometry.output(inputs[2]))


def pooled_shape(shape: Shape) -> Shape:
    """C, H, W after pooling."""
    return output_shape(POOLING, shape[0], shape)


def can_be_pooled(shape: Shape) -> bool:
    """Whether the pooling's windows cover C, H, W without a rest."""
    return POOLING.divides(shape[1]) and POOLING.divides(shape[2])
