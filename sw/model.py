"""The spiking network: a chain of convolutions and fully connected layers of LIF neurons."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sw.checks import MAX_FEATURES, Shape, check_range, check_shape
from sw.errors import InputError
from sw.layers import KERNEL, MAX_TIMESTEPS, MAX_WEIGHT_BITS, PIXEL_MAX, LayerKind
from sw.neuron import lif
from sw.quantise import pseudo_node


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its kind, output channels or neurons, and whether 2 x 2 pooling is behind it."""

    kind: LayerKind
    features: int
    pool: bool = False


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
        encoding: "direct": the first layer gets the image itself, every step.

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
    encoding: str = "direct"

    def __post_init__(self) -> None:
        check_shape(f"network {self.name}: input shape", self.input_shape)
        check_range(f"network {self.name}: timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        check_range(f"network {self.name}: weight bits", self.weight_bits, 1, MAX_WEIGHT_BITS)
        if self.encoding != "direct":
            raise InputError(f"network {self.name}: encoding is {self.encoding!r}, must be direct")
        for what, value, most in (
            ("theta_conv", self.theta_conv, 1e6),
            ("theta_fc", self.theta_fc, 1e6),
            ("leak", self.leak, 1.0),
        ):
            if not 0 < value <= most:
                raise InputError(
                    f"network {self.name}: {what} is {value}, must be above 0 and at most {most:g}"
                )
        if not self.layers or not self.classes:
            raise InputError(f"network {self.name}: needs a hidden layer and a class")
        self._check_layers()

    def _check_layers(self) -> None:
        _, height, width = self.input_shape
        for index, layer in enumerate(self.layers):
            where = f"network {self.name}: layer {index + 1}"
            if layer.kind not in ("conv", "fc"):
                raise InputError(f"{where}: kind is {layer.kind!r}, must be conv or fc")
            check_range(f"{where}: features", layer.features, 1, MAX_FEATURES)
            if layer.kind == "conv" and index and self.layers[index - 1].kind == "fc":
                raise InputError(f"{where}: a convolution cannot follow a fully connected layer")
            if layer.pool:
                if layer.kind == "fc" or height % 2 or width % 2:
                    raise InputError(f"{where}: only an even-sized convolution can be pooled")
                height, width = height // 2, width // 2


# The network of the committed checkpoint: on the chip, conv2's fan-in (16 channels of 8 x 8) is
# exactly one page of 1024 axons.
DIGITS = NetworkConfig(
    name="digits",
    dataset="digits",
    input_shape=(1, 8, 8),
    classes=tuple(str(digit) for digit in range(10)),
    layers=(
        LayerSpec("conv", 16),
        LayerSpec("conv", 32, pool=True),
        LayerSpec("conv", 32, pool=True),
        LayerSpec("fc", 64),
    ),
)


class SpikingLayer(nn.Module):
    """Weights, batch norm if hidden, and (if hidden) LIF neurons.

    Attributes:
        weight: conv [out, in, 3, 3], fc [out, in]; always the float weights.
        norm: per output channel, its gain starting at the threshold; None in the output layer.
        bias: [out], in the output layer; None elsewhere (batch norm has one).
        input_unit: what an input of 1 stands for: 1/255 for pixels, 1 for spikes.
    """

    def __init__(self, name: str, spec: LayerSpec, input_shape: Shape, theta: float | None) -> None:
        super().__init__()
        self.name, self.spec, self.input_shape, self.theta = name, spec, input_shape, theta
        channels, height, width = input_shape
        fan_in = (channels, KERNEL, KERNEL) if spec.kind == "conv" else (channels * height * width,)
        self.weight = nn.Parameter(torch.empty(spec.features, *fan_in))
        self.norm = nn.BatchNorm2d(spec.features) if theta is not None else None
        self.bias = nn.Parameter(torch.zeros(spec.features)) if theta is None else None
        self.input_unit = 1.0

    def reset(self, generator: torch.Generator) -> None:
        """Draw the weights; let an average drive be about the threshold (gain = theta)."""
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu", generator=generator)
        if self.norm is not None and self.theta is not None:
            nn.init.constant_(self.norm.weight, self.theta)

    def forward(self, inputs: Tensor, bits: int | None) -> Tensor:
        """What the inputs add to the membranes: [N, C, H, W] to [N, out, H', W'].

        With K bits the sums are of integer codes, so for spikes and for pixels they are exact in
        float32, whatever their order; the layer's scale comes in behind.
        """
        weight: Tensor = self.weight
        unit = torch.tensor(1.0)
        if bits is not None:
            weight, unit = pseudo_node(weight, bits)
        if self.spec.kind == "conv":
            summed = F.conv2d(inputs, weight, padding=1)
        else:
            summed = F.linear(inputs.flatten(1), weight)[..., None, None]
        drive: Tensor = summed * (unit * self.input_unit)
        if self.norm is not None:
            return self.norm(drive)  # type: ignore[no-any-return]
        return drive if self.bias is None else drive + self.bias[:, None, None]

    def codes(self, bits: int) -> tuple[NDArray[np.int32], float]:
        """Eq. 13's integers for these weights, of their shape, and what one step of them is worth.

        The worth counts for inputs as integers: pixels 0..255, spikes 0 or 1.
        """
        with torch.no_grad():
            rounded, unit = pseudo_node(self.weight, bits)
        return rounded.round().to(torch.int32).numpy(), float(unit) * self.input_unit

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gain and offset of the drive, float64 [out] each: batch norm in evaluation mode."""
        if self.norm is None:
            assert self.bias is not None
            return np.ones(len(self.weight)), self.bias.detach().double().numpy()
        assert self.norm.running_mean is not None
        assert self.norm.running_var is not None
        deviation = (self.norm.running_var.double() + self.norm.eps).sqrt()
        gain = self.norm.weight.detach().double() / deviation
        offset = self.norm.bias.detach().double() - self.norm.running_mean.double() * gain
        return gain.numpy(), offset.numpy()


@dataclass
class NetworkTrace:
    """Class scores, float [B, classes], and each hidden layer's spikes, 0.0 or 1.0 [T, B, C, H, W].

    The spikes are those before pooling.
    """

    scores: Tensor
    spikes: dict[str, Tensor] = field(default_factory=dict)


class SpikingNetwork(nn.Module):
    """A network with float weights, or, when `weight_bits` is K, with weights of K bits.

    Attributes:
        config: what it is made of.
        weight_bits: None: float; K: the forward pass sees the weights through Eq. 13.
    """

    def __init__(self, config: NetworkConfig, weight_bits: int | None = None) -> None:
        super().__init__()
        self.config = config
        self.weight_bits = weight_bits
        self.layers = nn.ModuleDict({layer.name: layer for layer in _layers(config)})

    @property
    def chain(self) -> list[SpikingLayer]:
        """The layers in order, the output layer last."""
        return [layer for layer in self.layers.values() if isinstance(layer, SpikingLayer)]

    def reset(self, seed: int) -> None:
        """Draw all weights anew; the same seed draws the same."""
        generator = torch.Generator().manual_seed(seed)
        for layer in self.chain:
            layer.reset(generator)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores, float [B, classes], of images, float [B, C, H, W] in 0..1."""
        return self.trace(images).scores

    def trace(self, images: Tensor) -> NetworkTrace:
        """Scores, and the spikes of every hidden layer on the way.

        The score of a class is the membrane of its output neuron after T steps, divided by T.

        Args:
            images: float [B, C, H, W] in 0..1.
        """
        steps, leak = self.config.timesteps, self.config.leak
        trace = NetworkTrace(scores=torch.empty(0))
        inputs = (images * PIXEL_MAX)[None]  # one step that stands for all: direct encoding
        for layer in self.chain:
            drive = layer(inputs.flatten(0, 1), self.weight_bits)
            drive = drive.reshape(*inputs.shape[:2], *drive.shape[1:]).expand(steps, *[-1] * 4)
            if layer.theta is None:
                trace.scores = drive.mean(0).flatten(1)
                break
            inputs = trace.spikes[layer.name] = lif(drive, layer.theta, leak)
            if layer.spec.pool:
                inputs = _pooled(inputs)
        return trace


def _pooled(spikes: Tensor) -> Tensor:
    """2 x 2 max pooling, [T, B, C, H, W] to [T, B, C, H/2, W/2]: of spikes it is their OR."""
    flat = F.max_pool2d(spikes.flatten(0, 1), 2)
    return flat.reshape(*spikes.shape[:2], *flat.shape[1:])


def _layers(config: NetworkConfig) -> list[SpikingLayer]:
    """The hidden layers of a configuration and the output layer, named by kind and number."""
    layers: list[SpikingLayer] = []
    numbers = {"conv": 0, "fc": 0}
    shape = config.input_shape
    specs = (*config.layers, LayerSpec("fc", len(config.classes)))
    for index, spec in enumerate(specs):
        numbers[spec.kind] += 1
        theta = config.theta_conv if spec.kind == "conv" else config.theta_fc
        hidden = index < len(config.layers)
        name = f"{spec.kind}{numbers[spec.kind]}"
        layers.append(SpikingLayer(name, spec, shape, theta if hidden else None))
        height, width = shape[1:] if spec.kind == "conv" else (1, 1)
        shrink = 2 if spec.pool else 1
        shape = (spec.features, height // shrink, width // shrink)
    layers[0].input_unit = 1 / PIXEL_MAX
    return layers


@contextmanager
def at_rest(network: SpikingNetwork) -> Iterator[None]:
    """The network in evaluation mode (batch norm as a fixed map), and then as it was."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def as_input(images: NDArray[np.uint8]) -> Tensor:
    """Pixels 0..255, uint8, as float32 in 0..1; times 255 in float32 they are whole again."""
    return torch.from_numpy(np.ascontiguousarray(images)).float() / PIXEL_MAX
