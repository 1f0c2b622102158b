"""The integer network: all that is left of a trained network once batch norm is folded."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape, check_array, check_range, check_shape
from sw.common.errors import InputError
from sw.integer.window import Window
from sw.model.config import (
    MAX_TIMESTEPS,
    MAX_WEIGHT_BITS,
    Encoding,
    LayerKind,
    geometry_of,
)
from sw.model.geometry import can_be_pooled, fan_in, pooled_shape

Reset = Literal["zero", "subtract", "none"]
Code = Literal["odd", "twos"]
Inputs = Encoding | Literal["spikes"]

INPUT = "input"  # what a layer names to take the network's input

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
        kind: a convolution, padded with zeros (`window`); or fully connected.
        weights: int32, conv [out, in, rows, columns], fc [out, in] with in = (C, H, W) flattened,
            as `code` says; a weight of 0 is no synapse.
        weight_bits: K, 1..8.
        fraction_bits: f; a synapse of weight w adds w << f to the membrane.
        threshold: int64 [out], in membrane units, within 32 bits signed.
        bias: int64 [out], added every step, within 32 bits signed.
        leak: the shift k by which v loses v >> k (arithmetic, so it rounds down); None: no leak.
        reset: what a spike does to v: it becomes 0, loses the threshold, or stays.
        spiking: False for the output layer, which integrates and never fires.
        pool: max pooling of the spikes follows, which for spikes is OR.
        input_shape: C, H, W of what comes in (for fc: of what is flattened).
        window: of a convolution; None: that of the paper, 3 x 3 with a border of 1.
        code: the weights are those of Eq. 13 with K bits (odd, at most 2^K - 1 in size), or in K
            bits of two's complement.
        sources: the layers whose spikes come in, their channels one after the other, or `INPUT`;
            empty: the layer before. Two branches are added by the same weights for both.

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
    window: Window | None = None
    code: Code = "odd"
    sources: tuple[str, ...] = ()

    @property
    def geometry(self) -> Window | None:
        """Of a convolution; None: fully connected."""
        return self.window or window_of(self.kind)

    @property
    def features(self) -> int:
        """Output channels (conv) or neurons (fc)."""
        return int(self.weights.shape[0])

    @property
    def output_shape(self) -> Shape:
        """C, H, W of the layer's spikes, before pooling."""
        return _output_shape(self.geometry, self.features, self.input_shape)

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
        if self.code not in get_args(Code):
            raise InputError(
                f"{where}: code is {self.code!r}, must be {' or '.join(get_args(Code))}"
            )
        if self.window is not None and self.kind != "conv":
            raise InputError(f"{where}: has a window, but is fully connected")
        outputs = _output_shape(self.geometry, 1, self.input_shape)
        if min(outputs) < 1:
            raise InputError(f"{where}: its window is larger than its inputs {self.input_shape}")
        if self.pool and (self.geometry is None or not can_be_pooled(outputs)):
            raise InputError(f"{where}: only a convolution of even height and width can be pooled")
        if self.pool and not self.spiking:
            raise InputError(f"{where}: pools spikes, but is not spiking")

    def _check_shapes(self) -> None:
        shape = (None, *fan_in_of(self.geometry, self.input_shape))
        check_array(f"layer {self.name}: weights", self.weights, np.int32, shape)
        for name, values in (("threshold", self.threshold), ("bias", self.bias)):
            check_array(f"layer {self.name}: {name}", values, np.int64, (self.features,))

    def _check_values(self) -> None:
        if self.code == "odd":
            largest = 2**self.weight_bits - 1
            right = (self.weights % 2 != 0) | (self.weights == 0)
            least, kind = -largest, "odd integers"
        else:
            largest = 2 ** (self.weight_bits - 1) - 1
            right = np.ones_like(self.weights, np.bool_)
            least, kind = -largest - 1, "integers"
        if not np.all(right & (self.weights >= least) & (self.weights <= largest)):
            raise InputError(
                f"layer {self.name}: weights must be {kind} from {least} to {largest}"
                f" ({self.weight_bits} bits)"
            )
        for name, values in (("threshold", self.threshold), ("bias", self.bias)):
            if values.min() < MEMBRANE_MIN or values.max() > MEMBRANE_MAX:
                raise InputError(f"layer {self.name}: a {name} does not fit 32 bits signed")


