"""A small set of spikes as a camera would see them: digits that move, as arrays and as events."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.data import digits
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig

STEPS, SIDE = 5, 12
SHAPE = (2, SIDE, SIDE)
TICK = 0.01
CHANGE = 64  # of a pixel, in 1/255, that is an event
PATH = ((2, 2), (1, 3), (0, 4), (2, 3), (3, 1), (4, 0))  # rows and columns the image is moved by
SMALL = NetworkConfig(  # that takes them
    name="small",
    dataset="spikes",
    input_shape=SHAPE,
    classes=tuple(map(str, range(10))),
    layers=(LayerSpec("conv", 4, pool=True), LayerSpec("fc", 12)),
    timesteps=STEPS,
    theta_conv=0.1,
    theta_fc=0.2,
    encoding="spikes",
)
Spikes = NDArray[np.uint8]  # [n, T, 2, rows, columns]
Labels = NDArray[np.int64]


def moved_digits(count: int, first: int = 0) -> tuple[Spikes, Labels]:
    """Digits from `first` on, moved along a path: channel 0 where it grows brighter, 1 darker."""
    found = digits.load("train").take(slice(first, first + count))
    frames = np.zeros((count, STEPS + 1, SIDE, SIDE), np.int16)
    for frame, (row, column) in enumerate(PATH):
        frames[:, frame, row : row + 8, column : column + 8] = found.images[:, 0]
    change = np.diff(frames, axis=1)
    return np.stack([change > CHANGE, change < -CHANGE], 2).astype(np.uint8), found.labels


def as_events(spikes: Spikes) -> dict[str, Any]:
    """The same as address events of a file; the first step of each must have a spike."""
    assert spikes[:, 0].any(axis=(1, 2, 3)).all()
    recording, step, channel, row, column = np.nonzero(spikes)
    time = 1000 + np.rint(step * TICK * 1e6).astype(np.int64)
    return {"x": column, "y": row, "t": time, "p": 1 - channel, "recording": recording}


def write_events(path: Path, count: int, first: int = 0) -> Path:
    """A file of such events, with labels."""
    spikes, labels = moved_digits(count, first)
    np.savez(path, labels=labels, **as_events(spikes))
    return path
