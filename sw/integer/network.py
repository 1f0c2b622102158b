"""The integer network: all that is left of a trained network once batch norm is folded."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape, check_array, check_range, check_shape
from sw.common.errors import InputError
from sw.model.config import (
    MAX_TIMESTEPS,
    MAX_WEIGHT_BITS,
    Encoding,
    LayerKind,
    geometry_of,
)
from sw.model.geometry import Geometry, can_be_pooled, fan_in, output_shape, pooled_shape

Reset = Literal["zero", "subtract", "none"]

MAX_FRACTION_BITS = 20
MAX_LEAK = 31
MEMBRANE_MAX = 2**31 - 1  # thresholds and biases are 32-bit signed
MEMBRANE_MIN = -(2**31)


@dataclass(frozen=True)
class IntegerLayer:
    """One layer in integers; per step  v = v - (v >> leak) + (weights x inputs << f) + bias.

    A spiking layer fires where v >= threshold, then resets. Nothing saturates here: `integer.run`
    computes in 64 bits.

    Attributes:
        name: "conv1", "fc1" and so on, unique within the network.
        kind: a convolution, padded with zeros (`sw.model.geometry`); or fully connected.
        weights: int32, conv [out, in, kernel, kernel], fc [out, in] with in = (C, H, W) flattened.
            The codes of Eq. 13 with K bits: odd, at most 2^K - 1 in size; there is no zero.
        weight_bits: K, 1..8.
        fraction_bits: f; a synapse of weight w adds w << f to the membrane.
        threshold: int64 [out], in membrane units, within 32 bits signed.
        bias: int64 [out], added every step, within 32 bits signed.
        leak: the shift k by which v loses v >> k (arithmetic, so it rounds down); None: no leak.
        reset: what a spike does to v: it becomes 0, loses the threshold, or stays.
        spiking: False for the output layer, which integrates and never fires.
        pool: max pooling of the spikes follows, which for spikes is OR.
        input_shape: C, H, W of what comes in (for fc: of what is flattened).

    Raises:
        InputError: a field does not fit the others or the limits above.
    """

    name: str
    kind: LayerKind
    weights: NDArray[np.int32]
    weight_bits: int
    fraction_bits: int
    threshold: NDArray[np.int64]
    bias: NDArray[np.int64]
    leak: int | None
    reset: Reset
    spiking: bool
    pool: bool
    input_shape: Shape

    @property
    def geometry(self) -> Geometry | None:
        """Of a convolution; None: fully connected."""
        return geometry_of(self.kind)

    @property
    def features(self) -> int:
        """Output channels (conv) or neurons (fc)."""
        return int(self.weights.shape[0])

    @property
    def output_shape(self) -> Shape:
        """C, H, W of the layer's spikes, before pooling."""
        return output_shape(self.geometry, self.features, self.input_shape)

    @property
    def pooled_shape(self) -> Shape:
        """C, H, W of what the next layer gets."""
        return pooled_shape(self.output_shape) if self.pool else self.output_shape

    def __post_init__(self) -> None:
        self._check_settings()
        self._check_shapes()
        self._check_values()

    def _check_settings(self) -> None:
        where = f"layer {self.name}"
        if not isinstance(self.spiking, bool) or not isinstance(self.pool, bool):
            raise InputError(f"{where}: spiking and pool must be true or false")
        if self.kind not in get_args(LayerKind):
            kinds = " or ".join(get_args(LayerKind))
            raise InputError(f"{where}: kind is {self.kind!r}, must be {kinds}")
        if self.reset not in get_args(Reset):
            raise InputError(f"{where}: reset is {self.reset!r}, must be zero, subtract or none")
        check_range(f"{where}: weight bits", self.weight_bits, 1, MAX_WEIGHT_BITS)
        check_range(f"{where}: fraction bits", self.fraction_bits, 0, MAX_FRACTION_BITS)
        if self.leak is not None:
            check_range(f"{where}: leak shift", self.leak, 0, MAX_LEAK)
        check_shape(f"{where}: input shape", self.input_shape)
        outputs = output_shape(self.geometry, 1, self.input_shape)
        if self.pool and (self.geometry is None or not can_be_pooled(outputs)):
            raise InputError(f"{where}: only a convolution of even height and width can be pooled")
        if self.pool and not self.spiking:
            raise InputError(f"{where}: pools spikes, but is not spiking")

    def _check_shapes(self) -> None:
        shape = (None, *fan_in(self.geometry, self.input_shape))
        check_array(f"layer {self.name}: weights", self.weights, np.int32, shape)
        for name, values in (("threshold", self.threshold), ("bias", self.bias)):
            check_array(f"layer {self.name}: {name}", values, np.int64, (self.features,))

    def _check_values(self) -> None:
        largest = 2**self.weight_bits - 1
        if np.any(self.weights % 2 == 0) or np.any(np.abs(self.weights) > largest):
            raise InputError(
                f"layer {self.name}: weights must be odd integers from -{largest} to {largest}"
                f" ({self.weight_bits} bits)"
            )
        for name, values in (("threshold", self.threshold), ("bias", self.bias)):
            if values.min() < MEMBRANE_MIN or values.max() > MEMBRANE_MAX:
                raise InputError(f"layer {self.name}: a {name} does not fit 32 bits signed")