def window_of(kind: LayerKind) -> Window | None:
    """The window of the paper's convolution; None: fully connected."""
    square = geometry_of(kind)
    return None if square is None else Window(square, square)


def fan_in_of(window: Window | None, inputs: Shape) -> tuple[int, ...]:
    """Shape of the weights of one output channel, or neuron, for inputs C, H, W."""
    return fan_in(None, inputs) if window is None else window.fan_in(inputs)


def _output_shape(window: Window | None, features: int, inputs: Shape) -> Shape:
    return (features, 1, 1) if window is None else window.output_shape(features, inputs)


@dataclass(frozen=True)
class IntegerNetwork:
    """Integer layers that name their inputs, which are layers before them; the last is the output.

    Layer 0 takes what the encoding gives: pixels 0..255, the same every step (direct); spikes (rate
    and latency); spikes that count 2^(7 - k mod 8) in step k (phase); or, instead of an encoding,
    a user's spikes as they are (spikes). All other layers take spikes.

    Attributes:
        name: the network's name.
        dataset: the name of the data set that it classifies.
        encoding: how images become inputs of layer 0.
        timesteps: T, steps per image.
        classes: the classes' names, one per neuron of the output layer.
        layers: in order, each one's input shape the pooled shapes of its sources, their channels
            added up.

    Raises:
        InputError: the layers do not fit together.
    """

    name: str
    dataset: str
    encoding: Inputs
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
        return self.encoding in ("rate", "latency", "spikes")

    @property
    def feeds(self) -> tuple[tuple[int, ...], ...]:
        """Where the inputs of each layer come from; 0 is the network's input, n + 1 layer n."""
        place = {INPUT: 0} | {layer.name: number for number, layer in enumerate(self.layers, 1)}
        return tuple(
            tuple(place.get(name, len(place)) for name in layer.sources) or (number,)
            for number, layer in enumerate(self.layers)
        )

    @property
    def chain(self) -> bool:
        """Whether each layer takes the spikes of the one before and nothing else."""
        return all(feeds == (number,) for number, feeds in enumerate(self.feeds))

    def __post_init__(self) -> None:
        encodings = (*get_args(Encoding), "spikes")
        if self.encoding not in encodings:
            raise InputError(
                f"network {self.name}: encoding is {self.encoding!r},"
                f" must be {' or '.join(encodings)}"
            )
        check_range(f"network {self.name}: timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        if len(self.layers) < 2:
            raise InputError(f"network {self.name}: needs at least 2 layers")
        if len({layer.name for layer in self.layers}) != len(self.layers):
            raise InputError(f"network {self.name}: two of its layers have the same name")
        for number, feeds in enumerate(self.feeds):
            self._check_sources(number, feeds)
        output = self.layers[-1]
        if output.spiking or output.geometry is not None:
            raise InputError(f"layer {output.name}: the output must be fc and not spiking")
        if output.features != len(self.classes):
            raise InputError(
                f"layer {output.name}: has {output.features} outputs"
                f" for {len(self.classes)} classes"
            )

    def _check_sources(self, number: int, feeds: tuple[int, ...]) -> None:
        after = self.layers[number]
        for name, feed in zip(after.sources, feeds, strict=False):
            if feed > number:
                raise InputError(
                    f"layer {after.name}: takes the spikes of {name}, which is no layer before it"
                )
        if number and 0 in feeds and not self.binary:
            raise InputError(f"layer {after.name}: only the first layer can take {self.encoding}")
        before = [self.layers[feed - 1] for feed in feeds if feed]
        for layer in before:
            if not layer.spiking:
                raise InputError(f"layer {layer.name}: only the last layer may be without spikes")
            if layer.geometry is None and after.geometry is not None:
                raise InputError(
                    f"layer {after.name}: a convolution cannot follow {layer.name} (fc)"
                )
        given = [layer.pooled_shape for layer in before]
        if 0 in feeds and number:
            given.append(self.input_shape)
        shape = after.input_shape
        if given and (
            sum(each[0] for each in given) != shape[0]
            or {each[1:] for each in given} != {shape[1:]}
        ):
            names = ", ".join(layer.name for layer in before)
            gives = " and ".join(map(str, given))
            raise InputError(f"layer {after.name}: takes {shape}, but {names} gives {gives}")
