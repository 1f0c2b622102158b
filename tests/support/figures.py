"""Figures of benchmarks as `nc64c bench` keeps them."""

from typing import Any

from cosim.bench import suite


def record(**figures: Any) -> dict[str, Any]:
    """The document of a run that measured these parts."""
    part = {"when": "then", "seconds": 5, "command": "nc64c bench all", "machine": suite.machine()}
    parts = {name: part | {"figures": each} for name, each in figures.items()}
    return {"format": suite.FORMAT, "version": suite.VERSION, "parts": parts}
