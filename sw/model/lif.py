"""The leaky integrate-and-fire neuron, over all time steps at once, with its surrogate gradient."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from sw.model.config.layer import SpikeReset

# The derivative of all spikes of a layer by its membranes, [T, B, ...], for a threshold.
Surrogate = Callable[[Tensor, float], Tensor]


def surrogate(u: Tensor, theta: float) -> Tensor:
    """d spike / d membrane, the paper's Eq. 2: max(0, 1 - |u / theta - 1|)."""
    return (u / theta).sub_(1).abs_().neg_().add_(1).clamp_(min=0)


def lif(
    drive: Tensor,
    theta: float,
    leak: float,
    slope: Surrogate = surrogate,
    above: Tensor | None = None,
) -> Tensor:
    """Spikes of neurons that start at rest.

    Per step u = leak * v + drive; where u >= theta + above it fires and v = 0, elsewhere v = u.
    The gradient is Eq. 1 (back-propagation through time) with a surrogate for the spike; whether
    a neuron was reset is taken as a constant.

    Args:
        drive: float [T, B, ...], what each step adds to the membrane.
        theta: threshold, above 0.
        leak: the paper's lambda, the share of the membrane that a step keeps, 0..1.
        slope: the surrogate, by default Eq. 2; it is asked on the way back only.
        above: how much more than theta it takes in each step, float [T, ...]; None: nothing. A
            surrogate is told how far the membrane is from where the neuron fires.

    Returns:
        0.0 or 1.0, of the drive's type and shape.
    """
    return cast(Tensor, _Lif.apply(drive, theta, leak, slope, above))  # type: ignore[no-untyped-call]


def stepped(
    drive: Tensor,
    theta: float,
    leak: float,
    reset: SpikeReset,
    again: Callable[[Tensor], Tensor] | None = None,
    slope: Surrogate = surrogate,
    above: Tensor | None = None,
) -> Tensor:
    """The same step by step: for a reset that subtracts, or a layer that takes its own spikes.

    Args:
        drive, theta, leak, slope, above: as of `lif`.
        reset: "zero", or "subtract": a spike takes the threshold from the membrane.
        again: what spikes [B, ...] add to the membranes in the step after them.
    """
    past = _Past(slope, theta)
    v = torch.zeros_like(drive[0], dtype=torch.promote_types(drive.dtype, torch.float32))
    spikes: list[Tensor] = []
    for step, added in enumerate(drive):
        u = leak * v + (added if again is None or not spikes else added + again(spikes[-1]))
        seen = u if above is None else u - above[step]
        spikes.append(cast(Tensor, _Spike.apply(seen, past)))  # type: ignore[no-untyped-call]
        fired = spikes[-1].detach()
        v = u * (1 - fired) if reset == "zero" else u - theta * fired
    return torch.stack(spikes).to(drive.dtype)


class _Past:
    """The membranes of a layer's steps, and the slopes of their spikes once one is asked for."""

    def __init__(self, slope: Surrogate, theta: float) -> None:
        self.membranes: list[Tensor] = []
        self.theta = theta
        self._slope, self._slopes = slope, torch.empty(0)

    def slope(self, step: int) -> Tensor:
        """Of the spikes of a step, [B, ...]."""
        if not len(self._slopes):
            self._slopes = self._slope(torch.stack(self.membranes), self.theta)
            self.membranes.clear()
        return self._slopes[step]


class _Spike(torch.autograd.Function):
    """Whether a membrane is at the threshold, with a surrogate for its gradient."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, past: _Past) -> Tensor:
        ctx.past, ctx.step = past, len(past.membranes)
        past.membranes.append(u.detach())
        return (u >= past.theta).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.past.slope(ctx.step), None


class _Lif(torch.autograd.Function):
    """One node of the graph for all steps: it keeps the membranes, less `above`, and no more."""

    @staticmethod
    def forward(
        ctx: Any,
        drive: Tensor,
        theta: float,
        leak: float,
        slope: Surrogate,
        above: Tensor | None,
    ) -> Tensor:
        u = torch.empty(drive.shape, dtype=drive.dtype, device=drive.device)
        v = torch.zeros_like(drive[0])
        for step, added in enumerate(drive):
            torch.add(added, v, alpha=leak, out=u[step])
            seen = u[step] if above is None else u[step] - above[step]
            v = u[step].masked_fill(seen >= theta, 0)
        if above is not None:
            u -= above
        ctx.save_for_backward(u)
        ctx.theta, ctx.leak, ctx.slope = theta, leak, slope
        return (u >= theta).to(drive.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        (by_spike,) = gradients
        (u,) = ctx.saved_tensors
        by_u = by_spike * ctx.slope(u, ctx.theta)
        for step in range(len(u) - 1, 0, -1):
            kept = u[step - 1] < ctx.theta
            by_u[step - 1] += ctx.leak * by_u[step] * kept
        return by_u, None, None, None, None
