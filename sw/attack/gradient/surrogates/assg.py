"""ASSG: an arctangent as wide as each neuron's membrane was far from the threshold lately.

Wang et al., Towards reliable evaluation of adversarial robustness for spiking neural networks,
arXiv 2512.22522: alpha = omega / E|u|, for each neuron, step and image by itself. The running means
and their constants are those of the authors' public implementation (MOMENTUM, RELAXED, SMALL).
"""

import math

import torch
from torch import Tensor

MOMENTUM = 0.9  # of both means
RELAXED = 1.5  # how much the mean deviation counts beside the mean distance
SMALL = 1e-4
FIRST_DISTANCE = 1.0  # before anything was seen; the deviation begins at 0


class Assg:
    """With x = u - theta, at each step of the attack:

        M = 0.9 M + 0.1 |x|,  D = 0.9 D + 0.1 | |x| - M |
        alpha = (2 / pi) tan(pi A) / (M + 1.5 D + 0.0001)
        slope = alpha / 2 / (1 + (pi alpha x / 2)^2)

    Args:
        vanishing: A, half of how much of the gradient may be expected to vanish, 0 to 0.5. The
            larger, the sharper. The authors look for the best one from 0.3 to 0.49.
    """

    def __init__(self, vanishing: float) -> None:
        self._sharpness = 2 / math.pi * math.tan(math.pi * vanishing)
        self._means: dict[str, tuple[Tensor, Tensor]] = {}
        self._seen: set[str] = set()

    def step(self) -> None:
        """The means move once in a step, with the first draw of the encoding."""
        self._seen.clear()

    def keep(self, images: Tensor) -> None:
        """The means of these images go on; bool [B]."""
        self._means = {
            layer: (distance[:, images], deviation[:, images])
            for layer, (distance, deviation) in self._means.items()
        }

    def __call__(self, layer: str, membranes: Tensor, theta: float) -> Tensor:
        """See `Slope`."""
        x = membranes - theta
        if layer not in self._seen:
            self._seen.add(layer)
            self._means[layer] = self._moved(layer, x.abs())
        distance, deviation = self._means[layer]
        alpha = self._sharpness / (distance + RELAXED * deviation + SMALL)
        return alpha / 2 / (1 + (math.pi / 2 * alpha * x).square())

    def _moved(self, layer: str, size: Tensor) -> tuple[Tensor, Tensor]:
        if layer not in self._means:
            first = torch.full_like(size, FIRST_DISTANCE)
            self._means[layer] = first, torch.zeros_like(size)
        distance, deviation = self._means[layer]
        distance = MOMENTUM * distance + (1 - MOMENTUM) * size
        return distance, MOMENTUM * deviation + (1 - MOMENTUM) * (size - distance).abs()
