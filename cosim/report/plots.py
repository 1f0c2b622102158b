"""Pictures of results, as PNG and SVG; the same figures give the same bytes with one Matplotlib."""

import base64
import importlib
import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError

DPI = 150
ENDINGS = ("png", "svg")
COLOURS = {"float": "#6b7a8f", "quantised": "#2f6fde", "golden": "#b9780e", "rtl": "#0d8a68"}
MARKERS = {"float": "^", "quantised": "s", "golden": "D", "rtl": "o"}


def check() -> None:
    """Raises `InputError` unless pictures can be made."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise InputError("pictures need Matplotlib: install nc64c[plots]") from error


def panels(count: int, across: int = 4) -> tuple[Any, list[Any]]:
    """A Matplotlib figure with so many panels, at most so many of them side by side."""
    check()
    columns, rows = min(count, across), -(-count // across)
    figure = importlib.import_module("matplotlib.figure").Figure(
        figsize=(5.2 * columns, 4.2 * rows), layout="constrained"
    )
    every = figure.subplots(rows, columns, squeeze=False).ravel()
    for empty in every[count:]:
        empty.set_axis_off()
    return figure, list(every[:count])


def drawing(width: float, height: float) -> tuple[Any, Any]:
    """A Matplotlib figure of this size, in inches, and its one panel."""
    check()
    figure = importlib.import_module("matplotlib.figure").Figure(
        figsize=(width, height), layout="constrained"
    )
    return figure, figure.subplots()


def as_files(figure: Any) -> dict[str, bytes]:
    """A figure's files by their endings."""
    matplotlib = importlib.import_module("matplotlib")
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    files = {}
    with matplotlib.rc_context({"svg.hashsalt": "nc64c"}):
        for ending in ENDINGS:
            content = io.BytesIO()
            figure.savefig(content, format=ending, dpi=DPI, metadata=metadata[ending])
            files[ending] = content.getvalue()
    return files


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """A data URI of a small picture as PNG: uint8 [H, W] (grey) or [H, W, 3] (colour).

    Written by the format's own rules: the page needs no image library.
    """
    height, width = pixels.shape[:2]
    colour_type = 0 if pixels.ndim == 2 else 2
    lines = pixels.reshape(height, -1)
    raw = np.concatenate([np.zeros((height, 1), np.uint8), lines], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
    )
    return png_uri(data)


def png_uri(png: bytes) -> str:
    """A data URI of a PNG."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
