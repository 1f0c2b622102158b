"""The spiking network: a chain of convolutions and fully connected layers of LIF neurons."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sw.common.checks import Shape
from sw.model import lif_compiled
from sw.model.config import PIXEL_MAX, LayerKind, LayerSpec, NetworkConfig, Pooling
from sw.model.encoding import UNIT, encode
from sw.model.geometry import POOLING, fan_in, output_shape, pooled_shape
from sw.model.lif import lif
from sw.model.quantise import pseudo_node


class SpikingLayer(nn.Module):
    """Weights, batch norm or a bias, and (if hidden) LIF neurons.

    Attributes:
        weight: conv [out, in, kernel, kernel], fc [out, in]; always the float weights.
        norm: per output channel, its gain starting at the threshold; None without batch norm.
        bias: [out] without batch norm; None with it (it has one).
        scale: the size of a weight that stands for q = 1, of weights that were read as codes and no
            longer tell it (`sw.train.compact`); None: it is that of the weights.
        input_unit: what an input of 1 stands for: 1/255 for pixels, 1 for spikes.
    """

    scale: Tensor | None

    def __init__(
        self, name: str, spec: LayerSpec, input_shape: Shape, theta: float | None, norm: bool
    ) -> None:
        super().__init__()
        self.name, self.spec, self.input_shape, self.theta = name, spec, input_shape, theta
        shape = (spec.features, *fan_in(spec.geometry, input_shape))
        self.weight = nn.Parameter(torch.empty(shape))
        self.norm = nn.BatchNorm2d(spec.features) if norm else None
        self.bias = None if norm else nn.Parameter(torch.zeros(spec.features))
        self.register_buffer("scale", None, persistent=False)
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
        weight, unit = self.seen(bits)
        geometry = self.spec.geometry
        if geometry is None:
            summed = F.linear(inputs.flatten(1), weight)[..., None, None]
        else:
            summed = F.conv2d(inputs, weight, stride=geometry.stride, padding=geometry.padding)
        # Where that is 1, another pass over the memory would change nothing.
        plain = bits is None and self.input_unit == 1
        drive: Tensor = summed if plain else summed * (unit * self.input_unit)
        if self.norm is not None:
            return self.norm(drive)  # type: ignore[no-any-return]
        return drive if self.bias is None else drive + self.bias[:, None, None]

    def seen(self, bits: int | None) -> tuple[Tensor, Tensor]:
        """The weights that the forward pass sees, and a scalar: what 1 of them is worth."""
        if bits is None:
            return self.weight, torch.tensor(1.0)
        return pseudo_node(self.weight, bits, self.scale)

    def codes(self, bits: int) -> tuple[NDArray[np.int32], float]:
        """Eq. 13's integers for these weights, of their shape, and what one step of them is worth.

        The worth counts for inputs as integers: pixels 0..255, spikes 0 or 1.
        """
        with torch.no_grad():
            rounded, unit = self.seen(bits)
        return rounded.round().to(torch.int32).cpu().numpy(), float(unit) * self.input_unit

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gain and offset of the drive, float64 [out] each: batch norm in evaluation mode."""
        if self.norm is None:
            assert self.bias is not None
            return np.ones(len(self.weight)), self.bias.detach().double().cpu().numpy()
        assert self.norm.running_mean is not None
        assert self.norm.running_var is not None
        deviation = (self.norm.running_var.double() + self.norm.eps).sqrt()
        gain = self.norm.weight.detach().double() / deviation
        offset = self.norm.bias.detach().double() - self.norm.running_mean.double() * gain
        return gain.cpu().numpy(), offset.cpu().numpy()


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
        timesteps: steps per image; the configuration's, unless a training makes them fewer for now.
        draw: seed of the rate encoding's spikes; another number, other spikes.
        compiled: the neurons' steps run as one compiled loop (`sw.model.lif_compiled`): for long
            training. The results are those of float32 arithmetic in both cases, but not bit by bit.
    """

    def __init__(self, config: NetworkConfig, weight_bits: int | None = None) -> None:
        super().__init__()
        self.config = config
        self.weight_bits = weight_bits
        self.timesteps = config.timesteps
        self.draw = 0
        self.compiled = False
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
        return self.trace_inputs(self.encode(images))

    def encode(self, images: Tensor) -> Tensor:
        """What the first layer gets: whole numbers, float [T, B, C, H, W], or [1, ...] if direct.

        Direct encoding passes gradients on; the others take the nearest of the pixels 0..255 and
        have none.

        Args:
            images: float [B, C, H, W] in 0..1.
        """
        pixels = images * PIXEL_MAX
        if self.config.encoding != "direct":
            pixels = pixels.detach().round()
        return encode(pixels, self.config.encoding, self.timesteps, self.draw)

    def trace_inputs(self, inputs: Tensor) -> NetworkTrace:
        """Like `trace`, from inputs as `encode` gives them; gradients reach them."""
        trace = NetworkTrace(scores=torch.empty(0))
        for layer in self.chain:
            drive = layer(inputs.flatten(0, 1), self.weight_bits)
            drive = drive.reshape(*inputs.shape[:2], *drive.shape[1:])
            if layer.theta is None:
                trace.scores = drive.mean(0).flatten(1)
                break
            inputs = trace.spikes[layer.name] = self._fire(drive, layer.theta)
            if layer.spec.pool:
                inputs = _pooled(inputs, self.config.pooling)
        return trace

    def _fire(self, drive: Tensor, theta: float) -> Tensor:
        """Spikes [T, B, C, H, W] for the drive of every step, or of one that stands for all."""
        steps, leak = self.timesteps, self.config.leak
        if self.compiled:
            return lif_compiled.lif(drive, steps, theta, leak)
        return lif(drive.expand(steps, *[-1] * 4), theta, leak)


def _pooled(spikes: Tensor, pooling: Pooling) -> Tensor:
    """Pooling, [T, B, C, H, W] to [T, B, C, H', W']: maximum (of spikes: OR) or mean."""
    pool = F.max_pool2d if pooling == "or" else F.avg_pool2d
    flat = pool(spikes.flatten(0, 1), POOLING.kernel, POOLING.stride)
    return flat.reshape(*spikes.shape[:2], *flat.shape[1:])


def _layers(config: NetworkConfig) -> list[SpikingLayer]:
    """The hidden layers of a configuration and the output layer, named by kind and number."""
    layers: list[SpikingLayer] = []
    numbers = dict.fromkeys(get_args(LayerKind), 0)
    shape = config.input_shape
    specs = (*config.layers, LayerSpec("fc", len(config.classes)))
    for index, spec in enumerate(specs):
        numbers[spec.kind] += 1
        theta = config.theta_fc if spec.geometry is None else config.theta_conv
        hidden = index < len(config.layers)
        name = f"{spec.kind}{numbers[spec.kind]}"
        layers.append(
            SpikingLayer(name, spec, shape, theta if hidden else None, hidden and config.norm)
        )
        shape = output_shape(spec.geometry, spec.features, shape)
        shape = pooled_shape(shape) if spec.pool else shape
    layers[0].input_unit = UNIT[config.encoding]
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
