"""How the loss changes with the pixels: by autograd, or by the paper's approximation, Eq. 8 to 12.

Rate, phase and latency encodings make spikes of pixels, and a spike has no gradient by a pixel. The
paper takes the encoded input for the image itself (Eq. 5), so that the gradient at the encoded
input stands for the gradient by the pixels. Where an encoding is the image itself (direct), both
paths are the same formula.
"""

from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from sw.attack.losses import Loss, cross_entropy
from sw.common.errors import InputError
from sw.model.encoding import DIFFERENTIABLE
from sw.model.geometry import Geometry
from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork

Gradient = Literal["autograd", "approximated"]


def usual(network: SpikingNetwork) -> Gradient:
    """Autograd where the network's encoding has a gradient, the approximation where it has none."""
    return "autograd" if network.config.encoding in DIFFERENTIABLE else "approximated"


class Seen(NamedTuple):
    """Scores, float [B, classes], the losses, float [B], and the gradient of their sum by pixels.

    The gradient is of the pixels' shape.
    """

    scores: Tensor
    losses: Tensor
    gradient: Tensor


def by_pixels(
    network: SpikingNetwork, pixels: Tensor, labels: Tensor, how: Gradient | None = None
) -> Tensor:
    """Gradient of the cross-entropy, summed over the images, by each pixel; as `look`."""
    return look(network, pixels, labels, how).gradient


def look(
    network: SpikingNetwork,
    pixels: Tensor,
    labels: Tensor,
    how: Gradient | None = None,
    loss: Loss = cross_entropy,
) -> Seen:
    """Scores, losses, and how their sum changes with the pixels.

    Args:
        network: float or quantised, in the mode in which it is to be attacked. Its parameters
            gather no gradient.
        pixels: float [B, C, H, W] in 0..1, on the network's device.
        labels: int64 [B], on the same device.
        how: "autograd": through the whole network. "approximated": Eq. 11, the gradient at the
            first convolution's output convolved with its weights rotated by 180 degrees, summed
            over the steps. None: whichever is usual for the encoding.
        loss: of the scores.

    Raises:
        InputError: autograd was asked for where the encoding has no gradient, or the approximation
            where the first layer is not a convolution.
    """
    how = how or usual(network)
    if how == "approximated":
        return _approximated(network, pixels, labels, loss)
    encoding = network.config.encoding
    if encoding not in DIFFERENTIABLE:
        raise InputError(
            f"network {network.config.name}: encoding {encoding} has no gradient by the pixels;"
            " take the approximated one"
        )
    pixels = pixels.detach().requires_grad_()
    scores = network(pixels)
    losses = loss(scores, labels)
    (gradient,) = torch.autograd.grad(losses.sum(), pixels)
    return Seen(scores.detach(), losses.detach(), gradient)


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


def _approximated(network: SpikingNetwork, pixels: Tensor, labels: Tensor, loss: Loss) -> Seen:
    """Eq. 11 with X_conv1 the first convolution's output, before batch norm."""
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
    return Seen(scores.detach(), losses.detach(), gradient)


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
