"""An arm of a layer: spikes of one size that come in through one window; a layer adds its arms."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape, check_array, check_shape
from sw.common.errors import InputError
from sw.integer.window import Window
from sw.model.geometry import fan_in

Code = Literal["odd", "twos"]


@dataclass(frozen=True, eq=False)
class Arm:
    """What a layer takes beside its own weights: a shortcut of another size, or its own spikes.

    Attributes:
        weights: int32, in the layer's code and with its K: conv [out, in, rows, columns], fc
            [out, in] with in = (C, H, W) flattened. A weight of 0 is no synapse.
        window: of a convolution; None: fully connected, as the layer must be then.
        input_shape: C, H, W of what comes in.
        sources: the layers whose spikes come in, their channels one after the other, or `INPUT`.
            The layer itself, alone: its spikes of the step before.
    """

    weights: NDArray[np.int32]
    window: Window | None
    input_shape: Shape
    sources: tuple[str, ...]

    @property
    def features(self) -> int:
        """Output channels (conv) or neurons (fc)."""
        return int(self.weights.shape[0])

    @property
    def output_shape(self) -> Shape:
        """C, H, W of what it adds to."""
        return output_shape_of(self.window, self.features, self.input_shape)

    def check(self, where: str) -> None:
        """Raises `InputError`, which begins with `where`, if its fields do not fit together."""
        check_shape(f"{where}: input shape", self.input_shape)
        if min(output_shape_of(self.window, 1, self.input_shape)) < 1:
            raise InputError(f"{where}: its window is larger than its inputs {self.input_shape}")
        shape = (None, *fan_in_of(self.window, self.input_shape))
        check_array(f"{where}: weights", self.weights, np.int32, shape)

    def check_codes(self, where: str, bits: int, code: Code) -> None:
        """Raises `InputError` unless all weights are of this code."""
        if code == "odd":
            largest = 2**bits - 1
            right = (self.weights % 2 != 0) | (self.weights == 0)
            least, kind = -largest, "odd integers"
        else:
            largest = 2 ** (bits - 1) - 1
            right = np.ones_like(self.weights, np.bool_)
            least, kind = -largest - 1, "integers"
        if not np.all(right & (self.weights >= least) & (self.weights <= largest)):
            raise InputError(
                f"{where}: weights must be {kind} from {least} to {largest} ({bits} bits)"
            )


def fan_in_of(window: Window | None, inputs: Shape) -> tuple[int, ...]:
    """Shape of the weights of one output channel, or neuron, for inputs C, H, W."""
    return fan_in(None, inputs) if window is None else window.fan_in(inputs)


def output_shape_of(window: Window | None, features: int, inputs: Shape) -> Shape:
    """C, H, W of what so many output channels, or neurons, make of inputs C, H, W."""
    return (features, 1, 1) if window is None else window.output_shape(features, inputs)
