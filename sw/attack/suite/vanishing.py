"""Where the gradient fades on its way back: a layer that it does not reach tells nothing."""

import torch
from torch import Tensor

from sw.attack.gradient.losses import cross_entropy
from sw.attack.gradient.sight import Sight
from sw.attack.gradient.way import Way
from sw.data.dataset import Dataset
from sw.model.network import SpikingNetwork, as_input, at_rest

TINY = 1e-12  # a gradient whose every entry is smaller has vanished


def vanishing(network: SpikingNetwork, data: Dataset, way: Way) -> dict[str, int]:
    """Per hidden layer, the images whose gradient by what enters its neurons has vanished."""
    device = network.chain[0].weight.device
    drives: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_hook(
            lambda _layer, _inputs, drive, name=layer.name: drives.__setitem__(name, drive)
        )
        for layer in network.chain[:-1]
    ]
    pixels, labels = as_input(data.images).to(device), torch.from_numpy(data.labels).to(device)
    try:
        with at_rest(network), Sight(way).firing(network):
            losses = cross_entropy(network(pixels.requires_grad_()), labels)
    finally:
        for hook in hooks:
            hook.remove()
    gradients = torch.autograd.grad(losses.sum(), list(drives.values()))
    return {
        name: _faded(gradient, len(data)) for name, gradient in zip(drives, gradients, strict=True)
    }


def _faded(gradient: Tensor, images: int) -> int:
    """Of [T B, ...]."""
    largest = gradient.abs().reshape(-1, images, gradient[0].numel()).amax((0, 2))
    return int((largest < TINY).sum())
