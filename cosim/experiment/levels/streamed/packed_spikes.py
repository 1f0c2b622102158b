"""Spikes of a layer between two rounds of the chip, eight to a byte."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sw.integer.inference import pool


@dataclass(frozen=True, eq=False)
class PackedSpikes:
    """`bits` uint8 [images, bytes] are bool [images, T, C, H, W]; `shape` is T, C, H, W."""

    shape: tuple[int, int, int, int]
    bits: NDArray[np.uint8]

    @classmethod
    def pack(cls, spikes: NDArray[np.bool_]) -> "PackedSpikes":
        """Of bool [images, T, C, H, W]."""
        steps, channels, height, width = spikes.shape[1:]
        bits = np.packbits(spikes.reshape(len(spikes), -1), axis=1)
        return cls((steps, channels, height, width), bits)

    @classmethod
    def joined(cls, parts: "list[PackedSpikes]") -> "PackedSpikes":
        """Spikes of the same images, their channels one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls.pack(np.concatenate([part.unpack() for part in parts], axis=2))

    def __len__(self) -> int:
        return len(self.bits)

    def unpack(self) -> NDArray[np.bool_]:
        """bool [images, T, C, H, W]."""
        flat = np.unpackbits(self.bits, axis=1, count=int(np.prod(self.shape)))
        return flat.view(np.bool_).reshape(-1, *self.shape)

    def pooled(self) -> "PackedSpikes":
        """After the layer's pooling, which is OR."""
        return PackedSpikes.pack(pool(self.unpack()))

    def count(self) -> NDArray[np.int64]:
        """Spikes per image, int64 [images]."""
        spikes: NDArray[np.int64] = np.bitwise_count(self.bits).sum(axis=1, dtype=np.int64)
        return spikes
