"""Attacks: images changed a little so that a network errs."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from sw.errors import InputError
from sw.layers import PIXEL_MAX
from sw.model import SpikingNetwork, as_input, at_rest

BATCH = 256


def fgsm(
    network: SpikingNetwork, images: NDArray[np.uint8], labels: NDArray[np.int64], eps: int
) -> NDArray[np.uint8]:
    """Fast gradient sign method, untargeted, Eq. 3: x + eps sign(dJ/dx), J the cross-entropy.

    White-box: the gradient is the given network's own, through the surrogate gradient of Eq. 2
    and, if its weights are quantised, straight through the rounding. A pixel whose gradient is
    exactly 0 stays as it is.

    Args:
        network: float or quantised; used in evaluation mode, left as it was.
        images: uint8 [n, C, H, W].
        labels: int64 [n], the true classes.
        eps: how far a pixel may move, in 1/255.

    Returns:
        uint8 [n, C, H, W], clipped to 0..255: adversarial images are on the pixel grid.

    Raises:
        InputError: eps is not 0..255.
    """
    if not 0 <= eps <= PIXEL_MAX:
        raise InputError(f"eps is {eps}: must be 0 to {PIXEL_MAX}, in 1/{PIXEL_MAX}")
    attacked = [np.empty((0, *images.shape[1:]), dtype=np.uint8)]
    with at_rest(network):
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            step = eps * _signs(network, batch, labels[start : start + BATCH])
            attacked.append(np.clip(batch.astype(np.int64) + step, 0, PIXEL_MAX).astype(np.uint8))
    return np.concatenate(attacked)


def _signs(
    network: SpikingNetwork, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Signs of the loss's gradient by the pixels: -1, 0 or 1, of the images' shape."""
    pixels = as_input(images).requires_grad_()
    loss = F.cross_entropy(network(pixels), torch.from_numpy(labels), reduction="sum")
    (gradient,) = torch.autograd.grad(loss, pixels)
    return gradient.sign().to(torch.int64).numpy()
