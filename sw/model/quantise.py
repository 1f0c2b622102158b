"""Weights of K bits: the paper's Eq. 13, clipped per layer, trained through a pseudo-node."""

import torch
from torch import Tensor

CLIP_DEVIATIONS = 2.5  # a layer's weights are clipped at this many standard deviations


def codes(x: Tensor, bits: int) -> Tensor:
    """Eq. 13 as integers: (2^K - 1) q_K(x), which is odd and at most 2^K - 1 in size.

    Args:
        x: any shape; clipped to -1..1.
        bits: K, 1..8.

    Returns:
        Whole numbers in the type of `x`. Halves round to the even neighbour.
    """
    levels = 2**bits - 1
    step = torch.round(levels * (x.clamp(-1, 1) + 1) / 2)
    return step.mul(2).sub(levels)


def quantise(x: Tensor, bits: int) -> Tensor:
    """Eq. 13: q_K(x) = 2 (round((2^K - 1) (x + 1) / 2) / (2^K - 1) - 1/2), for x in -1..1."""
    return codes(x, bits).div(2**bits - 1)


def clip_scale(weight: Tensor) -> Tensor:
    """The size at which a layer's weights are clipped and which stands for q = 1; a scalar.

    One scale per layer, because a core has one set of synapse weights for all of its neurons.
    In float64 on the way, so that no order of additions can move a weight to another code.
    """
    deviation = weight.detach().double().std(correction=0).clamp(min=1e-12)
    return (CLIP_DEVIATIONS * deviation).to(weight.dtype)


def pseudo_node(weight: Tensor, bits: int, scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The weights that the forward pass sees, as integer codes and the size of one code step.

    The gradient passes straight through the rounding, and stops where a weight was clipped. The
    float weight itself is never changed, so there is nothing to restore after a step
    (Algorithm 2's restore function).

    Args:
        weight: float weights of one layer, any shape.
        bits: K, 1..8.
        scale: scalar, the size that stands for q = 1; None: `clip_scale` of the weights.

    Returns:
        codes: as from `codes`, of the weight's shape; weight is about codes * unit.
        unit: scalar, without gradient.
    """
    scale = clip_scale(weight) if scale is None else scale
    levels = 2**bits - 1
    clipped = (weight / scale).clamp(-1, 1)
    rounded = clipped * levels + (codes(clipped, bits) - clipped * levels).detach()
    return rounded, scale / levels
