"""The integer network run as plain PyTorch convolutions and matrix products, exact in every bit.

This is what a mapped network is checked against; it shares no arithmetic with the chip's models.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sw.encode import encode
from sw.errors import InputError
from sw.layers import IntegerLayer, IntegerNetwork


@dataclass(frozen=True)
class Trace:
    """What a run leaves behind.

    Attributes:
        spikes: per spiking layer, bool [T, B, C, H, W], before pooling.
        membrane: int64 [B, classes], the output layer's, after the last step.
    """

    spikes: dict[str, NDArray[np.bool_]]
    membrane: NDArray[np.int64]

    @property
    def predictions(self) -> NDArray[np.int64]:
        """int64 [B]: the class of the largest membrane, the first one of equals."""
        return np.asarray(self.membrane.argmax(axis=1), dtype=np.int64)


def run(network: IntegerNetwork, images: NDArray[np.uint8], seed: int = 0) -> Trace:
    """Run the whole network, layer after layer; no layer looks back, so this is the step order.

    Args:
        network: layer 0 takes what its encoding makes of the pixels (`sw.encode`).
        images: uint8 [B, C, H, W].
        seed: of the rate encoding.

    Raises:
        InputError: the images are not of the network's input shape.
    """
    spikes: dict[str, NDArray[np.bool_]] = {}
    inputs = _inputs(network, images, seed)
    for layer in network.layers:
        drive = _drive(layer, inputs, network.timesteps)
        if not layer.spiking:
            return Trace(spikes, _integrate(layer, drive).flatten(1).numpy())
        fired = _fire(layer, drive)
        spikes[layer.name] = fired.numpy()
        inputs = _pooled(fired) if layer.pool else fired
    raise AssertionError("an IntegerNetwork ends with a layer that does not spike")


def host_spikes(
    network: IntegerNetwork, images: NDArray[np.uint8], seed: int = 0
) -> NDArray[np.bool_]:
    """Spikes of layer 0, pooled: what is streamed into the chip when the host runs that layer.

    Args:
        images: uint8 [B, C, H, W].
        seed: of the rate encoding.

    Returns:
        bool [T, B, *pooled shape of layer 0].

    Raises:
        InputError: the images are not of the network's input shape.
    """
    layer = network.layers[0]
    fired = _fire(layer, _drive(layer, _inputs(network, images, seed), network.timesteps))
    return (_pooled(fired) if layer.pool else fired).numpy()


def input_spikes(
    network: IntegerNetwork, images: NDArray[np.uint8], seed: int = 0
) -> NDArray[np.bool_]:
    """What the encoding makes of the images: streamed into the chip when it runs layer 0 too.

    In phase encoding a spike of step k counts 2^(7 - k mod 8): the chip must have layer 0's plane
    weights shifted left by that in step k (they fit its 16 bits), written between the ticks.

    Args:
        images: uint8 [B, C, H, W].
        seed: of the rate encoding.

    Returns:
        bool [T, B, C, H, W].

    Raises:
        InputError: the images are not of the network's input shape, or the network is
            direct-encoded and has no input spikes.
    """
    if network.encoding == "direct":
        raise InputError(f"network {network.name}: direct encoding has pixels as inputs, no spikes")
    return (_inputs(network, images, seed) > 0).numpy()


def pool(spikes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """2 x 2 max pooling of spikes, which is OR: bool [..., H, W] to bool [..., H/2, W/2]."""
    rows = spikes[..., 0::2, :] | spikes[..., 1::2, :]
    return rows[..., 0::2] | rows[..., 1::2]


def _inputs(network: IntegerNetwork, images: NDArray[np.uint8], seed: int) -> Tensor:
    """The inputs of layer 0, whole numbers: [T, B, C, H, W], or one step that stands for all."""
    if images.dtype != np.uint8 or images.shape[1:] != network.input_shape:
        raise InputError(
            f"images of {images.dtype} {list(images.shape)}: network {network.name} takes"
            f" uint8 [images, {', '.join(map(str, network.input_shape))}]"
        )
    pixels = torch.from_numpy(np.ascontiguousarray(images)).long()
    return encode(pixels, network.encoding, network.timesteps, seed)


def _drive(layer: IntegerLayer, inputs: Tensor, timesteps: int) -> Tensor:
    """Weights times inputs plus bias in membrane units: [T or 1, B, ...] to int64 [T, B, C, H, W].

    In float64: whole numbers below 2^53 add up without rounding in any order, and no layer of
    less than 10^9 inputs of 8 bits with weights of 8 bits comes near that.
    """
    steps, batch = inputs.shape[:2]
    flat = inputs.flatten(0, 1).double()
    weights = torch.from_numpy(layer.weights).double()
    if layer.kind == "conv":
        summed = F.conv2d(flat, weights, padding=1)
    else:
        summed = (flat.flatten(1) @ weights.T)[..., None, None]
    bias = torch.from_numpy(layer.bias)[:, None, None]
    drive = (summed.long() << layer.fraction_bits) + bias
    return drive.reshape(steps, batch, *drive.shape[1:]).expand(timesteps, -1, -1, -1, -1)


def _leaked(layer: IntegerLayer, v: Tensor) -> Tensor:
    """v less v >> leak; the shift is arithmetic, so that it rounds down."""
    return v if layer.leak is None else v - (v >> layer.leak)


def _fire(layer: IntegerLayer, drive: Tensor) -> Tensor:
    """Leak, add, compare, reset, step by step: int64 [T, B, C, H, W] to spikes, bool."""
    threshold = torch.from_numpy(layer.threshold)[:, None, None]
    v = torch.zeros_like(drive[0])
    spikes = torch.empty(drive.shape, dtype=torch.bool)
    for step, added in enumerate(drive):
        v = _leaked(layer, v) + added
        fired = v >= threshold
        if layer.reset == "zero":
            v = v.masked_fill(fired, 0)
        elif layer.reset == "subtract":
            v = torch.where(fired, v - threshold, v)
        spikes[step] = fired
    return spikes


def _integrate(layer: IntegerLayer, drive: Tensor) -> Tensor:
    """The membranes after the last step of a layer that never fires: int64 [B, C, 1, 1]."""
    v = torch.zeros_like(drive[0])
    for added in drive:
        v = _leaked(layer, v) + added
    return v


def _pooled(spikes: Tensor) -> Tensor:
    return torch.from_numpy(pool(spikes.numpy()))
