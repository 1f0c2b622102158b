"""The spiking network: convolutions and fully connected layers of LIF neurons, in order."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sw.model import lif_compiled
from sw.model.config.inputs import PIXEL_MAX
from sw.model.config.layer import LayerSpec, SpikeReset
from sw.model.config.network import NetworkConfig
from sw.model.config.place import IMAGES, Place
from sw.model.encoding import UNIT, encode, weighted
from sw.model.geometry import POOLING
from sw.model.layer import SpikingLayer
from sw.model.lif import Surrogate, lif, stepped, surrogate


@dataclass
class NetworkTrace:
    """Class scores, float [B, classes], and each hidden layer's spikes, 0.0 or 1.0 [T, B, C, H, W].

    The spikes are those before pooling.
    """

    scores: Tensor
    spikes: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Neurons:
    """A hidden layer's neurons, as `sw.model.lif` takes them.

    Attributes:
        layer: its name.
        theta, leak, reset, again, above: see `stepped`.
    """

    layer: str
    theta: float
    leak: float
    reset: SpikeReset
    again: Callable[[Tensor], Tensor] | None
    above: Tensor | None = None

    def fire(self, drive: Tensor, slope: Surrogate = surrogate) -> Tensor:
        """Spikes, [T, B, C, H, W], for the drive of every step."""
        if self.again is None and self.reset == "zero":
            return lif(drive, self.theta, self.leak, slope, self.above)
        return stepped(drive, self.theta, self.leak, self.reset, self.again, slope, self.above)


class SpikingNetwork(nn.Module):
    """A network with float weights, or, when `weight_bits` is K, with weights of K bits.

    Attributes:
        config: what it is made of.
        weight_bits: None: float; K: the forward pass sees the weights through Eq. 13.
        timesteps: steps per image; the configuration's, unless a training makes them fewer for now.
        draw: seed of the rate encoding's spikes, and of noise; another number, other ones.
        compiled: the neurons' steps run as one compiled loop (`sw.model.lif_compiled`): for long
            training. The results are those of float32 arithmetic in both cases, but not bit by bit.
        fire: how neurons fire, for one who wants another gradient of the same spikes: takes a
            layer's neurons and the drive of every step; None: as they were trained.
        noise: what a layer's thresholds are higher by, for its name and a draw: float
            [T, 1 or B, C, H, W], or None for nothing; None: no layer has any.
    """

    def __init__(self, config: NetworkConfig, weight_bits: int | None = None) -> None:
        super().__init__()
        self.config = config
        self.weight_bits = weight_bits
        self.timesteps = config.timesteps
        self.draw = 0
        self.compiled = False
        self.fire: Callable[[Neurons, Tensor], Tensor] | None = None
        self.noise: Callable[[str, int], Tensor | None] | None = None
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
        """Class scores, float [B, classes], of inputs as `inputs_of` gives them."""
        return self.trace(images).scores

    def trace(self, images: Tensor) -> NetworkTrace:
        """Scores, and the spikes of every hidden layer on the way.

        The score of a class is the membrane of its output neuron after T steps, divided by T.

        Args:
            images: float [B, C, H, W] in 0..1; of a network that takes spikes, these: float
                [B, T, C, H, W], 0 or 1.
        """
        return self.trace_inputs(self.encode(images))

    def inputs_of(self, values: Tensor) -> Tensor:
        """Inputs as data sets have them, uint8, as float: pixels in 0..1, spikes as they are."""
        floats = values.float()
        return floats if self.config.takes_spikes else floats / PIXEL_MAX

    def encode(self, images: Tensor) -> Tensor:
        """What the first layer gets: whole numbers, float [T, B, C, H, W], or [1, ...] if direct.

        Direct encoding passes gradients on; the others take the nearest of the pixels 0..255 and
        have none. Spikes are themselves; if there are fewer steps for now, the first of them.

        Args:
            images: see `trace`.
        """
        encoding = self.config.encoding
        if encoding == "spikes" or encoding == "phase_spikes":
            return weighted(images.swapaxes(0, 1)[: self.timesteps], encoding)
        pixels = images * PIXEL_MAX
        if encoding != "direct":
            pixels = pixels.detach().round()
        return encode(pixels, encoding, self.timesteps, self.draw)

    def trace_inputs(self, inputs: Tensor) -> NetworkTrace:
        """Like `trace`, from inputs as `encode` gives them; gradients reach them."""
        trace = NetworkTrace(scores=torch.empty(0))
        given = {IMAGES: inputs}
        for layer in self.chain:
            taken = _taken(layer.place, given)
            beside = [
                given[branch.source].flatten(0, 1)
                for branch in layer.spec.branches
                if branch.source != layer.name
            ]
            drive = layer(taken.flatten(0, 1), self.weight_bits, *beside)
            drive = drive.reshape(*taken.shape[:2], *drive.shape[1:])
            if layer.theta is None:
                trace.scores = drive.mean(0).flatten(1)
                break
            spikes = self._fire(layer, drive)
            trace.spikes[layer.name] = spikes.to(taken.dtype) if layer.exact else spikes
            given[layer.name] = self._pooled(layer, trace.spikes[layer.name])
        return trace

    def _fire(self, layer: SpikingLayer, drive: Tensor) -> Tensor:
        """Spikes [T, B, C, H, W] for the drive of every step, or of one that stands for all."""
        spec, theta = layer.spec, layer.theta
        assert theta is not None
        leak = self.config.leak if spec.leak is None else spec.leak
        others = self.noise is not None or layer.exact
        plain = spec.reset == "zero" and not layer.place.recurrent and not others
        if self.compiled and plain and self.fire is None:
            return lif_compiled.lif(drive, self.timesteps, theta, leak)
        again = self._again(layer) if layer.place.recurrent else None
        above = None if self.noise is None else self.noise(layer.name, self.draw)
        neurons = Neurons(layer.name, theta, leak, spec.reset, again, above)
        every = drive.expand(self.timesteps, *[-1] * 4)
        return neurons.fire(every) if self.fire is None else self.fire(neurons, every)

    def _again(self, layer: SpikingLayer) -> Callable[[Tensor], Tensor]:
        """What a recurrent layer's spikes add in the step after them."""

        def again(fired: Tensor) -> Tensor:
            return layer.returned(self._pooled(layer, fired[None])[0], self.weight_bits)

        return again

    def _pooled(self, layer: SpikingLayer, spikes: Tensor) -> Tensor:
        """What a layer gives, [T, B, C, H, W]: its spikes, or maximum (of spikes: OR) or mean."""
        if not layer.spec.pool:
            return spikes
        window = layer.spec.pool_window or POOLING
        pool = F.max_pool2d if self.config.pooling == "or" else F.avg_pool2d
        flat = pool(spikes.flatten(0, 1), window.kernel, window.stride, window.padding)
        return flat.reshape(*spikes.shape[:2], *flat.shape[1:])


