"""The paper's approximated gradient by the pixels, Eq. 8 to 12.

Rate, phase and latency encodings make spikes of pixels, and a spike has no gradient by a pixel. The
paper takes the encoded input for the image itself (Eq. 5), so that the gradient at the encoded
input stands for the gradient by the pixels. Where an encoding is the image itself (direct), this
and autograd are the same formula.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sw.attack.gradient.losses import Loss
from sw.common.errors import InputError
from sw.model.geometry import Geometry
from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork


def rotated(by_output: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Eq. 8: what a convolution's output gradient makes of its input gradient.

    The output gradient, with a border of zeros, is convolved with the weights rotated by 180
    degrees, and summed over the output channels (the paper writes one channel of each).

    Args:
        by_output: float [N, out, H, W].
        weight: float [out, in, kernel, kernel].
        geometry: of the convolution; its stride is 1.

    Returns:
        Float [N, in, H, W].
    """
    turned = weight.flip(2, 3).transpose(0, 1)
    return F.conv2d(by_output, turned, padding=geometry.backward.padding)


def approximated(
    network: SpikingNetwork, pixels: Tensor, labels: Tensor, loss: Loss
) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, losses, and Eq. 11 with X_conv1 the first convolution's output, before batch norm.

    Raises:
        InputError: the first layer is no convolution, or one with a stride, dilation or groups.
    """
    first = network.chain[0]
    spec, geometry = first.spec, first.spec.geometry
    if geometry is None:
        raise InputError(
            f"network {network.config.name}: the approximated gradient needs a convolution as"
            f" first layer, but {first.name} is none"
        )
    if (geometry.stride, spec.dilation, spec.groups) != (1, 1, 1):
        raise InputError(
            f"network {network.config.name}: the approximated gradient needs a first layer without"
            f" stride, dilation or groups, but {first.name} has some"
        )
    drives: list[Tensor] = []
    hook = first.register_forward_hook(lambda _layer, _inputs, drive: drives.append(drive))
    try:
        scores = network(pixels.detach())
    finally:
        hook.remove()
    losses = loss(scores, labels)
    (by_drive,) = torch.autograd.grad(losses.sum(), drives)
    weight = _weight(first, network.weight_bits)
    by_step = rotated(by_drive * _gain(first), weight, geometry)
    gradient = by_step.reshape(-1, *pixels.shape).sum(0)
    return scores, losses, gradient


def _gain(layer: SpikingLayer) -> Tensor:
    """Batch norm's factor per channel, float [out, 1, 1], as in evaluation mode."""
    gain, _ = layer.affine()
    like: Any = layer.weight
    return torch.from_numpy(gain).to(like)[:, None, None]


def _weight(layer: SpikingLayer, bits: int | None) -> Tensor:
    """The weights that the forward pass sees, for inputs that are intensities in 0..1."""
    weight, unit = layer.seen(bits)
    worth = float(unit * layer.input_unit) / layer.input_unit  # rounded as on the way
    return weight.detach() * worth
