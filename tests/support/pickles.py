"""Pickles as Python 2 wrote them."""

import struct
from typing import Any

import numpy as np


def python2_batch(images: np.ndarray[Any, np.dtype[np.uint8]], labels: list[int]) -> bytes:
    """The official file's opcodes: protocol 2 as Python 2 wrote it, with byte strings."""

    def text(value: str) -> bytes:
        return b"U" + bytes([len(value)]) + value.encode()

    def whole(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    rows, columns = images.shape
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text("b") + b"\x87R"
        b"(K\x01" + whole(rows) + whole(columns) + b"\x86cnumpy\ndtype\n" + text("u1") + b"K\x00"
        b"K\x01\x87R(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<i", images.size) + images.tobytes() + b"tb"
    )
    listed = b"]q\x05(" + b"".join(whole(label) for label in labels) + b"e"
    return (
        b"\x80\x02}q\x01(" + text("batch_label") + text("testing batch 1 of 1") + text("labels")
        + listed + text("data") + array + b"u."
    )  # fmt: skip
