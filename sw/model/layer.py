"""A layer of the spiking network: weights, batch norm or a bias, and what they make of spikes."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sw.model.config.place import Place
from sw.model.geometry import Geometry, fan_in
from sw.model.quantise import clip_scale, pseudo_node

Codes = NDArray[np.int32]
RETURNED = 0.5  # weights of a layer's own spikes start as so large a share of what is usual


class SpikingLayer(nn.Module):
    """Weights, batch norm or a bias, and (if hidden) LIF neurons.

    Attributes:
        place: what the layer is, and what comes in.
        weight: conv [out, in / groups, taps, taps], fc [out, in]; always the float weights.
        beside: those of its branches.
        norm: per output channel, its gain starting at the threshold; None without batch norm, and
            in a recurrent layer, whose own spikes it would not see.
        bias: [out] without batch norm; None with it (it has one).
        scale: the size of a weight that stands for q = 1, of weights that were read as codes and no
            longer tell it (`sw.train.compact`); None: it is that of the weights.
        input_unit: what an input of 1 stands for: 1/255 for pixels, 1 for spikes.
        exact: what comes behind the sums of integer codes is in float64, see
            `sw.model.network.exact`.
    """

    scale: Tensor | None

    def __init__(self, place: Place, theta: float | None, norm: bool) -> None:
        super().__init__()
        spec = place.spec
        self.place, self.spec, self.name, self.theta = place, spec, place.name, theta
        self.input_shape = place.input_shape
        shape: tuple[int, ...] = (spec.features, *fan_in(None, place.input_shape))
        if spec.geometry is not None:
            shape = (spec.features, place.input_shape[0] // spec.groups, spec.taps, spec.taps)
        self.weight = nn.Parameter(torch.empty(shape))
        pairs = zip(spec.branches, place.branch_shapes, strict=True)
        self.beside = nn.ParameterList(
            nn.Parameter(torch.empty(spec.features, *fan_in(branch.window, given)))
            for branch, given in pairs
        )
        norm = norm and not place.recurrent
        self.norm = nn.BatchNorm2d(spec.features) if norm else None
        self.bias = None if norm else nn.Parameter(torch.zeros(spec.features))
        self.register_buffer("scale", None, persistent=False)
        self.input_unit = 1.0
        self.exact = False
        self._kept: tuple[Tensor, Tensor] | None = None

    @property
    def weights(self) -> list[Tensor]:
        """Its own, then those of its branches."""
        return [self.weight, *self.beside]

    def reset(self, generator: torch.Generator) -> None:
        """Draw the weights; let an average drive be about the threshold (gain = theta)."""
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu", generator=generator)
        for branch, weight in zip(self.spec.branches, self.beside, strict=True):
            nn.init.kaiming_uniform_(weight, nonlinearity="relu", generator=generator)
            if branch.source == self.name:
                with torch.no_grad():
                    weight.mul_(RETURNED)
        if self.norm is not None and self.theta is not None:
            nn.init.constant_(self.norm.weight, self.theta)

    def forward(self, inputs: Tensor, bits: int | None, *beside: Tensor) -> Tensor:
        """What the inputs add to the membranes: [N, C, H, W] to [N, out, H', W'].

        `beside` are the inputs of its branches, but for its own spikes. With K bits the sums are of
        integer codes, so for spikes and for pixels they are exact in float32, whatever their order;
        the layer's scale comes in behind.
        """
        weight, unit = self.seen(bits)
        summed = self._summed(inputs, weight)
        others = [(window, seen) for own, window, seen in self._branches(bits) if not own]
        for (window, seen), given in zip(others, beside, strict=True):
            summed = summed + _applied(given, seen, window)
        if self.exact:
            gain, offset = (torch.from_numpy(each).to(summed.device) for each in self.affine())
            worth = gain * (float(unit) * self.input_unit)
            return summed.double() * worth[:, None, None] + offset[:, None, None]
        # Where that is 1, another pass over the memory would change nothing.
        plain = bits is None and self.input_unit == 1
        drive: Tensor = summed if plain else summed * (unit * self.input_unit)
        if self.norm is not None:
            return self.norm(drive)  # type: ignore[no-any-return]
        return drive if self.bias is None else drive + self.bias[:, None, None]

    def returned(self, fired: Tensor, bits: int | None) -> Tensor:
        """What its own spikes, [B, C, H, W], add to the membranes in the step after."""
        _, unit = self.seen(bits)
        found = [
            _applied(fired.to(seen.dtype), seen, window)
            for own, window, seen in self._branches(bits)
            if own
        ]
        summed = sum(found[1:], found[0])
        if self.exact:
            return summed.double() * float(unit)
        return summed if bits is None else summed * unit

    def _summed(self, inputs: Tensor, weight: Tensor) -> Tensor:
        geometry, spec = self.spec.geometry, self.spec
        if geometry is None:
            return F.linear(inputs.flatten(1), weight)[..., None, None]
        return F.conv2d(
            inputs, weight, None, geometry.stride, geometry.padding, spec.dilation, spec.groups
        )

    def _branches(self, bits: int | None) -> Iterator[tuple[bool, Geometry | None, Tensor]]:
        """Of each: whether it is of the layer's own spikes, its window, the weights as seen."""
        for branch, weight in zip(self.spec.branches, self.beside, strict=True):
            seen = weight if bits is None else pseudo_node(weight, bits, self._scale())[0]
            yield branch.source == self.name, branch.window, seen

    def _scale(self) -> Tensor | None:
        """One for all weights, as a core has one set of plane weights; None: of `weight` alone."""
        if self.scale is not None or not self.beside:
            return self.scale
        return clip_scale(torch.cat([weight.flatten() for weight in self.weights]))

    @contextmanager
    def still(self, bits: int | None) -> Iterator[None]:
        """Weights that do not change: they are rounded once, and no gradient reaches them."""
        with torch.no_grad():
            weight, unit = self.seen(bits)
        self._kept = weight.detach(), unit
        try:
            yield
        finally:
            self._kept = None

    def seen(self, bits: int | None) -> tuple[Tensor, Tensor]:
        """The weights that the forward pass sees, and a scalar: what 1 of them is worth."""
        if self._kept is not None:
            return self._kept
        if bits is None:
            return self.weight, torch.tensor(1.0)
        return pseudo_node(self.weight, bits, self._scale())

    def codes(self, bits: int) -> tuple[Codes, float]:
        """Eq. 13's integers for these weights, of their shape, and what one step of them is worth.

        The worth counts for inputs as integers: pixels 0..255, spikes 0 or 1.
        """
        with torch.no_grad():
            rounded, unit = self.seen(bits)
        return _whole(rounded), float(unit) * self.input_unit

    def codes_beside(self, bits: int) -> list[Codes]:
        """The same of its branches."""
        with torch.no_grad():
            return [_whole(seen) for _, _, seen in self._branches(bits)]

    def clip(self) -> Tensor:
        """The size of a weight that stands for q = 1."""
        scale = self._scale()
        return clip_scale(self.weight) if scale is None else scale

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gain and offset of the drive, float64 [out] each: batch norm in evaluation mode."""
        if self.norm is None:
            assert self.bias is not None
            return np.ones(len(self.weight)), self.bias.detach().double().cpu().numpy()
        assert self.norm.running_mean is not None
        assert self.norm.running_var is not None
        deviation = (self.norm.running_var.double() + self.norm.eps).sqrt()
        gain = self.norm.weight.detach().double() / deviation
        offset = self.norm.bias.detach().double() - self.norm.running_mean.double() * gain
        return gain.cpu().numpy(), offset.cpu().numpy()


def _applied(inputs: Tensor, weight: Tensor, window: Geometry | None) -> Tensor:
    if window is None:
        return F.linear(inputs.flatten(1), weight)[..., None, None]
    return F.conv2d(inputs, weight, None, window.stride, window.padding)


def _whole(rounded: Tensor) -> Codes:
    return rounded.round().to(torch.int32).cpu().numpy()