def _taken(place: Place, given: dict[str, Tensor]) -> Tensor:
    """What a layer's weights see, [T, B, C, H, W]."""
    every = [given[name] for name in place.inputs]
    if len(every) == 1:
        return every[0]
    return sum(every[1:], every[0]) if place.spec.added else torch.cat(every, 2)


def _layers(config: NetworkConfig) -> list[SpikingLayer]:
    """The hidden layers of a configuration and the output layer."""
    *hidden, output = config.places()
    layers = [SpikingLayer(place, _theta(config, place.spec), config.norm) for place in hidden]
    layers.append(SpikingLayer(output, None, norm=False))
    layers[0].input_unit = UNIT[config.encoding]
    return layers


def _theta(config: NetworkConfig, spec: LayerSpec) -> float:
    if spec.theta is not None:
        return spec.theta
    return config.theta_fc if spec.geometry is None else config.theta_conv


@contextmanager
def at_rest(network: SpikingNetwork) -> Iterator[None]:
    """The network in evaluation mode (batch norm as a fixed map), and then as it was."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


@contextmanager
def still(network: SpikingNetwork) -> Iterator[None]:
    """The network for many passes that do not change its weights, which are rounded once."""
    with ExitStack() as stack:
        for layer in network.chain:
            stack.enter_context(layer.still(network.weight_bits))
        yield


@contextmanager
def exact(network: SpikingNetwork) -> Iterator[None]:
    """A quantised network with membranes in float64, and then as it was; a float one as it is.

    The sums of its integer codes are exact in float32. What follows is not: where a membrane comes
    within rounding of the threshold, float32 would say otherwise than the integers of a chip.
    """
    layers = network.chain if network.weight_bits is not None else []
    try:
        for layer in layers:
            layer.exact = True
        yield
    finally:
        for layer in layers:
            layer.exact = False


def as_input(images: NDArray[np.uint8]) -> Tensor:
    """Pixels 0..255, uint8, as float32 in 0..1; times 255 in float32 they are whole again."""
    return torch.from_numpy(np.ascontiguousarray(images)).float() / PIXEL_MAX
