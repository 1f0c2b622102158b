"""The table of a user's network level by level, from the floats on, in a terminal."""

from typing import Any

from rich.table import Table


def table(title: str, levels: list[dict[str, Any]], inputs: int) -> Table:
    """Answers that are the first level's, accuracy if there are labels, and spikes of each layer.

    A layer that the host computes has no spikes at the levels of the chip.
    """
    found = Table(title=title)
    found.add_column("")
    for each in levels:
        found.add_column(each["level"], justify="right")
    first = levels[0]
    found.add_row("same answers", *(f"{each['same']} of {inputs}" for each in levels))
    if first["accuracy"] is not None:
        found.add_row("accuracy", *(f"{100 * each['accuracy']:.1f} %" for each in levels))
    for layer in first["spikes"]:
        counts = (each["spikes"].get(layer) for each in levels)
        cells = ("" if count is None else f"{count:,}" for count in counts)
        found.add_row(f"spikes of {layer}", *cells)
    return found
