"""Encodings: how an image becomes the inputs of the first layer, step by step (the paper's Eq. 5).

All inputs are whole numbers, so that sums of them with integer weights are exact. `UNIT` says what
an input of 1 stands for, where a pixel of 255 stands for 1.

direct   the pixel 0..255 itself, the same every step.
rate     a spike with probability pixel / 255, independently in every step (Bernoulli).
phase    bit k mod 8 of the pixel in step k, the highest first, weighted 2^-(1 + k mod 8).
latency  one spike, the earlier the brighter: in step floor((255 - pixel) T / 255); none for 0.
"""

import math

import torch
from torch import Tensor

from sw.model.config.inputs import PHASES, PIXEL_MAX, Encoding, Inputs

UNIT: dict[Inputs, float] = {
    "direct": 1 / PIXEL_MAX,
    "rate": 1.0,
    "phase": 2.0**-PHASES,
    "latency": 1.0,
    "spikes": 1.0,
    "phase_spikes": 2.0**-PHASES,
}

DIFFERENTIABLE: tuple[Inputs, ...] = ("direct",)  # those with a gradient by the pixels

# SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014), in
# two's complement: a counter goes in, an evenly distributed number comes out.
GOLDEN = 0x9E3779B97F4A7C15 - 2**64
MIXERS = ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64))
LAST_SHIFT = 31
DRAW_BITS = 32


def encode(pixels: Tensor, encoding: Encoding, timesteps: int, seed: int = 0) -> Tensor:
    """The inputs of every step.

    Args:
        pixels: whole numbers 0..255 of any type, [B, C, H, W].
        encoding: see above.
        timesteps: T.
        seed: of the rate encoding. Its spikes depend on the seed and on the image, not on what
            else is in the batch: the same image and seed, the same spikes, wherever it is shown.

    Returns:
        Whole numbers in the type of `pixels`: [1, B, C, H, W], one step that stands for all, if
        direct; else [T, B, C, H, W]: 0 or 1 (rate, latency), 0 or 2^(7 - k mod 8) (phase).
    """
    if encoding == "direct":
        return pixels[None]
    whole = pixels.detach().to(torch.int64)
    if encoding == "rate":
        spikes = _rate(whole, timesteps, seed)
    elif encoding == "phase":
        spikes = _phase(whole, timesteps)
    else:
        spikes = _latency(whole, timesteps)
    return spikes.to(pixels.dtype)


def _rate(pixels: Tensor, timesteps: int, seed: int) -> Tensor:
    """Fires where a draw of 32 bits is below pixel / 255 of its range: never for 0, always at 255.

    The draws are numbered by step and place, and start from a hash of the seed and of the image.
    """
    size = math.prod(pixels.shape[1:])
    counter = torch.arange(1, timesteps * size + 1, dtype=torch.int64, device=pixels.device)
    places = counter[:size]
    image = (pixels.flatten(1) * _mixed(places * GOLDEN)).sum(1)  # wraps, as a hash may
    start = _mixed(image + (seed * GOLDEN + 2**63) % 2**64 - 2**63)
    counters = counter.reshape(timesteps, 1, size)
    draws = _mixed(start[:, None] + counters * GOLDEN) & (2**DRAW_BITS - 1)
    spikes = torch.lt(draws * PIXEL_MAX, pixels.flatten(1) << DRAW_BITS)
    return spikes.reshape(timesteps, *pixels.shape)


def _mixed(counters: Tensor) -> Tensor:
    """SplitMix64's finish, int64 to int64; shifts are made logical by a mask."""
    mixed = counters
    for shift, factor in MIXERS:
        mixed = (mixed ^ (mixed >> shift & (1 << (64 - shift)) - 1)) * factor
    return mixed ^ (mixed >> LAST_SHIFT & (1 << (64 - LAST_SHIFT)) - 1)


def weighted(spikes: Tensor, inputs: Inputs) -> Tensor:
    """The inputs that spikes 0 or 1, [T, B, C, H, W], are to a network that takes such."""
    if inputs != "phase_spikes":
        return spikes
    return spikes * _bits(len(spikes), spikes.device).to(spikes.dtype)


def _phase(pixels: Tensor, timesteps: int) -> Tensor:
    return torch.bitwise_and(pixels, _bits(timesteps, pixels.device))


def _bits(timesteps: int, device: torch.device) -> Tensor:
    """2^(7 - k mod 8) of step k, [T, 1, 1, 1, 1]."""
    bits = 1 << (PHASES - 1 - torch.arange(timesteps, device=device) % PHASES)
    return bits.reshape(-1, 1, 1, 1, 1)


def _latency(pixels: Tensor, timesteps: int) -> Tensor:
    steps = (PIXEL_MAX - pixels) * timesteps // PIXEL_MAX
    return torch.eq(torch.arange(timesteps, device=pixels.device).reshape(-1, 1, 1, 1, 1), steps)
