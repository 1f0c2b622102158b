"""The paper's printed values, from `published.toml`, with what is doubtful about some of them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PAPER = Path(__file__).with_name("published.toml")


@dataclass(frozen=True)
class Printed:
    """A value as the paper prints it.

    Attributes:
        value: None where the paper has none.
        doubt: what is odd about it and how it was settled; None where nothing is.
    """

    value: float | None
    doubt: str | None = None


def values(
    table: str, encoding: str, weights: str, theta: float | None = None
) -> tuple[Printed, ...]:
    """A row's values for one encoding; none at all where the paper has no such row.

    Args:
        table: "table1" to "table5", "table2_range", "table3_range".
        encoding: "direct", "rate", "phase" or "latency".
        weights: "float" (Q1), "quantised" (Q2); in table5 "algorithm" or "chip".
        theta: the convolutions' threshold, in the tables that have rows for it.
    """
    for row in _tables()[table]:
        if row["weights"] == weights and row.get("theta") == theta:
            return tuple(_printed(value) for value in row.get(encoding, []))
    return ()


def _printed(value: Any) -> Printed:
    if isinstance(value, dict):
        return Printed(value.get("value"), value["doubt"])
    return Printed(value)


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(PAPER.read_text(encoding="utf-8"))


def note(doubt: str, doubts: list[str]) -> str:
    """The mark of a doubt, such as "[2]", by its place in `doubts`; entered there if it is new."""
    if doubt not in doubts:
        doubts.append(doubt)
    return f"[{doubts.index(doubt) + 1}]"
