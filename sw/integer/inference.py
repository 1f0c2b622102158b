"""The integer network run as plain PyTorch convolutions and matrix products, exact in every bit.

This is what a mapped network is checked against; it shares no arithmetic with the chip's models.
"""

from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sw.common.errors import InputError
from sw.integer.arm import Arm
from sw.integer.network import Feeds, IntegerLayer, IntegerNetwork
from sw.model.encoding import encode, weighted
from sw.model.geometry import POOLING


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
    """Run the whole network, layer after layer; none looks back but at itself, step by step.

    Args:
        network: layer 0 takes what its encoding makes of the pixels (`sw.model.encoding`).
        images: uint8 [B, C, H, W]; where the network takes spikes, these: [B, T, C, H, W], 0 or 1.
        seed: of the rate encoding.

    Raises:
        InputError: the images are not of the network's input shape.
    """
    spikes: dict[str, NDArray[np.bool_]] = {}
    given = [_inputs(network, images, seed)]
    for layer, feeds in zip(network.layers, network.feeds, strict=True):
        drive = _drive(layer, _joined(given, feeds), network.timesteps)
        if not layer.spiking:
            return Trace(spikes, _integrate(layer, drive).flatten(1).numpy())
        fired = _fire(layer, drive)
        spikes[layer.name] = fired.numpy()
        given.append(_pooled(fired) if layer.pool else fired)
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
    inputs = _joined([_inputs(network, images, seed)], network.feeds[0])
    fired = _fire(layer, _drive(layer, inputs, network.timesteps))
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
    """Max pooling of spikes, which is OR: bool [..., H, W] to bool [..., H', W']."""
    height, width = spikes.shape[-2:]
    taps = range(POOLING.kernel)
    rows = reduce(or_, (spikes[..., POOLING.inputs_under(tap, height), :] for tap in taps))
    return reduce(or_, (rows[..., POOLING.inputs_under(tap, width)] for tap in taps))


def _inputs(network: IntegerNetwork, images: NDArray[np.uint8], seed: int) -> Tensor:
    """The inputs of layer 0, whole numbers: [T, B, C, H, W], or one step that stands for all."""
    if network.encoding == "spikes" or network.encoding == "phase_spikes":
        return weighted(_given_spikes(network, images), network.encoding)
    if images.dtype != np.uint8 or images.shape[1:] != network.input_shape:
        raise InputError(
            f"images of {images.dtype} {list(images.shape)}: network {network.name} takes"
            f" uint8 [images, {', '.join(map(str, network.input_shape))}]"
        )
    pixels = torch.from_numpy(np.ascontiguousarray(images)).long()
    return encode(pixels, network.encoding, network.timesteps, seed)


def _given_spikes(network: IntegerNetwork, spikes: NDArray[np.uint8]) -> Tensor:
    """A user's spikes: [B, T, C, H, W], 0 or 1, to [T, B, C, H, W]."""
    shape = (network.timesteps, *network.input_shape)
    if spikes.dtype != np.uint8 or spikes.shape[1:] != shape or spikes.max(initial=0) > 1:
        raise InputError(
            f"spikes of {spikes.dtype} {list(spikes.shape)}: network {network.name} takes"
            f" uint8 0 or 1, [images, {', '.join(map(str, shape))}]"
        )
    return torch.from_numpy(np.ascontiguousarray(spikes.swapaxes(0, 1)))


def _joined(given: list[Tensor], feeds: Feeds) -> list[Tensor]:
    """What each arm takes, of the inputs and the layers so far; without an arm of own spikes."""
    arms = [[given[feed] for feed in arm if feed < len(given)] for arm in feeds]
    return [torch.cat(arm, 2) if len(arm) > 1 else arm[0] for arm in arms if arm]


def _drive(layer: IntegerLayer, inputs: list[Tensor], timesteps: int) -> Tensor:
    """Weights times inputs plus bias in membrane units: [T or 1, B, ...] to [T, B, C, H, W].

    Own spikes are not among them. Sums are in float32 where it is as exact as integers are, see
    `_sum_type`; what comes behind them is in int32 where that holds every membrane, else in int64,
    see `_membrane_type`.
    """
    largest = max(int(each.max()) if each.numel() else 0 for each in inputs)
    whole = _membrane_type(layer, largest, timesteps)
    bias = torch.from_numpy(layer.spread(layer.bias).copy()).to(whole)
    drive = bias
    for arm, each in zip(_feedforward(layer), inputs, strict=True):
        summed = _summed(arm, each.flatten(0, 1), largest).to(whole)
        shifted = summed.bitwise_left_shift_(layer.fraction_bits)
        drive = shifted.reshape(*each.shape[:2], *shifted.shape[1:]).add_(drive)
    return drive.expand(timesteps, -1, -1, -1, -1)


