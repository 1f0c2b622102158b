"""Gradients through the rate: a layer's spikes are taken for a function of its mean drive.

What a neuron did when is lost; what is left has no threshold to hide behind. The spikes themselves
stay what they are.
"""

from typing import Any, cast

import torch
from torch import Tensor

from sw.common.errors import InputError
from sw.model.network import Neurons

FLAT = 0.2  # RGA's gamma: the slope below the drive that ever fires
FULL = 2.0  # the drive, in thresholds, at which RGA takes a neuron to fire in every step


def by_rate(neurons: Neurons, drive: Tensor) -> Tensor:
    """BPTR, back-propagation through the rate: 1 for a neuron that fires, 0 for a silent one.

    Ding et al., SNN-RAT, NeurIPS 2022; as He et al. (ICLR 2024) and Wang et al. (arXiv 2512.22522)
    implement it to compare with.
    """
    spikes = _spikes(neurons, drive)
    return _passed(drive, spikes, spikes.mean(0, keepdim=True) > 0)


def by_approximated_rate(neurons: Neurons, drive: Tensor) -> Tensor:
    """RGA, rate gradient approximation: Bu et al., CVPR 2023, as the authors implement it.

    In thresholds, a drive that is the same every step fires from 1 - leak on. The rate is taken as
    a line of slope 0.2 up to there, from there a line that reaches 1 at twice the threshold, and
    constant outside. The authors have a threshold of 1; theirs of any other is this one. In more
    steps than the network's own (`Way.times`) a rate is finer.
    """
    mean = drive.detach().mean(0, keepdim=True) / neurons.theta
    fires = 1 - neurons.leak
    steep = (1 - FLAT * fires) / (FULL - fires)
    slope = torch.where(mean < fires, FLAT, steep) * ((mean >= 0) & (mean <= FULL))
    return _passed(drive, _spikes(neurons, drive), slope / neurons.theta)


def _spikes(neurons: Neurons, drive: Tensor) -> Tensor:
    if neurons.again is not None:
        raise InputError(
            f"layer {neurons.layer} takes its own spikes: the gradient through the rate is not "
            "defined for it, take the one through time"
        )
    with torch.no_grad():
        return neurons.fire(drive)


def _passed(drive: Tensor, spikes: Tensor, slope: Tensor) -> Tensor:
    return cast(Tensor, _Passed.apply(drive, spikes, slope))  # type: ignore[no-untyped-call]


class _Passed(torch.autograd.Function):
    """Spikes as given, whose gradient by the drive is a slope, the same in every step."""

    @staticmethod
    def forward(ctx: Any, drive: Tensor, spikes: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return spikes.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None, None
