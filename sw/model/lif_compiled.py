"""The LIF neuron's steps as one compiled loop over the memory, forward and backward.

Step by step, `sw.model.lif.lif` moves the membranes through memory several times a step, and that
is most of the time of training. Here `torch.compile` makes one loop of all steps, in which a
membrane stays in a register; the backward pass computes the membranes again from the drive. It
needs a C++ compiler (on a GPU: Triton); where there is none, the same functions run as they stand.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

Kernel = Callable[..., Tensor]
# Compilations of one kernel at most: each T, threshold and type has its own, and so has a drive
# that is the same every step; what comes beyond would run as it stands, many times slower.
VARIANTS = 64


def lif(drive: Tensor, timesteps: int, theta: float, leak: float) -> Tensor:
    """Like `sw.model.lif.lif`, with membranes in float32 whatever the drive's type.

    Args:
        drive: float32 or bfloat16 [T, B, C, H, W], or [1, B, C, H, W] if it is the same every step.
        timesteps: T.
        theta: threshold, above 0.
        leak: the paper's lambda, 0..1.

    Returns:
        0.0 or 1.0 [T, B, C, H, W], in the drive's type and order in memory.
    """
    return cast(Tensor, _Lif.apply(drive, timesteps, theta, leak))  # type: ignore[no-untyped-call]


class _Lif(torch.autograd.Function):
    """One node of the graph for all steps; it keeps the drive, which its maker keeps anyway."""

    @staticmethod
    def forward(ctx: Any, drive: Tensor, timesteps: int, theta: float, leak: float) -> Tensor:
        flat, order = _in_memory_order(drive)
        ctx.save_for_backward(drive)
        ctx.settings = timesteps, theta, leak
        spikes = _kernel(_forward, drive.device.type)(flat.flatten(1), timesteps, theta, leak)
        return spikes.reshape(timesteps, *flat.shape[1:]).permute(order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (drive,) = ctx.saved_tensors
        flat, order = _in_memory_order(drive)
        by_spike = gradients[0].permute(_inverse(order)).contiguous()
        by_drive = _kernel(_backward, drive.device.type)(
            by_spike.flatten(1), flat.flatten(1), *ctx.settings
        )
        return by_drive.reshape(flat.shape).permute(order), None, None, None


def _in_memory_order(drive: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """The tensor with its dimensions as they lie in memory, and the permutation back."""
    last = drive[0].is_contiguous(memory_format=torch.channels_last)
    there = (0, 1, 3, 4, 2) if last and not drive.is_contiguous() else (0, 1, 2, 3, 4)
    return drive.permute(there).contiguous(), _inverse(there)


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(order.index(axis) for axis in range(len(order)))


def _forward(drive: Tensor, timesteps: int, theta: float, leak: float) -> Tensor:
    """Spikes [T, n] for drive [T or 1, n]."""
    v = torch.zeros_like(drive[0], dtype=torch.float32)
    spikes = []
    for step in range(timesteps):
        u = leak * v + drive[step % len(drive)].float()
        fired = u >= theta
        v = torch.where(fired, 0.0, u)
        spikes.append(fired.to(drive.dtype))
    return torch.stack(spikes)


def _backward(by_spike: Tensor, drive: Tensor, timesteps: int, theta: float, leak: float) -> Tensor:
    """Eq. 1 with Eq. 2: the gradient by the drive, [T or 1, n], from that by the spikes, [T, n]."""
    v = torch.zeros_like(drive[0], dtype=torch.float32)
    membranes = []
    for step in range(timesteps):
        u = leak * v + drive[step % len(drive)].float()
        membranes.append(u)
        v = torch.where(u >= theta, 0.0, u)
    later = torch.zeros_like(v)
    by_u = []
    for step in reversed(range(timesteps)):
        u = membranes[step]
        kept = torch.where(u >= theta, 0.0, leak * later)
        later = by_spike[step].float() * (1 - (u / theta - 1).abs()).clamp(min=0) + kept
        by_u.append(later)
    if len(drive) == 1:
        return torch.stack([sum(by_u[1:], by_u[0])]).to(drive.dtype)
    return torch.stack(by_u[::-1]).to(drive.dtype)


@functools.cache
def _kernel(function: Kernel, kind: str) -> Kernel:
    """The function compiled, once and for any length; or as it stands where that cannot be."""
    if not can_compile(kind):
        return function
    settings: Any = {"dynamic": True, "recompile_limit": VARIANTS}  # one is not in torch's types
    return cast(Kernel, torch.compile(function, **settings))


@functools.cache
def can_compile(kind: str = "cpu") -> bool:
    """Whether a compiler works for that kind of device; if not, one warning says so."""
    try:
        torch.compile(lambda x: x + 1, dynamic=True)(torch.zeros(8, device=kind))
    except Exception as error:  # whatever the compiler's reason is, the answer is no
        warnings.warn(
            f"no {'C++ compiler' if kind == 'cpu' else 'Triton'} that works"
            f" ({type(error).__name__}): training will be slower",
            stacklevel=2,
        )
        return False
    return True
