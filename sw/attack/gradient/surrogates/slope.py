"""What a surrogate is: how steep a spike is taken to be, for the membranes of a layer."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

Shape = Callable[[Tensor], Tensor]  # of a fixed surrogate: x to the slope at x


class Slope(Protocol):
    """One batch of images on its way: an adaptive surrogate remembers it, a fixed one does not."""

    def step(self) -> None:
        """The attack looks at its images anew."""

    def keep(self, images: Tensor) -> None:
        """Only these images of the batch go on; bool [B]."""

    def __call__(self, layer: str, membranes: Tensor, theta: float) -> Tensor:
        """The slopes of the spikes, of the membranes' shape, [T, B, C, H, W].

        Args:
            layer: its name.
            membranes: before the reset.
            theta: threshold.
        """


class Fixed:
    """The same function of x = u / theta - 1 for every neuron; 0 is the threshold."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def step(self) -> None:
        """Nothing to do: it remembers nothing."""

    def keep(self, images: Tensor) -> None:
        """Likewise."""

    def __call__(self, layer: str, membranes: Tensor, theta: float) -> Tensor:
        """See `Slope`."""
        return self._shape(membranes / theta - 1)
