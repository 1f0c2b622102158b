"""Crops and flips: each result is a shifted, perhaps mirrored image, and the seed decides which."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from sw.data.augment import PADDING, crop_and_flip
from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS
from sw.train import loop, training_state
from sw.train.settings import TrainSettings


def _candidates(image: Tensor) -> list[Tensor]:
    """All that crop and flip can make of an image [C, H, W]."""
    height, width = image.shape[1:]
    found = []
    for source in (image, image.flip(-1)):
        padded = torch.zeros(len(image), height + 2 * PADDING, width + 2 * PADDING).to(image)
        padded[:, PADDING : PADDING + height, PADDING : PADDING + width] = source
        for y in range(2 * PADDING + 1):
            found += [padded[:, y : y + height, x : x + width] for x in range(2 * PADDING + 1)]
    return found


def _images(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(1, 256, (count, 3, 10, 8), generator=generator, dtype=torch.uint8)


def test_each_image_is_shifted_and_perhaps_mirrored() -> None:
    images = _images(40)
    before = images.clone()
    changed = crop_and_flip(images, torch.Generator().manual_seed(2))
    assert changed.shape == images.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(images, before)
    kinds = set()
    for image, result in zip(images, changed, strict=True):
        matches = [torch.equal(result, other) for other in _candidates(image)]
        assert sum(matches) == 1
        kinds.add(matches.index(True))
    assert len(kinds) > 20, "shifts must differ from image to image"


def test_every_shift_and_both_sides_come_up() -> None:
    image = _images(1)
    results = crop_and_flip(image.expand(4000, -1, -1, -1), torch.Generator().manual_seed(3))
    seen = {bytes(result.flatten().tolist()) for result in results}
    assert len(seen) == 2 * 9 * 9


def test_the_generator_decides() -> None:
    first, again, other = (
        crop_and_flip(_images(8), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_flips_images_are_only_shifted() -> None:
    images = _images(1).expand(2000, -1, -1, -1)
    results = crop_and_flip(images, torch.Generator().manual_seed(3), flip=False)
    allowed = {bytes(one.flatten().tolist()) for one in _candidates(images[0])[: 9 * 9]}
    assert {bytes(result.flatten().tolist()) for result in results} == allowed


@pytest.mark.parametrize(
    ("name", "mirrored"),
    [("cifar10", True), ("fashion-mnist", True), ("mnist", False), ("digits", False)],
)
def test_digits_are_never_mirrored(name: str, mirrored: bool) -> None:
    """Each is bright on its left; a shift of 4 of 16 pixels does not change that, a mirror does."""
    pixels = np.zeros((64, 1, 16, 16), np.uint8)
    pixels[..., 4:8] = 255
    config = dataclasses.replace(DIGITS, dataset=name, input_shape=(1, 16, 16))
    dataset = Dataset(name, pixels, np.zeros(64, np.int64), DIGITS.classes)
    run = training_state.start(config, TrainSettings(augment=True, batch=64), dataset)
    [(images, _)] = loop._batches(run, dataset)
    right = images[..., 12:].sum((1, 2, 3)) > 0
    assert bool(right.any()) == mirrored
