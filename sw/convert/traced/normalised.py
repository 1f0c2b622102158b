"""Images that a model is shown normalised, (pixel - mean) / std: folded into its first layer.

Weights are divided by std. What -mean / std adds is a bias; zeros of a padding stand for the mean
itself and add nothing, so where the window reaches over the border the bias is another one: it is
then given neuron by neuron, and all is exact.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sw.common.errors import InputError
from sw.convert.float_layer import FloatLayer
from sw.convert.linear_map import Floats
from sw.convert.steps import linear

Numbers = float | Sequence[float] | None
SLACK = 1e-5  # of a pixel, for a sample that was normalised in float32


@dataclass(frozen=True)
class Normalisation:
    """Means and standard deviations, one for each channel, or one for all.

    Raises `InputError` for one that cannot be.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.mean or not self.std:
            raise InputError("mean and std: must be a number for each channel of the images")
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise InputError(f"mean {self.mean}, std {self.std}: must be numbers, std above 0")

    def __str__(self) -> str:
        means, stds = (", ".join(f"{each:g}" for each in one) for one in (self.mean, self.std))
        return f"(pixel - mean) / std, mean {means}, std {stds}"

    def pixels(self, given: Tensor) -> Tensor:
        """What was normalised, of what the model was given: float64 [T, n, C, H, W].

        Raises `InputError` if these are no pixels of 0 to 1.
        """
        mean, std = (torch.from_numpy(each) for each in self._of(given.shape[2]))
        found = given * std[:, None, None] + mean[:, None, None]
        low, high = float(found.min()), float(found.max())
        if low < -SLACK or high > 1 + SLACK:
            raise InputError(
                f"with this mean and std the sample's pixels were {low:.3g} to {high:.3g}: must be"
                " 0 to 1; is the sample normalised, as the model takes it?"
            )
        return found.clamp(0, 1)

    def folded(self, layer: FloatLayer) -> FloatLayer:
        """The first layer for pixels: it does with them what it did with normalised ones."""
        drive = layer.drive
        channels, height, width = drive.inputs
        mean, std = self._of(channels)
        constant = np.broadcast_to((-mean / std)[:, None, None], drive.inputs)
        added = linear(
            torch.from_numpy(constant.copy())[None, None],
            torch.from_numpy(drive.weights.copy()),
            drive.window,
        )[0, 0].numpy()
        bias = drive.bias[:, None, None] + added
        if drive.window is None:
            weights = drive.weights / np.repeat(std, height * width)
        else:
            weights = drive.weights / std[:, None, None]
        same = np.allclose(bias, bias[:, :1, :1], rtol=1e-12, atol=1e-12)
        folded = replace(drive, weights=weights, bias=bias[:, 0, 0] if same else bias)
        return replace(layer, drive=folded)

    def sentence(self, layer: FloatLayer) -> str:
        """What was done, for the contract; `layer` is folded."""
        where = "; by neuron, as its padding is 0" if layer.drive.bias.ndim > 1 else ""
        return f"images are pixels: {self} is in the weights and biases of {layer.name}{where}"

    def _of(self, channels: int) -> tuple[Floats, Floats]:
        """Mean and std of each channel."""
        found = []
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise InputError(
                    f"{name}: has {len(values)} numbers, the images have {channels} channels"
                )
            found.append(np.broadcast_to(np.array(values, np.float64), channels).copy())
        return found[0], found[1]


def normalisation(mean: Numbers, std: Numbers) -> Normalisation | None:
    """Of numbers as users give them: one, or one for each channel; None: there is none."""
    if mean is None and std is None:
        return None
    means, stds = (
        np.atleast_1d(np.asarray(usual if given is None else given, np.float64)).ravel()
        for given, usual in ((mean, 0.0), (std, 1.0))
    )
    return Normalisation(tuple(means.tolist()), tuple(stds.tolist()))
