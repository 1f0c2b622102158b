"""Encodings against their definitions, pixel by pixel, and the rate encoding's draws."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sw.model.config.inputs import Encoding
from sw.model.encoding import UNIT, encode

RAMP = torch.arange(256.0).reshape(1, 1, 16, 16)  # every pixel value once


def _random_pixels(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.randint(0, 256, (count, 3, 8, 8), generator=generator).float()


def test_direct_is_the_image_once() -> None:
    assert torch.equal(encode(RAMP, "direct", 7), RAMP[None])


@pytest.mark.parametrize("encoding", ["rate", "phase", "latency"])
@pytest.mark.parametrize("timesteps", [1, 3, 8, 20])
def test_shapes_and_types(encoding: Encoding, timesteps: int) -> None:
    for dtype in (torch.float32, torch.int64):
        inputs = encode(RAMP.to(dtype), encoding, timesteps)
        assert inputs.shape == (timesteps, 1, 1, 16, 16)
        assert inputs.dtype == dtype


@pytest.mark.parametrize("timesteps", [1, 4, 8, 19])
def test_phase_is_the_bits_highest_first(timesteps: int) -> None:
    inputs = encode(RAMP, "phase", timesteps).reshape(timesteps, 256)
    for step in range(timesteps):
        for pixel in range(256):
            bit = f"{pixel:08b}"[step % 8]
            assert inputs[step, pixel] * UNIT["phase"] == int(bit) * 2.0 ** -(1 + step % 8)


def test_phase_of_eight_steps_adds_up_to_the_pixel() -> None:
    inputs = encode(RAMP, "phase", 8)
    assert torch.equal(inputs.sum(0), RAMP)


@pytest.mark.parametrize("timesteps", [1, 2, 4, 8, 300])
def test_latency_is_one_spike_earlier_for_brighter(timesteps: int) -> None:
    inputs = encode(RAMP, "latency", timesteps).reshape(timesteps, 256)
    assert inputs[:, 0].sum() == 0, "black never fires"
    assert torch.equal(inputs[:, 1:].sum(0), torch.ones(255)), "all others fire once"
    steps = inputs[:, 1:].argmax(0)
    assert steps[-1] == 0, "white fires first"
    assert torch.all(steps.diff() <= 0), "the brighter, the earlier"
    assert steps[0] == (254 * timesteps) // 255
    shares = torch.bincount(steps, minlength=timesteps)
    assert shares.max() - shares.min() <= 1 + (timesteps > 255), "evenly spread"


def test_rate_fires_as_often_as_the_pixel_says() -> None:
    steps = 4000
    rates = encode(RAMP, "rate", steps).mean(0).flatten()
    expected = RAMP.flatten() / 255
    deviation = (expected * (1 - expected) / steps).sqrt()
    assert rates[0] == 0
    assert rates[255] == 1
    assert torch.all((rates - expected).abs() <= 5 * deviation)
    pull = (rates - expected)[1:255] / deviation[1:255]
    assert 0.8 < pull.std() < 1.2, "as spread as independent draws are"


def test_rate_draws_are_independent_in_time_and_place() -> None:
    grey = torch.full((1, 1, 16, 16), 128.0)
    spikes = encode(grey, "rate", 2000).reshape(2000, 256) - 128 / 255
    in_time = (spikes[1:] * spikes[:-1]).mean()
    in_place = (spikes[:, 1:] * spikes[:, :-1]).mean()
    bound = 5 * 0.25 / (2000 * 256) ** 0.5
    assert abs(in_time) < bound
    assert abs(in_place) < bound


def test_the_same_seed_the_same_spikes_whatever_else_is_in_the_batch() -> None:
    images = _random_pixels(6)
    spikes = encode(images, "rate", 5, seed=3)
    assert torch.equal(encode(images, "rate", 5, seed=3), spikes)
    assert torch.equal(encode(images[4:], "rate", 5, seed=3), spikes[:, 4:])
    assert torch.equal(encode(images, "rate", 3, seed=3), spikes[:3])
    assert not torch.equal(encode(images, "rate", 5, seed=4), spikes)


def test_other_images_are_drawn_for_independently() -> None:
    images = torch.full((2, 1, 16, 16), 128.0)
    images[1, 0, 0, 0] = 129
    first, second = encode(images, "rate", 500).unbind(1)
    agreement = (first == second).float().mean()
    assert abs(agreement - 0.5) < 5 * 0.5 / (500 * 256) ** 0.5


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**63 - 1])
def test_any_seed(seed: int) -> None:
    rates = encode(RAMP, "rate", 200, seed).mean()
    assert abs(rates - 0.5) < 0.02


def test_draws_never_change() -> None:
    """What this formula gave when it was written: accuracies of checkpoints depend on it."""
    spikes = encode(torch.full((1, 1, 4, 4), 100.0), "rate", 2, seed=7).flatten()
    drawn = "10011010000000000101111100101101"
    assert "".join(str(int(spike)) for spike in spikes) == drawn


def test_a_draw_by_hand() -> None:
    """The same in Python's own integers."""
    mask = 2**64 - 1

    def mixed(z: int) -> int:
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        return z ^ z >> 31

    golden, seed, pixels = 0x9E3779B97F4A7C15, 11, [0, 3, 77, 128, 200, 254]
    image = sum(p * mixed(golden * (n + 1) & mask) for n, p in enumerate(pixels)) & mask
    start = mixed((image + seed * golden) & mask)
    expected = [
        float((mixed((start + golden * (1 + t * 6 + n)) & mask) & 0xFFFFFFFF) * 255 < p << 32)
        for t in range(9)
        for n, p in enumerate(pixels)
    ]
    found = encode(torch.tensor(pixels).float().reshape(1, 1, 2, 3), "rate", 9, seed)
    assert found.flatten().tolist() == expected
    assert 0 < np.mean(expected) < 1
