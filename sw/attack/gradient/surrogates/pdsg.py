"""PDSG: a bell as wide as the spread of the membranes, and centred beyond the threshold.

Lun et al., Towards effective and sparse adversarial attack on spiking neural networks via breaking
invisible surrogate gradients, CVPR 2025, arXiv 2503.03272; the formula as in the authors' public
implementation. There the spread is that of a batch. Here it is each image's own, as for a batch of
one: what becomes of an image does not depend on which others are attacked with it.
"""

import math

import torch
from torch import Tensor

SMALL = 1e-6  # a smaller spread is that of rounding


class Pdsg:
    """With x = u - theta: exp(-(x - s / 2)^2 / (2 s^2)) / (sqrt(2 pi) s).

    s is the standard deviation of the membranes of all steps so far: for a convolution over the
    places of a channel, for a fully connected layer over its neurons; 1 where there is no spread.
    """

    def step(self) -> None:
        """Nothing to do: it remembers nothing."""

    def keep(self, images: Tensor) -> None:
        """Likewise."""

    def __call__(self, layer: str, membranes: Tensor, theta: float) -> Tensor:
        """See `Slope`."""
        spread = torch.stack([_spread(membranes[: step + 1]) for step in range(len(membranes))])
        x = membranes - theta
        bell = torch.exp(-((x - spread / 2) / spread).square() / 2)
        return bell / (math.sqrt(2 * math.pi) * spread)


def _spread(membranes: Tensor) -> Tensor:
    """Of [t, B, C, H, W], as [B, C or 1, 1, 1]."""
    flat = membranes.shape[-2:] == (1, 1)
    over = (0, 2, 3, 4) if flat else (0, 3, 4)
    count = math.prod(membranes.shape[axis] for axis in over)
    found = membranes.std(dim=over, correction=1 if count > 1 else 0, keepdim=True)[0]
    return torch.where(found < SMALL, 1.0, found)
