"""A whole network: its inputs, its layers, and what holds for all of its neurons."""

from dataclasses import dataclass
from typing import Literal, get_args

from sw.common.checks import Shape, check_choice, check_range, check_shape
from sw.common.errors import InputError
from sw.model.config.inputs import INPUTS, SPIKES, Inputs
from sw.model.config.layer import LayerKind, LayerSpec
from sw.model.config.place import ALONE, IMAGES, Place, place_layer

Pooling = Literal["or", "average"]

MAX_TIMESTEPS = 1024
MAX_TICK = 1e6  # seconds
MAX_WEIGHT_BITS = 8


@dataclass(frozen=True)
class NetworkConfig:
    """All that makes a network but its weights.

    Attributes:
        name: the network's name.
        dataset: the data set that it classifies.
        input_shape: C, H, W of an image, or of the spikes of a step.
        classes: the classes' names.
        layers: the hidden layers; an output layer, fully connected, integrating, comes behind.
        timesteps: T, steps per image, or of a recording.
        theta_conv, theta_fc: thresholds of convolutions and of hidden fully connected layers.
        leak: lambda, the share of its membrane that a hidden neuron keeps per step.
        weight_bits: K of the quantised network.
        encoding: how images become inputs (`sw.model.encoding`), or that these are spikes.
        norm: batch norm in the hidden layers; without it they have biases.
        pooling: "or": max pooling of spikes, which the chip can do; "average": software only.
        tick: seconds of a step, into which events became spikes (`sw.data.user.event_list`); None:
            the spikes came as arrays, or the inputs are images.

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
    encoding: Inputs = "direct"
    norm: bool = True
    pooling: Pooling = "or"
    tick: float | None = None

    @property
    def takes_spikes(self) -> bool:
        """Whether its inputs are spikes as they are; False: images."""
        return self.encoding in SPIKES

    @property
    def input_sizes(self) -> tuple[int, ...]:
        """Of one input: C, H, W of an image, or T, C, H, W of spikes."""
        return (self.timesteps, *self.input_shape) if self.takes_spikes else self.input_shape

    def __post_init__(self) -> None:
        where = f"network {self.name}"
        check_shape(f"{where}: input shape", self.input_shape)
        check_range(f"{where}: timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        check_range(f"{where}: weight bits", self.weight_bits, 1, MAX_WEIGHT_BITS)
        check_choice(f"{where}: encoding", self.encoding, INPUTS)
        check_choice(f"{where}: pooling", self.pooling, get_args(Pooling))
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
        if self.tick is not None and not (self.takes_spikes and 0 < self.tick <= MAX_TICK):
            raise InputError(f"{where}: tick is {self.tick}, must be above 0, and of spikes")
        if not self.layers or not self.classes:
            raise InputError(f"{where}: needs a hidden layer and a class")
        self.places()

    def places(self) -> tuple[Place, ...]:
        """The hidden layers, and the output layer behind them, with names and shapes.

        Raises `InputError` where they do not fit together.
        """
        numbers = dict.fromkeys(get_args(LayerKind), 0)
        found: dict[str, Place] = {}
        for number, spec in enumerate((*self.layers, LayerSpec("fc", len(self.classes))), 1):
            where = f"network {self.name}: layer {number}"
            spec.check(where)
            numbers[spec.kind] += 1
            name = spec.name or f"{spec.kind}{numbers[spec.kind]}"
            if name in (IMAGES, *found):
                raise InputError(f"{where}: another one has the name {name} already")
            if spec.branches and not found and self.encoding != "spikes":
                raise InputError(f"{where}: {ALONE}")
            found[name] = place_layer(where, name, spec, found, self.input_shape)
        return tuple(found.values())
