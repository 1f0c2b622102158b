"""The integer network: all that is left of a trained network once batch norm is folded."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape, check_array, check_choice, check_range
from sw.common.errors import InputError
from sw.integer.arm import Arm, Code
from sw.integer.window import Window
from sw.model.config.inputs import INPUTS, PHASED, SPIKES, Inputs
from sw.model.config.layer import LayerKind, geometry_of
from sw.model.config.network import MAX_TIMESTEPS, MAX_WEIGHT_BITS
from sw.model.geometry import can_be_pooled, pooled_shape

Reset = Literal["zero", "subtract", "none"]
Feeds = tuple[tuple[int, ...], ...]  # of each arm of a layer

INPUT = "input"  # what a layer names to take the network's input

MAX_FRACTION_BITS = 20
MAX_LEAK = 31
MEMBRANE_MAX = 2**31 - 1  # thresholds and biases are 32-bit signed
MEMBRANE_MIN = -(2**31)


@dataclass(frozen=True)
class IntegerLayer:
    """One layer in integers; per step  v = v - (v >> leak) + (weights x inputs << f) + bias.

    Weights times inputs is added up over the arms: its own weights, and those `beside` them. A
    spiking layer fires where v >= threshold, then resets. Nothing saturates here: `integer.run`
    computes in 64 bits.

    Attributes:
        name: "conv1", "fc1" and so on, unique within the network.
        kind: a convolution, padded with zeros (`window`); or fully connected.
        weights: int32, conv [out, in, rows, columns], fc [out, in] with in = (C, H, W) flattened,
            as `code` says; a weight of 0 is no synapse.
        weight_bits: K, 1..8.
        fraction_bits: f; a synapse of weight w adds w << f to the membrane.
        threshold: int64 [out], in membrane units, within 32 bits signed; or [out, H, W], where
            the neurons of a channel have thresholds of their own.
        bias: the same, added every step.
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
        beside: more arms, of inputs of other sizes, or of the layer's own spikes a step later.

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
    beside: tuple[Arm, ...] = ()

    @property
    def geometry(self) -> Window | None:
        """Of a convolution; None: fully connected."""
        return self.window or window_of(self.kind)

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Its own weights, and those beside them."""
        own = Arm(self.weights, self.geometry, self.input_shape, self.sources)
        return (own, *self.beside)

    @property
    def recurrent(self) -> bool:
        """Whether it takes its own spikes."""
        return any(self.name in arm.sources for arm in self.beside)

    @property
    def by_channel(self) -> bool:
        """Whether all neurons of a channel have the same threshold and bias."""
        return self.threshold.ndim == self.bias.ndim == 1

    @property
    def keep(self) -> float:
        """The share of a membrane that a step keeps, but for its rounding."""
        return 1.0 if self.leak is None else 1 - 2.0**-self.leak

    @property
    def features(self) -> int:
        """Output channels (conv) or neurons (fc)."""
        return int(self.weights.shape[0])

    @property
    def output_shape(self) -> Shape:
        """C, H, W of the layer's spikes, before pooling."""
        return self.arms[0].output_shape

    @property
    def pooled_shape(self) -> Shape:
        """C, H, W of what the next layer gets."""
        return pooled_shape(self.output_shape) if self.pool else self.output_shape

    def spread(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Thresholds or biases neuron by neuron, int64 [C, H, W]."""
        each = values[:, None, None] if values.ndim == 1 else values
        return np.broadcast_to(each, self.output_shape)

    def __post_init__(self) -> None:
        self._check_settings()
        self._check_shapes()
        self._check_values()

    def _check_settings(self) -> None:
        where = f"layer {self.name}"
        if not isinstance(self.spiking, bool) or not isinstance(self.pool, bool):
            raise InputError(f"{where}: spiking and pool must be true or false")
        check_choice(f"{where}: kind", self.kind, get_args(LayerKind))
        check_choice(f"{where}: reset", self.reset, get_args(Reset))
        check_range(f"{where}: weight bits", self.weight_bits, 1, MAX_WEIGHT_BITS)
        check_range(f"{where}: fraction bits", self.fraction_bits, 0, MAX_FRACTION_BITS)
        if self.leak is not None:
            check_range(f"{where}: leak shift", self.leak, 0, MAX_LEAK)
        check_choice(f"{where}: code", self.code, get_args(Code))
        if self.window is not None and self.kind != "conv":
            raise InputError(f"{where}: has a window, but is fully connected")

    def _check_shapes(self) -> None:
        where = f"layer {self.name}"
        for arm in self.arms:
            arm.check(where)
            if (arm.window is None) != (self.geometry is None):
                raise InputError(f"{where}: adds a convolution and a fully connected layer")
            if arm.output_shape != self.output_shape:
                raise InputError(f"{where}: adds {arm.output_shape} to {self.output_shape}")
        shape = self.output_shape
        for name, values in (("threshold", self.threshold), ("bias", self.bias)):
            check_array(f"{where}: {name}", values, np.int64, shape[: 1 if values.ndim < 2 else 3])
        if self.pool and (self.geometry is None or not can_be_pooled(shape)):
            raise InputError(f"{where}: only a convolution of even height and width can be pooled")
        if self.pool and not self.spiking:
            raise InputError(f"{where}: pools spikes, but is not spiking")

    def _check_values(self) -> None:
        for arm in self.arms:
            arm.check_codes(f"layer {self.name}", self.weight_bits, self.code)
        for name, values in (("threshold", self.threshold), ("bias", self.bias)):
            if values.min() < MEMBRANE_MIN or values.max() > MEMBRANE_MAX:
                raise InputError(f"layer {self.name}: a {name} does not fit 32 bits signed")


def window_of(kind: LayerKind) -> Window | None:
    """The window of the paper's convolution; None: fully connected."""
    square = geometry_of(kind)
    return None if square is None else Window(square, square)


@dataclass(frozen=True)
class IntegerNetwork:
    """Integer layers that name their inputs, layers before or themselves; the last is the output.

    Layer 0 takes what the encoding gives: pixels 0..255, the same every step (direct); spikes (rate
    and latency); spikes that count 2^(7 - k mod 8) in step k (phase); or a user's spikes, as they
    are (spikes) or each counting as those of phase (phase_spikes). All other layers take spikes.

    Attributes:
        name: the network's name.
        dataset: the name of the data set that it classifies.
        encoding: how images become inputs of layer 0.
        timesteps: T, steps per image.
        classes: the classes' names, one per neuron of the output layer.
        layers: in order; each takes the pooled shapes of its sources, their channels added up.

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
    def takes_spikes(self) -> bool:
        """Whether its inputs are spikes as they are, and not images."""
        return self.encoding in SPIKES

    @property
    def feeds(self) -> tuple[Feeds, ...]:
        """By layer and arm, the numbers of its sources.

        0 stands for the network's input, n + 1 for layer n; an arm of a layer's own spikes has that
        layer's number.
        """
        place = {INPUT: 0} | {layer.name: number for number, layer in enumerate(self.layers, 1)}
        return tuple(
            tuple(
                tuple(place.get(name, len(place)) for name in arm.sources) or (number,)
                for arm in layer.arms
            )
            for number, layer in enumerate(self.layers)
        )

    @property
    def recurrent(self) -> bool:
        """Whether a layer takes its own spikes."""
        return any(layer.recurrent for layer in self.layers)

    def __post_init__(self) -> None:
        check_choice(f"network {self.name}: encoding", self.encoding, INPUTS)
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

    def _check_sources(self, number: int, feeds: Feeds) -> None:
        layer = self.layers[number]
        for place, (arm, given) in enumerate(zip(layer.arms, feeds, strict=True)):
            if number + 1 in given and (not place or len(given) > 1):
                raise InputError(f"layer {layer.name}: its own spikes must come beside others")
            self._check_order(number, arm, given)
            shapes = [self._given(layer, feed) for feed in given]
            height_width = {shape[1:] for shape in shapes}
            channels = sum(shape[0] for shape in shapes)
            if (channels, height_width) != (arm.input_shape[0], {arm.input_shape[1:]}):
                names = ", ".join(self.layers[feed - 1].name if feed else INPUT for feed in given)
                gives = " and ".join(map(str, shapes))
                raise InputError(
                    f"layer {layer.name}: takes {arm.input_shape}, but {names} gives {gives}"
                )

    def _check_order(self, number: int, arm: Arm, feeds: tuple[int, ...]) -> None:
        layer = self.layers[number]
        for name, feed in zip(arm.sources, feeds, strict=False):
            if feed > number + 1:
                raise InputError(
                    f"layer {layer.name}: takes the spikes of {name}, which is no layer before it"
                )
        if number and 0 in feeds and self.encoding in ("direct", *PHASED):
            raise InputError(f"layer {layer.name}: only the first layer can take {self.encoding}")

    def _given(self, layer: IntegerLayer, feed: int) -> Shape:
        """C, H, W of what a source gives this layer."""
        if not feed:
            return self.input_shape
        before = self.layers[feed - 1]
        if not before.spiking:
            raise InputError(f"layer {before.name}: only the last layer may be without spikes")
        if before.geometry is None and layer.geometry is not None:
            raise InputError(f"layer {layer.name}: a convolution cannot follow {before.name} (fc)")
        return before.pooled_shape
