"""What a network is made of, before it has weights."""

from dataclasses import dataclass
from typing import Literal, get_args

from sw.common.checks import MAX_FEATURES, Shape, check_range, check_shape
from sw.common.errors import InputError
from sw.model.geometry import CONVOLUTION, Geometry, can_be_pooled, output_shape, pooled_shape

LayerKind = Literal["conv", "fc"]
Encoding = Literal["direct", "rate", "phase", "latency"]  # what they are: `sw.model.encoding`
Pooling = Literal["or", "average"]

PIXEL_MAX = 255
PHASES = 8  # bits of a pixel
MAX_TIMESTEPS = 1024
MAX_WEIGHT_BITS = 8


def geometry_of(kind: LayerKind) -> Geometry | None:
    """Of a convolution; None: a fully connected layer has none."""
    return CONVOLUTION if kind == "conv" else None


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its kind, output channels or neurons, and whether pooling follows."""

    kind: LayerKind
    features: int
    pool: bool = False

    @property
    def geometry(self) -> Geometry | None:
        return geometry_of(self.kind)


@dataclass(frozen=True)
class NetworkConfig:
    """All that makes a network but its weights.

    Attributes:
        name: the network's name.
        dataset: the data set that it classifies.
        input_shape: C, H, W of an image.
        classes: the classes' names.
        layers: the hidden layers; an output layer, fully connected, integrating, comes behind.
        timesteps: T, steps per image.
        theta_conv, theta_fc: thresholds of convolutions and of hidden fully connected layers.
        leak: lambda, the share of its membrane that a hidden neuron keeps per step.
        weight_bits: K of the quantised network.
        encoding: how images become inputs (`sw.model.encoding`).
        norm: batch norm in the hidden layers; without it they have biases.
        pooling: "or": max pooling of spikes, which the chip can do; "average": software only.

    Raises:
        InputError: a value is out of range, or the layers do not fit together.
    """

    name: str
    dataset: str
    input_shape: Shape
    classes: tuple[str, ...]
    layers: tuple[LayerSpec, ...]
    timesteps: int = 4
    theta_conv: float = 0.4
    theta_fc: float = 1.0
    leak: float = 0.5
    weight_bits: int = 4
    encoding: Encoding = "direct"
    norm: bool = True
    pooling: Pooling = "or"

    def __post_init__(self) -> None:
        where = f"network {self.name}"
        check_shape(f"{where}: input shape", self.input_shape)
        check_range(f"{where}: timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        check_range(f"{where}: weight bits", self.weight_bits, 1, MAX_WEIGHT_BITS)
        for what, chosen, choices in (
            ("encoding", self.encoding, get_args(Encoding)),
            ("pooling", self.pooling, get_args(Pooling)),
        ):
            if chosen not in choices:
                raise InputError(f"{where}: {what} is {chosen!r}, must be {' or '.join(choices)}")
        if not isinstance(self.norm, bool):
            raise InputError(f"{where}: norm is {self.norm!r}, must be true or false")
        for what, value, most in (
            ("theta_conv", self.theta_conv, 1e6),
            ("theta_fc", self.theta_fc, 1e6),
            ("leak", self.leak, 1.0),
        ):
            if not 0 < value <= most:
                raise InputError(
                    f"{where}: {what} is {value}, must be above 0 and at most {most:g}"
                )
        if not self.layers or not self.classes:
            raise InputError(f"{where}: needs a hidden layer and a class")
        self._check_layers()

    def _check_layers(self) -> None:
        shape = self.input_shape
        for index, layer in enumerate(self.layers):
            where = f"network {self.name}: layer {index + 1}"
            if layer.kind not in get_args(LayerKind):
                kinds = " or ".join(get_args(LayerKind))
                raise InputError(f"{where}: kind is {layer.kind!r}, must be {kinds}")
            check_range(f"{where}: features", layer.features, 1, MAX_FEATURES)
            flat = index > 0 and self.layers[index - 1].geometry is None
            if flat and layer.geometry is not None:
                raise InputError(f"{where}: a convolution cannot follow a fully connected layer")
            shape = output_shape(layer.geometry, layer.features, shape)
            if layer.pool:
                if layer.geometry is None or not can_be_pooled(shape):
                    raise InputError(f"{where}: only an even-sized convolution can be pooled")
                shape = pooled_shape(shape)