def _feedforward(layer: IntegerLayer) -> list[Arm]:
    """The arms of other layers' spikes."""
    return [arm for arm in layer.arms if layer.name not in arm.sources]


def _summed(arm: Arm, inputs: Tensor, largest: int) -> Tensor:
    """Weights times inputs, [N, C, H, W] of whole numbers to [N, C', H', W']; exact floats."""
    number = _sum_type(arm, largest)
    flat = inputs.to(number)
    weights = torch.from_numpy(arm.weights).to(number)
    if arm.window is None:
        summed: Tensor = (flat.flatten(1) @ weights.T)[..., None, None]
        return summed
    with torch.backends.nnpack.flags(enabled=False):  # its Winograd is no plain sum of products
        ways = arm.window.rows, arm.window.columns
        stride, padding = (
            tuple(getattr(way, name) for way in ways) for name in ("stride", "padding")
        )
        return F.conv2d(flat, weights, stride=stride, padding=padding)


def _largest_sum(arm: Arm, largest: int) -> int:
    """What no sum of weighted inputs 0..largest, partial ones included, exceeds in size."""
    return int(np.abs(arm.weights).reshape(arm.features, -1).sum(1).max()) * largest


def _sum_type(arm: Arm, largest: int) -> torch.dtype:
    """The type in which the sums are exact.

    A float holds every whole number up to 2^24 (float32) or 2^53 (float64). Products of weights and
    inputs are whole, and no partial sum of them exceeds the sum of their sizes: below that bound
    nothing is ever rounded, in whatever order they are added.

    With codes of K = 4, spikes as inputs and the most inputs that a neuron of the chip has, 8192,
    that sum is at most 15 x 8192 < 2^17.
    """
    return torch.float32 if _largest_sum(arm, largest) <= 2**24 else torch.float64


def _membrane_type(layer: IntegerLayer, largest: int, timesteps: int) -> torch.dtype:
    """int32 if every membrane fits it, before and after reset; else int64.

    A step adds at most d in size: the largest sum, shifted, and the bias; and, where a negative
    threshold is subtracted, that. The leak only brings v nearer to 0: to (1 - 2^-k) |v| + 1 at
    most. So |v| is at most d T, and at most (d + 1) 2^k.
    """
    spikes = max(largest, 1) if layer.recurrent else largest
    most = sum(_largest_sum(arm, spikes) for arm in layer.arms)
    added = (most << layer.fraction_bits) + int(np.abs(layer.bias).max())
    if layer.reset == "subtract":
        added += max(0, -int(layer.threshold.min()))
    steps = timesteps if layer.leak is None else min(timesteps, 2**layer.leak)
    return torch.int32 if (added + 1) * steps < 2**31 else torch.int64


def _leaked(layer: IntegerLayer, v: Tensor) -> Tensor:
    """v less v >> leak, in place; the shift is arithmetic, so that it rounds down."""
    return v if layer.leak is None else v.sub_(v >> layer.leak)


def _fire(layer: IntegerLayer, drive: Tensor) -> Tensor:
    """Leak, add, compare, reset, step by step: int32 or int64 [T, B, C, H, W] to spikes, bool."""
    threshold = torch.from_numpy(layer.spread(layer.threshold).copy()).to(drive.dtype)
    again = [arm for arm in layer.arms if layer.name in arm.sources]
    v = torch.zeros_like(drive[0])
    spikes = torch.empty(drive.shape, dtype=torch.bool)
    for step, (added, fired) in enumerate(zip(drive, spikes, strict=True)):
        v = _leaked(layer, v).add_(added)
        if step:
            for arm in again:
                v.add_(_returned(layer, arm, spikes[step - 1]).to(v.dtype))
        torch.ge(v, threshold, out=fired)
        if layer.reset == "zero":
            v.mul_(~fired)
        elif layer.reset == "subtract":
            v.sub_(threshold * fired)
    return spikes


def _returned(layer: IntegerLayer, arm: Arm, fired: Tensor) -> Tensor:
    """What the layer's own spikes [B, C, H, W] add in the step after them, int64."""
    own = _pooled(fired) if layer.pool else fired
    return _summed(arm, own, 1).long().bitwise_left_shift_(layer.fraction_bits)


def _integrate(layer: IntegerLayer, drive: Tensor) -> Tensor:
    """The membranes after the last step of a layer that never fires: int64 [B, C, 1, 1]."""
    v = torch.zeros_like(drive[0])
    for added in drive:
        v = _leaked(layer, v).add_(added)
    return v.long()


def _pooled(spikes: Tensor) -> Tensor:
    return torch.from_numpy(pool(spikes.numpy()))