@dataclass(frozen=True)
class IntegerNetwork:
    """A chain of integer layers; the last one is the output.

    Layer 0 takes what the encoding gives: pixels 0..255, the same every step (direct); spikes (rate
    and latency); or spikes that count 2^(7 - k mod 8) in step k (phase). All other layers take
    spikes.

    Attributes:
        name: the network's name.
        dataset: the name of the data set that it classifies.
        encoding: how images become inputs of layer 0.
        timesteps: T, steps per image.
        classes: the classes' names, one per neuron of the output layer.
        layers: in order, each one's input shape the pooled shape of the one before.

    Raises:
        InputError: the layers do not fit together.
    """

    name: str
    dataset: str
    encoding: Encoding
    timesteps: int
    classes: tuple[str, ...]
    layers: tuple[IntegerLayer, ...]

    @property
    def input_shape(self) -> Shape:
        """C, H, W of an image."""
        return self.layers[0].input_shape

    @property
    def binary(self) -> bool:
        """Whether layer 0 takes spikes that all count the same, and so can run on the chip."""
        return self.encoding in ("rate", "latency")

    def __post_init__(self) -> None:
        if self.encoding not in get_args(Encoding):
            raise InputError(
                f"network {self.name}: encoding is {self.encoding!r},"
                f" must be {' or '.join(get_args(Encoding))}"
            )
        check_range(f"network {self.name}: timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        if len(self.layers) < 2:
            raise InputError(f"network {self.name}: needs at least 2 layers")
        if len({layer.name for layer in self.layers}) != len(self.layers):
            raise InputError(f"network {self.name}: two of its layers have the same name")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            self._check_pair(before, after)
        output = self.layers[-1]
        if output.spiking or output.geometry is not None:
            raise InputError(f"layer {output.name}: the output must be fc and not spiking")
        if output.features != len(self.classes):
            raise InputError(
                f"layer {output.name}: has {output.features} outputs"
                f" for {len(self.classes)} classes"
            )

    def _check_pair(self, before: IntegerLayer, after: IntegerLayer) -> None:
        if not before.spiking:
            raise InputError(f"layer {before.name}: only the last layer may be without spikes")
        if before.geometry is None and after.geometry is not None:
            raise InputError(f"layer {after.name}: a convolution cannot follow {before.name} (fc)")
        if after.input_shape != before.pooled_shape:
            raise InputError(
                f"layer {after.name}: takes {after.input_shape},"
                f" but {before.name} gives {before.pooled_shape}"
            )
