"""Random crops and flips of training images, drawn by a generator."""

import torch
from torch import Tensor

# Data sets of signs: mirrored, they are other signs or none. Of a user's spikes nobody knows.
ONE_SIDED = ("digits", "mnist", "spikes")
PADDING = 4  # pixels that an image may be shifted by, on each side


def crop_and_flip(images: Tensor, generator: torch.Generator, *, flip: bool = True) -> Tensor:
    """Each image shifted by up to 4 pixels each way, zeros coming in, and half of them mirrored.

    Args:
        images: any type and device, [B, C, H, W]; left as they are.
        generator: of the CPU; draws the shifts and flips; the same state, the same images.
        flip: whether any are mirrored.

    Returns:
        New images of the same type and shape.
    """
    count, channels, height, width = images.shape
    down, right = torch.randint(0, 2 * PADDING + 1, (2, count, 1), generator=generator)
    rows = down + torch.arange(height)
    columns = torch.arange(width).expand(count, -1)
    if flip:
        flipped = torch.rand((count, 1), generator=generator) < 0.5
        columns = torch.where(flipped, width - 1 - columns, columns)
    columns = right + columns
    rows, columns = rows.to(images.device), columns.to(images.device)
    padded = torch.nn.functional.pad(images, (PADDING,) * 4)
    image = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]
