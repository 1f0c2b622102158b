"""Pictures of results, as PNG and SVG; the same figures give the same bytes with one Matplotlib."""

import importlib
import io
from typing import Any

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


def panels(count: int) -> tuple[Any, list[Any]]:
    """A Matplotlib figure with so many panels side by side."""
    check()
    figure = importlib.import_module("matplotlib.figure").Figure(
        figsize=(5.2 * count, 4.2), layout="constrained"
    )
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


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
