"""Whether a network in training is still made of numbers.

Its loss does not tell. NaN >= theta is false, so a neuron without a number is merely silent, and
the scores of a silent network are finite. Each function says in words what is wrong, or None.
"""

import torch
from torch import Tensor

from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork, at_rest


def of_gradients(network: SpikingNetwork) -> str | None:
    """The gradients must be finite, and so must their squares: AdamW divides by a mean of them."""
    gradients = {
        name: parameter.grad.float().square().sum()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }
    name = _not_finite(gradients)
    return None if name is None else f"the gradient of {name} is no finite number"


def of_weights(network: SpikingNetwork) -> str | None:
    """The weights must be finite, and what batch norm has measured."""
    name = _not_finite({name: value.abs().max() for name, value in network.state_dict().items()})
    return None if name is None else f"{name} is no finite number"


def of_membranes(network: SpikingNetwork, images: Tensor) -> str | None:
    """The membranes must be finite, in evaluation mode.

    One is a sum of at most T drives, so it is finite if T times the largest of them is.

    Args:
        network: on any device; left as it was.
        images: float [B, C, H, W] in 0..1, on its device.
    """
    largest: dict[str, Tensor] = {}

    def look(layer: SpikingLayer, _inputs: object, drive: Tensor) -> None:
        largest[layer.name] = drive.float().abs().max() * network.timesteps

    hooks = [layer.register_forward_hook(look) for layer in network.chain]
    try:
        with at_rest(network), torch.no_grad():
            network.trace(images)
    finally:
        for hook in hooks:
            hook.remove()
    name = _not_finite(largest)
    return None if name is None else f"a membrane of {name} is no finite number"


def _not_finite(scalars: dict[str, Tensor]) -> str | None:
    """The first name whose scalar is NaN or infinite; one wait for the device if there is none."""
    if bool(torch.stack([scalar.float() for scalar in scalars.values()]).isfinite().all()):
        return None
    return next(name for name, scalar in scalars.items() if not scalar.isfinite())
