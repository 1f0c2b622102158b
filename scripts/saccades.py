"""Event-like inputs from the handwritten digits: images that move in three saccades.

    python scripts/saccades.py events.npz [images] [arrays or events]

As the camera of N-MNIST saw its digits: 34 x 34 pixels, two polarities (brighter, darker), the
image moved along a triangle. A step's spikes are the pixels whose brightness rose or fell by more
than a quarter of the range since the step before. Writes `labels`, and `spikes`, uint8
[images, 30, 2, 34, 34]; or, as a camera does, events `x`, `y`, `t`, `p` and `recording`, each at a
time drawn within its step of 10 ms.
"""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

STEPS, SIDE, DIGIT, CHANGE = 30, 34, 20, 0.25
STEP = 10_000  # microseconds
CORNERS = ((0, 0), (3, 6), (6, 0), (0, 0))  # rows and columns that the image is moved by


def path() -> list[tuple[int, int]]:
    """Where the image is before the first step and in each of them."""
    places = [CORNERS[0]]
    leg = STEPS // 3
    for (y0, x0), (y1, x1) in pairwise(CORNERS):
        for step in range(1, leg + 1):
            share = step / leg
            places.append((round(y0 + (y1 - y0) * share), round(x0 + (x1 - x0) * share)))
    return places


def spikes_of(digits: np.ndarray) -> np.ndarray:
    """Spikes uint8 [n, STEPS, 2, SIDE, SIDE] of images float32 [n, 8, 8], 0 to 1."""
    large = F.interpolate(
        torch.from_numpy(digits)[:, None], size=(DIGIT, DIGIT), mode="bilinear", align_corners=False
    )[:, 0].numpy()
    frames = np.zeros((len(digits), STEPS + 1, SIDE, SIDE), np.float32)
    for frame, (y, x) in enumerate(path()):
        frames[:, frame, y + 2 : y + 2 + DIGIT, x + 2 : x + 2 + DIGIT] = large
    change = np.diff(frames, axis=1)
    return np.stack([change > CHANGE, change < -CHANGE], axis=2).astype(np.uint8)


def events_of(spikes: np.ndarray) -> dict[str, np.ndarray]:
    """The same as events, in order of recording and time."""
    recording, step, channel, y, x = np.nonzero(spikes)
    t = step * STEP + np.random.default_rng(0).integers(0, STEP, len(step))
    order = np.lexsort((t, recording))
    found = {"x": x, "y": y, "t": t, "p": 1 - channel, "recording": recording}
    return {name: values[order] for name, values in found.items()}


def main(out: Path, images: int = 100, kind: str = "arrays") -> None:
    digits = load_digits()
    chosen = np.random.default_rng(0).permutation(len(digits.target))[:images]
    spikes = spikes_of((digits.images[chosen] / 16).astype(np.float32))
    content = events_of(spikes) if kind == "events" else {"spikes": spikes}
    np.savez_compressed(out, labels=digits.target[chosen].astype(np.int64), **content)
    print(f"{out}: {len(spikes)} images, {spikes.mean():.4f} spikes a pixel and step")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]), *sys.argv[3:4])
