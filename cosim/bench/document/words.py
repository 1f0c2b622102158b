"""Figures in words: numbers of three digits, medians with their spread, loads."""

from collections.abc import Iterable
from math import floor, log10

from cosim.bench.measure.timing import Spread

DIGITS = 3
NOTHING = "-"  # in a cell that has no figure


def number(value: float) -> str:
    """Three digits, without an exponent, thousands with commas."""
    if value == 0:
        return "0"
    decimals = max(0, DIGITS - 1 - floor(log10(abs(value))))
    return f"{round(value, DIGITS - 1 - floor(log10(abs(value)))):,.{decimals}f}"


def spread_text(spread: Spread) -> str:
    """A median, and in brackets least and largest where it is one of several."""
    if spread["repeats"] == 1:
        return number(spread["median"])
    return f"{number(spread['median'])} ({number(spread['least'])} to {number(spread['largest'])})"


def loads(values: Iterable[float]) -> str:
    """Load averages before and behind a part."""
    return " and ".join(f"{value:.1f}" for value in values)
